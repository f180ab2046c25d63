#include "gui/core/chart_parts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace orrery::gui {
namespace {

/// Round numbers inside the scale, about `most` of them.
std::vector<double> round_numbers(const Scale& s, double most) {
  std::vector<double> out;
  if (s.logarithmic) {
    const double decades = std::log10(s.high / s.low);
    if (decades < 2.6) {
      for (double p = std::floor(std::log10(s.low)); p <= std::log10(s.high); ++p) {
        for (double factor : {1.0, 2.0, 5.0}) {
          const double v = factor * std::pow(10.0, p);
          if (v >= s.low && v <= s.high && (factor == 1 || most >= 2.5)) out.push_back(v);
        }
      }
      return out;
    }
    const double every = std::max(1.0, std::ceil(decades / std::max(1.0, most)));
    for (double p = std::ceil(std::log10(s.low) - 1e-9); p <= std::log10(s.high) + 1e-9; p += every)
      out.push_back(std::pow(10.0, p));
    return out;
  }
  const double least = (s.high - s.low) / std::max(1.0, most);
  double step = std::pow(10.0, std::floor(std::log10(least)));
  for (double factor : {1.0, 2.0, 5.0, 10.0}) {
    if (step * factor >= least * (1 - 1e-9)) {
      step *= factor;
      break;
    }
  }
  for (double n = std::ceil(s.low / step - 1e-9); n * step <= s.high * (1 + 1e-12) && out.size() < 100; ++n)
    out.push_back(n * step + 0.0);  // never -0
  return out;
}

std::string number_text(double v) {
  const double size = std::abs(v);
  if (size >= 1e18) return fmt::format("{:.4g} E", v / 1e18);
  if (size >= 1e15) return fmt::format("{:.4g} P", v / 1e15);
  if (size >= 1e12) return fmt::format("{:.4g} T", v / 1e12);
  if (size >= 1e9) return fmt::format("{:.4g} G", v / 1e9);
  if (size >= 1e6) return fmt::format("{:.4g} M", v / 1e6);
  if (size >= 1e4) return fmt::format("{:.4g} k", v / 1e3);
  return fmt::format("{:.4g}", v);
}

}  // namespace

double Scale::at(double value) const {
  double share = 0;
  if (logarithmic)
    share = value <= 0 ? 0 : std::log(value / low) / std::log(high / low);
  else
    share = (value - low) / (high - low);
  return a + std::clamp(share, -4.0, 5.0) * (b - a);
}

Scale make_scale(double low, double high, double a, double b, bool logarithmic) {
  if (logarithmic) {
    if (!(low > 0)) low = 1;
    if (!(high > low)) high = low * 10;
    return {low / 1.6, high * 1.6, a, b, true};
  }
  if (!(high > low)) high = low + (low == 0 ? 1 : std::abs(low));
  return {low, high, a, b, false};
}

Box plot_area(double width, double height, double left_ems, double bottom_ems, const TextMetrics& text) {
  const double left = std::min(text.em * left_ems, width * 0.45);
  const double top = text.em * 2;
  const double bottom = std::min(text.em * bottom_ems, height * 0.5);
  return {left, top, std::max(1.0, width - left - text.em), std::max(1.0, height - top - bottom)};
}

Scene start_chart(double width, double height, const std::string& title, const TextMetrics& text) {
  Scene scene;
  scene.width = width;
  scene.height = height;
  scene.new_layer().rects.push_back({{0, 0, width, height}, Ink::kBackground});
  add_title(scene, title, text);
  return scene;
}

Scene sentence_chart(double width, double height, const std::string& sentence) {
  Scene scene;
  scene.width = width;
  scene.height = height;
  scene.new_layer().rects.push_back({{0, 0, width, height}, Ink::kBackground});
  scene.layer().texts.push_back(
      {{8, 0, std::max(1.0, width - 16), height}, sentence, Align::kCentre, Ink::kMutedText});
  return scene;
}

void add_title(Scene& scene, const std::string& title, const TextMetrics& text) {
  scene.layer().texts.push_back({{6, 2, std::max(1.0, scene.width - 12), text.em * 1.4},
                                 fitted_text(title, scene.width - 12, text),
                                 Align::kLeft,
                                 Ink::kText,
                                 Ink::kNone,
                                 false});
}

void add_y_axis(Scene& scene, const Box& plot, const Scale& y, const std::string& unit,
                const TextMetrics& text) {
  SceneLayer& layer = scene.layer();
  for (double v : round_numbers(y, plot.h / (text.em * 2))) {
    const double at = y.at(v);
    if (at < plot.y - 1 || at > plot.y + plot.h + 1) continue;
    layer.lines.push_back({plot.x, at, plot.x + plot.w, at, Ink::kGrid, 1});
    const std::string label = y.logarithmic ? number_text(v) + unit : number_text(v) + " " + unit;
    layer.texts.push_back({{0, at - text.em / 2, plot.x - 6, text.em},
                           label,
                           Align::kRight,
                           Ink::kMutedText,
                           Ink::kNone,
                           false,
                           true});
  }
}

void add_x_axis(Scene& scene, const Box& plot, const Scale& x, const std::string& label,
                const TextMetrics& text) {
  SceneLayer& layer = scene.layer();
  for (double v : round_numbers(x, plot.w / (text.em * 5))) {
    const double at = x.at(v);
    if (at < plot.x - 1 || at > plot.x + plot.w + 1) continue;
    layer.lines.push_back({at, plot.y, at, plot.y + plot.h, Ink::kGrid, 1});
    const double w = text.em * 5;
    const double left = std::clamp(at - w / 2, 0.0, std::max(0.0, scene.width - w));
    layer.texts.push_back({{left, plot.y + plot.h + 2, w, text.em * 1.1},
                           number_text(v),
                           Align::kCentre,
                           Ink::kMutedText,
                           Ink::kNone,
                           false,
                           true});
  }
  // Below the middle of the plot; one that is longer than the plot has the picture's width.
  const double w = std::min(std::max(plot.w, text.width(label)), scene.width);
  const double left = std::clamp(plot.x + (plot.w - w) / 2, 0.0, std::max(0.0, scene.width - w));
  layer.texts.push_back({{left, plot.y + plot.h + text.em * 1.25, w, text.em * 1.1},
                         fitted_text(label, w, text),
                         Align::kCentre,
                         Ink::kMutedText,
                         Ink::kNone,
                         false,
                         true});
}

std::string fitted_text(const std::string& text, double width, const TextMetrics& metrics) {
  if (metrics.width(text) <= width) return text;
  std::size_t keep = text.size();
  while (keep > 0 && metrics.width(text.substr(0, keep) + "...") > width) --keep;
  return keep == 0 ? std::string() : text.substr(0, keep) + "...";
}

std::vector<std::string> wrapped_text(const std::string& text, double width, const TextMetrics& metrics) {
  std::vector<std::string> lines;
  for (std::size_t at = text.find_first_not_of(' '); at != std::string::npos;) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    if (!lines.empty() && metrics.width(lines.back() + " " + word) <= width)
      lines.back() += " " + word;
    else
      lines.push_back(word);
    at = text.find_first_not_of(' ', end);
  }
  return lines;
}

}  // namespace orrery::gui
