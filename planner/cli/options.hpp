#pragma once

#include <string>
#include <vector>

#include "planner/cli/command.hpp"
#include "sim/scenario.hpp"

namespace orrery::cli {

/// --format, -o, -q, -v, --set, --help: what every command has.
[[nodiscard]] std::vector<OptionInfo> common_options();
/// --model, --cluster, --pp and the other overrides of a scenario.
[[nodiscard]] std::vector<OptionInfo> scenario_options();
/// `first` and then `second`.
[[nodiscard]] std::vector<OptionInfo> operator+(std::vector<OptionInfo> first,
                                                const std::vector<OptionInfo>& second);

/// The overrides of a command line: options in the order of `scenario_options`, then every --set.
[[nodiscard]] std::vector<Override> overrides_of(const Invocation& call);

/// A scenario with where it came from.
struct ScenarioInput {
  Scenario scenario;
  std::string place;  ///< file name, or "command line"
  std::vector<Override> overrides;
};
/// The scenario a command is about: the file at `positional` (a scenario, a result that holds one, or "-" for
/// standard input), or none, with the overrides.
[[nodiscard]] ScenarioInput read_scenario(const Invocation& call, std::size_t positional);

}  // namespace orrery::cli
