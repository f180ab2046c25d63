#include "sim/schedule/list_schedule.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <queue>
#include <utility>

namespace orrery {
namespace {

constexpr std::int64_t kNotYet = std::numeric_limits<std::int64_t>::max();

/// The microbatches of one stage on one rank. All pass in the same order, so counters tell the state.
struct Stream {
  StageId stage;
  std::vector<MicrobatchId> microbatches;
  std::size_t forwards = 0, backwards = 0, weights = 0;  ///< begun
  std::vector<std::uint8_t> split;                       ///< [i]: its backward was an input gradient
  std::int64_t most_alive = 0;
  std::int64_t reserve = 0;  ///< units kept free for the deeper stages of the rank

  [[nodiscard]] std::int64_t alive() const { return static_cast<std::int64_t>(forwards - backwards); }
  [[nodiscard]] bool forwards_left() const { return forwards < microbatches.size(); }
  [[nodiscard]] bool backwards_left() const { return backwards < microbatches.size(); }
};

struct RankState {
  std::int64_t free = 0, nic_free = 0, units = 0;
  bool idle = true;
  bool last_was_forward = false;
  std::size_t placed = 0;  ///< steps
  std::vector<Stream> streams;
};

class ListScheduler {
 public:
  ListScheduler(const Placement& placement, const ScheduleCosts& costs, const ListPolicy& policy,
                const SchedulePrefix* prefix)
      : placement_(placement), costs_(costs), policy_(policy), prefix_(prefix) {}

  std::optional<Schedule> run() {
    prepare();
    for (int r = 0; r < placement_.ranks; ++r) wakes_.push({0, r});
    while (!wakes_.empty()) {
      const auto [now, r] = wakes_.top();
      wakes_.pop();
      RankState& rank = ranks_[static_cast<std::size_t>(r)];
      if (rank.free > now) continue;
      rank.idle = true;
      if (prefix_ != nullptr && rank.placed < prefix_->steps[static_cast<std::size_t>(r)]) {
        if (!repeat(static_cast<std::size_t>(r), now)) return std::nullopt;
      } else {
        decide(static_cast<std::size_t>(r), now);
      }
    }
    for (const RankState& rank : ranks_) {
      for (const Stream& stream : rank.streams) {
        if (stream.backwards_left()) return std::nullopt;
        for (std::size_t i = stream.weights; i < stream.microbatches.size(); ++i) {
          if (stream.split[i]) return std::nullopt;
        }
      }
    }
    return std::move(out_);
  }

 private:
  using Wake = std::pair<std::int64_t, int>;

  void prepare() {
    out_.name = "list";
    out_.stages = placement_.stages;
    out_.microbatches = placement_.microbatches;
    out_.owner = placement_.owner;
    out_.ranks.resize(static_cast<std::size_t>(placement_.ranks));
    ranks_.resize(out_.ranks.size());
    forward_input_.assign(placement_.owner.size(), kNotYet);
    backward_input_.assign(placement_.owner.size(), kNotYet);
    for (int s = 0; s < placement_.stages; ++s) {
      for (int m = 0; m < placement_.microbatches; ++m) {
        auto& streams = ranks_[placement_.rank_of(s, m).at()].streams;
        if (streams.empty() || streams.back().stage != StageId{s})
          streams.push_back({.stage = StageId{s}, .microbatches = {}, .split = {}});
        streams.back().microbatches.push_back(MicrobatchId{m});
        if (s == 0) forward_input_[out_.slot(StageId{0}, MicrobatchId{m})] = 0;
      }
    }
    for (std::size_t r = 0; r < ranks_.size(); ++r) limit_streams(r);
  }

  /// Room for one microbatch on each deeper stage of the rank keeps a full rank from waiting for itself.
  void limit_streams(std::size_t r) {
    std::int64_t reserve = 0;
    for (auto stream = ranks_[r].streams.rbegin(); stream != ranks_[r].streams.rend(); ++stream) {
      stream->split.assign(stream->microbatches.size(), 0);
      stream->reserve = reserve;
      reserve += costs_.stages[stream->stage.at()].kept;
      stream->most_alive = static_cast<std::int64_t>(stream->microbatches.size());
      if (policy_.alive_percent > 0)
        stream->most_alive = std::min(stream->most_alive, alive_limit(stream->stage));
    }
  }

