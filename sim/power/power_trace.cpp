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
  // Seconds of a bin in which kernels run; more than the bin where two lanes have one.
  std::vector<std::vector<double>> kernel_s(out.rank_w);
  const TaskGraph& graph = in.timeline.graph;
  for (std::size_t t = 0; t < in.item_by_task.size(); ++t) {
    if (in.item_by_task[t] < 0) continue;
    const auto item = static_cast<std::size_t>(in.item_by_task[t]);
    const std::int64_t start = in.timeline.start[t].ps;
    const std::int64_t end = in.timeline.end[t].ps;
    if (end <= start) continue;
    const auto rank = static_cast<std::size_t>(graph.lane(TaskId{t}).value / in.lanes_per_rank);
    if (in.joules_by_item[item] != 0) spread(out.rank_w[rank], in.joules_by_item[item], start, end, width);
    if (!in.is_kernel_by_item.empty() && in.is_kernel_by_item[item])
      spread(kernel_s[rank], static_cast<double>(end - start) / kPicosecondsPerSecond, start, end, width);
  }
  const double floor = in.figures.communication_floor_w.value;
  const double kernel = in.figures.kernel_w ? in.figures.kernel_w->value : 0.0;
  const double cap = in.figures.cap_w.value;
  const double seconds = static_cast<double>(span) / kPicosecondsPerSecond;
  double joules = 0;
  double capped_s = 0;
  for (std::size_t r = 0; r < out.rank_w.size(); ++r) {
    std::vector<double>& rank = out.rank_w[r];
    double longer_s = 0;
    for (std::size_t b = 0; b < rank.size(); ++b) {
      const std::int64_t left = span - static_cast<std::int64_t>(b) * width;
      const double bin_s = static_cast<double>(std::min(width, left)) / kPicosecondsPerSecond;
      const double base = floor + kernel * std::min(1.0, kernel_s[r][b] / bin_s);
      const double asked = base + rank[b] / bin_s;
      if (asked > cap && cap > base) {
        longer_s += bin_s * ((asked - base) / (cap - base) - 1.0);
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
