#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sim/scenario.hpp"

namespace orrery {

/// What is computed of an item. A new mode is a value here, its name and its branch in `evaluate_item`.
enum class SweepMode {
  kSimulate,  ///< one simulated step
};
[[nodiscard]] const std::vector<std::string>& sweep_mode_names();

/// An interval that only a random sample can draw from.
struct SweepInterval {
  double low = 0;
  double high = 0;
  bool logarithmic = false;
};

/// One direction of a sweep: keys of a scenario that change together.
struct SweepAxis {
  std::vector<std::string> keys;                 ///< dotted; more than one where they are zipped
  std::vector<std::vector<std::string>> points;  ///< values as JSON text, one per key
  std::optional<SweepInterval> interval;         ///< in place of points, of a single key
  std::string place;                             ///< "sweep.json#/axes/layout.pp"
};

struct SweepSample {
  std::uint64_t count = 0;
  std::uint64_t seed = 1;
};

/// A file of schema orrery.sweep/1.
struct SweepSpec {
  std::string place;             ///< file name
  std::filesystem::path folder;  ///< where relative paths start
  std::string base;              ///< scenario as JSON text; empty: nothing given
  std::string base_place;
  std::vector<Override> base_overrides;  ///< of the command line
  SweepMode mode = SweepMode::kSimulate;
  std::vector<SweepAxis> axes;  ///< the last one changes fastest
  std::optional<SweepSample> sample;
  std::string objective;  ///< column that tells which item is best; empty: not given
};

/// Strict: unknown keys and axes of no scenario key are InputErrors with place and nearest known name. `base`
/// given as a path is read here.
[[nodiscard]] SweepSpec parse_sweep(const std::string& text, const std::string& place,
                                    const std::filesystem::path& folder);

/// Adds overrides of the command line to the base. InputError for a key that is an axis.
void add_base_overrides(SweepSpec& spec, const std::vector<Override>& overrides);

/// What decides about the items, as JSON with sorted keys: two files that mean the same sweep give the same
/// text.
[[nodiscard]] std::string canonical_text(const SweepSpec& spec);

}  // namespace orrery
