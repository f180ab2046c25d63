#pragma once

#include <optional>
#include <string>

#include "gui/core/timeline_scene.hpp"
#include "gui/core/workbench.hpp"

namespace orrery::gui {

/// What a session file keeps (schema orrery.session/1): scenario A with its edits, B likewise, notes, pins
/// and view. Results are not kept: they are simulated again.
struct Session {
  Input a;
  std::optional<Input> b;
  std::vector<Mark> marks;
  std::vector<std::string> pins;
  Level level = Level::kPipeline;
  int rank = 0;
  double t0 = 0, t1 = 0;  ///< picoseconds
  std::string theme = "light";
};

/// The same session gives the same bytes.
[[nodiscard]] std::string to_json_text(const Session& session);
/// InputError at place and JSON pointer for damage, another schema or values out of range.
[[nodiscard]] Session parse_session(const std::string& text, const std::string& place);

enum class FileKind : std::uint8_t { kScenario, kResult, kSession, kChromeTrace, kSweepJournal };
/// What a file holds, by its content. InputError for everything else, naming what can be opened.
[[nodiscard]] FileKind kind_of_file(const std::string& text, const std::string& place);

}  // namespace orrery::gui
