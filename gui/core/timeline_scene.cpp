#include "gui/core/timeline_scene.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "gui/core/timeline_overlay.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/lower/lower.hpp"

namespace orrery::gui {
namespace {

constexpr double kHeaderEms = 9;
constexpr double kStreamHeaderEms = 13.5;  ///< names of streams are longer
/// What the legend of a level needs at most; it takes as many lines as that makes.
constexpr double kPipelineLegendEms = 150, kStreamLegendEms = 95, kClusterLegendEms = 40;
constexpr std::size_t kMostLabels = 900;

std::string action_label(const Action& action) {
  const char kind = action.kind == ActionKind::kInputGrad ? 'B' : letter(action.kind);
  return fmt::format("{}{}", kind, action.microbatch.value);
}

/// Slices of a microbatch that goes upward are lighter.
std::uint8_t direction_dim(const RunView* run, const TimelineRow& row, std::size_t index, int half) {
  if (run == nullptr || row.kind != RowKind::kPipelineRank) return 0;
  const std::int32_t ref = row.slices.ref[index];
  if (ref < 0 || ref == kTailRef) return 0;
  const Step& step = run->result().step->steps[static_cast<std::size_t>(ref)].step;
  return half < step.count() && goes_upward(*run, step.action(half).microbatch) ? kUpwardDim
                                                                                : std::uint8_t{0};
}

void add_heat(const RunView& run, const TimelineRow& row, const TimeAxis& axis, double y, double h,
              SceneLayer& layer) {
  SceneStrip strip{axis.left, y + 2, h - 4, {}};
  const auto n = static_cast<std::size_t>(std::max(0.0, std::floor(axis.width)));
  strip.columns.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    const auto a = std::llround(axis.t(axis.left + static_cast<double>(i)));
    const auto b =
        std::max<std::int64_t>(a + 1, std::llround(axis.t(axis.left + static_cast<double>(i) + 1)));
    std::int64_t busy = 0;
    for (std::size_t source : row.sources) busy += run.pipeline().rows[source]->index.busy(a, b);
    strip.columns[i] = {Ink::kHeat,
                        busy_level(busy, (b - a) * static_cast<std::int64_t>(row.sources.size()))};
  }
  layer.strips.push_back(std::move(strip));
}

/// `ends` is where the step does; a curve stands for nothing before it begins or after that.
void add_counter(const TimelineRow& row, const TimeAxis& axis, double ends, double y, double h,
                 SceneLayer& layer) {
  const Counter& c = row.counter;
  double top = c.limit;
  for (double v : c.value) top = std::max(top, v);
  if (top <= 0 || c.t.empty()) return;
  top *= 1.08;
  const auto level = [&](double v) { return y + h - 3 - v / top * (h - 6); };
  SceneCurve curve;
  curve.ink = Ink::kCurve;
  const double left = std::max(axis.left, axis.x(static_cast<double>(c.t.front())));
  const double right = std::min(axis.left + axis.width, axis.x(ends));
  if (right <= left) return;
  std::size_t i = static_cast<std::size_t>(std::max<std::ptrdiff_t>(
      0, std::upper_bound(c.t.begin(), c.t.end(), static_cast<std::int64_t>(axis.t0)) - c.t.begin() - 1));
  double last = level(c.value[i]);
  curve.points.push_back({left, last});
  // At most two points a pixel: the highest and the lowest value in it.
  for (++i; i < c.t.size();) {
    const double x = axis.x(static_cast<double>(c.t[i]));
    if (x > right) break;
    double low = level(c.value[i]);
    double high = low;
    double end = low;
    for (; i < c.t.size() && axis.x(static_cast<double>(c.t[i])) < x + 1; ++i) {
      end = level(c.value[i]);
      low = std::max(low, end);
      high = std::min(high, end);
    }
    curve.points.push_back({x, last});
    if (high < std::min(last, end)) curve.points.push_back({x, high});
    if (low > std::max(last, end)) curve.points.push_back({x, low});
    curve.points.push_back({x, end});
    last = end;
  }
  curve.points.push_back({right, last});
  layer.curves.push_back(std::move(curve));
  if (c.limit > 0) {
    const double at = level(c.limit);
    layer.lines.push_back({left, at, right, at, Ink::kLimit, 1, false, true});
  }
}

}  // namespace

bool goes_upward(const RunView& run, MicrobatchId microbatch) {
  const Schedule& s = *run.result().schedule;
  return s.stages > 1 && s.rank_of(StageId{0}, microbatch) > s.rank_of(StageId{s.stages - 1}, microbatch);
}

bool has_upward_flow(const RunView& run) {
  if (!run.feasible()) return false;
  const auto microbatches = static_cast<std::int32_t>(run.result().schedule->microbatches);
  for (std::int32_t m = 0; m < microbatches; ++m) {
    if (goes_upward(run, MicrobatchId{m})) return true;
  }
  return false;
}

