#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sim/model/hf_config.hpp"

namespace orrery {

/// A built-in model: its configuration in Hugging Face format and what its makers say of its size.
struct ZooEntry {
  std::string name;
  std::string text;    ///< the `config.json`
  std::string source;  ///< where the configuration and the published sizes come from
  std::string note;
  double published_parameters = 0;
  double published_precision = 0;  ///< relative; what the rounding of the published figure allows
  std::optional<double> published_active;
  double published_active_precision = 0;
  bool active_without_lookup = false;  ///< the published active figure leaves the input embedding out
};

/// All built-in models, by name in alphabetical order.
[[nodiscard]] std::span<const ZooEntry> zoo();
/// nullptr when there is no model of that name.
[[nodiscard]] const ZooEntry* find_in_zoo(std::string_view name);

/// A built-in name, or else the path of a `config.json` or of a folder that holds one; a relative path
/// starts at `relative_to`. InputError with the nearest built-in name where neither exists.
[[nodiscard]] LoadedModel load_model(const std::string& name_or_path,
                                     const std::filesystem::path& relative_to);

}  // namespace orrery
