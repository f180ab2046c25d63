#include "planner/export/schedules_svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>

#include "planner/export/svg_drawing.hpp"
#include "sim/base/check.hpp"
#include "sim/report/table.hpp"

namespace orrery {
namespace {

constexpr double kLeft = 64;
constexpr double kWidth = 1180;
constexpr double kFirstPanel = 96;
constexpr double kHead = 24;           // title of a panel
constexpr double kBetween = 18;        // panels
constexpr double kLine = 18;           // of text
constexpr std::size_t kLetters = 150;  // that surely fit into kWidth

/// Height of a rank's row: panels of many ranks are drawn flatter.
double row_height(std::size_t ranks) {
  return std::clamp(std::floor(160.0 / static_cast<double>(ranks)), 3.0, 20.0);
}

/// Bars of one colour and height on one row as a single line with gaps: a picture of ten schedules has tens
/// of thousands of bars. Places are whole tenths, so that rounding does not add up along the line.
class BarLine {
 public:
  void add(double left, double right) {
    const auto from = std::lround(left * 10);
    const auto to = std::lround(right * 10);
    if (to <= from) return;
    if (moves_.empty()) {
      first_ = from;
    } else {
      moves_ += "m" + tenths(from - at_) + " 0";
    }
    moves_ += "h" + tenths(to - from);
    at_ = to;
  }

  void draw(std::ostream& out, double top, double height, const Ink& ink) const {
    if (moves_.empty()) return;
    out << fmt::format("<path stroke=\"{}\" stroke-width=\"{:g}\" d=\"M{} {:g}{}\"/>\n", ink.color, height,
                       tenths(first_), top + height / 2, moves_);
  }

 private:
  static std::string tenths(long value) { return fmt::format("{:g}", static_cast<double>(value) / 10); }

  long first_ = 0;
  long at_ = 0;
  std::string moves_;
};

void draw_rank(std::ostream& out, const TimeAxis& axis, const std::vector<ScheduleBar>& bars, double top,
               double height) {
  constexpr std::size_t kKinds = 5;
  std::array<BarLine, kKinds> whole;
  std::array<BarLine, kKinds> upper;
  std::array<BarLine, kKinds> lower;
  for (const ScheduleBar& bar : bars) {
    const double left = axis.x(bar.begin_ps);
    double right = axis.x(bar.end_ps);
    if (bar.kind != BarKind::kTail && right - left > 2) right -= 0.4;
    if (bar.pair) {
      upper[static_cast<std::size_t>(bar.kind)].add(left, right);
      lower[static_cast<std::size_t>(bar.second)].add(left, right);
    } else {
      whole[static_cast<std::size_t>(bar.kind)].add(left, right);
    }
  }
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    const Ink& ink = ink_of(static_cast<BarKind>(kind));
    whole[kind].draw(out, top, height, ink);
    upper[kind].draw(out, top, height / 2, ink);
    lower[kind].draw(out, top + height / 2, height / 2, ink);
  }
}

/// Every rank's name where the rows are high enough for it, else the first and the last.
void draw_rank_names(std::ostream& out, std::size_t ranks, double top, double row) {
  const double last = static_cast<double>(ranks - 1) * row;
  for (std::size_t r = 0; r < ranks; ++r) {
    const double offset = static_cast<double>(r) * row;
    const bool end = r == 0 || (r + 1 == ranks && last >= 14);
    if (row < 14 && !end) continue;
    out << fmt::format(
        "<text x=\"{:.0f}\" y=\"{:.1f}\" text-anchor=\"end\" font-size=\"11\">rank {}</text>\n", kLeft - 8,
        top + offset + row / 2 + 4, r);
  }
}

/// Returns the height it took.
double draw_panel(std::ostream& out, const TimeAxis& axis, const ComparedSchedule& row, double top) {
  const std::size_t ranks = row.bars.ranks.size();
  const double height = row_height(ranks);
  const double bar = height > 5 ? height - 2 : height - 0.5;
  std::string text = fmt::format("{}: step {} s, bubble {:.1f} %", row.name, digits_text(row.step_time_s),
                                 100 * row.bubble_share());
  if (row.vpp > 1) text += fmt::format(", {} stages per rank", row.vpp);
  if (row.memory)
    text += fmt::format(", activations {:.1f} GB, memory {:.1f} GB", row.memory->activations_bytes / 1e9,
                        row.memory->total_bytes / 1e9);
  out << fmt::format("<text x=\"{:.0f}\" y=\"{:.1f}\" font-size=\"14\">{}</text>\n", kLeft, top + 15,
                     svg_escaped(text));
  draw_rank_names(out, ranks, top + kHead, height);
  for (std::size_t r = 0; r < ranks; ++r) {
    const double y = top + kHead + height * static_cast<double>(r);
    svg_box(out, axis.x(0), axis.x(row.bars.makespan_ps), y, bar, waiting_ink());
    draw_rank(out, axis, row.bars.ranks[r], y, bar);
  }
  return kHead + height * static_cast<double>(ranks);
}

/// The lines about schedules that do not fit.
std::vector<std::string> reasons(std::span<const ComparedSchedule> rows) {
  std::vector<std::string> lines;
  for (const ComparedSchedule& row : rows) {
    if (!row.infeasible) continue;
    const std::string text =
        wrapped(fmt::format("{} does not fit: {}", row.name, row.infeasible->text), kLetters, 4);
    for (std::size_t from = 0; from <= text.size();) {
      const std::size_t end = std::min(text.find('\n', from), text.size());
      lines.push_back(text.substr(from, end - from));
      from = end + 1;
    }
  }
  return lines;
}

}  // namespace

void write_schedules_svg(std::span<const ComparedSchedule> rows, const std::string& title,
                         std::ostream& out) {
  double height = kFirstPanel;
  std::int64_t longest = 0;
  for (const ComparedSchedule& row : rows) {
    if (row.infeasible) continue;
    const std::size_t ranks = row.bars.ranks.size();
    height += kHead + row_height(ranks) * static_cast<double>(ranks) + kBetween;
    longest = std::max(longest, row.bars.makespan_ps);
  }
  SIM_CHECK(longest > 0, "only schedules that fit can be drawn");
  const std::vector<std::string> lines = reasons(rows);
  height += 24 + kLine * (static_cast<double>(lines.size()) + 1);
  const TimeAxis axis{.left = kLeft, .width = kWidth, .total_s = static_cast<double>(longest) * 1e-12};
  svg_open(out, kLeft + kWidth + 24, height, kLeft, title);
  svg_legend(out, kLeft, 44);
  double y = kFirstPanel;
  for (const ComparedSchedule& row : rows) {
    if (!row.infeasible) y += draw_panel(out, axis, row, y) + kBetween;
  }
  svg_axis(out, axis, y - kBetween + 4);
  y += 24;
  for (const std::string& line : lines) {
    y += kLine;
    out << fmt::format("<text xml:space=\"preserve\" x=\"{:.0f}\" y=\"{:.1f}\" fill=\"#555555\">{}</text>\n",
                       kLeft, y, svg_escaped(line));
  }
  out << "</svg>\n";
}

}  // namespace orrery