std::vector<const TimelineRow*> visible_rows(const RunView& run, const TimelineState& state) {
  std::vector<const TimelineRow*> out;
  if (!run.feasible()) return out;
  if (state.critical && run.critical() != nullptr) out.push_back(run.critical());
  for (const auto& row : run.rows(state.level, state.rank).rows) out.push_back(row.get());
  const auto pinned_counter = [&](const TimelineRow& row) {
    return std::find(state.pins.begin(), state.pins.end(), row.name) != state.pins.end();
  };
  const bool streams = state.level == Level::kRank || state.level == Level::kOperators;
  for (const auto& row : run.counters(state.rank).rows) {
    if (streams || pinned_counter(*row)) out.push_back(row.get());
  }
  if (state.overlay) {
    for (const auto& row : state.overlay->rows) out.push_back(row.get());
  }
  return out;
}

const TimelineRow* find_row(const RunView& run, const TimelineState& state, const std::string& name) {
  for (const TimelineRow* row : visible_rows(run, state)) {
    if (row->name == name) return row;
  }
  return nullptr;
}

AxisRange axis_range(const RunView& run, const TimelineState& state) {
  return {std::min(0.0, state.origin), std::max(state.horizon, static_cast<double>(run.makespan()))};
}

TimelineGeometry geometry(const RunView& run, const TimelineState& state, double width, double height,
                          const TextMetrics& text) {
  TimelineGeometry g;
  const bool streams = state.level == Level::kRank || state.level == Level::kOperators;
  const double header =
      std::min(std::round(text.em * (streams || state.overlay ? kStreamHeaderEms : kHeaderEms)),
               std::floor(width * 0.4));
  const double overview = std::round(text.em * 1.6);
  const double ruler = std::round(text.em * 1.6);
  const double body_width = std::max(1.0, width - header);
  g.overview = {header, 0, body_width, overview};
  g.ruler = {header, overview, body_width, ruler};
  const double wanted = state.level == Level::kCluster    ? kClusterLegendEms
                        : state.level == Level::kPipeline ? kPipelineLegendEms
                                                          : kStreamLegendEms;
  const double lines = std::clamp(std::ceil(wanted * text.em / std::max(1.0, width)), 1.0, 4.0);
  const double legend = height > text.em * 14 ? std::round(text.em * kLegendLineEms * lines) + 2 : 0;
  g.headers = {0, overview + ruler, header, std::max(0.0, height - overview - ruler - legend)};
  g.legend = {0, height - legend, width, legend};
  g.body = {header, overview + ruler, body_width, g.headers.h};
  g.axis.left = header;
  g.axis.width = body_width;
  const AxisRange range = axis_range(run, state);
  g.axis = state.t1 > state.t0 ? showing(g.axis, state.t0, state.t1, range.high, range.low)
                               : fitted(g.axis, range.high, range.low);
  const std::vector<const TimelineRow*> rows = visible_rows(run, state);
  g.lanes = lay_out(rows, state.pins, state.scroll, text.em);
  return g;
}

std::optional<SliceId> slice_at(const TimelineGeometry& g, double x, double y) {
  if (!g.body.holds(x, y)) return std::nullopt;
  const int row = row_at(g.lanes, y - g.body.y);
  if (row < 0) return std::nullopt;
  const TimelineRow& at = *g.lanes.rows[static_cast<std::size_t>(row)].row;
  const std::int64_t slice = at.index.at(static_cast<std::int64_t>(std::floor(g.axis.t(x))));
  if (slice < 0) return std::nullopt;
  return SliceId{at.name, static_cast<std::size_t>(slice)};
}

std::string slice_label(const RunView& run, const TimelineRow& row, std::size_t index) {
  const std::int32_t ref = row.slices.ref[index];
  if (row.kind == RowKind::kCriticalPath) return std::string(category(row.slices.ink[index]).name);
  if (row.kind == RowKind::kPipelineRank) {
    if (ref == kTailRef) return "optimizer";
    if (ref < 0) return std::string(wait_name(static_cast<Wait>(~ref)));
    const Step& step = run.result().step->steps[static_cast<std::size_t>(ref)].step;
    return step.overlapped ? action_label(step.first) + " " + action_label(step.second)
                           : action_label(step.first);
  }
  if (row.kind == RowKind::kTrace) return row.labels[static_cast<std::size_t>(ref)];
  if (row.kind == RowKind::kStream && ref >= 0)
    return std::string(run.result().timeline->graph.name(TaskId{ref}));
  return {};
}

