#include "sim/schedule/schedule_bound.hpp"

#include <algorithm>
#include <limits>

#include "sim/schedule/pair_prices.hpp"

namespace orrery {
namespace {

constexpr std::int64_t kFar = std::numeric_limits<std::int64_t>::max() / 4;

/// The least of a figure over the steps that can do a stage's forward, or its backward.
struct Least {
  std::int64_t forward = 0;  ///< ticks of the step that holds the forward
  std::int64_t output = 0;
  std::int64_t gradient = 0;
  std::int64_t backward = 0;    ///< ticks of both halves alone
  std::int64_t input_half = 0;  ///< ticks that its rank spends on it before it can go to another backward
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
      all[f].forward = std::min(all[f].forward, pair.duration);
      all[f].output = std::min(all[f].output, pair.output);
      all[b].gradient = std::min(all[b].gradient, pair.gradient);
    }
  }
  return all;
}

/// Microbatches of one stage on one rank.
struct Stream {
  std::size_t stage = 0;
  std::int64_t count = 0;
  std::int64_t earliest = kFar;  ///< that one of its forwards can begin
};

struct RankSums {
  std::vector<Stream> streams;
  std::int64_t forward = 0, backward = 0, input_half = 0, slots = 0;
  std::int64_t head = kFar, turn = kFar, last = kFar;
  std::int64_t longest_half = 0, least_kept = kFar;
};

class Bound {
 public:
  Bound(const Placement& placement, const ScheduleCosts& costs)
      : placement_(placement),
        costs_(costs),
        least_(least_of(costs)),
        ranks_(static_cast<std::size_t>(placement.ranks)) {}

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
    const auto at = static_cast<std::size_t>(s);
    const Least& least = least_[at];
    const StageCost& cost = costs_.stages[at];
    RankSums& rank = ranks_[placement_.rank_of(s, m).at()];
    auto stream = std::ranges::find(rank.streams, at, &Stream::stage);
    if (stream == rank.streams.end()) stream = rank.streams.insert(stream, {.stage = at});
    stream->count += 1;
    stream->earliest = std::min(stream->earliest, earliest);
    rank.slots += 1;
    rank.forward += cost.forward.duration;
    rank.backward += least.backward;
    rank.input_half += least.input_half;
    rank.head = std::min(rank.head, earliest);
    rank.last = std::min(rank.last, least.gradient + last);
    rank.longest_half = std::max(rank.longest_half, least.input_half);
    rank.least_kept = std::min(rank.least_kept, cost.kept);
  }

  /// What pairs can save on a rank, by the prices of `pair_prices`.
  [[nodiscard]] PairPrices prices(const RankSums& rank) const {
    const std::size_t n = rank.streams.size();
    std::vector<std::vector<std::int64_t>> saves(n, std::vector<std::int64_t>(n, 0));
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t k = 0; k < n; ++k) {
        const std::size_t f = rank.streams[i].stage;
        const std::size_t b = rank.streams[k].stage;
        const StepTicks pair = costs_.pair(StageId{f}, StageId{b});
        if (pair.duration < 0) continue;
        saves[i][k] =
            std::max<std::int64_t>(0, costs_.stages[f].forward.duration + least_[b].backward - pair.duration);
      }
    }
    return pair_prices(saves);
  }

  /// Lengths of forwards that can begin before the rank's first gradient is there, longest first.
  [[nodiscard]] std::vector<std::int64_t> forwards_ahead(std::size_t r) const {
    const RankSums& rank = ranks_[r];
    std::vector<std::int64_t> lengths;
    for (const Stream& s : rank.streams) {
      const std::int64_t lasts = std::max<std::int64_t>(1, costs_.stages[s.stage].forward.duration);
      const std::int64_t time = std::max<std::int64_t>(0, rank.turn - s.earliest);
      lengths.insert(lengths.end(), static_cast<std::size_t>(std::min(s.count, (time + lasts - 1) / lasts)),
                     costs_.stages[s.stage].forward.duration);
    }
    std::ranges::sort(lengths, std::ranges::greater());
    if (!costs_.memory_limit.empty() && rank.least_kept > 0) {
      const auto most =
          static_cast<std::size_t>(std::max<std::int64_t>(0, costs_.memory_limit[r]) / rank.least_kept);
      if (most < lengths.size()) lengths.resize(most);
    }
    return lengths;
  }

  [[nodiscard]] std::int64_t of_rank(std::size_t r) const {
    const RankSums& rank = ranks_[r];
    if (rank.slots == 0) return 0;
    const PairPrices price = prices(rank);
    std::int64_t saved = 0;
    for (std::size_t i = 0; i < rank.streams.size(); ++i)
      saved += rank.streams[i].count * (price.forward[i] + price.backward[i]);
    const std::int64_t work = rank.forward + rank.backward - saved;
    // Whatever the number of forwards begun before the first gradient: each is in no pair. The first step of
    // a rank is one.
    std::int64_t least = kFar;
    std::int64_t ahead = 0;
    std::int64_t lost = price.least;
    const std::vector<std::int64_t> lengths = forwards_ahead(r);
    for (std::size_t x = 0; x <= lengths.size(); ++x) {
      if (x > 0) ahead += lengths[x - 1];
      if (x > 1) lost += price.least;
      least = std::min(least, std::max(rank.head, rank.turn - ahead) + work + lost);
    }
    // All forwards and all other backwards come before the last backward. Pairs hide some of them.
    const std::int64_t early =
        costs_.pairs.empty() ? rank.forward + rank.input_half - rank.longest_half : std::int64_t{0};
    return std::max(least + costs_.tail_of(r), rank.head + early + rank.last);
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
