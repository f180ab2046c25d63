#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gui/core/lane_layout.hpp"
#include "gui/core/run_view.hpp"
#include "gui/core/scene.hpp"

namespace orrery::gui {

/// A slice by the name of its row, so that it stays what it is when rows are pinned or the level changes.
struct SliceId {
  std::string row;
  std::size_t index = 0;
  bool operator==(const SliceId&) const = default;
};

/// A range of time over rows, as dragged or made from a slice.
struct Area {
  std::int64_t t0 = 0, t1 = 0;  ///< picoseconds, t0 <= t1
  std::vector<std::string> rows;
  bool operator==(const Area&) const = default;
};

/// A note on a range.
struct Mark {
  std::int64_t t0 = 0, t1 = 0;
  std::string note;
  bool operator==(const Mark&) const = default;
};

/// What a timeline shows of a run: everything that a picture of it depends on besides size and theme.
struct TimelineState {
  Level level = Level::kPipeline;
  int rank = 0;
  double t0 = 0, t1 = 0;  ///< picoseconds; t1 <= t0 means the whole step
  /// Picoseconds; the axis reaches from here to there where that is more than the step (compared runs).
  double origin = 0, horizon = 0;
  /// A time that compared runs have on one vertical line; none where the note is empty.
  Mark anchor;
  double scroll = 0;
  std::optional<SliceId> selected;
  std::optional<SliceId> hovered;
  std::optional<Area> area;
  std::vector<Mark> marks;
  std::vector<std::string> pins;
  std::vector<SliceId> hits;  ///< of a search
  int current_row = 0;        ///< of the keyboard
  bool focus = false;
  bool critical = true;  ///< critical-path row on; what is not on the path is dimmed while `critical_only`
  bool critical_only = false;
  bool flows = true;
  std::shared_ptr<const LevelRows> overlay;  ///< rows of a trace, below the others; null: none
};

/// Sizes that depend on the font.
struct TextMetrics {
  double em = 13;  ///< height of a line
  TextWidth width;
};

/// Parts of the picture, pixels.
struct TimelineGeometry {
  Box overview, ruler, headers, body, legend;
  TimeAxis axis;
  LaneLayout lanes;  ///< relative to `body`
};

/// Height of a line of the legend.
inline constexpr double kLegendLineEms = 1.4;
/// Most arrows drawn at once, beyond it a line says how many there are.
inline constexpr std::size_t kMostFlows = 500;

/// The rows a state shows, top to bottom: critical path, level, counters of the rank.
[[nodiscard]] std::vector<const TimelineRow*> visible_rows(const RunView& run, const TimelineState& state);
[[nodiscard]] const TimelineRow* find_row(const RunView& run, const TimelineState& state,
                                          const std::string& name);
[[nodiscard]] TimelineGeometry geometry(const RunView& run, const TimelineState& state, double width,
                                        double height, const TextMetrics& text);
/// Where the axis may begin and end, picoseconds.
struct AxisRange {
  double low = 0, high = 1;
};
[[nodiscard]] AxisRange axis_range(const RunView& run, const TimelineState& state);
/// The slice under a pixel; nullopt between slices and on counters.
[[nodiscard]] std::optional<SliceId> slice_at(const TimelineGeometry& g, double x, double y);
/// The whole picture. Width and height below a few pixels give an empty scene.
[[nodiscard]] Scene timeline_scene(const RunView& run, const TimelineState& state, double width,
                                   double height, const TextMetrics& text);
/// One row's slices over the axis into the layers: rectangles where there are few of them, columns
/// of a pixel where they are thinner or on average less than two pixels. For rows of any origin.
void add_row(const TimelineRow& row, const TimeAxis& axis, double y, double h, bool dimmed,
             const TextMetrics& text, SceneLayer& strips, SceneLayer& slices, const RunView* run);

/// How much of the background is in slices of microbatches that enter the pipeline at its last rank.
inline constexpr std::uint8_t kUpwardDim = 80;
/// Whether a microbatch goes through the ranks from the last to the first.
[[nodiscard]] bool goes_upward(const RunView& run, MicrobatchId microbatch);
/// Whether any does, as in DualPipe.
[[nodiscard]] bool has_upward_flow(const RunView& run);

/// "F 12", "F 12 | B 3", "dispatch": what stands in a slice.
[[nodiscard]] std::string slice_label(const RunView& run, const TimelineRow& row, std::size_t index);

}  // namespace orrery::gui
