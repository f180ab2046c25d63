#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <ostream>

#include "calibrate/commands.hpp"
#include "calibrate/plot/chart.hpp"
#include "calibrate/profile/build_profile.hpp"
#include "calibrate/sample_input.hpp"
#include "sim/base/fields.hpp"

namespace orrery {
namespace {

constexpr std::array kColours{"#1f6f8b", "#c8553d", "#6a994e", "#7b5ea7",
                              "#b08900", "#3d5a80", "#a23b72", "#588157"};
const char* colour(std::size_t i) {
  return kColours[i % kColours.size()];
}
constexpr std::size_t kMostPoints = 1500;  ///< of one class in one drawing

/// Bursts and long runs of a class are two clouds.
std::string label_of(const ClassPoints& c) {
  return c.op_class + (c.sustained ? ", long runs" : "");
}

/// Measured FLOP/s over FLOP per byte, under the device's two ceilings.
Chart roofline(const GpuProfile& gpu, const SortedSamples& samples) {
  Chart chart{.title = "Roofline", .x_label = "FLOP per byte of device memory", .y_label = "FLOP/s"};
  std::size_t i = 0;
  for (const ClassPoints& c : samples.classes) {
    Series s{.label = label_of(c), .colour = colour(i++)};
    for (const std::size_t k : shuffled(c.points.size(), 1)) {
      if (s.points.size() == kMostPoints) break;
      const Observation& o = c.points[k];
      if (o.flops > 0 && o.bytes > 0 && c.op_class.rfind("power.", 0) != 0)
        s.points.emplace_back(o.flops / o.bytes, o.flops / o.seconds);
    }
    if (!s.points.empty()) chart.series.push_back(std::move(s));
  }
  for (const auto& [name, peak] : gpu.peak_flops_per_s) {
    if (name != "bf16" && name != "fp8") continue;
    Series line{
        .label = "ceiling " + name, .colour = name == "bf16" ? "#444" : "#999", .points = {}, .line = true};
    for (double x = 1; x <= 1e5; x *= 1.25)
      line.points.emplace_back(x, std::min(peak.value, x * gpu.hbm_bytes_per_s.value));
    chart.series.push_back(std::move(line));
  }
  return chart;
}

/// FLOP/s of the curves over rows, for a square and a narrow weight.
Chart efficiency(const GpuProfile& gpu) {
  Chart chart{.title = "Products by rows (curves; long runs)", .x_label = "rows M", .y_label = "FLOP/s"};
  std::size_t i = 0;
  for (const OperatorCurve& c : gpu.operators) {
    if (c.op_class.rfind("gemm.", 0) != 0) continue;
    for (const auto& [n, k] : {std::pair{8192.0, 8192.0}, std::pair{7168.0, 2048.0}}) {
      Series s{.label = fmt::format("{} N={} K={}", c.op_class, n, k),
               .colour = colour(i++),
               .points = {},
               .line = true};
      for (double m = 1; m <= 32768; m = std::ceil(m * 1.15)) {
        const double e = c.op_class.find("bf16") != std::string::npos ? 2 : 1;
        Observation o;
        o.m = m;
        o.n = n;
        o.k = k;
        o.output_bytes = 2 * m * n;
        o.bytes = e * k * (m + n) + o.output_bytes;
        s.points.emplace_back(m, 2 * m * n * k / curve_seconds(c, gpu, o, false));
      }
      chart.series.push_back(std::move(s));
    }
  }
  return chart;
}

Chart attention(const GpuProfile& gpu) {
  Chart chart{.title = "Causal attention by length (curves)",
              .x_label = "tokens of a sequence",
              .y_label = "FLOP/s, causal"};
  std::size_t i = 0;
  for (const OperatorCurve& c : gpu.operators) {
    if (c.op_class.rfind("attention", 0) != 0) continue;
    const bool latent = c.op_class.find("mla") != std::string::npos;
    const double width = (latent ? 320 : 256) * (c.op_class.find("backward") != std::string::npos ? 2.5 : 1);
    Series s{.label = c.op_class + ", 128 heads", .colour = colour(i++), .points = {}, .line = true};
    for (double length = 128; length <= 65536; length *= 1.3) {
      Observation o;
      o.heads = 128;
      o.sequence = std::round(length);
      o.flops_per_pair = 2 * width;
      o.flops = o.heads * width * o.sequence * o.sequence;
      o.bytes = 2 * o.sequence * o.heads * width * 2;
      s.points.emplace_back(length, o.flops / curve_seconds(c, gpu, o, false));
    }
    chart.series.push_back(std::move(s));
  }
  return chart;
}

Chart residuals(const GpuProfile& gpu, const SortedSamples& samples) {
  Chart chart{.title = "Residuals", .x_label = "measured time, s", .y_label = "predicted / measured"};
  chart.levels = {1};
  std::size_t i = 0;
  for (const ClassPoints& c : samples.classes) {
    const OperatorCurve* curve = gpu.find(c.op_class);
    if (curve == nullptr || c.quantise_inside) continue;
    Series s{.label = label_of(c), .colour = colour(i++)};
    for (const std::size_t k : shuffled(c.points.size(), 1)) {
      if (s.points.size() == kMostPoints) break;
      const Observation& o = c.points[k];
      s.points.emplace_back(o.seconds, curve_seconds(*curve, gpu, o, !c.sustained) / o.seconds);
    }
    chart.series.push_back(std::move(s));
  }
  return chart;
}

Chart power(const GpuProfile& gpu, const SortedSamples& samples) {
  Chart chart{.title = "Board power of sustained products",
              .x_label = "FLOP/s",
              .y_label = "board power, W",
              .log_y = false};
  chart.levels = {gpu.power.cap_w.value};
  chart.level_label = fmt::format("cap {:g} W", gpu.power.cap_w.value);
  std::size_t i = 0;
  for (const ClassPoints& c : samples.classes) {
    if (c.op_class.rfind("power.", 0) != 0) continue;
    Series s{.label = c.op_class.substr(6), .colour = colour(i++)};
    for (const std::size_t k : shuffled(c.points.size(), 1)) {
      if (s.points.size() == kMostPoints) break;
      s.points.emplace_back(c.points[k].flops / c.points[k].seconds, c.points[k].watts);
    }
    chart.series.push_back(std::move(s));
  }
  return chart;
}

std::string fit_table(const GpuProfile& gpu) {
  std::string out =
      "<table><tr><th>class<th>form<th>origin<th>points<th>median error<th>p90 error<th>source</tr>\n";
  const std::array forms{"gemm-tile", "bandwidth", "sequence", "gemm-kernel", "attention-kernel"};
  for (const OperatorCurve& c : gpu.operators)
    out += fmt::format("<tr><td>{}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}</tr>\n", escape_markup(c.op_class),
                       forms.at(static_cast<std::size_t>(c.form)), to_text(c.origin),
                       c.points > 0 ? fmt::format("{}", c.points) : "-",
                       c.median_error ? fmt::format("{:.1f} %", 100 * *c.median_error) : "-",
                       c.p90_error ? fmt::format("{:.1f} %", 100 * *c.p90_error) : "-",
                       escape_markup(c.source + ", " + c.date));
  return out + "</table>\n";
}

constexpr const char* kStyle =
    "text{font-size:11px;fill:#333}.t{font-size:14px;font-weight:bold}.g{stroke:#ddd}"
    ".l{stroke:#c8553d;stroke-dasharray:5 4}.v{fill:#c8553d}";

std::string head_of_page(const GpuProfile& gpu) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'><title>Calibration of {0}</title>\n"
      "<style>body{{font:14px "
      "sans-serif;margin:24px;color:#222;max-width:1300px}}svg{{margin:6px;vertical-align:top}}{2}"
      "table{{border-collapse:collapse;font-size:12px}}"
      "td,th{{border:1px solid #ccc;padding:3px "
      "7px;text-align:left}}</style></head>\n<body><h1>{0}</h1><p>{1}</p>\n",
      escape_markup(gpu.name), escape_markup(gpu.device), kStyle);
}

