#include "gui/core/selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/base/units_text.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/lower/lower.hpp"

namespace orrery::gui {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

void add_actions(const RunView& run, const PlacedStep& placed, Pairs& out) {
  for (int i = 0; i < placed.step.count(); ++i) {
    const Action& a = placed.step.action(i);
    const std::string which = placed.step.overlapped ? (i == 0 ? "forward half" : "backward half") : "action";
    out.emplace_back(which, fmt::format("{}, stage {}, microbatch {}", category(ink_of_action(a.kind)).name,
                                        a.stage.value, a.microbatch.value));
    const auto stage = static_cast<std::size_t>(a.stage.value);
    if (stage < run.metrics().stages.size()) {
      const StageRow& row = run.metrics().stages[stage];
      out.emplace_back("  layers", row.layers == 0 ? row.extras
                                                   : fmt::format("{} to {}{}{}", row.first_layer,
                                                                 row.first_layer + row.layers - 1,
                                                                 row.extras.empty() ? "" : ", ", row.extras));
    }
  }
}

/// The work of a step: operators, FLOPs, bytes on the network.
void add_work(const RunView& run, const PlacedStep& placed, Pairs& out) {
  double flops = 0;
  double nic = 0;
  for (std::uint32_t i = 0; i < placed.tasks; ++i) {
    const CostedItem* item =
        run.result().step->item_of(TaskId{placed.first_task.value + static_cast<std::int32_t>(i)});
    if (item == nullptr) continue;
    flops += item->flops;
    nic += item->scale_out_bytes;
  }
  out.emplace_back("operators", std::to_string(placed.tasks));
  out.emplace_back("FLOPs", count_text(flops) + "FLOP");
  out.emplace_back("through the NIC", to_text(Bytes{nic}));
}

void step_details(const RunView& run, std::size_t step, Pairs& out) {
  const PlacedStep& placed = run.result().step->steps[step];
  add_actions(run, placed, out);
  add_work(run, placed, out);
  for (std::size_t before : steps_before(run.result(), step)) {
    const PlacedStep& other = run.result().step->steps[before];
    const std::int64_t slack = stretch_of(run.result(), step).begin - stretch_of(run.result(), before).end;
    // What a pair hands on leaves before the whole pair has ended.
    out.emplace_back("needs",
                     fmt::format("{} on rank {}, {}", to_text(other.step), other.rank.value,
                                 slack < 0 ? "which hands it on before its own end"
                                           : "done " + time_text(static_cast<double>(slack)) + " before"));
  }
  for (std::size_t after : steps_after(run.result(), step)) {
    const PlacedStep& other = run.result().step->steps[after];
    out.emplace_back("needed by", fmt::format("{} on rank {}", to_text(other.step), other.rank.value));
  }
}

void task_details(const RunView& run, TaskId task, Pairs& out) {
  const Timeline& timeline = *run.result().timeline;
  const CostedItem* item = run.result().step->item_of(task);
  out.emplace_back("first operator", std::string(timeline.graph.name(task)));
  const std::int32_t tag = timeline.graph.tag(task);
  if (tag >= 0)
    out.emplace_back("step", to_text(run.result().step->steps[static_cast<std::size_t>(tag)].step));
  if (item == nullptr) return;
  out.emplace_back("class", item->op_class);
  out.emplace_back("alone", time_text(static_cast<double>(item->duration.ps)));
  out.emplace_back("lost to neighbours", time_text(static_cast<double>(timeline.extra(task).ps)));
  if (item->flops > 0) out.emplace_back("FLOPs", count_text(item->flops) + "FLOP");
  if (item->bytes > 0) out.emplace_back("bytes", to_text(Bytes{item->bytes}));
  if (item->scale_out_bytes > 0) out.emplace_back("through the NIC", to_text(Bytes{item->scale_out_bytes}));
}

}  // namespace

std::vector<CategoryTime> time_by_category(const std::vector<const TimelineRow*>& rows, std::int64_t t0,
                                           std::int64_t t1) {
  std::array<CategoryTime, kCategoryCount> sums;
  for (int i = 0; i < kCategoryCount; ++i) sums[static_cast<std::size_t>(i)].ink = static_cast<Ink>(i);
  for (const TimelineRow* row : rows) {
    const SliceRow& s = row->slices;
    for (std::size_t i = row->index.first_after(t0); i < s.size() && s.begin[i] < t1; ++i) {
      const std::int64_t part = std::min(t1, s.end[i]) - std::max(t0, s.begin[i]);
      if (part <= 0) continue;
      CategoryTime& first = sums[static_cast<std::size_t>(s.ink[i])];
      ++first.slices;
      const std::int64_t half = s.second[i] == Ink::kNone ? 0 : part / 2;
      first.ps += part - half;
      if (half > 0) sums[static_cast<std::size_t>(s.second[i])].ps += half;
    }
  }
  std::vector<CategoryTime> out;
  for (const CategoryTime& c : sums) {
    if (c.ps > 0) out.push_back(c);
  }
  return out;
}