void add_row(const TimelineRow& row, const TimeAxis& axis, double y, double h, bool dimmed,
             const TextMetrics& text, SceneLayer& strips, SceneLayer& slices, const RunView* run) {
  const SliceRow& s = row.slices;
  if (s.size() == 0) return;
  const double top = y + 2;
  const double height = std::max(1.0, h - 4);
  const std::size_t from = row.index.first_after(static_cast<std::int64_t>(axis.t0));
  const std::size_t to = std::min(row.index.first_after(static_cast<std::int64_t>(axis.t1)) + 1, s.size());
  const bool dense = static_cast<double>(to - std::min(from, to)) > axis.width;
  bool thin = dense;
  if (!dense) {
    const auto all_dim = static_cast<std::uint8_t>(dimmed ? 170 : 0);
    const double left = axis.left;
    const double right = axis.left + axis.width;
    for (std::size_t i = from; i < to; ++i) {
      const double x0 = std::max(left, axis.x(static_cast<double>(s.begin[i])));
      const double x1 = std::min(right, axis.x(static_cast<double>(s.end[i])));
      const double w = x1 - x0;
      if (w <= 0) continue;
      if (w < 1) {
        thin = true;
        continue;
      }
      // A hair of background between neighbours where there is room for it.
      const double shown = w > 4 ? w - 0.75 : w;
      const Pattern pattern = w >= 5 ? category(s.ink[i]).pattern : Pattern::kPlain;
      const bool pair = s.second[i] != Ink::kNone;
      const auto dim_of = [&](int half) { return std::max(all_dim, direction_dim(run, row, i, half)); };
      const std::uint8_t dim = dim_of(0);
      const Ink fill = s.ink[i] == Ink::kIdle ? Ink::kNone : s.ink[i];
      if (pair) {
        slices.rects.push_back({{x0, top, shown, height / 2}, s.ink[i], Pattern::kPlain, Ink::kNone, dim});
        slices.rects.push_back(
            {{x0, top + height / 2, shown, height / 2}, s.second[i], Pattern::kPlain, Ink::kNone, dim_of(1)});
        if (w >= 12)
          slices.rects.push_back(
              {{x0, top, shown, height}, Ink::kNone, Pattern::kPlain, Ink::kFrame, all_dim});
      } else {
        slices.rects.push_back({{x0, top, shown, height}, fill, pattern, Ink::kNone, dim});
      }
      if (run == nullptr || w < text.em * 0.9 || slices.texts.size() >= kMostLabels) continue;
      std::string label = slice_label(*run, row, i);
      if (text.width(label) > shown - 2) {
        // A letter says the category where the label does not fit.
        if (row.kind == RowKind::kPipelineRank || s.ink[i] == Ink::kIdle || pair) continue;
        label = std::string(1, category(s.ink[i]).letter);
        if (text.width(label) > shown - 2) continue;
      }
      const Ink on = s.ink[i] == Ink::kIdle ? Ink::kBackground : s.ink[i];
      slices.texts.push_back(
          {{x0, top, shown, height}, std::move(label), Align::kCentre, Ink::kText, on, false, true});
      if (pair || dim > 0) slices.texts.back().on = Ink::kNone, slices.texts.back().ink = Ink::kText;
      if (s.ink[i] == Ink::kIdle)
        slices.texts.back().on = Ink::kNone, slices.texts.back().ink = Ink::kMutedText;
    }
  }
  if (thin) strips.strips.push_back({axis.left, top, height, row.index.columns(axis)});
}

Scene timeline_scene(const RunView& run, const TimelineState& state, double width, double height,
                     const TextMetrics& text) {
  Scene scene;
  scene.width = width;
  scene.height = height;
  SceneLayer& ground = scene.new_layer();
  ground.rects.push_back({{0, 0, width, height}, Ink::kBackground});
  if (width < 8 || height < 8) return scene;
  const TimelineGeometry g = geometry(run, state, width, height, text);
  if (g.lanes.rows.empty()) return scene;
  add_grid(g, text, scene);
  add_overview(run, state, g, text, scene);
  for (const bool pinned : {false, true}) {
    const double top = pinned ? 0 : g.lanes.pinned_height;
    const Box clip{g.body.x, g.body.y + top, g.body.w,
                   std::max(0.0, pinned ? g.lanes.pinned_height : g.body.h - top)};
    if (clip.h <= 0) continue;
    SceneLayer strips;
    SceneLayer slices;
    strips.clip = slices.clip = clip;
    for (const RowBox& box : g.lanes.rows) {
      const double y = g.body.y + box.y;
      if (box.pinned != pinned || y + box.h < clip.y || y > clip.y + clip.h) continue;
      const bool dim =
          state.critical_only && run.critical() != nullptr && box.row->kind != RowKind::kCriticalPath;
      if (box.row->kind == RowKind::kHeat)
        add_heat(run, *box.row, g.axis, y, box.h, strips);
      else if (box.row->kind == RowKind::kCounter)
        add_counter(*box.row, g.axis, static_cast<double>(run.makespan()), y, box.h, slices);
      else
        add_row(*box.row, g.axis, y, box.h, dim, text, strips, slices, &run);
    }
    scene.layers.push_back(std::move(strips));
    scene.layers.push_back(std::move(slices));
  }
  add_headers(state, g, text, scene);
  add_legend(run, state, g, text, scene);
  add_overlay(run, state, g, text, scene);
  return scene;
}

}  // namespace orrery::gui
