#include "sim/report/step_accounts.hpp"

#include <algorithm>

#include "sim/base/check.hpp"
#include "sim/base/work_control.hpp"
#include "sim/lower/step_window.hpp"

namespace orrery {
namespace {

struct Span {
  std::int64_t start = 0;
  std::int64_t end = 0;
};

double seconds(std::int64_t ps) {
  return static_cast<double>(ps) / kPicosecondsPerSecond;
}

/// Picosecond sums; converted once at the end so that both views add up exactly.
struct Sums {
  std::int64_t forward = 0, input = 0, weight = 0, pair = 0, bubble = 0, optimizer = 0;
  std::int64_t compute = 0, recompute = 0, tp = 0, cp = 0, ep = 0, pp = 0, dp = 0, offload = 0, host = 0,
               contention = 0, waiting = 0, other = 0;

  std::int64_t& exposed(TaskKind kind) {
    switch (kind) {
      case TaskKind::kTp: return tp;
      case TaskKind::kCp: return cp;
      case TaskKind::kEp: return ep;
      case TaskKind::kPp: return pp;
      case TaskKind::kDp: return dp;
      default: return other;
    }
  }
};

Span span_of(const Timeline& t, TaskId task) {
  return {t.start[task.at()].ps, t.end[task.at()].ps};
}

class RankReader {
 public:
  RankReader(const LoweredStep& step, const Timeline& timeline, const StepPeriod& period)
      : step_(step), timeline_(timeline), period_(period) {}

  RankAccount read(RankId rank) {
    RankAccount account;
    account.times.rank = rank.value;
    const StepWindow& window = period_.ranks[rank.at()];
    std::int64_t clock = window.begin.ps;
    for (std::size_t s = step_.rank_begin[rank.at()]; s < step_.rank_begin[rank.at() + 1]; ++s) {
      const PlacedStep& placed = step_.steps[s];
      const std::int64_t begin = timeline_.end[placed.begin.at()].ps;
      gap(placed, clock, begin);
      clock = inside(placed, begin, account);
      count(placed, account.times);
    }
    account.times.pipeline_end = seconds(clock);
    // With a barrier the rank's step lasts until all have updated; without one the rest is a wait for its
    // inputs.
    const std::int64_t step_end = (window.begin + period_.length).ps;
    const std::int64_t own_end = step_.barrier ? step_end : window.end.ps;
    sums_.optimizer = own_end - clock;
    sums_.bubble += step_end - own_end;
    sums_.waiting += step_end - own_end;
    add_tail_work(rank, account);
    fill(account);
    return account;
  }

 private:
  void gap(const PlacedStep& placed, std::int64_t from, std::int64_t to) {
    if (to <= from) return;
    sums_.bubble += to - from;
    std::int64_t on_wire = 0;
    for (TaskId input : placed.inputs) {
      if (input == kNoTask || static_cast<TaskKind>(timeline_.graph.kind(input)) != TaskKind::kPp) continue;
      const Span s = span_of(timeline_, input);
      if (s.end == to) on_wire = std::max(on_wire, to - std::max(from, s.start));
    }
    sums_.pp += on_wire;
    sums_.waiting += to - from - on_wire;
  }

  /// Books the step and returns its end.
  std::int64_t inside(const PlacedStep& placed, std::int64_t begin, RankAccount& account) {
    compute_.clear();
    communication_.clear();
    gathers_.clear();
    // Copies of the steps before run on: kernels wait for the room they leave.
    std::erase_if(copies_, [&](TaskId task) { return span_of(timeline_, task).end <= begin; });
    std::int64_t end = begin;
    for (std::uint32_t i = 0; i < placed.tasks; ++i) {
      const TaskId task{placed.first_task.value + static_cast<std::int32_t>(i)};
      const CostedItem& item = *step_.item_of(task);
      const Span s = span_of(timeline_, task);
      if (beside_steps(item.lane)) {
        if (item.lane == Lane::kGather) gathers_.push_back(task);
        if (item.lane == Lane::kStore || item.lane == Lane::kFetch) copies_.push_back(task);
        continue;
      }
      end = std::max(end, s.end);
      (item.lane == Lane::kCompute ? compute_ : communication_).push_back(task);
      add_work(item, account);
    }
    book_causes(begin, end);
    const std::int64_t enqueued = timeline_.end[placed.host.at()].ps;
    sums_.host += std::max<std::int64_t>(0, enqueued - end);
    end = std::max(end, enqueued);
    book_kind(placed, end - begin);
    return end;
  }

