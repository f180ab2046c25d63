#pragma once

#include <filesystem>
#include <string>

#include "sim/hw/cluster.hpp"
#include "sim/report/report_json.hpp"

namespace orrery::cli {

/// Version and git commit this program was configured from ("unknown" without git).
[[nodiscard]] ProgramInfo program_info();
/// "orrery 0.1.0 (commit abc, g++ 12.2, C++20)".
[[nodiscard]] std::string version_line();

/// Folders of hardware profiles, the first that holds a name wins: those of ORRERY_PROFILES (separated by
/// ':'), then <program>/../share/orrery/hwprofiles or, where that is missing, hwprofiles/ of the source tree.
/// InputError when ORRERY_PROFILES names no folder.
[[nodiscard]] ProfileFolders profile_folders();

/// Whether standard error is a terminal.
[[nodiscard]] bool talks_to_a_person();

}  // namespace orrery::cli
