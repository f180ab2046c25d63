#include "planner/export/schedule_svg.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>

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

struct Ink {
  const char* color;
  const char* label;
};
// Paul Tol's "bright" scheme, told apart by readers with any colour vision.
constexpr Ink kForward{"#4477aa", "forward"};
constexpr Ink kBackward{"#228833", "backward, whole"};
constexpr Ink kInput{"#66ccee", "input gradient"};
constexpr Ink kWeight{"#ccbb44", "weight gradient"};
constexpr Ink kTail{"#aa3377", "gradient reduction, optimizer"};
constexpr Ink kIdle{"#eeeeee", "waiting"};

const Ink& ink_of(ActionKind kind) {
  switch (kind) {
    case ActionKind::kForward: return kForward;
    case ActionKind::kBackward: return kBackward;
    case ActionKind::kInputGrad: return kInput;
    case ActionKind::kWeightGrad: return kWeight;
  }
  return kIdle;
}

std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

class Picture {
 public:
  Picture(const LoweredStep& step, const Timeline& timeline, std::ostream& out)
      : step_(step),
        timeline_(timeline),
        out_(out),
        scale_(kWidth / static_cast<double>(timeline.makespan.ps)) {}

  void draw(const std::string& title) {
    const double height = kTop + kRow * step_.ranks + 52;
    out_ << fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" font-family=\"sans-serif\" "
        "font-size=\"13\">\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n<text x=\"{:.0f}\" y=\"24\" "
        "font-size=\"16\">{}</text>\n",
        kLeft + kWidth + 24, height, kLeft, escaped(title));
    legend();
    for (int r = 0; r < step_.ranks; ++r) row(RankId{r});
    axis();
    out_ << "</svg>\n";
  }

 private:
  [[nodiscard]] double x(std::int64_t ps) const { return kLeft + static_cast<double>(ps) * scale_; }

  void box(double left, double right, double top, double height, const Ink& ink) {
    out_ << fmt::format("<rect x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{:.1f}\" fill=\"{}\"/>\n",
                        left, top, std::max(0.0, right - left), height, ink.color);
  }

  void legend() {
    double left = kLeft;
    for (const Ink* ink : {&kForward, &kBackward, &kInput, &kWeight, &kTail, &kIdle}) {
      box(left, left + 16, 44, 14, *ink);
      out_ << fmt::format("<text x=\"{:.0f}\" y=\"56\">{}</text>\n", left + 22, ink->label);
      left += 22 + 8.2 * static_cast<double>(std::char_traits<char>::length(ink->label)) + 22;
    }
    out_ << fmt::format(
        "<text x=\"{:.0f}\" y=\"76\" fill=\"#555555\">a bar cut in two: forward above, backward below, "
        "overlapped</text>\n",
        kLeft);
  }

  void row(RankId rank) {
    const double top = kTop + kRow * rank.value;
    out_ << fmt::format("<text x=\"{:.0f}\" y=\"{:.1f}\" text-anchor=\"end\">rank {}</text>\n", kLeft - 8,
                        top + 14, rank.value);
    box(x(0), x(timeline_.makespan.ps), top, kBar, kIdle);
    std::int64_t end = 0;
    for (std::size_t s = step_.rank_begin[rank.at()]; s < step_.rank_begin[rank.at() + 1]; ++s) {
      const PlacedStep& placed = step_.steps[s];
      const std::int64_t begin = timeline_.end[placed.begin.at()].ps;
      end = begin;
      for (std::uint32_t i = 0; i < placed.tasks; ++i)
        end = std::max(end, timeline_.end[placed.first_task.at() + i].ps);
      // A hair of white between neighbours where there is room for it.
      const double right = x(end) - (x(end) - x(begin) > 3 ? 0.6 : 0);
      if (placed.step.overlapped) {
        box(x(begin), right, top, kBar / 2, ink_of(placed.step.first.kind));
        box(x(begin), right, top + kBar / 2, kBar / 2, ink_of(placed.step.second.kind));
      } else {
        box(x(begin), right, top, kBar, ink_of(placed.step.first.kind));
      }
    }
    tail(rank, end, top);
  }

  void tail(RankId rank, std::int64_t from, double top) {
    for (std::size_t t = step_.tail_begin.at(); t < timeline_.graph.task_count(); ++t) {
      const ResourceId lane = timeline_.graph.lane(TaskId{t});
      if (lane.value / kLaneCount != rank.value || timeline_.end[t] == timeline_.start[t]) continue;
      box(x(std::max(from, timeline_.start[t].ps)), x(timeline_.end[t].ps), top, kBar, kTail);
    }
  }

  void axis() {
    const double y = kTop + kRow * step_.ranks + 4;
    const double total = to_seconds(timeline_.makespan).value;
    double tick = std::pow(10.0, std::floor(std::log10(total)));
    if (total / tick < 3) tick /= 5;
    for (int i = 0; tick * i <= total * 1.0001; ++i) {
      const double at = kLeft + kWidth * tick * i / total;
      out_ << fmt::format(
          "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\" stroke=\"#555555\"/>\n", at, y,
          y + 6);
      out_ << fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:g} s</text>\n", at,
                          y + 22, tick * i);
    }
    out_ << fmt::format(
        "<text x=\"{:.0f}\" y=\"{:.1f}\" text-anchor=\"end\" fill=\"#555555\">step {:.4g} s, "
        "simulated</text>\n",
        kLeft + kWidth, y + 40, total);
  }

  const LoweredStep& step_;
  const Timeline& timeline_;
  std::ostream& out_;
  double scale_;
};

}  // namespace

void write_schedule_svg(const SimResult& result, const std::string& title, std::ostream& out) {
  SIM_CHECK(result.step != nullptr && result.timeline != nullptr, "only a feasible result has a timeline");
  Picture(*result.step, *result.timeline, out).draw(title);
}

}  // namespace orrery
