#pragma once

#include <cstdint>
#include <vector>

namespace orrery {

struct LoweredStep;
struct Timeline;

/// What a bar of a schedule's picture stands for.
enum class BarKind : std::uint8_t { kForward, kBackward, kInputGrad, kWeightGrad, kTail };

/// One step of a rank, or one task after its last step (kTail: gradient reduction, optimizer).
struct ScheduleBar {
  BarKind kind = BarKind::kForward;
  BarKind second = BarKind::kBackward;  ///< of an overlapped pair, else without meaning
  bool pair = false;
  std::int64_t begin_ps = 0;
  std::int64_t end_ps = 0;
};

/// A simulated step as bars: what a picture needs of a timeline, at a thousandth of its size.
struct ScheduleBars {
  std::int64_t makespan_ps = 0;
  std::vector<std::vector<ScheduleBar>> ranks;  ///< [rank]: in order of time
};

/// The run was done.
[[nodiscard]] ScheduleBars schedule_bars(const LoweredStep& step, const Timeline& timeline);

}  // namespace orrery
