#include "planner/export/schedule_svg.hpp"

#include <fmt/format.h>

#include <ostream>

#include "planner/export/svg_drawing.hpp"
#include "planner/schedule_bars.hpp"
#include "sim/base/check.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/lower/lower.hpp"

namespace orrery {
namespace {

constexpr double kLeft = 64;
constexpr double kTop = 84;
constexpr double kWidth = 1180;
constexpr double kRow = 22;
constexpr double kBar = 18;

void draw_row(std::ostream& out, const TimeAxis& axis, std::size_t rank, const ScheduleBars& bars) {
  const double top = kTop + kRow * static_cast<double>(rank);
  out << fmt::format("<text x=\"{:.0f}\" y=\"{:.1f}\" text-anchor=\"end\">rank {}</text>\n", kLeft - 8,
                     top + 14, rank);
  svg_box(out, axis.x(0), axis.x(bars.makespan_ps), top, kBar, waiting_ink());
  for (const ScheduleBar& bar : bars.ranks[rank]) {
    const double left = axis.x(bar.begin_ps);
    double right = axis.x(bar.end_ps);
    // A hair of white between neighbours where there is room for it.
    if (bar.kind != BarKind::kTail && right - left > 3) right -= 0.6;
    if (bar.pair) {
      svg_box(out, left, right, top, kBar / 2, ink_of(bar.kind));
      svg_box(out, left, right, top + kBar / 2, kBar / 2, ink_of(bar.second));
    } else {
      svg_box(out, left, right, top, kBar, ink_of(bar.kind));
    }
  }
}

}  // namespace

void write_schedule_svg(const SimResult& result, const std::string& title, std::ostream& out) {
  SIM_CHECK(result.step != nullptr && result.timeline != nullptr, "only a feasible result has a timeline");
  const ScheduleBars bars = schedule_bars(*result.step, *result.timeline);
  const TimeAxis axis{.left = kLeft, .width = kWidth, .total_s = to_seconds(result.timeline->makespan).value};
  const double bottom = kTop + kRow * static_cast<double>(bars.ranks.size());
  svg_open(out, kLeft + kWidth + 24, bottom + 52, kLeft, title);
  svg_legend(out, kLeft, 44);
  for (std::size_t r = 0; r < bars.ranks.size(); ++r) draw_row(out, axis, r, bars);
  svg_axis(out, axis, bottom + 4);
  out << fmt::format(
      "<text x=\"{:.0f}\" y=\"{:.1f}\" text-anchor=\"end\" fill=\"#555555\">step {:.4g} s, "
      "simulated</text>\n</svg>\n",
      kLeft + kWidth, bottom + 44, axis.total_s);
}

}  // namespace orrery
