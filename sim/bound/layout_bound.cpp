#include "sim/bound/layout_bound.hpp"

#include <algorithm>
#include <limits>

#include "sim/bound/step_least.hpp"

namespace orrery {
namespace {

using Stage = StageBounds::Stage;

/// Parts of one lane, cheapest to overlap first.
struct Part {
  double room = 0;  ///< ps during which it can overlap
  double loss = 0;  ///< per ps of overlap
};

template <std::size_t kParts>
struct Parts {
  std::array<Part, kParts> part{};
  std::size_t count = 0;
  void add(double alone, double factor) {
    if (alone <= 0) return;
    const Part added{.room = alone * factor, .loss = 1 - 1 / factor};
    std::size_t at = count++;
    for (; at > 0 && part[at - 1].loss > added.loss; --at) part[at] = part[at - 1];
    part[at] = added;
  }
};

/// Least time of the two lanes of a pair: the linear programme of layout_bound.hpp. Its value falls with the
/// overlap as long as the cheapest parts left lose less than they save, so taking them in order is optimal.
}  // namespace

std::int64_t pair_least(const WorkSums& f, const WorkSums& b, const std::vector<double>& factors) {
  Parts<kFactorSlots> compute;
  Parts<kBesideSlots> communication;
  double time = 0;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const double alone = f.compute_by_factor[0][i] + b.compute_by_factor[1][i];
    time += alone;
    compute.add(alone, factors[i]);
  }
  for (std::size_t i = 0; i < kBesideSlots; ++i) {
    const double alone = f.communication_by_factor[0][i] + b.communication_by_factor[1][i];
    time += alone;
    communication.add(alone, 1 + static_cast<double>(i) / kBesideSlots);
  }
  std::size_t c = 0;
  std::size_t m = 0;
  while (c < compute.count && m < communication.count) {
    Part& kernel = compute.part[c];
    Part& transfer = communication.part[m];
    const double saved = 1 - kernel.loss - transfer.loss;
    if (saved <= 0) break;
    const double overlap = std::min(kernel.room, transfer.room);
    time -= overlap * saved;
    kernel.room -= overlap;
    transfer.room -= overlap;
    if (kernel.room <= 0) ++c;
    if (transfer.room <= 0) ++m;
  }
  // Sums of doubles: stay below. A lane's chain of its own is no shorter than it is.
  return std::max({static_cast<std::int64_t>(time * (1 - 1e-12)), f.forward, b.input_grad});
}

std::int64_t whole_work(const BoundContext& context, bool pairs) {
  const WorkSums& w = context.units.whole;
  if (!pairs) return w.forward + std::max(w.input_grad, w.backward_compute);
  // The programme of all units together is no dearer than those of the stages, the chains may be.
  WorkSums lanes = w;
  lanes.forward = lanes.input_grad = 0;
  return pair_least(lanes, lanes, context.memo.factors());
}

namespace {

class Bound {
 public:
  Bound(const BoundContext& context, const ScheduleProfile& profile, const StageBounds& stages)
      : context_(context), profile_(profile), s_(stages) {}

  LayoutBound run() {
    find_ways();
    for (const RankProfile& rank : profile_.ranks) {
      rank_ = &rank;
      time_rank();
      fill_rank();
    }
    return std::move(out_);
  }

 private:
  [[nodiscard]] std::size_t count() const { return s_.stages.size(); }

  /// Shortest ways of one microbatch: to every stage, from the last one back, and on to stage 0.
  void find_ways() {
    bool whole = false;
    bool halves = false;
    std::vector<char> sends_output(count(), 1);
    std::vector<char> sends_gradient(count(), 1);
    for (const RankProfile& rank : profile_.ranks) {
      for (std::size_t i = 0; i < rank.stages.size(); ++i) {
        const auto at = static_cast<std::size_t>(rank.stages[i]);
        if (!rank.sends_output[i]) sends_output[at] = 0;
        if (!rank.sends_gradient[i]) sends_gradient[at] = 0;
      }
      for (const StepCount& c : rank.steps) {
        whole = whole || (!c.overlapped && c.kind == ActionKind::kBackward);
        halves = halves || c.overlapped || c.kind == ActionKind::kInputGrad;
      }
    }
    const auto gradient = [&](std::size_t s) {
      const Stage& stage = s_.stages[s];
      if (!halves) return stage.backward_gradient;
      return whole ? std::min(stage.sums.input_grad, stage.backward_gradient) : stage.sums.input_grad;
    };
    to_.assign(count(), 0);
    up_.assign(count(), 0);
    down_.assign(count(), 0);
    for (std::size_t s = 1; s < count(); ++s) {
      to_[s] = to_[s - 1] + s_.stages[s - 1].sums.forward + (sends_output[s - 1] != 0 ? s_.message : 0);
      const std::int64_t back = sends_gradient[s] != 0 ? s_.message : 0;
      up_[s] = up_[s - 1] + gradient(s) + back;
      down_[s] = down_[s - 1] + back + gradient(s - 1);
    }
  }