  [[nodiscard]] std::int64_t alive_limit(StageId stage) const {
    std::int64_t round_trip = 0;
    std::int64_t period = 1;
    for (std::size_t s = 0; s < costs_.stages.size(); ++s) {
      const StageCost& c = costs_.stages[s];
      if (s >= stage.at()) round_trip += c.forward.duration + c.backward.duration + 2 * costs_.message;
      period = std::max(period, c.forward.duration + c.backward.duration);
    }
    return std::max<std::int64_t>(1,
                                  (policy_.alive_percent * round_trip + 100 * period - 1) / (100 * period));
  }

  [[nodiscard]] std::int64_t forward_at(const Stream& s) const {
    return s.forwards_left() ? forward_input_[out_.slot(s.stage, s.microbatches[s.forwards])] : kNotYet;
  }
  [[nodiscard]] std::int64_t backward_at(const Stream& s) const {
    if (s.backwards >= s.forwards) return kNotYet;
    return backward_input_[out_.slot(s.stage, s.microbatches[s.backwards])];
  }
  [[nodiscard]] bool has_room(std::size_t r, const Stream& s) const {
    const std::int64_t kept = costs_.stages[s.stage.at()].kept;
    return s.alive() < s.most_alive && costs_.within_limit(r, ranks_[r].units + kept + s.reserve);
  }

  /// Whether `a` is to be served before `b`.
  [[nodiscard]] bool before(const Stream& a, const Stream& b, bool forward) const {
    switch (policy_.depth) {
      case ListPolicy::Depth::kDeepest: return a.stage > b.stage;
      case ListPolicy::Depth::kShallowest: return a.stage < b.stage;
      case ListPolicy::Depth::kFewestDone: break;
    }
    const std::size_t done_a = forward ? a.forwards : a.backwards;
    const std::size_t done_b = forward ? b.forwards : b.backwards;
    return done_a != done_b ? done_a < done_b : a.stage > b.stage;
  }

  /// Runs the next step of the prefix, or waits for its inputs. False where it is not in the order of the
  /// microbatches.
  bool repeat(std::size_t r, std::int64_t now) {
    const Step& step = prefix_->schedule.ranks[r][ranks_[r].placed];
    std::int64_t begin = now;
    for (int i = 0; i < step.count(); ++i) {
      const Action& a = step.action(i);
      if (a.kind == ActionKind::kWeightGrad) continue;
      const std::size_t slot = out_.slot(a.stage, a.microbatch);
      const std::int64_t at = a.kind == ActionKind::kForward ? forward_input_[slot] : backward_input_[slot];
      if (at == kNotYet) return true;
      begin = std::max(begin, at);
    }
    if (begin > now) {
      wakes_.push({begin, static_cast<int>(r)});
      return true;
    }
    for (int i = 0; i < step.count(); ++i) {
      const Action& a = step.action(i);
      Stream& s = *std::ranges::find(ranks_[r].streams, a.stage, &Stream::stage);
      skip_whole(s);
      if (take(s, a.kind, r) != a) return false;
      ranks_[r].last_was_forward = a.kind == ActionKind::kForward;
    }
    place(r, step, now);
    return true;
  }

  /// Weight gradients that were done with their input gradients need none of their own.
  static void skip_whole(Stream& s) {
    while (s.weights < s.backwards && !s.split[s.weights]) ++s.weights;
  }

