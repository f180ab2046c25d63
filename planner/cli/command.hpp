#pragma once

#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace orrery::cli {

/// What a program tells its caller.
enum ExitCode : int {
  kFine = 0,
  kInternalError = 1,
  kUsage = 2,
  kInvalidInput = 3,
  kNothingFeasible = 4,
  kPartial = 5,
  kInterrupted = 130,
};

/// The command line itself is wrong (exit code 2).
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// An option; `value` names its argument in the help, empty for a flag.
struct OptionInfo {
  std::string name;         ///< "--pp"
  std::string letter = {};  ///< "-o" or empty
  std::string value = {};
  std::string what;
  std::vector<std::string> choices = {};  ///< empty: anything
  bool repeats = false;
  std::string scenario_key = {};  ///< the key it overrides, "layout.pp"
};

struct PositionalInfo {
  std::string name;
  std::string what;
  std::vector<std::string> choices = {};
  bool required = false;
};

struct Example {
  std::string command;
  std::string what;
};

struct CommandInfo;

/// A parsed command line.
struct Invocation {
  const CommandInfo* command = nullptr;
  std::vector<std::string> positionals;
  std::map<std::string, std::vector<std::string>> options;  ///< by name; a flag holds one empty text

  [[nodiscard]] bool has(const std::string& name) const { return options.contains(name); }
  /// The value, or `otherwise` when it was not given.
  [[nodiscard]] std::string get(const std::string& name, std::string otherwise = {}) const {
    const auto it = options.find(name);
    return it == options.end() ? otherwise : it->second.back();
  }
  [[nodiscard]] std::string positional(std::size_t index) const {
    return index < positionals.size() ? positionals[index] : std::string{};
  }
};

/// One command: what help, completion and parser know of it, and its function, which returns an exit code.
struct CommandInfo {
  std::string name;
  std::string summary;
  std::vector<Example> examples;
  std::vector<PositionalInfo> positionals;
  std::vector<OptionInfo> options;
  int (*run)(const Invocation&) = nullptr;
  /// Where it is set, the command is a program of its own and takes its words as they are, --help included.
  int (*run_words)(const std::vector<std::string>&) = nullptr;
};

/// All commands in the order of the help.
[[nodiscard]] const std::vector<CommandInfo>& commands();
/// nullptr when there is none of that name.
[[nodiscard]] const CommandInfo* find_command(const std::string& name);
/// Throws UsageError with the nearest name.
[[nodiscard]] const CommandInfo& demand_command(const std::string& name);

// The commands, one file each.
[[nodiscard]] CommandInfo simulate_command();
[[nodiscard]] CommandInfo plan_command();
[[nodiscard]] CommandInfo compare_schedules_command();
[[nodiscard]] CommandInfo explain_command();
[[nodiscard]] CommandInfo report_command();
[[nodiscard]] CommandInfo sweep_command();
[[nodiscard]] CommandInfo compare_command();
[[nodiscard]] CommandInfo export_command();
[[nodiscard]] CommandInfo validate_command();
[[nodiscard]] CommandInfo list_command();
[[nodiscard]] CommandInfo config_command();
[[nodiscard]] CommandInfo doctor_command();
[[nodiscard]] CommandInfo completions_command();
[[nodiscard]] CommandInfo calibrate_command();
[[nodiscard]] CommandInfo gui_command();

}  // namespace orrery::cli