  [[nodiscard]] std::int64_t turn(std::int32_t stage) const {
    return to_.back() + s_.stages.back().sums.forward + up_.back() - up_[static_cast<std::size_t>(stage)];
  }

  void time_rank() {
    std::int64_t before = 0;
    std::int64_t middle = 0;
    std::int64_t after = 0;
    StepLeast last;
    StepLeast last_backward;
    for (std::size_t i = 0; i < rank_->steps.size(); ++i) {
      const StepCount& c = rank_->steps[i];
      const StepLeast least = step_least(context_, s_, *rank_, c);
      before += c.before * least.free;
      middle += c.middle * least.free;
      after += c.after * least.free;
      if (i == rank_->last_step) last = least;
      if (i == rank_->last_backward_step) last_backward = least;
    }
    std::int64_t base = to_[static_cast<std::size_t>(rank_->first_stage)] + before;
    if (rank_->first_backward >= 0) base = std::max(base, turn(rank_->first_backward));
    base += middle;
    // The rank is done when its last step is, whatever that still sends.
    const std::int64_t end = base + after - (last.free - last.alone);
    out_.ends.push_back(end);
    std::int64_t drained = end;
    if (rank_->last_backward >= 0) {
      drained = base - last_backward.free + last_backward.gradient_ready +
                down_[static_cast<std::size_t>(rank_->last_backward)];
    }
    out_.pipeline_ps = std::max({out_.pipeline_ps, end, drained});
  }

  void fill_rank() {
    RankParams params;
    bool embedding = false;
    bool mtp = false;
    double working = 0;
    double copies = 0;
    double peak = 0;
    double staying = 0;
    double joules = 0;
    const std::size_t held = rank_->stages.size();
    for (std::size_t i = 0; i < held; ++i) {
      const Stage& s = s_.stages[static_cast<std::size_t>(rank_->stages[i])];
      embedding = embedding || s.embedding;
      mtp = mtp || s.mtp;
      params.dense += s.sums.dense_params - s.head_params;
      params.expert += s.sums.expert_params;
      working = std::max(working, s.working);
      copies = std::max(copies, 4.0 * s.largest_away);
    }
    if (mtp && !embedding)
      params.dense += context_.units.units[context_.units.front.front()].sums.dense_params;
    for (std::size_t p = 0; p < rank_->peaks.size(); p += held) {
      double bytes = 0;
      double away = 0;
      for (std::size_t i = 0; i < held; ++i) {
        const Stage& s = s_.stages[static_cast<std::size_t>(rank_->stages[i])];
        const LiveCount& live = rank_->peaks[p + i];
        bytes += live.kept * s.sums.kept + live.deferred * s.sums.deferred;
        away += live.kept * s.away;
      }
      peak = std::max(peak, bytes);
      staying = std::max(staying, bytes - away);
    }
    for (const StepCount& c : rank_->steps) {
      if (c.kind != ActionKind::kForward) continue;
      joules += static_cast<double>(c.before + c.middle + c.after) *
                s_.stages[static_cast<std::size_t>(c.stage)].sums.joules;
    }
    out_.params.push_back(params);
    out_.activations.push_back(peak);
    out_.staying.push_back(staying);
    out_.copies.push_back(copies);
    out_.buffers.push_back(working + 2.0 * context_.units.exchange_bytes +
                           (profile_.ranks.size() > 1 ? 4.0 * context_.units.boundary_bytes : 0.0));
    out_.joules.push_back(joules);
  }

  const BoundContext& context_;
  const ScheduleProfile& profile_;
  const StageBounds& s_;
  const RankProfile* rank_ = nullptr;
  std::vector<std::int64_t> to_, up_, down_;
  LayoutBound out_;
};

}  // namespace

LayoutBound layout_bound(const BoundContext& context, const ScheduleProfile& profile,
                         const StageBounds& stages) {
  return Bound(context, profile, stages).run();
}

}  // namespace orrery
