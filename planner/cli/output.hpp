#pragma once

#include <string>

#include "planner/cli/command.hpp"
#include "sim/report/table.hpp"

namespace orrery::cli {

/// Writes a result to standard output or, whole or not at all, to the file of -o. InputError when that fails.
void emit(const Invocation& call, const std::string& text);
/// The same for one table in the format that was asked for.
void emit(const Invocation& call, const Table& table);
/// A line to standard error, unless -q.
void note(const Invocation& call, const std::string& line);
/// What one may do next: to a person only, unless -q.
void hint(const Invocation& call, const std::string& line);

}  // namespace orrery::cli
