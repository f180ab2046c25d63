#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/scenario.hpp"

namespace orrery {

/// One input of a simulation as it was resolved.
struct InputRow {
  std::string key;  ///< "layout.pp", "model.layers", "cluster.scale_out.bytes_per_s"
  std::string value;
  std::string unit;    ///< empty where there is none
  std::string bounds;  ///< of what a user may write, "1 to 1e+06"
  std::string source;  ///< option, file, rule that filled it, or kind and document of a profile's number
};

/// What holds for a key that a written scenario leaves out because it is today's usual: kernels and calls of
/// the training program, the stack. Empty for keys without such a word.
[[nodiscard]] std::optional<std::string> default_word(const Scenario& scenario, const std::string& key);

/// Every key of the scenario, the shape of the model and every number of the cluster and GPU profiles. `file`
/// names where the scenario was read.
[[nodiscard]] std::vector<InputRow> resolved_inputs(const Scenario& scenario, const std::string& file,
                                                    const std::vector<Override>& overrides);

}  // namespace orrery
