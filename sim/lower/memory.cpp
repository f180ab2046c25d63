#include "sim/lower/memory.hpp"

#include <algorithm>

#include "sim/layout/data_parallel.hpp"
#include "sim/workload/offload.hpp"

namespace orrery {
namespace {

struct StageBytes {
  double kept = 0;
  double deferred = 0;
  double working = 0;
  double away = 0;          ///< kept on the host
  double largest_away = 0;  ///< of one unit
};

std::vector<StageBytes> stage_bytes(const Workload& w, bool offload) {
  std::vector<StageBytes> all;
  for (const StageUnits& stage : w.stages) {
    StageBytes s;
    const auto kind = [&](std::size_t i) { return w.units[stage.units[i]].kind; };
    for (std::size_t i = 0; i < stage.units.size(); ++i) {
      const std::size_t u = stage.units[i];
      if (offload && can_leave(kind, stage.units.size(), i)) {
        s.away += w.units[u].kept_bytes;
        s.largest_away = std::max(s.largest_away, w.units[u].kept_bytes);
      } else {
        s.kept += w.units[u].kept_bytes;
      }
      s.deferred += w.units[u].deferred_bytes;
      s.working = std::max(s.working, w.units[u].working_bytes);
    }
    all.push_back(s);
  }
  return all;
}

struct Walk {
  double peak = 0;
  double live_at_peak = 0;
};

/// Follows one rank's program. A pair holds the new forward's activations before its backward lets go.
Walk walk(const std::vector<Step>& steps, const std::vector<StageBytes>& stages) {
  double bytes = 0;
  double live = 0;
  Walk result;
  const auto note = [&] {
    if (bytes <= result.peak) return;
    result.peak = bytes;
    result.live_at_peak = live;
  };
  for (const Step& step : steps) {
    for (int i = 0; i < step.count(); ++i) {
      const Action& action = step.action(i);
      const StageBytes& s = stages[action.stage.at()];
      switch (action.kind) {
        case ActionKind::kForward:
          bytes += s.kept;
          live += 1;
          break;
        case ActionKind::kBackward:
          bytes -= s.kept;
          live -= 1;
          break;
        case ActionKind::kInputGrad:
          bytes += s.deferred - s.kept;
          live -= 1;
          break;
        case ActionKind::kWeightGrad: bytes -= s.deferred; break;
      }
      note();
    }
  }
  return result;
}

/// What ZeRO 3 keeps of gathered weights: those of the unit at work and, gathered beside it, of the next; and
/// ZeRO 2 and 3 of gradients: one unit's as its kernels write them (BF16) and one's on the way to its shards.
double whole_unit_bytes(const MemoryInput& in) {
  const double dense = in.derived.dp * in.layout.cp > 1 ? 1 : 0;  // a part that nobody shares is no transient
  const double expert = in.derived.expert_dp > 1 ? 1 : 0;
  double most = 0;
  for (const UnitWork& unit : in.workload.units)
    most = std::max(most, dense * unit.dense_params + expert * unit.expert_params);
  const double gathered = data_parallel_plan(in.layout).gather == DataTraffic::kEveryUse ? 2.0 : 1.0;
  double bytes = 0;
  if (in.layout.zero_stage >= 3) bytes += gathered * most * in.rules.weight_bytes;
  if (in.layout.zero_stage >= 2) bytes += most * (2.0 + in.rules.gradient_bytes);
  return bytes;
}

/// Most bytes of activations on the host at once.
double host_activations(const std::vector<Step>& steps, const std::vector<StageBytes>& stages) {
  double bytes = 0;
  double peak = 0;
  for (const Step& step : steps) {
    for (int i = 0; i < step.count(); ++i) {
      const Action& action = step.action(i);
      const double away = stages[action.stage.at()].away;
      if (action.kind == ActionKind::kForward) bytes += away;
      if (is_backward(action.kind)) bytes -= away;
      peak = std::max(peak, bytes);
    }
  }
  return peak;
}

double buffer_bytes(const MemoryInput& in, const std::vector<StageId>& stages,
                    const std::vector<StageBytes>& bytes) {
  double working = 0;
  double copies = 0;
  for (StageId stage : stages) {
    working = std::max(working, bytes[stage.at()].working);
    copies = std::max(copies, bytes[stage.at()].largest_away);
  }
  double exchange = 0;
  for (const UnitWork& unit : in.workload.units) {
    for (const Segment* segment : {&unit.work.dispatch_f, &unit.work.combine_f}) {
      for (const WorkItem& item : *segment) {
        if (const auto* comm = std::get_if<CommOp>(&item)) {
          exchange = std::max(exchange, exchange_bytes(*comm));
        }
      }
    }
  }
  // A receive buffer each for the two directions in flight, and messages of both neighbours, double-buffered.
  return working + whole_unit_bytes(in) + 2.0 * exchange + 4.0 * copies +
         (in.schedule.ranks.size() > 1 ? 4.0 * in.workload.boundary_bytes : 0.0);
}

}  // namespace

MemoryRules memory_rules(const Training& training) {
  const Precision precision = training.precision;
  MemoryRules rules;
  rules.gradient_bytes = bytes_of(training.gradients);
  if (is_fp8(precision)) rules.weight_bytes = 3;
  if (precision == Precision::kFp8Block) rules.moment_bytes = 4;  // BF16 moments, arXiv 2412.19437, 3.3.3
  return rules;
}

std::int64_t stage_copies(const Schedule& schedule) {
  if (schedule.microbatches < 2) return 1;
  const RankId first = schedule.rank_of(StageId{0}, MicrobatchId{0});
  for (int m = 1; m < schedule.microbatches; ++m) {
    if (schedule.rank_of(StageId{0}, MicrobatchId{m}) != first) return 2;
  }
  return 1;
}

std::vector<RankParams> params_by_rank(const Workload& workload, const Schedule& schedule) {
  std::vector<RankParams> all;
  for (std::size_t r = 0; r < schedule.ranks.size(); ++r) {
    RankParams p;
    bool embedding = false;
    bool mtp = false;
    for (StageId stage : schedule.stages_of(RankId{r})) {
      for (std::size_t u : workload.stages[stage.at()].units) {
        const UnitWork& unit = workload.units[u];
        embedding = embedding || unit.kind == UnitKind::kEmbedding;
        mtp = mtp || unit.kind == UnitKind::kMtp;
        p.expert += unit.expert_params;
        p.dense += unit.dense_params;
      }
      // The heads of the MTP modules are the main head: count it once.
      std::size_t heads = 0;
      for (std::size_t u : workload.stages[stage.at()].units) {
        if (workload.units[u].kind == UnitKind::kHead && ++heads > 1)
          p.dense -= workload.units[u].dense_params;
      }
    }
    // An MTP module needs the embedding: shared where stage 0 is here too (DualPipe), else a copy.
    if (mtp && !embedding) p.dense += workload.units[unit_of(workload, UnitKind::kEmbedding)].dense_params;
    all.push_back(p);
  }
  return all;
}

std::vector<RankMemory> memory_by_rank(const MemoryInput& in) {
  const std::vector<StageBytes> bytes = stage_bytes(in.workload, in.layout.offload.activations);
  const std::vector<RankParams> params = params_by_rank(in.workload, in.schedule);
  const auto copies = static_cast<double>(stage_copies(in.schedule));
  const double dense_shards = static_cast<double>(in.derived.dp * in.layout.cp) * copies;
  const double expert_shards = static_cast<double>(in.derived.expert_dp) * copies;
  const auto sharded = [&](const RankParams& p, double per_param, bool shard) {
    return per_param * (shard ? p.dense / dense_shards + p.expert / expert_shards : p.dense + p.expert);
  };
  std::vector<RankMemory> all;
  for (std::size_t r = 0; r < in.schedule.ranks.size(); ++r) {
    RankMemory m;
    m.weights = sharded(params[r], in.rules.weight_bytes, in.layout.zero_stage >= 3);
    m.gradients = sharded(params[r], in.rules.gradient_bytes, in.layout.zero_stage >= 2);
    m.optimizer =
        sharded(params[r], in.rules.moment_bytes + in.rules.master_bytes, in.layout.zero_stage >= 1);
    if (in.layout.offload.optimizer) {
      m.host = m.optimizer + sharded(params[r], 4.0 + 2.0, in.layout.zero_stage >= 1);
      m.optimizer = 0;
    }
    const Walk w = walk(in.schedule.ranks[r], bytes);
    m.activations = w.peak;
    m.peak_microbatches = w.live_at_peak;
    if (in.layout.offload.activations) m.host += host_activations(in.schedule.ranks[r], bytes);
    m.buffers = buffer_bytes(in, in.schedule.stages_of(RankId{r}), bytes);
    m.reserve = in.rules.reserve_bytes + in.rules.reserve_share * in.capacity_bytes;
    all.push_back(m);
  }
  return all;
}

}  // namespace orrery