  void decide(std::size_t r, std::int64_t now) {
    Stream* forward = nullptr;
    Stream* backward = nullptr;
    std::int64_t next = kNotYet;  // when the next input is known to come
    for (Stream& s : ranks_[r].streams) {
      const std::int64_t f = has_room(r, s) ? forward_at(s) : kNotYet;
      const std::int64_t b = backward_at(s);
      if (f <= now && (forward == nullptr || before(s, *forward, true))) forward = &s;
      if (b <= now && (backward == nullptr || before(s, *backward, false))) backward = &s;
      if (f > now) next = std::min(next, f);
      if (b > now) next = std::min(next, b);
    }
    if (policy_.pairing != ListPolicy::Pairing::kNever && try_pair(r, now)) return;
    if (forward != nullptr && backward != nullptr) {
      const bool first = policy_.order == ListPolicy::Order::kForwardFirst ||
                         (policy_.order == ListPolicy::Order::kInTurn && !ranks_[r].last_was_forward);
      (first ? backward : forward) = nullptr;
    }
    if (forward != nullptr) return do_forward(r, *forward, now);
    if (backward != nullptr) return do_backward(r, *backward, now);
    do_weight_or_wait(r, now, next);
  }

  /// The pair that saves most among those that can begin now, or, if the policy waits, soon enough.
  bool try_pair(std::size_t r, std::int64_t now) {
    Stream* forward = nullptr;
    Stream* backward = nullptr;
    std::int64_t best = 0;
    std::int64_t begin = now;
    for (Stream& f : ranks_[r].streams) {
      const std::int64_t f_at = has_room(r, f) ? forward_at(f) : kNotYet;
      if (f_at == kNotYet) continue;
      for (Stream& b : ranks_[r].streams) {
        const std::int64_t b_at = backward_at(b);
        const StepTicks pair = costs_.pair(f.stage, b.stage);
        if (b_at == kNotYet || pair.duration < 0) continue;
        const std::int64_t at = std::max({now, f_at, b_at});
        if (at > now && (policy_.pairing != ListPolicy::Pairing::kWait || std::min(f_at, b_at) > now))
          continue;
        const std::int64_t gain = costs_.stages[f.stage.at()].forward.duration +
                                  costs_.stages[b.stage.at()].backward.duration - pair.duration;
        if (100 * (at - now) > policy_.wait_percent * gain) continue;
        const std::int64_t saved = gain - (at - now);
        if (saved < best || saved <= 0) continue;
        if (saved == best && forward != nullptr && !before(f, *forward, true)) continue;
        best = saved;
        begin = at;
        forward = &f;
        backward = &b;
      }
    }
    if (forward == nullptr) return false;
    if (begin > now) {
      wakes_.push({begin, static_cast<int>(r)});
      return true;
    }
    const Action f = take(*forward, ActionKind::kForward, r);
    const Action b = take(*backward, ActionKind::kBackward, r);
    ranks_[r].last_was_forward = !ranks_[r].last_was_forward;
    place(r, overlap(f, b), now);
    return true;
  }

  void do_forward(std::size_t r, Stream& s, std::int64_t now) {
    ranks_[r].last_was_forward = true;
    place(r, alone(take(s, ActionKind::kForward, r)), now);
  }

  void do_backward(std::size_t r, Stream& s, std::int64_t now) {
    ranks_[r].last_was_forward = false;
    const StageCost& c = costs_.stages[s.stage.at()];
    const bool room = costs_.within_limit(r, ranks_[r].units + c.deferred - c.kept);
    const bool split = room && wants_split(r, s, now);
    place(r, alone(take(s, split ? ActionKind::kInputGrad : ActionKind::kBackward, r)), now);
  }

  [[nodiscard]] bool wants_split(std::size_t r, const Stream& s, std::int64_t now) const {
    switch (policy_.split) {
      case ListPolicy::Split::kNever: return false;
      case ListPolicy::Split::kAlways: return true;
      case ListPolicy::Split::kAtTheEnd:
        return std::ranges::none_of(ranks_[r].streams, [](const Stream& x) { return x.forwards_left(); });
      case ListPolicy::Split::kWhenWanted: break;
    }
    if (s.stage.value == 0) return false;
    const RankState& target =
        ranks_[placement_.rank_of(s.stage.value - 1, s.microbatches[s.backwards].value).at()];
    const StageCost& c = costs_.stages[s.stage.at()];
    return target.idle || target.free < now + c.backward.gradient;
  }

