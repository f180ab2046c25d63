#include "planner/export/svg_drawing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ostream>

namespace orrery {
namespace {

// Paul Tol's "bright" scheme, told apart by readers with any colour vision; in the order of BarKind.
constexpr std::array<Ink, 5> kInks{{{"#4477aa", "forward"},
                                    {"#228833", "backward, whole"},
                                    {"#66ccee", "input gradient"},
                                    {"#ccbb44", "weight gradient"},
                                    {"#aa3377", "gradient reduction, optimizer"}}};
constexpr Ink kIdle{"#eeeeee", "waiting"};

}  // namespace

const Ink& ink_of(BarKind kind) {
  return kInks[static_cast<std::size_t>(kind)];
}

const Ink& waiting_ink() {
  return kIdle;
}

std::string svg_escaped(const std::string& text) {
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

void svg_open(std::ostream& out, double width, double height, double left, const std::string& title) {
  out << fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" font-family=\"sans-serif\" "
      "font-size=\"13\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n<text x=\"{:.0f}\" y=\"24\" "
      "font-size=\"16\">{}</text>\n",
      width, height, left, svg_escaped(title));
}

void svg_box(std::ostream& out, double left, double right, double top, double height, const Ink& ink) {
  out << fmt::format("<rect x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{:.1f}\" fill=\"{}\"/>\n",
                     left, top, std::max(0.0, right - left), height, ink.color);
}

void svg_legend(std::ostream& out, double left, double top) {
  const double first = left;
  const auto entry = [&](const Ink& ink) {
    svg_box(out, left, left + 16, top, 14, ink);
    out << fmt::format("<text x=\"{:.0f}\" y=\"{:.0f}\">{}</text>\n", left + 22, top + 12, ink.label);
    left += 22 + 8.2 * static_cast<double>(std::char_traits<char>::length(ink.label)) + 22;
  };
  for (const Ink& ink : kInks) entry(ink);
  entry(kIdle);
  out << fmt::format(
      "<text x=\"{:.0f}\" y=\"{:.0f}\" fill=\"#555555\">a bar cut in two: forward above, backward below, "
      "overlapped</text>\n",
      first, top + 32);
}

void svg_axis(std::ostream& out, const TimeAxis& axis, double y) {
  const double total = axis.total_s;
  double tick = std::pow(10.0, std::floor(std::log10(total)));
  if (total / tick < 3) tick /= 5;
  for (int i = 0; tick * i <= total * 1.0001; ++i) {
    const double at = axis.left + axis.width * tick * i / total;
    out << fmt::format(
        "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\" stroke=\"#555555\"/>\n", at, y,
        y + 6);
    out << fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:g} s</text>\n", at, y + 22,
                       tick * i);
  }
}

}  // namespace orrery
