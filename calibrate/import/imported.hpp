#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "calibrate/probe/sample.hpp"

namespace orrery {

/// Name of products whose time holds the pass that quantises the activation, as in the FP8 rows of tables.
inline constexpr const char* kQuantiseInside = "product with quantise";

/// Executions of one operator found in a foreign file.
struct ImportedOperator {
  std::string name = {};
  std::string op_class = {};  ///< of a hardware profile, or "" where the source does not tell
  Shape shape = {};
  std::string dtype = {};
  std::string stream = {};           ///< of a trace; empty elsewhere
  std::vector<double> seconds = {};  ///< of every execution, or one mean
  double flops = 0;                  ///< of one execution; 0: not known
  double bytes = 0;
  bool sustained = false;
  std::optional<double> watts = {};
  std::optional<double> cap_w = {};
};

/// What an importer made of a file: operators, and everything it did not use with the reason.
struct Imported {
  std::string source = {};  ///< file name as given
  std::string kind = {};    ///< "kineto", "nccl-tests", "table", ...
  About about = {};
  std::vector<ImportedOperator> operators = {};
  std::map<std::string, std::int64_t> skipped = {};  ///< rows or events not used, by reason

  void skip(const std::string& reason, std::int64_t count = 1) { skipped[reason] += count; }
};

/// Seconds of one execution: `found` of `unit_s` seconds each ("us", "ms"). InputError at `where` unless it
/// is above 0 and lies between a tenth of a nanosecond and eleven days.
[[nodiscard]] double execution_seconds(double found, double unit_s, const char* unit,
                                       const std::string& where);

/// Whole text of a file, unpacked where it starts as gzip does. InputError naming the file: missing,
/// a truncated or damaged archive, more than 2 GiB unpacked.
[[nodiscard]] std::string read_maybe_gzip(const std::string& path);

/// The `orrery.samples/1` object of docs/formats/samples.md, with a final line end.
[[nodiscard]] std::string to_json_text(const Imported& imported);

/// The operators with class and time as a file of samples, which the fits read.
[[nodiscard]] SampleFile to_samples(const Imported& imported);

}  // namespace orrery
