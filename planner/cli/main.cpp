#include <csignal>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "planner/cli/command.hpp"
#include "planner/cli/command_line.hpp"
#include "planner/cli/environment.hpp"
#include "planner/cli/help.hpp"
#include "sim/base/check.hpp"

namespace orrery::cli {
namespace {

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

int run_program(std::vector<std::string> words) {
  if (words.empty()) {
    print(first_steps() + "'orrery --help' tells more.\n");
    return kFine;
  }
  const std::string name = words.front();
  words.erase(words.begin());
  if (name == "--help" || name == "-h" || name == "help") {
    print(words.empty() ? program_help() : help_text(demand_command(words.front())));
    return kFine;
  }
  if (name == "--version") {
    print(version_line() + "\n");
    return kFine;
  }
  const CommandInfo& command = demand_command(name);
  if (command.run_words != nullptr) return command.run_words(words);
  const Invocation call = parse_command_line(command, std::move(words));
  if (call.has("--help")) {
    print(help_text(command));
    return kFine;
  }
  return command.run(call);
}

int fail(const char* what, const std::exception& error, const char* advice, int code) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s: %s\n%s", what, error.what(), advice);
  return code;
}

int guarded(int argc, char** argv) {
  constexpr const char* kReport =
      "This is a fault of orrery; please report it with the command line and the input.\n";
  try {
    return run_program({argv + 1, argv + argc});
  } catch (const UsageError& error) {
    return fail("error", error, "'orrery --help' shows commands, 'orrery COMMAND --help' options.\n", kUsage);
  } catch (const InputError& error) {
    return fail("error", error, "", kInvalidInput);
  } catch (const std::bad_alloc& error) {
    return fail("internal error: out of memory", error, kReport, kInternalError);
  } catch (const std::exception& error) {
    return fail("internal error", error, kReport, kInternalError);
  }
}

}  // namespace
}  // namespace orrery::cli

int main(int argc, char** argv) {
  std::signal(SIGINT, [](int) { std::_Exit(orrery::cli::kInterrupted); });
  return orrery::cli::guarded(argc, argv);
}