/// By the ending of the name: a page, or the drawings alone. InputError for any other.
bool is_page(const std::string& file) {
  const std::string ending = std::filesystem::path(file).extension().string();
  if (ending == ".html" || ending == ".htm") return true;
  if (ending == ".svg") return false;
  throw InputError(file,
                   fmt::format("found the ending '{}', expected .html (a page with the table of curves) or "
                               ".svg (the drawings, one below the other; 'rsvg-convert page.svg -o "
                               "page.png' makes a PNG of it)",
                               ending));
}

}  // namespace

int run_plot(const PlotOptions& options, std::ostream& log) {
  const bool as_page = is_page(options.output);
  const GpuProfile gpu = load_gpu_profile(options.profile);
  SortedSamples samples;
  if (!options.samples.empty()) samples = sort_samples(load_samples(options.samples).files);
  std::string page = as_page ? head_of_page(gpu) : "";
  std::vector<Chart> drawings;
  for (const Chart& chart : {roofline(gpu, samples), efficiency(gpu), attention(gpu), residuals(gpu, samples),
                             power(gpu, samples)}) {
    const std::string svg = to_svg(chart);
    if (svg.empty()) {
      page += fmt::format("<p>{}: no samples to draw.</p>\n", escape_markup(chart.title));
      continue;
    }
    page += svg;
    drawings.push_back(chart);
  }
  std::string left_out;
  for (const ClassPoints& c : samples.classes)
    if (c.quantise_inside && c.op_class.rfind("power.", 0) != 0)
      left_out += (left_out.empty() ? "" : "; ") + label_of(c);
  if (!left_out.empty())
    page += fmt::format(
        "<p>Not in the residuals, since their times hold the quantise pass and the curves do "
        "not: {}.</p>\n",
        escape_markup(left_out));
  page += "<h2>Curves of the profile</h2>\n" + fit_table(gpu) + "</body></html>\n";
  if (!as_page && drawings.empty())
    throw InputError(options.output,
                     "nothing to draw: the profile has no curve of a kernel, and no samples were given");
  write_file(options.output, as_page ? page : stacked(drawings, kStyle));
  fmt::print(log, "{}: {} drawings of the profile {}\n", options.output, drawings.size(), gpu.name);
  return 0;
}

}  // namespace orrery