  void do_weight_or_wait(std::size_t r, std::int64_t now, std::int64_t next) {
    Stream* oldest = nullptr;
    for (Stream& s : ranks_[r].streams) {
      skip_whole(s);
      if (s.weights < s.backwards && (oldest == nullptr || before(s, *oldest, false))) oldest = &s;
    }
    if (oldest != nullptr) {
      const std::int64_t lasts = costs_.stages[oldest->stage.at()].weight_grad.duration;
      if (next == kNotYet || 100 * (now + lasts - next) <= policy_.late_percent * lasts) {
        place(r, alone(take(*oldest, ActionKind::kWeightGrad, r)), now);
        return;
      }
    }
    if (next != kNotYet) wakes_.push({next, static_cast<int>(r)});
  }

  Action take(Stream& s, ActionKind kind, std::size_t r) {
    const StageCost& c = costs_.stages[s.stage.at()];
    std::size_t i = 0;
    switch (kind) {
      case ActionKind::kForward:
        i = s.forwards++;
        ranks_[r].units += c.kept;
        break;
      case ActionKind::kInputGrad:
        i = s.backwards++;
        s.split[i] = 1;
        ranks_[r].units += c.deferred - c.kept;
        break;
      case ActionKind::kBackward:
        i = s.backwards++;
        ranks_[r].units -= c.kept;
        break;
      case ActionKind::kWeightGrad:
        i = s.weights++;
        ranks_[r].units -= c.deferred;
        break;
    }
    return {.kind = kind, .stage = s.stage, .microbatch = s.microbatches[i]};
  }

  void place(std::size_t r, const Step& step, std::int64_t now) {
    const StepTicks ticks = costs_.ticks(step);
    RankState& rank = ranks_[r];
    rank.idle = false;
    rank.placed += 1;
    rank.free = now + ticks.duration;
    out_.ranks[r].push_back(step);
    for (int i = 0; i < step.count(); ++i) {
      const Action& a = step.action(i);
      if (a.kind == ActionKind::kForward) {
        if (a.stage.value + 1 == placement_.stages) {
          backward_input_[out_.slot(a.stage, a.microbatch)] = rank.free;
        } else {
          deliver(r, a, a.stage.value + 1, now + ticks.output, forward_input_);
        }
      } else if (is_backward(a.kind) && a.stage.value > 0) {
        deliver(r, a, a.stage.value - 1, now + ticks.gradient, backward_input_);
      }
    }
    wakes_.push({rank.free, static_cast<int>(r)});
  }

  void deliver(std::size_t r, const Action& a, int to, std::int64_t ready, std::vector<std::int64_t>& input) {
    const std::size_t target = placement_.rank_of(to, a.microbatch.value).at();
    RankState& rank = ranks_[r];
    if (target != r) {
      ready = rank.nic_free = std::max(ready, rank.nic_free) + costs_.message;
      if (costs_.blocking) rank.free = std::max(rank.free, ready);
    }
    input[out_.slot(StageId{to}, a.microbatch)] = ready;
    wakes_.push({ready, static_cast<int>(target)});
  }

  const Placement& placement_;
  const ScheduleCosts& costs_;
  const ListPolicy& policy_;
  const SchedulePrefix* prefix_;
  std::vector<RankState> ranks_;
  std::vector<std::int64_t> forward_input_, backward_input_;  // [slot]
  std::priority_queue<Wake, std::vector<Wake>, std::greater<>> wakes_;
  Schedule out_;
};

}  // namespace

SchedulePrefix prefix_until(const Schedule& schedule, const std::vector<std::vector<StepTime>>& times,
                            std::int64_t until) {
  SchedulePrefix prefix{.schedule = schedule, .steps = {}};
  for (const std::vector<StepTime>& rank : times) {
    const auto first_after = std::ranges::lower_bound(rank, until, {}, &StepTime::begin);
    prefix.steps.push_back(static_cast<std::size_t>(first_after - rank.begin()));
  }
  return prefix;
}

std::optional<Schedule> list_schedule(const Placement& placement, const ScheduleCosts& costs,
                                      const ListPolicy& policy, const SchedulePrefix* prefix) {
  return ListScheduler(placement, costs, policy, prefix).run();
}

}  // namespace orrery
