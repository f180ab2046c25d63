#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace orrery::gui {

/// Where a key works.
enum class Scope : std::uint8_t { kTimeline, kWindow, kMouse };

/// One thing a user can do. The same table makes the menus, the shortcuts, the command palette and the help
/// overlay, so none of them can go stale; tests walk it as well.
struct ActionInfo {
  std::string_view id;    ///< "zoom-in"
  std::string_view text;  ///< "Zoom in"
  std::string_view
      keys;  ///< shortcuts as Qt writes them, separated by spaces; for kMouse the gesture in words
  Scope scope = Scope::kWindow;
  std::string_view menu;  ///< "View"; empty: in no menu
  std::string_view help;  ///< one sentence
};

[[nodiscard]] std::span<const ActionInfo> actions();
/// nullptr when there is none.
[[nodiscard]] const ActionInfo* find_action(std::string_view id);
/// The table as HTML for the overlay: keys first, then gestures of the mouse.
[[nodiscard]] std::string actions_html();
/// Whether every letter of `typed` stands in `text` in that order, whatever the case: the palette's filter.
[[nodiscard]] bool fuzzy_match(std::string_view typed, std::string_view text);

}  // namespace orrery::gui
