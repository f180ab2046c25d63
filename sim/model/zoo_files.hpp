#pragma once

#include <span>
#include <string_view>

namespace orrery {

/// One file of zoo/, embedded by zoo/embed.cmake.
struct ZooFile {
  std::string_view name;  ///< file name without ".json"
  std::string_view text;
};

/// In the order of the build's list of files.
[[nodiscard]] std::span<const ZooFile> zoo_files();

}  // namespace orrery
