#pragma once

#include <span>
#include <string_view>

namespace orrery::gui {

/// A scenario that travels inside the program; the files are those of docs/examples.
struct Example {
  std::string_view name;  ///< of the file, without .json
  std::string_view title;
  std::string_view text;
};
/// The first one is what the program opens with.
[[nodiscard]] std::span<const Example> examples();

}  // namespace orrery::gui