  static void add_work(const CostedItem& item, RankAccount& account) {
    account.flops += item.flops;
    const bool fp8 = item.op_class.find("fp8") != std::string::npos;
    if (fp8) account.fp8_flops += item.flops;
    if (item.kind == TaskKind::kRecompute)
      (fp8 ? account.recomputed_fp8_flops : account.recomputed_bf16_flops) += item.flops;
    // Energy per FLOP comes from whole GEMM runs and holds their memory traffic; bytes count where nothing
    // else does.
    const bool kernel = item.kind == TaskKind::kCompute || item.kind == TaskKind::kRecompute;
    if (kernel && item.flops == 0) account.memory_bytes += item.bytes;
  }

  void add_tail_work(RankId rank, RankAccount& account) const {
    for (auto t = static_cast<std::size_t>(step_.pipeline_end.back().value) + 1;
         t < step_.item_by_task.size(); ++t) {
      const TaskId task{t};
      if (timeline_.graph.lane(task) != step_.lane(rank, Lane::kCompute)) continue;
      if (const CostedItem* item = step_.item_of(task)) account.memory_bytes += item->bytes;
    }
  }

  void book_kind(const PlacedStep& placed, std::int64_t length) {
    if (placed.step.overlapped) {
      sums_.pair += length;
      return;
    }
    switch (placed.step.first.kind) {
      case ActionKind::kForward: sums_.forward += length; break;
      case ActionKind::kInputGrad:
      case ActionKind::kBackward: sums_.input += length; break;
      case ActionKind::kWeightGrad: sums_.weight += length; break;
    }
  }

  /// Walks the step's two lanes together; each lane's tasks follow one another.
  void book_causes(std::int64_t begin, std::int64_t end) {
    std::int64_t clock = begin;
    std::size_t next = 0;
    for (TaskId task : compute_) {
      const Span s = span_of(timeline_, task);
      idle(clock, s.start, next);
      const std::int64_t extra = timeline_.extra(task).ps;
      sums_.contention += extra;
      const bool again = static_cast<TaskKind>(timeline_.graph.kind(task)) == TaskKind::kRecompute;
      (again ? sums_.recompute : sums_.compute) += s.end - s.start - extra;
      clock = std::max(clock, s.end);
    }
    idle(clock, end, next);
  }

  /// Compute stands still from `from` to `to`: whatever the communication lane does then is exposed.
  void idle(std::int64_t from, std::int64_t to, std::size_t& next) {
    std::int64_t clock = from;
    while (clock < to) {
      while (next < communication_.size() && span_of(timeline_, communication_[next]).end <= clock) ++next;
      if (next == communication_.size()) break;
      const Span s = span_of(timeline_, communication_[next]);
      if (s.start >= to) break;
      if (s.start > clock) {
        idle_beside_gathers(clock, s.start);
        clock = s.start;
      }
      const std::int64_t until = std::min(to, s.end);
      const TaskKind kind = static_cast<TaskKind>(timeline_.graph.kind(communication_[next]));
      (kind == TaskKind::kCompute ? sums_.ep : sums_.exposed(kind)) += until - clock;
      clock = until;
    }
    if (clock < to) idle_beside_gathers(clock, to);
  }

  /// Both lanes stand still: for weights on their way, for copies to or from the host, or for nothing known.
  void idle_beside_gathers(std::int64_t from, std::int64_t to) {
    const std::int64_t gathering = covered(gathers_, from, to);
    sums_.dp += gathering;
    const std::int64_t copying = std::min(covered(copies_, from, to), to - from - gathering);
    sums_.offload += copying;
    sums_.other += to - from - gathering - copying;
  }

  /// Time of [from, to) in which some of the tasks run.
  [[nodiscard]] std::int64_t covered(const std::vector<TaskId>& tasks, std::int64_t from,
                                     std::int64_t to) const {
    spans_.clear();
    for (TaskId task : tasks) {
      const Span s = span_of(timeline_, task);
      if (s.end > from && s.start < to) spans_.push_back({std::max(from, s.start), std::min(to, s.end)});
    }
    std::sort(spans_.begin(), spans_.end(), [](const Span& a, const Span& b) { return a.start < b.start; });
    std::int64_t sum = 0;
    std::int64_t clock = from;
    for (const Span& s : spans_) {
      sum += std::max<std::int64_t>(0, s.end - std::max(clock, s.start));
      clock = std::max(clock, s.end);
    }
    return sum;
  }

