#include "gui/core/step_rows.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/check.hpp"
#include "sim/engine/graph_checks.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/lower/lower.hpp"

namespace orrery::gui {
namespace {

std::unique_ptr<TimelineRow> make_row(std::string name, RowKind kind, int rank) {
  auto row = std::make_unique<TimelineRow>();
  row->name = std::move(name);
  row->kind = kind;
  row->rank = rank;
  return row;
}

/// Phases of a rank's program as sim/report/bubble_causes counts them.
struct Phases {
  std::size_t first_backward = 0;
  std::size_t last_forward = 0;
};
Phases phases_of(const LoweredStep& step, std::size_t rank) {
  Phases p{step.rank_begin[rank + 1], step.rank_begin[rank]};
  for (std::size_t s = step.rank_begin[rank]; s < step.rank_begin[rank + 1]; ++s) {
    const Step& program = step.steps[s].step;
    if (program.overlapped || is_backward(program.first.kind))
      p.first_backward = std::min(p.first_backward, s);
    if (program.first.kind == ActionKind::kForward) p.last_forward = s;
  }
  return p;
}

/// Picoseconds of a gap during which the message was on the wire that ended it.
std::int64_t on_wire(const Timeline& timeline, const PlacedStep& placed, std::int64_t from, std::int64_t to) {
  std::int64_t most = 0;
  for (TaskId input : placed.inputs) {
    if (input == kNoTask || static_cast<TaskKind>(timeline.graph.kind(input)) != TaskKind::kPp) continue;
    if (timeline.end[input.at()].ps == to)
      most = std::max(most, to - std::max(from, timeline.start[input.at()].ps));
  }
  return most;
}

void add_gap(SliceRow& row, const Timeline& timeline, const LoweredStep& step, std::size_t s,
             const Phases& phases, std::int64_t from, std::int64_t to) {
  const std::int64_t wire = on_wire(timeline, step.steps[s], from, to);
  const Wait wait = s <= phases.first_backward ? Wait::kWarmUp
                    : s > phases.last_forward  ? Wait::kDrain
                                               : Wait::kDependency;
  if (to - wire > from) row.add(from, to - wire, Ink::kIdle, ~static_cast<std::int32_t>(wait));
  if (wire > 0) row.add(to - wire, to, Ink::kIdle, ~static_cast<std::int32_t>(Wait::kMessage));
}

/// Work after the last step, overlapping tasks merged.
void add_tail(SliceRow& row, std::vector<Stretch> work, std::int64_t clock, std::int64_t window_end) {
  std::sort(work.begin(), work.end(), [](const Stretch& a, const Stretch& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  const std::int32_t drain = ~static_cast<std::int32_t>(Wait::kDrain);
  for (const Stretch& part : work) {
    if (part.begin > clock) row.add(clock, part.begin, Ink::kIdle, drain);
    const std::int64_t from = std::max(clock, part.begin);
    if (part.end <= from) continue;
    if (row.size() > 0 && row.ref.back() == kTailRef && row.end.back() == from)
      row.end.back() = part.end;
    else
      row.add(from, part.end, Ink::kOptimizer, kTailRef);
    clock = part.end;
  }
  if (window_end > clock) row.add(clock, window_end, Ink::kIdle, drain);
}

/// The half of an overlapped pair that an operator belongs to, by its name; the graph does not keep it. Casts
/// whose name both halves share count as forward.
Ink ink_in_pair(const CostedItem& item) {
  if (item.op_class.find("wgrad") != std::string::npos) return Ink::kBackwardWeight;
  static constexpr std::array<std::string_view, 6> kBackward{"grad",      "backward",   "retile",
                                                             "transpose", "requantise", "unpack kept"};
  const std::string_view name = item.name;
  const bool backward = std::any_of(kBackward.begin(), kBackward.end(), [&](std::string_view word) {
    return name.find(word) != std::string_view::npos;
  });
  return backward ? Ink::kBackwardInput : Ink::kForward;
}

}  // namespace

std::string_view level_name(Level level) {
  switch (level) {
    case Level::kCluster: return "cluster";
    case Level::kPipeline: return "pipeline";
    case Level::kRank: return "rank";
    case Level::kOperators: return "operators";
  }
  return "pipeline";
}

std::string_view wait_name(Wait wait) {
  switch (wait) {
    case Wait::kWarmUp: return "warm-up";
    case Wait::kDependency: return "dependency";
    case Wait::kDrain: return "drain";
    case Wait::kMessage: return "message on the wire";
  }
  return "dependency";
}

std::size_t LevelRows::slice_count() const {
  std::size_t n = 0;
  for (const auto& row : rows) n += row->slices.size();
  return n;
}

Ink ink_of_action(ActionKind kind) {
  switch (kind) {
    case ActionKind::kForward: return Ink::kForward;
    case ActionKind::kInputGrad:
    case ActionKind::kBackward: return Ink::kBackwardInput;
    case ActionKind::kWeightGrad: return Ink::kBackwardWeight;
  }
  return Ink::kOther;
}

Ink ink_of_task(const LoweredStep& step, const Timeline& timeline, TaskId task) {
  const CostedItem* item = step.item_of(task);
  switch (static_cast<TaskKind>(timeline.graph.kind(task))) {
    case TaskKind::kCompute: {
      // Casts on the communication lane belong to the exchange behind them.
      if (item != nullptr && item->lane == Lane::kCommunication) return Ink::kExpert;
      const std::int32_t tag = timeline.graph.tag(task);
      if (tag < 0) return Ink::kOptimizer;
      const Step& program = step.steps[static_cast<std::size_t>(tag)].step;
      if (!program.overlapped) return ink_of_action(program.first.kind);
      return item == nullptr ? Ink::kOther : ink_in_pair(*item);
    }
    case TaskKind::kRecompute: return Ink::kRecompute;
    case TaskKind::kTp:
    case TaskKind::kCp: return Ink::kTensor;
    case TaskKind::kEp: return Ink::kExpert;
    case TaskKind::kPp: return Ink::kPipeline;
    case TaskKind::kDp:
    case TaskKind::kOptimizer: return Ink::kOptimizer;
    case TaskKind::kOffload:
    case TaskKind::kHost: return Ink::kHost;
    case TaskKind::kMarker: return Ink::kOther;
  }
  return Ink::kOther;
}

Stretch stretch_of(const SimResult& result, std::size_t step) {
  const PlacedStep& placed = result.step->steps[step];
  const Stretch out{result.timeline->end[placed.begin.at()].ps,
                    end_of(placed, *result.step, *result.timeline).ps};
  return out;
}

Stretch window_of(const SimResult& result, const StepPeriod& period, int rank) {
  if (result.step->barrier) return {0, result.timeline->makespan.ps};
  const std::int64_t begin = period.ranks[static_cast<std::size_t>(rank)].begin.ps;
  return {begin, begin + period.length.ps};
}

LevelRows pipeline_rows(const SimResult& result, const StepPeriod& period) {
  SIM_CHECK(result.step != nullptr && result.timeline != nullptr, "only a feasible result has a timeline");
  const LoweredStep& step = *result.step;
  const Timeline& timeline = *result.timeline;
  std::vector<std::vector<Stretch>> tail(static_cast<std::size_t>(step.ranks));
  for (std::size_t t = step.tail_begin.at(); t < timeline.graph.task_count(); ++t) {
    if (timeline.end[t] == timeline.start[t]) continue;
    tail[rank_of_lane(timeline.graph.lane(TaskId{t})).at()].push_back(
        {timeline.start[t].ps, timeline.end[t].ps});
  }
  LevelRows out;
  for (std::size_t r = 0; r < tail.size(); ++r) {
    auto row = make_row(fmt::format("rank {}", r), RowKind::kPipelineRank, static_cast<int>(r));
    const Phases phases = phases_of(step, r);
    const Stretch window = window_of(result, period, static_cast<int>(r));
    std::int64_t clock = window.begin;
    for (std::size_t s = step.rank_begin[r]; s < step.rank_begin[r + 1]; ++s) {
      const Stretch at = stretch_of(result, s);
      if (at.begin > clock) add_gap(row->slices, timeline, step, s, phases, clock, at.begin);
      const Step& program = step.steps[s].step;
      row->slices.add(at.begin, at.end, ink_of_action(program.first.kind), static_cast<std::int32_t>(s),
                      program.overlapped ? ink_of_action(program.second.kind) : Ink::kNone);
      clock = at.end;
    }
    add_tail(row->slices, std::move(tail[r]), clock, window.end);
    row->index = RowIndex(row->slices);
    out.rows.push_back(std::move(row));
  }
  return out;
}

std::unique_ptr<TimelineRow> critical_row(const SimResult& result) {
  auto row = make_row("critical path", RowKind::kCriticalPath, -1);
  const Timeline& timeline = *result.timeline;
  for (TaskId task : critical_path(timeline.graph, timeline).tasks) {
    const std::int64_t begin = timeline.start[task.at()].ps;
    const std::int64_t end = timeline.end[task.at()].ps;
    if (end == begin) continue;
    const Ink ink = ink_of_task(*result.step, timeline, task);
    SliceRow& s = row->slices;
    if (s.size() > 0 && s.ink.back() == ink && s.end.back() == begin)
      s.end.back() = end;
    else
      s.add(begin, end, ink, task.value);
  }
  row->index = RowIndex(row->slices);
  return row;
}

LevelRows cluster_rows(const LevelRows& pipeline, std::int64_t replicas) {
  LevelRows out;
  out.level = Level::kCluster;
  auto all = make_row("all replicas", RowKind::kHeat, -1);
  all->note = fmt::format("x{}, alike", replicas);
  all->folded = static_cast<int>(replicas);
  for (std::size_t r = 0; r < pipeline.rows.size(); ++r) all->sources.push_back(r);
  out.rows.push_back(std::move(all));
  for (std::size_t r = 0; r < pipeline.rows.size(); ++r) {
    auto row = make_row(fmt::format("stage rank {}", r), RowKind::kHeat, static_cast<int>(r));
    row->note = fmt::format("x{} GPUs, alike", replicas);
    row->folded = static_cast<int>(replicas);
    row->sources.push_back(r);
    out.rows.push_back(std::move(row));
  }
  return out;
}

LevelRows stream_rows(const SimResult& result, int rank, bool every_operator) {
  static constexpr std::array<const char*, kLaneCount> kNames{
      "compute",        "communication",       "NIC messages",   "host",
      "weight gathers", "gradient reductions", "copies to host", "copies from host"};
  const Timeline& timeline = *result.timeline;
  LevelRows out;
  out.level = every_operator ? Level::kOperators : Level::kRank;
  out.rank = rank;
  for (int lane = 0; lane < kLaneCount; ++lane) {
    const auto at = static_cast<std::size_t>(lane);
    auto row = make_row(fmt::format("rank {} {}", rank, kNames[at]), RowKind::kStream, rank);
    SliceRow& s = row->slices;
    std::int32_t last_tag = -2;
    for (TaskId task : timeline.graph.lane_tasks(result.step->lane(RankId{rank}, static_cast<Lane>(lane)))) {
      const std::int64_t begin = timeline.start[task.at()].ps;
      const std::int64_t end = timeline.end[task.at()].ps;
      if (end == begin) continue;
      const Ink ink = ink_of_task(*result.step, timeline, task);
      const std::int32_t tag = timeline.graph.tag(task);
      const bool joins =
          !every_operator && s.size() > 0 && s.ink.back() == ink && s.end.back() == begin && tag == last_tag;
      if (joins)
        s.end.back() = end;
      else
        s.add(begin, end, ink, task.value);
      last_tag = tag;
    }
    row->index = RowIndex(row->slices);
    out.rows.push_back(std::move(row));
  }
  return out;
}

namespace {

/// The rank's step that runs an action; steps.size() when there is none.
std::size_t find_step(const SimResult& result, ActionKind kind, StageId stage, MicrobatchId microbatch) {
  const LoweredStep& lowered = *result.step;
  const std::size_t rank = result.schedule->rank_of(stage, microbatch).at();
  for (std::size_t s = lowered.rank_begin[rank]; s < lowered.rank_begin[rank + 1]; ++s) {
    const Step& step = lowered.steps[s].step;
    for (int i = 0; i < step.count(); ++i) {
      const Action& a = step.action(i);
      const bool same = a.kind == kind || (is_backward(kind) && is_backward(a.kind));
      if (same && a.stage == stage && a.microbatch == microbatch) return s;
    }
  }
  return lowered.steps.size();
}

std::vector<std::size_t> neighbours(const SimResult& result, std::size_t index, bool before) {
  const Step& step = result.step->steps[index].step;
  const std::int32_t last_stage = result.schedule->stages - 1;
  std::vector<std::size_t> out;
  const auto add = [&](ActionKind kind, std::int32_t stage, MicrobatchId microbatch) {
    const std::size_t found = find_step(result, kind, StageId{stage}, microbatch);
    if (found < result.step->steps.size() && found != index) out.push_back(found);
  };
  for (int i = 0; i < step.count(); ++i) {
    const Action& a = step.action(i);
    const std::int32_t s = a.stage.value;
    if (a.kind == ActionKind::kForward) {
      if (before && s > 0) add(ActionKind::kForward, s - 1, a.microbatch);
      if (!before && s < last_stage) add(ActionKind::kForward, s + 1, a.microbatch);
      if (!before && s == last_stage) add(ActionKind::kBackward, s, a.microbatch);
    } else if (is_backward(a.kind)) {
      if (before && s < last_stage) add(ActionKind::kBackward, s + 1, a.microbatch);
      if (before && s == last_stage) add(ActionKind::kForward, s, a.microbatch);
      if (!before && s > 0) add(ActionKind::kBackward, s - 1, a.microbatch);
      if (!before && a.kind == ActionKind::kInputGrad) add(ActionKind::kWeightGrad, s, a.microbatch);
    } else if (before) {
      add(ActionKind::kBackward, s, a.microbatch);
    }
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace

std::vector<std::size_t> steps_before(const SimResult& result, std::size_t step) {
  return neighbours(result, step, true);
}

std::vector<std::size_t> steps_after(const SimResult& result, std::size_t step) {
  return neighbours(result, step, false);
}

}  // namespace orrery::gui
