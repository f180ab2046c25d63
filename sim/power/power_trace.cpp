#include "sim/power/power_trace.hpp"

#include <algorithm>

namespace orrery {
namespace {

/// Adds `joules` spread evenly over [start, end) to bins of `width` picoseconds.
void spread(std::vector<double>& bins, double joules, std::int64_t start, std::int64_t end,
            std::int64_t width) {
  const std::int64_t first = start / width;
  const std::int64_t last =
      std::min<std::int64_t>((end - 1) / width, static_cast<std::int64_t>(bins.size()) - 1);
  if (first >= last) {
    bins[static_cast<std::size_t>(std::min(first, last))] += joules;
    return;
  }
  const double per_ps = joules / static_cast<double>(end - start);
  for (std::int64_t b = first; b <= last; ++b) {
    const std::int64_t from = std::max(start, b * width);
    const std::int64_t to = std::min(end, (b + 1) * width);
    bins[static_cast<std::size_t>(b)] += per_ps * static_cast<double>(to - from);
  }
}

}  // namespace

std::vector<double> PowerTrace::mean_by_bin() const {
  std::vector<double> mean(rank_w.empty() ? 0 : rank_w.front().size(), 0.0);
  for (const std::vector<double>& rank : rank_w) {
    for (std::size_t b = 0; b < mean.size(); ++b) mean[b] += rank[b] / static_cast<double>(rank_w.size());
  }
  return mean;
}

PowerTrace power_trace(const PowerTraceInput& in) {
  PowerTrace out;
  const std::int64_t span = in.timeline.makespan.ps;
  if (span <= 0 || in.ranks == 0) return out;
  const auto count = static_cast<std::int64_t>(in.bins);
  const std::int64_t width = (span + count - 1) / count;
  const auto used = static_cast<std::size_t>((span + width - 1) / width);
  out.bin_s = static_cast<double>(width) / kPicosecondsPerSecond;
  out.rank_w.assign(static_cast<std::size_t>(in.ranks), std::vector<double>(used, 0.0));
  const TaskGraph& graph = in.timeline.graph;
  for (std::size_t t = 0; t < in.item_by_task.size(); ++t) {
    if (in.item_by_task[t] < 0) continue;
    const double energy = in.joules_by_item[static_cast<std::size_t>(in.item_by_task[t])];
    const std::int64_t start = in.timeline.start[t].ps;
    const std::int64_t end = in.timeline.end[t].ps;
    if (energy == 0 || end <= start) continue;
    const auto rank = static_cast<std::size_t>(graph.lane(TaskId{t}).value / in.lanes_per_rank);
    spread(out.rank_w[rank], energy, start, end, width);
  }
  const double floor = in.figures.communication_floor_w.value;
  const double cap = in.figures.cap_w.value;
  const double seconds = static_cast<double>(span) / kPicosecondsPerSecond;
  double joules = 0;
  double capped_s = 0;
  for (std::vector<double>& rank : out.rank_w) {
    double longer_s = 0;
    for (std::size_t b = 0; b < rank.size(); ++b) {
      const std::int64_t left = span - static_cast<std::int64_t>(b) * width;
      const double bin_s = static_cast<double>(std::min(width, left)) / kPicosecondsPerSecond;
      const double asked = floor + rank[b] / bin_s;
      if (asked > cap && cap > floor) {
        longer_s += bin_s * ((asked - floor) / (cap - floor) - 1.0);
        capped_s += bin_s;
      }
      rank[b] = std::min(asked, cap);
      joules += rank[b] * bin_s;
      out.peak_w = std::max(out.peak_w, rank[b]);
    }
    out.cap_stretch = std::max(out.cap_stretch, longer_s / seconds);
  }
  const double ranks = static_cast<double>(in.ranks);
  out.mean_w = joules / (ranks * seconds);
  out.capped_share = capped_s / (ranks * seconds);
  return out;
}

}  // namespace orrery