  static void count(const PlacedStep& placed, RankTimes& times) {
    if (placed.step.overlapped) {
      ++times.pairs;
      return;
    }
    switch (placed.step.first.kind) {
      case ActionKind::kForward: ++times.forwards; break;
      case ActionKind::kBackward: ++times.backwards; break;
      case ActionKind::kInputGrad: ++times.input_grads; break;
      case ActionKind::kWeightGrad: ++times.weight_grads; break;
    }
  }

  void fill(RankAccount& a) const {
    const Sums& s = sums_;
    SIM_CHECK(s.forward + s.input + s.weight + s.pair + s.bubble + s.optimizer == period_.length.ps,
              "the breakdown does not sum to the step");
    SIM_CHECK(s.compute + s.recompute + s.tp + s.cp + s.ep + s.pp + s.dp + s.offload + s.host + s.contention +
                      s.waiting + s.other + s.optimizer ==
                  period_.length.ps,
              "the waterfall does not sum to the step");
    a.times.breakdown = {.forward = seconds(s.forward),
                         .backward_input = seconds(s.input),
                         .backward_weight = seconds(s.weight),
                         .forward_backward = seconds(s.pair),
                         .bubble = seconds(s.bubble),
                         .optimizer = seconds(s.optimizer)};
    Waterfall& w = a.waterfall;
    w.compute = seconds(s.compute);
    w.recompute = seconds(s.recompute);
    w.exposed_tp = seconds(s.tp);
    w.exposed_cp = seconds(s.cp);
    w.exposed_ep = seconds(s.ep);
    w.exposed_pp = seconds(s.pp);
    w.exposed_dp = seconds(s.dp);
    w.exposed_offload = seconds(s.offload);
    w.exposed_host = seconds(s.host);
    w.contention = seconds(s.contention);
    w.bubble = seconds(s.waiting);
    w.optimizer = seconds(s.optimizer);
    w.other = seconds(s.other);
  }

  const LoweredStep& step_;
  const Timeline& timeline_;
  const StepPeriod& period_;
  Sums sums_;
  std::vector<TaskId> compute_;
  std::vector<TaskId> communication_;
  std::vector<TaskId> gathers_;
  std::vector<TaskId> copies_;  ///< to and from the host, that have not ended before the present step
  mutable std::vector<Span> spans_;
};

}  // namespace

std::vector<RankAccount> account_ranks(const LoweredStep& step, const Timeline& timeline) {
  std::vector<RankAccount> all;
  const StepPeriod period = step_period(step, timeline);
  for (int r = 0; r < step.ranks; ++r) {
    check_control();
    all.push_back(RankReader(step, timeline, period).read(RankId{r}));
  }
  return all;
}

void add_stage_means(const LoweredStep& step, const Timeline& timeline, std::vector<StageRow>& stages) {
  struct Mean {
    double sum = 0;
    std::int64_t n = 0;
    void add(double x) {
      sum += x;
      ++n;
    }
    [[nodiscard]] double get() const { return n == 0 ? 0 : sum / static_cast<double>(n); }
  };
  std::vector<std::array<Mean, 4>> means(stages.size());
  for (const PlacedStep& placed : step.steps) {
    const double length = seconds(end_of(placed, step, timeline).ps - timeline.end[placed.begin.at()].ps);
    const std::size_t column = placed.step.overlapped                              ? 3
                               : placed.step.first.kind == ActionKind::kForward    ? 0
                               : placed.step.first.kind == ActionKind::kWeightGrad ? 2
                                                                                   : 1;
    means[placed.step.first.stage.at()][column].add(length);
  }
  for (std::size_t s = 0; s < stages.size(); ++s) {
    stages[s].forward_s = means[s][0].get();
    stages[s].backward_input_s = means[s][1].get();
    stages[s].backward_weight_s = means[s][2].get();
    stages[s].pair_s = means[s][3].get();
  }
}

}  // namespace orrery
