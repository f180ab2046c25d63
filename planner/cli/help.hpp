#pragma once

#include <string>

#include "planner/cli/command.hpp"

namespace orrery::cli {

/// Help of one command; begins with its examples.
[[nodiscard]] std::string help_text(const CommandInfo& command);
/// Help of the program; begins with examples.
[[nodiscard]] std::string program_help();
/// Five commands to begin with, one line each.
[[nodiscard]] std::string first_steps();

}  // namespace orrery::cli
