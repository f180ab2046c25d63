#include <fmt/format.h>

#include <algorithm>

#include "planner/cli/command.hpp"
#include "sim/base/suggest.hpp"

namespace orrery::cli {

const std::vector<CommandInfo>& commands() {
  static const std::vector<CommandInfo> kAll{simulate_command(),
                                             plan_command(),
                                             explain_command(),
                                             report_command(),
                                             sweep_command(),
                                             compare_command(),
                                             compare_schedules_command(),
                                             export_command(),
                                             validate_command(),
                                             list_command(),
                                             config_command(),
                                             doctor_command(),
                                             completions_command(),
                                             calibrate_command(),
                                             gui_command()};
  return kAll;
}

const CommandInfo* find_command(const std::string& name) {
  for (const CommandInfo& command : commands()) {
    if (command.name == name) return &command;
  }
  return nullptr;
}

const CommandInfo& demand_command(const std::string& name) {
  if (const CommandInfo* found = find_command(name)) return *found;
  std::vector<std::string> known;
  for (const CommandInfo& command : commands()) known.push_back(command.name);
  throw UsageError(
      fmt::format("unknown command '{}'{}; commands are {}", name, did_you_mean(name, known), join(known)));
}

}  // namespace orrery::cli