namespace {

struct Scope {
  std::vector<const TimelineRow*> rows;
  std::int64_t t0 = 0, t1 = 0;
};

Scope scope_of(const RunView& run, const TimelineState& state) {
  Scope out{{}, 0, run.makespan()};
  if (state.area) {
    out.t0 = state.area->t0;
    out.t1 = state.area->t1;
  }
  const auto add = [&](const TimelineRow* row) {
    if (std::find(out.rows.begin(), out.rows.end(), row) == out.rows.end()) out.rows.push_back(row);
  };
  for (const TimelineRow* row : visible_rows(run, state)) {
    const bool chosen = state.area && !state.area->rows.empty();
    if (chosen
            ? std::find(state.area->rows.begin(), state.area->rows.end(), row->name) == state.area->rows.end()
            : row->kind == RowKind::kCriticalPath || row->kind == RowKind::kTrace)
      continue;
    // Rows of the cluster show how busy others are; what those do is what counts.
    for (const std::size_t source : row->sources) add(run.pipeline().rows[source].get());
    if (row->slices.size() > 0) add(row);
  }
  return out;
}

/// How much of a range a row has: ranks of a pipeline without a barrier show their own step alone.
std::int64_t shown_length(const TimelineRow& row, std::int64_t t0, std::int64_t t1) {
  if (row.kind != RowKind::kPipelineRank || row.slices.size() == 0) return t1 - t0;
  return std::max<std::int64_t>(0,
                                std::min(t1, row.slices.end.back()) - std::max(t0, row.slices.begin.front()));
}

}  // namespace

Table statistics(const RunView& run, const TimelineState& state) {
  Table table{"statistics",
              "Time by category",
              {{"category", "category", false}, {"s", "time, s"}, {"percent", "%"}, {"slices", "n"}},
              {},
              {}};
  const Scope scope = scope_of(run, state);
  double whole = 0;
  for (const TimelineRow* row : scope.rows)
    whole += static_cast<double>(shown_length(*row, scope.t0, scope.t1));
  for (const CategoryTime& c : time_by_category(scope.rows, scope.t0, scope.t1)) {
    const double s = static_cast<double>(c.ps) * 1e-12;
    const double percent = whole > 0 ? 100 * static_cast<double>(c.ps) / whole : 0;
    table.rows.push_back({std::string(category(c.ink).name), Cell(digits_text(s), s, "s"),
                          Cell(fmt::format("{:.1f}", percent), percent, "%"),
                          Cell(std::to_string(c.slices), static_cast<double>(c.slices), "")});
  }
  return table;
}

std::string statistics_scope(const RunView& run, const TimelineState& state) {
  const Scope scope = scope_of(run, state);
  const char* rows = scope.rows.size() == 1 ? "row" : "rows";
  if (!state.area) return fmt::format("whole step, {} {}", scope.rows.size(), rows);
  return fmt::format("{} to {} ({}), {} {}", time_text(static_cast<double>(scope.t0)),
                     time_text(static_cast<double>(scope.t1)),
                     time_text(static_cast<double>(scope.t1 - scope.t0)), scope.rows.size(), rows);
}

Pairs details(const RunView& run, const TimelineState& state) {
  Pairs out;
  if (!state.selected) return out;
  const TimelineRow* row = find_row(run, state, state.selected->row);
  if (row == nullptr || state.selected->index >= row->slices.size()) return out;
  const std::size_t i = state.selected->index;
  const SliceRow& s = row->slices;
  out.emplace_back("row", row->name);
  out.emplace_back("kind", s.second[i] == Ink::kNone
                               ? std::string(category(s.ink[i]).name)
                               : "overlapped pair: " + std::string(category(s.ink[i]).name) + " and " +
                                     std::string(category(s.second[i]).name));
  out.emplace_back("start", time_text(static_cast<double>(s.begin[i])));
  out.emplace_back("duration", time_text(static_cast<double>(s.end[i] - s.begin[i])));
  const std::int32_t ref = s.ref[i];
  if (row->kind == RowKind::kPipelineRank) {
    if (ref == kTailRef)
      out.emplace_back("what", "gradient reduction and optimizer after the pipeline");
    else if (ref < 0)
      out.emplace_back("waits for", std::string(wait_name(static_cast<Wait>(~ref))));
    else
      step_details(run, static_cast<std::size_t>(ref), out);
  } else if (row->kind == RowKind::kTrace) {
    out.emplace_back("event", slice_label(run, *row, i));
  } else if (ref >= 0 && ref != kTailRef) {
    task_details(run, TaskId{ref}, out);
  }
  out.emplace_back("source", row->kind == RowKind::kTrace
                                 ? "the trace's own clock, laid beside the simulation"
                                 : "simulated, not measured");
  return out;
}

std::string spoken(const RunView& run, const TimelineState& state) {
  if (!state.selected) return {};
  const TimelineRow* row = find_row(run, state, state.selected->row);
  if (row == nullptr || state.selected->index >= row->slices.size()) return {};
  const std::size_t i = state.selected->index;
  return fmt::format("{}, {}, {}, {}", row->name, category(row->slices.ink[i]).name,
                     slice_label(run, *row, i),
                     time_text(static_cast<double>(row->slices.end[i] - row->slices.begin[i])));
}

}  // namespace orrery::gui
