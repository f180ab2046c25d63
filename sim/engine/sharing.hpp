#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "sim/engine/sim_time.hpp"

namespace orrery {

// How lanes of one group slow each other down (for example: the streams of one GPU share its units and
// its memory).
//
// A task has solo work W: its duration in ps when nothing else in the group runs. While the set M of
// other lanes of its group is busy, its work shrinks at the rate
//
//     dw/dt = -1 / s(row, M),    s >= 1,   s(row, {}) = 1
//
// where `row` is the task's row of the slowdown table and M a bit set over the lanes' positions in the
// group. A task of zero duration counts for nothing. M is constant between the starts and ends of a
// group, so w is piecewise linear. In integers, with f = 2^16 s:
//
//     end          = now + ceil(w f / 2^16)        set whenever f changes
//     w'           = w - floor(dt 2^16 / f)        when f changes dt after it was last set
//
// Progress is rounded down and the end up: work is never lost, and a task that has not ended keeps
// w' >= 1. Each change of f delays a task by less than s ps against exact arithmetic; with f = 2^16
// nothing is rounded. Known limit: M says which lanes are busy, not with what.

/// A slowdown in Q16 fixed point: 65536 is 1.0.
using Slowdown = std::uint32_t;

inline constexpr Slowdown kNoSlowdown = 1U << 16;
inline constexpr std::size_t kMaxGroupLanes = 8;
inline constexpr std::size_t kLaneMasks = std::size_t{1} << kMaxGroupLanes;

/// Slowdown by the mask of the other busy lanes. The own lane's bit is never set.
using SlowdownRow = std::array<Slowdown, kLaneMasks>;

/// 1.25 -> 81920, rounded to nearest. SIM_CHECK: 1 <= factor < 65536.
[[nodiscard]] Slowdown to_slowdown(double factor);

/// Rows of slowdowns; row 0 is all ones and always there.
class SlowdownTable {
 public:
  SlowdownTable();

  /// Number of the row; equal rows share one. SIM_CHECK: every entry >= 1, the entry of mask 0 exactly 1
  /// (a duration is what a task takes alone), at most 65536 rows.
  std::uint16_t add(const SlowdownRow& row);

  [[nodiscard]] std::size_t size() const { return rows_.size(); }
  [[nodiscard]] const SlowdownRow& row(std::uint16_t index) const { return rows_[index]; }
  [[nodiscard]] Slowdown largest() const { return largest_; }

 private:
  std::vector<SlowdownRow> rows_;
  Slowdown largest_ = kNoSlowdown;
};

/// ceil(work f / 2^16): time until `work` is done.
[[nodiscard]] inline SimTime time_left(SimTime work, Slowdown f) {
  __extension__ using Wide = unsigned __int128;
  return SimTime{static_cast<std::int64_t>((static_cast<Wide>(work.ps) * f + (kNoSlowdown - 1)) >> 16)};
}

/// floor(elapsed 2^16 / f): work done in `elapsed`.
[[nodiscard]] inline SimTime work_done(SimTime elapsed, Slowdown f) {
  __extension__ using Wide = unsigned __int128;
  const auto ps = static_cast<std::uint64_t>(elapsed.ps);
  if (ps >> 48 == 0) return SimTime{static_cast<std::int64_t>((ps << 16) / f)};  // 64-bit division
  return SimTime{static_cast<std::int64_t>((static_cast<Wide>(ps) << 16) / f)};
}

}  // namespace orrery
