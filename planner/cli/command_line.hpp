#pragma once

#include <string>
#include <vector>

#include "planner/cli/command.hpp"

namespace orrery::cli {

/// Parses what follows the command's name. UsageError for an unknown option (with the nearest), a missing or
/// doubled value, a value that is not one of the choices, too many or too few words. With --help only that is
/// checked.
[[nodiscard]] Invocation parse_command_line(const CommandInfo& command, std::vector<std::string> words);

}  // namespace orrery::cli
