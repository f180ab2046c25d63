#include "sim/schedule/schedule_bound.hpp"

#include <algorithm>
#include <limits>

namespace orrery {
namespace {

constexpr std::int64_t kFar = std::numeric_limits<std::int64_t>::max() / 4;

/// The least of a figure over the steps that can do a stage's forward, or its backward.
struct Least {
  std::int64_t forward = 0;  ///< ticks of the step that holds the forward
  std::int64_t output = 0;
  std::int64_t gradient = 0;
  std::int64_t backward = 0;       ///< ticks of both halves alone
  std::int64_t input_half = 0;     ///< ticks that its rank spends on it before it can go to another backward
  std::int64_t forward_saves = 0;  ///< most that a pair with this stage's forward saves
  std::int64_t backward_saves = 0;
};

std::vector<Least> least_of(const ScheduleCosts& costs) {
  std::vector<Least> all(costs.stages.size());
  for (std::size_t s = 0; s < all.size(); ++s) {
    const StageCost& c = costs.stages[s];
    all[s].forward = c.forward.duration;
    all[s].output = c.forward.output;
    all[s].gradient = std::min(c.backward.gradient, c.input_grad.gradient);
    all[s].backward = std::min(c.backward.duration, c.input_grad.duration + c.weight_grad.duration);
    all[s].input_half = std::min(c.backward.duration, c.input_grad.duration);
  }
  for (std::size_t f = 0; f < all.size() && !costs.pairs.empty(); ++f) {
    for (std::size_t b = 0; b < all.size(); ++b) {
      const StepTicks pair = costs.pair(StageId{f}, StageId{b});
      if (pair.duration < 0) continue;
      const std::int64_t saved = costs.stages[f].forward.duration + all[b].backward - pair.duration;
      all[f].forward_saves = std::max(all[f].forward_saves, saved);
      all[b].backward_saves = std::max(all[b].backward_saves, saved);
      all[f].forward = std::min(all[f].forward, pair.duration);
      all[f].output = std::min(all[f].output, pair.output);
      all[b].gradient = std::min(all[b].gradient, pair.gradient);
    }
  }
  return all;
}

struct RankSums {
  std::int64_t forward = 0, backward = 0, input_half = 0;
  std::int64_t forward_saves = 0, backward_saves = 0;
  std::int64_t least_forward_save = kFar, least_backward_save = kFar;
  std::int64_t head = kFar, turn = kFar, last = kFar;
  std::int64_t longest_forward = 0, longest_half = 0, least_kept = kFar;
  std::int64_t slots = 0;

  /// All but one forward can be in a pair: the first step of a rank has no backward to go with.
  [[nodiscard]] std::int64_t saved() const {
    return slots == 0 ? 0
                      : std::min(forward_saves - least_forward_save, backward_saves - least_backward_save);
  }
};

class Bound {
 public:
  Bound(const Placement& placement, const ScheduleCosts& costs)
      : placement_(placement), costs_(costs), least_(least_of(costs)), ranks_(placement.ranks) {}

  std::int64_t value() {
    std::int64_t bound = 0;
    for (int m = 0; m < placement_.microbatches; ++m) bound = std::max(bound, follow(m));
    for (std::size_t r = 0; r < ranks_.size(); ++r) bound = std::max(bound, of_rank(r));
    return bound;
  }

 private:
  [[nodiscard]] std::int64_t message(int from, int to, int m) const {
    return placement_.rank_of(from, m) == placement_.rank_of(to, m) ? 0 : costs_.message;
  }

  /// One microbatch's shortest way through and back; adds it to the sums of its ranks.
  std::int64_t follow(int m) {
    const int stages = placement_.stages;
    std::vector<std::int64_t> last(static_cast<std::size_t>(stages));
    for (int s = 1; s < stages; ++s) {
      const auto at = static_cast<std::size_t>(s);
      last[at] = last[at - 1] + message(s, s - 1, m) + least_[at - 1].gradient;
    }
    std::int64_t time = 0;
    for (int s = 0; s < stages; ++s) {
      if (s > 0) time += least_[static_cast<std::size_t>(s - 1)].output + message(s - 1, s, m);
      add(s, m, time, last[static_cast<std::size_t>(s)]);
    }
    const auto deepest = static_cast<std::size_t>(stages - 1);
    time += least_[deepest].forward;
    const std::int64_t turned = time;
    for (int s = stages - 1; s >= 0; --s) {
      const auto at = static_cast<std::size_t>(s);
      RankSums& rank = ranks_[placement_.rank_of(s, m).at()];
      rank.turn = std::min(rank.turn, time);
      time += least_[at].gradient + (s > 0 ? message(s, s - 1, m) : 0);
    }
    return turned + least_[deepest].gradient + last[deepest];
  }

  void add(int s, int m, std::int64_t earliest, std::int64_t last) {
    const Least& least = least_[static_cast<std::size_t>(s)];
    const StageCost& cost = costs_.stages[static_cast<std::size_t>(s)];
    RankSums& rank = ranks_[placement_.rank_of(s, m).at()];
    rank.slots += 1;
    rank.forward += cost.forward.duration;
    rank.backward += least.backward;
    rank.input_half += least.input_half;
    rank.forward_saves += least.forward_saves;
    rank.backward_saves += least.backward_saves;
    rank.least_forward_save = std::min(rank.least_forward_save, least.forward_saves);
    rank.least_backward_save = std::min(rank.least_backward_save, least.backward_saves);
    rank.head = std::min(rank.head, earliest);
    rank.last = std::min(rank.last, least.gradient + last);
    rank.longest_half = std::max(rank.longest_half, least.input_half);
    rank.longest_forward = std::max(rank.longest_forward, cost.forward.duration);
    rank.least_kept = std::min(rank.least_kept, cost.kept);
  }

  [[nodiscard]] std::int64_t of_rank(std::size_t r) const {
    const RankSums& rank = ranks_[r];
    if (rank.slots == 0) return 0;
    const std::int64_t work = rank.forward + rank.backward - rank.saved();
    std::int64_t forwards = rank.slots;
    if (!costs_.memory_limit.empty() && rank.least_kept > 0) {
      forwards = std::min(forwards, costs_.memory_limit[r] / rank.least_kept);
    }
    const std::int64_t ahead = std::min(rank.forward, forwards * rank.longest_forward);
    const std::int64_t tail = costs_.tail_of(r);
    // All forwards and all other backwards come before the last backward. Pairs hide some of them.
    const std::int64_t early =
        costs_.pairs.empty() ? rank.forward + rank.input_half - rank.longest_half : std::int64_t{0};
    return std::max(
        {rank.head + work + tail, rank.turn + work - ahead + tail, rank.head + early + rank.last});
  }

  const Placement& placement_;
  const ScheduleCosts& costs_;
  std::vector<Least> least_;
  std::vector<RankSums> ranks_;
};

}  // namespace

Placement placement_of(const Schedule& schedule) {
  return {.ranks = static_cast<int>(schedule.ranks.size()),
          .stages = schedule.stages,
          .microbatches = schedule.microbatches,
          .owner = schedule.owner};
}

std::int64_t lower_bound(const Placement& placement, const ScheduleCosts& costs) {
  return Bound(placement, costs).value();
}

}  // namespace orrery
