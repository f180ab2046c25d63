#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gui/core/timeline_scene.hpp"
#include "sim/report/table.hpp"
#include "sim/schedule/schedule.hpp"

namespace orrery::gui {

// Two runs on one axis: which times of them lie on one vertical line.

enum class Alignment : std::uint8_t {
  kStart,       ///< both steps begin together
  kMicrobatch,  ///< a piece of work of one microbatch begins together; times are not stretched
  kShare,       ///< both steps begin and end together
};
inline constexpr int kAlignmentCount = 3;
/// "by start of the step": as choosers and legends say it.
[[nodiscard]] std::string_view alignment_name(Alignment alignment);

/// What two runs are matched by: a kind of pass of one microbatch over one stage.
struct Work {
  ActionKind kind = ActionKind::kForward;
  int stage = 0;
  int microbatch = 0;
  bool operator==(const Work&) const = default;
};
/// "F12 on stage 3".
[[nodiscard]] std::string to_text(const Work& work);

/// The work of a slice of a pipeline rank, of a pair its forward half; nullopt for waiting and the tail.
[[nodiscard]] std::optional<Work> work_of(const RunView& run, const SliceId& slice);
/// The slice that does the work. A backward whole or split counts as the same.
[[nodiscard]] std::optional<SliceId> slice_of(const RunView& run, const Work& work);
/// When it is done, picoseconds; nullopt where the run has no such work.
[[nodiscard]] std::optional<Stretch> when(const RunView& run, const Work& work);

/// B's time for a time of A: b = a * scale + shift, in picoseconds.
struct TimeMap {
  double scale = 1;
  double shift = 0;
  [[nodiscard]] double to_b(double a) const { return a * scale + shift; }
  [[nodiscard]] double to_a(double b) const { return (b - shift) / scale; }
  bool operator==(const TimeMap&) const = default;
};
/// By start where one of the runs does not do the work, or does not fit.
[[nodiscard]] TimeMap time_map(const RunView& a, const RunView& b, Alignment alignment, const Work& work);
/// From the earlier begin to the later end of the two steps, in A's time.
[[nodiscard]] AxisRange shared_range(const RunView& a, const RunView& b, const TimeMap& map);
/// Microbatches that both runs have; 0 where one does not fit.
[[nodiscard]] int shared_microbatches(const RunView& a, const RunView& b);

/// Each microbatch of both runs: when its first pass begins and its last one ends, and A - B of these.
[[nodiscard]] Table microbatch_table(const RunView& a, const RunView& b);

}  // namespace orrery::gui
