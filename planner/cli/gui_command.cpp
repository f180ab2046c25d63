#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "planner/cli/command.hpp"
#include "sim/base/check.hpp"

// The interface is a program of its own, so that this one starts on hosts without Qt.

namespace orrery::cli {
namespace {

constexpr const char* kProgram = "orrery-gui";

int run(const Invocation& call) {
  std::vector<std::string> words{kProgram};
  for (const OptionInfo& option : call.command->options) {
    if (!call.has(option.name)) continue;
    words.push_back(option.name);
    words.push_back(call.get(option.name));
  }
  if (!call.positional(0).empty()) words.push_back(call.positional(0));
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::error_code code;
  const std::filesystem::path beside =
      std::filesystem::read_symlink("/proc/self/exe", code).parent_path() / kProgram;
  // Both return only where they fail.
  if (std::filesystem::exists(beside, code))
    execv(beside.c_str(), arguments.data());
  else
    execvp(kProgram, arguments.data());
  if (errno != ENOENT) throw InputError(kProgram, std::string("cannot be started: ") + std::strerror(errno));
  throw InputError(
      kProgram,
      "was not found beside this program nor in PATH; it is built where Qt 6 is installed (Debian: "
      "qt6-base-dev qt6-base-dev-tools libqt6svg6-dev), then configure and build again");
}

}  // namespace

CommandInfo gui_command() {
  return {.name = "gui",
          .summary = "The window: timeline, memory, what-if, comparison of two runs.",
          .examples = {{"orrery gui", "DeepSeek-V3 on 2,048 H800, simulated at the start"},
                       {"orrery gui run.json", "a scenario, a result or a session"},
                       {"orrery gui --screenshot step.png --view memory run.json",
                        "a picture, without a display"}},
          .positionals = {{.name = "FILE", .what = "scenario, result or session"}},
          .options = {{.name = "--screenshot", .value = "FILE", .what = "write the window as PNG and leave"},
                      {.name = "--view",
                       .value = "NAME",
                       .what = "what to show; orrery-gui --help lists the names"},
                      {.name = "--theme",
                       .value = "NAME",
                       .what = "colours",
                       .choices = {"light", "dark", "high-contrast", "print"}},
                      {.name = "--size", .value = "WxH", .what = "size of the window in pixels"},
                      {.name = "--compare", .value = "FILE", .what = "scenario of run B"},
                      {.name = "--help", .letter = "-h", .what = "show this help"}},
          .run = run};
}

}  // namespace orrery::cli
