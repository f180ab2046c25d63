#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "planner/cli/command.hpp"
#include "sim/base/check.hpp"

namespace orrery::cli {
namespace {

/// Beside this program, else wherever PATH leads.
std::string program_path() {
  std::error_code error;
  const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path beside = own.parent_path() / "orrery-calibrate";
  if (!error && std::filesystem::exists(beside, error)) return beside.string();
  return "orrery-calibrate";
}

/// Becomes orrery-calibrate; comes back only if that cannot be started.
int run_words(const std::vector<std::string>& words) {
  const std::string program = program_path();
  std::vector<char*> arguments{const_cast<char*>(program.c_str())};
  for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::fflush(stdout);
  execvp(program.c_str(), arguments.data());
  throw InputError(
      "calibrate",
      fmt::format("cannot start '{}': {}. It is built with `cmake --build build/release --target "
                  "orrery-calibrate` (Eigen 3.4 and zlib are needed) and lies beside orrery",
                  program, std::strerror(errno)));
}

}  // namespace

CommandInfo calibrate_command() {
  return {.name = "calibrate",
          .summary = "Measures kernels, imports measurements, fits hardware profiles (orrery-calibrate).",
          .examples = {{"orrery calibrate import --kineto trace.json.gz", "operators of a profiler trace"},
                       {"orrery calibrate --help", "all its commands"}},
          .positionals = {},
          .options = {},
          .run = nullptr,
          .run_words = run_words};
}

}  // namespace orrery::cli
