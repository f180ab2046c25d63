#include "gui/core/timeline_overlay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "gui/core/chart_parts.hpp"
#include "sim/lower/lower.hpp"

namespace orrery::gui {
namespace {

/// The box of a slice on the picture; without height when its row is not shown.
Box slice_box(const TimelineGeometry& g, const SliceId& id) {
  for (const RowBox& box : g.lanes.rows) {
    if (box.row->name != id.row || id.index >= box.row->slices.size()) continue;
    const double x0 = g.axis.x(static_cast<double>(box.row->slices.begin[id.index]));
    const double x1 = g.axis.x(static_cast<double>(box.row->slices.end[id.index]));
    return {x0, g.body.y + box.y + 1, std::max(2.0, x1 - x0), box.h - 2};
  }
  return {};
}

/// The part of a box inside another: what is far outside would only upset painters.
Box cut(const Box& a, const Box& to) {
  const double x0 = std::clamp(a.x, to.x - 4, to.x + to.w + 4);
  const double x1 = std::clamp(a.x + a.w, to.x - 4, to.x + to.w + 4);
  return {x0, a.y, x1 - x0, a.h};
}

/// The part of an arrow inside a box, so that its head is seen even where what it points to is not; nothing
/// where no part is inside.
std::optional<SceneLine> visible_part(SceneLine line, const Box& box) {
  double from = 0;
  double to = 1;
  const double dx = line.x2 - line.x1;
  const double dy = line.y2 - line.y1;
  const auto cut_at = [&](double step, double room) {
    // Inside where t * step <= room.
    if (step == 0) return room >= 0;
    if (step > 0)
      to = std::min(to, room / step);
    else
      from = std::max(from, room / step);
    return from <= to;
  };
  const bool inside = cut_at(-dx, line.x1 - box.x) && cut_at(dx, box.x + box.w - line.x1) &&
                      cut_at(-dy, line.y1 - box.y) && cut_at(dy, box.y + box.h - line.y1);
  if (!inside) return std::nullopt;
  line.x2 = line.x1 + dx * to;
  line.y2 = line.y1 + dy * to;
  line.x1 += dx * from;
  line.y1 += dy * from;
  return line;
}

void add_flows(const RunView& run, const TimelineState& state, const TimelineGeometry& g,
               const TextMetrics& text, SceneLayer& layer) {
  if (!state.flows || !state.selected || state.level != Level::kPipeline) return;
  const TimelineRow* row = find_row(run, state, state.selected->row);
  if (row == nullptr || row->kind != RowKind::kPipelineRank || state.selected->index >= row->slices.size())
    return;
  const std::int32_t ref = row->slices.ref[state.selected->index];
  if (ref < 0 || ref == kTailRef) return;
  const auto step = static_cast<std::size_t>(ref);
  const Box own = slice_box(g, *state.selected);
  std::size_t drawn = 0;
  std::size_t left_out = 0;
  // A little inside, so that heads at the edge are whole.
  const Box room{g.body.x + 3, g.body.y + 3, std::max(1.0, g.body.w - 6), std::max(1.0, g.body.h - 6)};
  const auto arrow = [&](std::size_t other, bool before) {
    if (drawn >= kMostFlows) {
      ++left_out;
      return;
    }
    const PlacedStep& placed = run.result().step->steps[other];
    const Stretch at = stretch_of(run.result(), other);
    for (const RowBox& box : g.lanes.rows) {
      if (box.row->kind != RowKind::kPipelineRank || box.row->rank != placed.rank.value) continue;
      const double x = g.axis.x(static_cast<double>(before ? at.end : at.begin));
      const double y = g.body.y + box.y + box.h / 2;
      const double own_y = own.y + own.h / 2;
      const auto line =
          visible_part(before ? SceneLine{x, y, own.x, own_y, Ink::kArrowIn, 2, true, false}
                              : SceneLine{own.x + own.w, own_y, x, y, Ink::kArrowOut, 2, true, true},
                       room);
      if (line) layer.lines.push_back(*line);
      ++drawn;
    }
  };
  for (std::size_t other : steps_before(run.result(), step)) arrow(other, true);
  for (std::size_t other : steps_after(run.result(), step)) arrow(other, false);
  if (left_out > 0) {
    layer.texts.push_back({{g.body.x + 4, g.body.y + g.body.h - text.em - 2, g.body.w - 8, text.em},
                           fmt::format("{} arrows more are not drawn", left_out),
                           Align::kLeft,
                           Ink::kMutedText});
  }
}

/// Frames of search hits, at most one a pixel: there may be very many.
void add_hits(const TimelineState& state, const TimelineGeometry& g, SceneLayer& layer) {
  const RowBox* row = nullptr;
  double drawn_until = 0;
  for (const SliceId& hit : state.hits) {
    if (row == nullptr || row->row->name != hit.row) {
      const auto found = std::find_if(g.lanes.rows.begin(), g.lanes.rows.end(),
                                      [&](const RowBox& box) { return box.row->name == hit.row; });
      row = found == g.lanes.rows.end() ? nullptr : &*found;
      drawn_until = g.body.x;
    }
    if (row == nullptr || hit.index >= row->row->slices.size()) continue;
    const double x0 = g.axis.x(static_cast<double>(row->row->slices.begin[hit.index]));
    const double x1 = std::max(x0 + 2, g.axis.x(static_cast<double>(row->row->slices.end[hit.index])));
    if (x1 < drawn_until + 1 || x0 > g.body.x + g.body.w) continue;
    drawn_until = x1;
    const Box box{x0, g.body.y + row->y + 1, x1 - x0, row->h - 2};
    layer.rects.push_back({cut(box, g.body), Ink::kNone, Pattern::kPlain, Ink::kHit, 0, 2});
  }
}

void add_range(const TimelineGeometry& g, double t0, double t1, Ink ink, const std::string& label,
               double label_y, const TextMetrics& text, SceneLayer& layer) {
  const double x0 = std::clamp(g.axis.x(t0), g.body.x - 2, g.body.x + g.body.w + 2);
  const double x1 = std::clamp(g.axis.x(t1), g.body.x - 2, g.body.x + g.body.w + 2);
  layer.lines.push_back({x0, g.ruler.y, x0, g.body.y + g.body.h, ink, 1.2F, false, true});
  layer.lines.push_back({x1, g.ruler.y, x1, g.body.y + g.body.h, ink, 1.2F, false, true});
  layer.lines.push_back({x0, label_y + text.em + 1, x1, label_y + text.em + 1, ink, 2, false, false});
  const double w = text.width(label) + 8;
  const double x = std::clamp((x0 + x1) / 2 - w / 2, g.body.x, std::max(g.body.x, g.body.x + g.body.w - w));
  layer.rects.push_back({{x, label_y, w, text.em}, Ink::kBackground, Pattern::kPlain, ink});
  layer.texts.push_back({{x, label_y, w, text.em}, label, Align::kCentre, ink, Ink::kNone, false, true});
}

/// Whether a row in view has the category; rows with very many slices are not searched.
bool occurs(const TimelineGeometry& g, Ink ink) {
  constexpr std::size_t kSearched = 100000;
  return std::any_of(g.lanes.rows.begin(), g.lanes.rows.end(), [&](const RowBox& box) {
    const SliceRow& s = box.row->slices;
    return s.size() > kSearched || std::find(s.ink.begin(), s.ink.end(), ink) != s.ink.end() ||
           (ink == Ink::kBackwardInput && std::find(s.second.begin(), s.second.end(), ink) != s.second.end());
  });
}

bool has_pairs(const TimelineGeometry& g) {
  return std::any_of(g.lanes.rows.begin(), g.lanes.rows.end(), [](const RowBox& box) {
    const std::vector<Ink>& second = box.row->slices.second;
    return std::any_of(second.begin(), second.end(), [](Ink ink) { return ink != Ink::kNone; });
  });
}

}  // namespace

void add_grid(const TimelineGeometry& g, const TextMetrics& text, Scene& scene) {
  SceneLayer& layer = scene.layer();
  bool odd = false;
  for (const RowBox& box : g.lanes.rows) {
    const double y = g.body.y + box.y;
    if (odd && y >= g.body.y && y < g.body.y + g.body.h)
      layer.rects.push_back(
          {{0, y, g.headers.w + g.body.w, std::min(box.h, g.body.y + g.body.h - y)}, Ink::kRowStripe});
    odd = !odd;
  }
  for (const Tick& tick : ticks(g.axis, text.em * 7)) {
    const double x = std::round(g.axis.x(tick.t)) + 0.5;
    layer.lines.push_back({x, g.ruler.y + g.ruler.h - 4, x, g.body.y + g.body.h, Ink::kGrid, 1});
    const double w = text.width(tick.label) + 4;
    const double at = std::clamp(x - w / 2, g.ruler.x, std::max(g.ruler.x, g.ruler.x + g.ruler.w - w));
    layer.texts.push_back({{at, g.ruler.y, w, g.ruler.h - 4},
                           tick.label,
                           Align::kCentre,
                           Ink::kMutedText,
                           Ink::kNone,
                           false,
                           true});
  }
  layer.lines.push_back({g.body.x, g.body.y - 0.5, g.body.x + g.body.w, g.body.y - 0.5, Ink::kGrid, 1});
}

void add_overview(const RunView& run, const TimelineState& state, const TimelineGeometry& g,
                  const TextMetrics& text, Scene& scene) {
  SceneLayer& layer = scene.new_layer(g.overview);
  const AxisRange range = axis_range(run, state);
  const TimeAxis whole = fitted(g.axis, range.high, range.low);
  SceneStrip strip{whole.left, g.overview.y + 3, g.overview.h - 6, {}};
  const auto n = static_cast<std::size_t>(std::max(0.0, std::floor(whole.width)));
  strip.columns.resize(n);
  const auto ranks = static_cast<std::int64_t>(std::max<std::size_t>(1, run.pipeline().rows.size()));
  for (std::size_t i = 0; i < n; ++i) {
    const auto a = std::llround(whole.t(whole.left + static_cast<double>(i)));
    const auto b =
        std::max<std::int64_t>(a + 1, std::llround(whole.t(whole.left + static_cast<double>(i) + 1)));
    std::int64_t busy = 0;
    for (const auto& row : run.pipeline().rows) busy += row->index.busy(a, b);
    strip.columns[i] = {Ink::kHeat, busy_level(busy, (b - a) * ranks)};
  }
  layer.strips.push_back(std::move(strip));
  const double x0 = whole.x(g.axis.t0);
  const double x1 = whole.x(g.axis.t1);
  SceneLayer& above = scene.new_layer(g.overview);
  above.rects.push_back({{x0 + 1, g.overview.y + 1, std::max(3.0, x1 - x0 - 2), g.overview.h - 2},
                         Ink::kNone,
                         Pattern::kPlain,
                         Ink::kSelection,
                         0,
                         2});
  SceneLayer& label = scene.new_layer();
  label.texts.push_back({{4, g.overview.y, g.headers.w - 8, g.overview.h},
                         "busy ranks",
                         Align::kLeft,
                         Ink::kMutedText,
                         Ink::kNone,
                         false,
                         true});
  label.texts.push_back({{4, g.ruler.y, g.headers.w - 8, g.ruler.h - 4},
                         "time in the step",
                         Align::kLeft,
                         Ink::kMutedText,
                         Ink::kNone,
                         false,
                         true});
  (void)text;
}

void add_headers(const TimelineState& state, const TimelineGeometry& g, const TextMetrics& text,
                 Scene& scene) {
  for (const bool pinned : {false, true}) {
    const double top = pinned ? 0 : g.lanes.pinned_height;
    SceneLayer& layer =
        scene.new_layer({0, g.headers.y + top, g.headers.w, std::max(1.0, g.headers.h - top)});
    for (std::size_t i = 0; i < g.lanes.rows.size(); ++i) {
      const RowBox& box = g.lanes.rows[i];
      if (box.pinned != pinned) continue;
      const double y = g.headers.y + box.y;
      if (y > g.headers.y + g.headers.h) break;
      if (box.pinned) layer.rects.push_back({{0, y, 3, box.h}, Ink::kSelection});
      const bool two_lines = !box.row->note.empty() && box.h > text.em * 2.2;
      const double line = two_lines ? text.em * 1.15 : box.h;
      const double start = two_lines ? y + (box.h - 2 * line) / 2 : y;
      layer.texts.push_back({{8, start, g.headers.w - 12, line},
                             fitted_text(box.row->name, g.headers.w - 12, text),
                             Align::kLeft,
                             Ink::kText});
      if (two_lines) {
        layer.texts.push_back({{8, start + line, g.headers.w - 12, line},
                               box.row->note,
                               Align::kLeft,
                               Ink::kMutedText,
                               Ink::kNone,
                               false,
                               true});
      }
      if (state.focus && static_cast<int>(i) == state.current_row)
        layer.rects.push_back(
            {{1, y + 1, g.headers.w - 2, box.h - 2}, Ink::kNone, Pattern::kPlain, Ink::kSelection, 0, 2});
    }
  }
}

void add_legend(const RunView& run, const TimelineState& state, const TimelineGeometry& g,
                const TextMetrics& text, Scene& scene) {
  if (g.legend.h <= 0) return;
  SceneLayer& layer = scene.new_layer(g.legend);
  layer.rects.push_back({g.legend, Ink::kBackground});
  const double line = text.em * kLegendLineEms;
  double x = 8;
  double y = g.legend.y;
  const auto entry = [&](const SceneRect& sample, const std::string& name) {
    const bool swatched =
        sample.fill != Ink::kNone || sample.frame != Ink::kNone || sample.pattern != Pattern::kPlain;
    const double before = swatched ? text.em * 1.5 : 0;
    // Small letters, of which the width is known to be less than that of the others.
    const double w = text.width(name) * 0.9 + before + text.em * (swatched ? 0.8 : 2);
    if (x + w > g.legend.w && x > 8) x = 8, y += line;
    if (y + line > g.legend.y + g.legend.h + 1) return;
    SceneRect swatch = sample;
    swatch.box = {x, y + line * 0.22, text.em * 1.2, line * 0.56};
    if (swatched) layer.rects.push_back(swatch);
    layer.texts.push_back(
        {{x + before, y, w + text.em, line}, name, Align::kLeft, Ink::kText, Ink::kNone, false, true});
    x += w;
  };
  if (state.level == Level::kCluster) {
    entry({{}, Ink::kHeat}, "busy GPUs: the stronger the colour the more");
  } else {
    const bool streams = state.level != Level::kPipeline;
    for (int c = 0; c < kCategoryCount; ++c) {
      const Category& shown = category(static_cast<Ink>(c));
      const bool always = c <= static_cast<int>(Ink::kBackwardWeight) || shown.ink == Ink::kOptimizer;
      if (shown.ink == Ink::kOther || (shown.ink == Ink::kIdle && streams)) continue;
      if (!always && !streams && !state.critical && shown.ink != Ink::kIdle) continue;
      if (shown.ink == Ink::kHost && !streams) continue;
      if (!occurs(g, shown.ink)) continue;
      entry({{}, shown.ink == Ink::kIdle ? Ink::kNone : shown.ink, shown.pattern}, std::string(shown.name));
    }
    if (!streams && has_pairs(g)) entry({{}, Ink::kNone, Pattern::kPlain, Ink::kFrame}, "overlapped pair");
    if (!streams && run.steps_overlap())
      entry(
          {{}, Ink::kNone},
          fmt::format("no barrier: each row is its rank's own step of {:.4g} s, the next one follows at once",
                      run.metrics().step_time_s));
    if (!streams && has_upward_flow(run))
      entry({{}, Ink::kForward, Pattern::kPlain, Ink::kNone, kUpwardDim},
            "fainter: from the last rank to the first");
    if (!streams && state.flows && state.selected)
      entry({{}, Ink::kNone}, "arrows: solid what the selection needs, dashed what needs it");
  }
  entry({{}, Ink::kNone},
        state.overlay ? "simulated, not measured, but for the rows of the trace" : "simulated, not measured");
}

void add_overlay(const RunView& run, const TimelineState& state, const TimelineGeometry& g,
                 const TextMetrics& text, Scene& scene) {
  SceneLayer& layer = scene.new_layer({g.body.x, g.ruler.y, g.body.w, g.ruler.h + g.body.h});
  add_hits(state, g, layer);
  if (state.hovered) {
    const Box box = slice_box(g, *state.hovered);
    if (box.h > 0) layer.rects.push_back({cut(box, g.body), Ink::kNone, Pattern::kPlain, Ink::kText, 0, 1});
  }
  if (state.selected) {
    const Box box = slice_box(g, *state.selected);
    if (box.h > 0)
      layer.rects.push_back({cut(box, g.body), Ink::kNone, Pattern::kPlain, Ink::kSelection, 0, 2.5F});
  }
  add_flows(run, state, g, text, layer);
  for (const Mark& mark : state.marks) {
    add_range(g, static_cast<double>(mark.t0), static_cast<double>(mark.t1), Ink::kMark,
              mark.note.empty() ? "mark" : mark.note, g.body.y + g.body.h - text.em - 3, text, layer);
  }
  if (!state.anchor.note.empty()) {
    const double x = g.axis.x(static_cast<double>(state.anchor.t0));
    const double w = text.width(state.anchor.note) + 8;
    if (x >= g.body.x - 1 && x <= g.body.x + g.body.w + 1) {
      layer.lines.push_back({x, g.ruler.y, x, g.body.y + g.body.h, Ink::kMark, 1.5F});
      const double at = std::clamp(x + 3, g.body.x, std::max(g.body.x, g.body.x + g.body.w - w));
      const double y = g.body.y + g.body.h - text.em - 3;
      layer.rects.push_back({{at, y, w, text.em}, Ink::kBackground, Pattern::kPlain, Ink::kMark});
      layer.texts.push_back(
          {{at, y, w, text.em}, state.anchor.note, Align::kCentre, Ink::kMark, Ink::kNone, false, true});
    }
  }
  if (state.area) {
    const auto& a = *state.area;
    add_range(g, static_cast<double>(a.t0), static_cast<double>(a.t1), Ink::kArea,
              time_text(static_cast<double>(a.t1 - a.t0)), g.ruler.y, text, layer);
    for (const RowBox& box : g.lanes.rows) {
      if (std::find(a.rows.begin(), a.rows.end(), box.row->name) == a.rows.end()) continue;
      const double x0 = g.axis.x(static_cast<double>(a.t0));
      const double x1 = g.axis.x(static_cast<double>(a.t1));
      layer.rects.push_back({cut({x0, g.body.y + box.y, x1 - x0, box.h}, g.body), Ink::kNone, Pattern::kPlain,
                             Ink::kArea, 0, 1});
    }
  }
}

}  // namespace orrery::gui
