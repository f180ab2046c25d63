#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "sim/model/model_spec.hpp"

namespace orrery {

/// A model shape with an account of the file it came from.
struct LoadedModel {
  ModelSpec spec;
  std::vector<std::string> used_keys;
  std::vector<std::string> ignored_keys;  ///< normal in these files: nothing of the shape depends on them
  std::vector<std::string> assumed;       ///< "key = value" the architecture's convention filled in
};

/// Reads a Hugging Face `config.json`: the file itself or a folder that holds one. The model is named after
/// the folder, or after the file where that has another name. InputError: no such file, malformed JSON
/// (file:line:column), missing keys (with the nearest key present), sizes that are not whole numbers in
/// range or do not fit together, an architecture that is not known.
[[nodiscard]] LoadedModel load_hf_config(const std::filesystem::path& file_or_folder);

/// The same for a text; `place` stands for the file name in errors, `name` becomes the model's name.
[[nodiscard]] LoadedModel parse_hf_config(std::string_view text, const std::string& place, std::string name);

/// Values of `architectures[0]` that can be read, in alphabetical order.
[[nodiscard]] std::vector<std::string> known_architectures();

}  // namespace orrery
