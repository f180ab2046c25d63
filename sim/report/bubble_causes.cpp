#include "sim/report/bubble_causes.hpp"

#include <algorithm>
#include <utility>

#include "sim/base/check.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/lower/lower.hpp"
#include "sim/lower/step_window.hpp"

namespace orrery {
namespace {

using Span = std::pair<std::int64_t, std::int64_t>;  // start, end

bool has_forward(const Step& step) {
  return step.first.kind == ActionKind::kForward;
}

bool has_backward(const Step& step) {
  return step.overlapped || is_backward(step.first.kind);
}

/// Work of each rank after its last step: gradient reduction, update, gathering of weights.
std::vector<std::vector<Span>> tail_work(const LoweredStep& step, const Timeline& timeline) {
  std::vector<std::vector<Span>> work(static_cast<std::size_t>(step.ranks));
  for (std::size_t t = step.tail_begin.at(); t < timeline.graph.task_count(); ++t) {
    const Span span{timeline.start[t].ps, timeline.end[t].ps};
    if (span.first == span.second) continue;
    work[rank_of_lane(timeline.graph.lane(TaskId{t})).at()].push_back(span);
  }
  for (std::vector<Span>& spans : work) std::sort(spans.begin(), spans.end());
  return work;
}

class RankReader {
 public:
  RankReader(const LoweredStep& step, const Timeline& timeline) : step_(step), timeline_(timeline) {}

  RankBubble read(RankId rank, const std::vector<Span>& tail, const StepPeriod& period) {
    out_.rank = rank;
    find_phases(rank);
    const std::int64_t first = period.ranks[rank.at()].begin.ps;
    std::int64_t clock = first;
    for (std::size_t s = step_.rank_begin[rank.at()]; s < step_.rank_begin[rank.at() + 1]; ++s) {
      const PlacedStep& placed = step_.steps[s];
      const std::int64_t begin = timeline_.end[placed.begin.at()].ps;
      gap(s, clock, begin);
      clock = end_of(placed, step_, timeline_).ps;
      out_.busy += clock - begin;
    }
    for (const auto& [start, end] : tail) {
      if (start > clock) out_.drain += start - clock;
      out_.busy += std::max<std::int64_t>(0, end - std::max(start, clock));
      clock = std::max(clock, end);
    }
    out_.drain += first + period.length.ps - clock;
    SIM_CHECK(out_.busy + out_.idle() == period.length.ps,
              "work and waiting of a rank do not sum to the step");
    return out_;
  }

 private:
  void find_phases(RankId rank) {
    first_backward_ = step_.rank_begin[rank.at() + 1];
    last_forward_ = step_.rank_begin[rank.at()];
    for (std::size_t s = step_.rank_begin[rank.at()]; s < step_.rank_begin[rank.at() + 1]; ++s) {
      if (has_backward(step_.steps[s].step)) first_backward_ = std::min(first_backward_, s);
      if (has_forward(step_.steps[s].step)) last_forward_ = s;
    }
  }

  /// Books the time before step `s`.
  void gap(std::size_t s, std::int64_t from, std::int64_t to) {
    if (to <= from) return;
    const std::int64_t wire = on_wire(step_.steps[s], from, to);
    out_.message += wire;
    (s <= first_backward_ ? out_.warm_up
     : s > last_forward_  ? out_.drain
                          : out_.dependency) += to - from - wire;
  }

  /// How much of the gap the message was on the wire that ended it; what the waterfall calls exposed_pp.
  [[nodiscard]] std::int64_t on_wire(const PlacedStep& placed, std::int64_t from, std::int64_t to) const {
    std::int64_t most = 0;
    for (TaskId input : placed.inputs) {
      if (input == kNoTask || static_cast<TaskKind>(timeline_.graph.kind(input)) != TaskKind::kPp) continue;
      if (timeline_.end[input.at()].ps != to) continue;
      most = std::max(most, to - std::max(from, timeline_.start[input.at()].ps));
    }
    return most;
  }

  const LoweredStep& step_;
  const Timeline& timeline_;
  RankBubble out_;
  std::size_t first_backward_ = 0;
  std::size_t last_forward_ = 0;
};

/// Moves what the rank has less to do than the busiest one to `imbalance`, from where a slow rank makes the
/// others wait first: the steady middle, then the end, then the start.
void take_imbalance(RankBubble& bubble, std::int64_t busiest) {
  std::int64_t left = busiest - bubble.busy;
  for (std::int64_t* part : {&bubble.dependency, &bubble.drain, &bubble.warm_up, &bubble.message}) {
    const std::int64_t taken = std::min(left, *part);
    *part -= taken;
    bubble.imbalance += taken;
    left -= taken;
  }
  SIM_CHECK(left == 0, "a rank lacks more work than it waits");
}

}  // namespace

std::vector<RankBubble> bubble_causes(const LoweredStep& step, const Timeline& timeline) {
  const std::vector<std::vector<Span>> tail = tail_work(step, timeline);
  const StepPeriod period = step_period(step, timeline);
  std::vector<RankBubble> ranks;
  std::int64_t busiest = 0;
  for (std::size_t r = 0; r < tail.size(); ++r) {
    ranks.push_back(RankReader(step, timeline).read(RankId{r}, tail[r], period));
    busiest = std::max(busiest, ranks.back().busy);
  }
  for (RankBubble& bubble : ranks) take_imbalance(bubble, busiest);
  return ranks;
}

MeanBubble mean_bubble(std::span<const RankBubble> ranks) {
  const double n = static_cast<double>(ranks.size()) * kPicosecondsPerSecond;
  MeanBubble mean;
  for (const RankBubble& r : ranks) {
    mean.warm_up_s += static_cast<double>(r.warm_up) / n;
    mean.dependency_s += static_cast<double>(r.dependency) / n;
    mean.drain_s += static_cast<double>(r.drain) / n;
    mean.message_s += static_cast<double>(r.message) / n;
    mean.imbalance_s += static_cast<double>(r.imbalance) / n;
  }
  return mean;
}

}  // namespace orrery
