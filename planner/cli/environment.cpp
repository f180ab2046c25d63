#include "planner/cli/environment.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "sim/base/check.hpp"

namespace orrery::cli {
namespace {

constexpr const char* kVariable = "ORRERY_PROFILES";

std::filesystem::path program_folder() {
  std::error_code code;
  return std::filesystem::read_symlink("/proc/self/exe", code).parent_path();
}

void add_from_environment(ProfileFolders& folders) {
  const char* value = std::getenv(kVariable);
  std::string_view rest = value == nullptr ? "" : value;
  while (!rest.empty()) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    const std::filesystem::path folder(rest.substr(0, colon));
    rest.remove_prefix(std::min(colon + 1, rest.size()));
    if (folder.empty()) continue;
    if (!std::filesystem::is_directory(folder))
      throw InputError(kVariable,
                       fmt::format("found '{}', expected a folder with gpu/ and cluster/", folder.string()));
    folders.roots.push_back(folder);
  }
}

}  // namespace

ProgramInfo program_info() {
  return {.version = ORRERY_VERSION, .commit = ORRERY_COMMIT};
}

std::string version_line() {
#ifdef __clang__
  const std::string compiler = fmt::format("clang {}.{}", __clang_major__, __clang_minor__);
#else
  const std::string compiler = fmt::format("g++ {}.{}", __GNUC__, __GNUC_MINOR__);
#endif
  const ProgramInfo info = program_info();
  return fmt::format("orrery {} (commit {}, {})", info.version, info.commit, compiler);
}

ProfileFolders profile_folders() {
  ProfileFolders folders;
  add_from_environment(folders);
  std::error_code code;
  const std::filesystem::path installed =
      (program_folder() / ".." / "share" / "orrery" / "hwprofiles").lexically_normal();
  folders.roots.push_back(std::filesystem::is_directory(installed, code)
                              ? installed
                              : std::filesystem::path(ORRERY_SOURCE_PROFILES));
  return folders;
}

bool talks_to_a_person() {
  return isatty(STDERR_FILENO) == 1;
}

}  // namespace orrery::cli
