#include "calibrate/comparison.hpp"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <ostream>

#include "calibrate/fit/quality.hpp"
#include "calibrate/probe/work.hpp"
#include "calibrate/profile/build_profile.hpp"

namespace orrery {
namespace {

struct Prediction {
  double predicted_s = 0, measured_s = 0;
};

std::optional<Prediction> predict(const GpuProfile& gpu, const Outcome& outcome, std::string& reason) {
  const Case& what = outcome.what;
  const OperatorCurve* curve = gpu.find(what.op_class);
  if (curve == nullptr) {
    reason = "no curve for the class " + what.op_class;
    return std::nullopt;
  }
  if (what.name.find("with quantise") != std::string::npos) {
    reason = "times hold the quantise pass, curves do not";
    return std::nullopt;
  }
  if (what.name == kLatentTable) {
    reason = "times of tables hold the write of the latent cache, curves do not";
    return std::nullopt;
  }
  SampleFile one;
  one.outcomes = {outcome};
  const SortedSamples sorted = sort_samples({&one, 1});
  const auto it = std::find_if(sorted.classes.begin(), sorted.classes.end(), [&](const ClassPoints& c) {
    return c.op_class == what.op_class && !c.points.empty();
  });
  if (it == sorted.classes.end()) {
    reason = "failed or without sizes";
    return std::nullopt;
  }
  const Observation& o = it->points.front();
  const double predicted = curve_seconds(*curve, gpu, o, !what.sustained);
  if (predicted < 0) {
    reason = "the curve of the class cannot say";
    return std::nullopt;
  }
  return Prediction{.predicted_s = predicted, .measured_s = o.seconds};
}

}  // namespace

std::optional<double> predicted_seconds(const GpuProfile& gpu, const Case& what, std::string& reason) {
  const Work work = work_of(what);
  Samples any;
  any.values.emplace_back().seconds = 1;
  any.flops = work.flops;
  any.bytes = work.bytes;
  const std::optional<Prediction> found = predict(gpu, {.what = what, .answer = any}, reason);
  return found ? std::optional(found->predicted_s) : std::nullopt;
}

Comparison compare_with(const GpuProfile& gpu, std::span<const SampleFile> files,
                        const std::set<Case>& known) {
  Comparison out;
  for (const SampleFile& file : files) {
    for (const Outcome& outcome : file.outcomes) {
      if (known.contains(outcome.what)) {
        ++out.left_out["used for the fit (--exclude)"];
        continue;
      }
      std::string reason;
      if (const std::optional<Prediction> p = predict(gpu, outcome, reason)) {
        out.cases.push_back(
            {.what = outcome.what, .predicted_s = p->predicted_s, .measured_s = p->measured_s});
      } else {
        ++out.left_out[reason];
      }
    }
  }
  return out;
}

void print_compared(std::span<const ComparedCase> cases, bool by_kernel, std::ostream& out) {
  struct Columns {
    std::vector<double> predicted, measured;
  };
  constexpr std::size_t kShown = 12;
  std::map<std::string, Columns> classes;
  fmt::print(out, "{:>12} {:>12} {:>8}  {}\n", "predicted us", "measured us", "error %", "case");
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const ComparedCase& c = cases[i];
    const std::string kernel = by_kernel ? " (" + c.what.name + ")" : "";
    Columns& columns = classes[c.what.op_class + kernel];
    columns.predicted.push_back(c.predicted_s);
    columns.measured.push_back(c.measured_s);
    if (i < kShown)
      fmt::print(out, "{:>12.2f} {:>12.2f} {:>+8.1f}  {}{} {}\n", c.predicted_s * 1e6, c.measured_s * 1e6,
                 100 * (c.predicted_s / c.measured_s - 1), c.what.op_class, kernel, to_text(c.what.shape));
  }
  if (cases.size() > kShown) fmt::print(out, "{:>12} {} more\n", "...", cases.size() - kShown);
  const int width = by_kernel ? 52 : 28;
  fmt::print(out, "\n{:<{}} {:>6} {:>9} {:>9} {:>9}\n", "class", width, "cases", "median %", "p90 %",
             "bias %");
  for (const auto& [name, c] : classes) {
    const Quality q = quality_of(c.predicted, c.measured);
    fmt::print(out, "{:<{}} {:>6} {:>9.1f} {:>9.1f} {:>+9.1f}\n", name, width, q.points, 100 * q.median,
               100 * q.p90, 100 * q.bias);
  }
}

void print_left_out(const std::map<std::string, std::int64_t>& left_out, std::ostream& out) {
  for (const auto& [reason, count] : left_out) fmt::print(out, "  left out: {:>8}  {}\n", count, reason);
}

}  // namespace orrery
