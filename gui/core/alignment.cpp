#include "gui/core/alignment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "sim/lower/lower.hpp"

namespace orrery::gui {
namespace {

bool does(const Action& action, const Work& work) {
  const bool kinds = action.kind == work.kind || (is_backward(action.kind) && is_backward(work.kind));
  return kinds && action.stage.value == work.stage && action.microbatch.value == work.microbatch;
}

bool does(const Step& step, const Work& work) {
  for (int i = 0; i < step.count(); ++i) {
    if (does(step.action(i), work)) return true;
  }
  return false;
}

/// First begin and last end of every microbatch's passes.
std::vector<Stretch> lives(const RunView& run) {
  const SimResult& result = run.result();
  std::vector<Stretch> out(static_cast<std::size_t>(result.schedule->microbatches), Stretch{-1, -1});
  for (std::size_t s = 0; s < result.step->steps.size(); ++s) {
    const Stretch at = stretch_of(result, s);
    const Step& step = result.step->steps[s].step;
    for (int i = 0; i < step.count(); ++i) {
      Stretch& life = out[step.action(i).microbatch.at()];
      life.begin = life.begin < 0 ? at.begin : std::min(life.begin, at.begin);
      life.end = std::max(life.end, at.end);
    }
  }
  return out;
}

}  // namespace

std::string_view alignment_name(Alignment alignment) {
  switch (alignment) {
    case Alignment::kStart: return "by start of the step";
    case Alignment::kMicrobatch: return "by microbatch";
    case Alignment::kShare: return "by share of the step";
  }
  return "by start of the step";
}

std::string to_text(const Work& work) {
  const char kind = work.kind == ActionKind::kInputGrad ? 'B' : letter(work.kind);
  return fmt::format("{}{} on stage {}", kind, work.microbatch, work.stage);
}

std::optional<Work> work_of(const RunView& run, const SliceId& slice) {
  if (!run.feasible()) return std::nullopt;
  for (const auto& row : run.pipeline().rows) {
    if (row->name != slice.row || slice.index >= row->slices.size()) continue;
    const std::int32_t ref = row->slices.ref[slice.index];
    if (ref < 0 || ref == kTailRef) return std::nullopt;
    const Action& action = run.result().step->steps[static_cast<std::size_t>(ref)].step.first;
    return Work{action.kind, action.stage.value, action.microbatch.value};
  }
  return std::nullopt;
}

std::optional<SliceId> slice_of(const RunView& run, const Work& work) {
  if (!run.feasible()) return std::nullopt;
  for (const auto& row : run.pipeline().rows) {
    for (std::size_t i = 0; i < row->slices.size(); ++i) {
      const std::int32_t ref = row->slices.ref[i];
      if (ref < 0 || ref == kTailRef) continue;
      if (does(run.result().step->steps[static_cast<std::size_t>(ref)].step, work))
        return SliceId{row->name, i};
    }
  }
  return std::nullopt;
}

std::optional<Stretch> when(const RunView& run, const Work& work) {
  const std::optional<SliceId> slice = slice_of(run, work);
  if (!slice) return std::nullopt;
  for (const auto& row : run.pipeline().rows) {
    if (row->name == slice->row)
      return Stretch{row->slices.begin[slice->index], row->slices.end[slice->index]};
  }
  return std::nullopt;
}

TimeMap time_map(const RunView& a, const RunView& b, Alignment alignment, const Work& work) {
  if (!a.feasible() || !b.feasible() || a.makespan() == 0 || alignment == Alignment::kStart) return {};
  if (alignment == Alignment::kShare)
    return {static_cast<double>(b.makespan()) / static_cast<double>(a.makespan()), 0};
  const std::optional<Stretch> in_a = when(a, work);
  const std::optional<Stretch> in_b = when(b, work);
  if (!in_a || !in_b) return {};
  return {1, static_cast<double>(in_b->begin - in_a->begin)};
}

AxisRange shared_range(const RunView& a, const RunView& b, const TimeMap& map) {
  return {std::min(0.0, map.to_a(0)),
          std::max(static_cast<double>(a.makespan()), map.to_a(static_cast<double>(b.makespan())))};
}

int shared_microbatches(const RunView& a, const RunView& b) {
  if (!a.feasible() || !b.feasible()) return 0;
  return std::min(a.result().schedule->microbatches, b.result().schedule->microbatches);
}

Table microbatch_table(const RunView& a, const RunView& b) {
  Table t{"microbatches",
          "Microbatches of both",
          {{"microbatch", "microbatch"},
           {"a_begin", "A enters, s"},
           {"b_begin", "B enters, s"},
           {"begin", "A - B, s"},
           {"a_life", "A in flight, s"},
           {"b_life", "B in flight, s"},
           {"life", "A - B, s"}},
          {},
          {"In flight: from the begin of the first pass to the end of the last one."}};
  if (!a.feasible() || !b.feasible()) return t;
  const std::vector<Stretch> in_a = lives(a);
  const std::vector<Stretch> in_b = lives(b);
  const auto seconds = [](std::int64_t ps) { return static_cast<double>(ps) * 1e-12; };
  const auto plain = [](double s) { return Cell(fmt::format("{:.4f}", s), s, "s"); };
  const auto with_sign = [](double s) { return Cell(fmt::format("{:+.4f}", s), s, "s"); };
  for (std::size_t m = 0; m < std::min(in_a.size(), in_b.size()); ++m) {
    const double xa = seconds(in_a[m].begin);
    const double xb = seconds(in_b[m].begin);
    const double la = seconds(in_a[m].end - in_a[m].begin);
    const double lb = seconds(in_b[m].end - in_b[m].begin);
    t.rows.push_back({Cell(std::to_string(m), static_cast<double>(m), ""), plain(xa), plain(xb),
                      with_sign(xa - xb), plain(la), plain(lb), with_sign(la - lb)});
  }
  return t;
}

}  // namespace orrery::gui
