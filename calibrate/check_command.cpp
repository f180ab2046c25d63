#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <set>

#include "calibrate/commands.hpp"
#include "calibrate/profile/build_profile.hpp"
#include "calibrate/sample_input.hpp"
#include "sim/base/check.hpp"

namespace orrery {
namespace {

struct Row {
  std::string text;
  const OperatorCurve* curve = nullptr;
  Observation o;
  bool burst = true;
};

/// Cases with a curve, less those that the profile may have been fitted on.
std::vector<Row> rows_of(const SampleInput& input, const SampleInput& excluded, const GpuProfile& gpu,
                         std::map<std::string, std::int64_t>& left_out) {
  std::set<Case> known;
  for (const SampleFile& file : excluded.files)
    for (const Outcome& outcome : file.outcomes) known.insert(outcome.what);
  std::vector<Row> rows;
  for (const SampleFile& file : input.files) {
    for (const Outcome& outcome : file.outcomes) {
      if (known.contains(outcome.what)) {
        ++left_out["used for the fit (--exclude)"];
        continue;
      }
      const OperatorCurve* curve = gpu.find(outcome.what.op_class);
      if (curve == nullptr) {
        ++left_out["no curve for the class " + outcome.what.op_class];
        continue;
      }
      if (outcome.what.name.find("with quantise") != std::string::npos) {
        ++left_out["times hold the quantise pass, curves do not"];
        continue;
      }
      if (outcome.what.name == "latent attention") {
        ++left_out["times of tables hold the write of the latent cache, curves do not"];
        continue;
      }
      SampleFile one;
      one.outcomes = {outcome};
      const SortedSamples sorted = sort_samples({&one, 1});
      const auto it = std::find_if(sorted.classes.begin(), sorted.classes.end(), [&](const ClassPoints& c) {
        return c.op_class == outcome.what.op_class && !c.points.empty();
      });
      if (it == sorted.classes.end()) {
        ++left_out["failed or without sizes"];
        continue;
      }
      rows.push_back({.text = outcome.what.op_class + " " + to_text(outcome.what.shape),
                      .curve = curve,
                      .o = it->points.front(),
                      .burst = !outcome.what.sustained});
    }
  }
  return rows;
}

}  // namespace

int run_check(const CheckOptions& options, std::ostream& out) {
  const GpuProfile gpu = load_gpu_profile(options.profile);
  const SampleInput input = load_samples(options.samples);
  const SampleInput excluded = options.exclude.empty() ? SampleInput{} : load_samples(options.exclude);
  std::map<std::string, std::int64_t> left_out;
  const std::vector<Row> rows = rows_of(input, excluded, gpu, left_out);
  if (rows.empty())
    throw InputError(options.samples.front(),
                     "holds no case that the profile " + gpu.name + " has a curve for");

  struct Compared {
    std::vector<double> predicted, measured;
  };
  std::map<std::string, Compared> classes;
  constexpr std::size_t kShown = 12;
  std::size_t taken = 0;
  fmt::print(out, "{:>12} {:>12} {:>8}  {}\n", "predicted us", "measured us", "error %", "case");
  for (const std::size_t i : shuffled(rows.size(), options.seed)) {
    if (taken == static_cast<std::size_t>(options.count)) break;
    const Row& row = rows[i];
    const double predicted = curve_seconds(*row.curve, gpu, row.o, row.burst);
    if (predicted < 0) continue;
    Compared& c = classes[row.curve->op_class];
    c.predicted.push_back(predicted);
    c.measured.push_back(row.o.seconds);
    if (++taken <= kShown)
      fmt::print(out, "{:>12.2f} {:>12.2f} {:>+8.1f}  {}\n", predicted * 1e6, row.o.seconds * 1e6,
                 100 * (predicted / row.o.seconds - 1), row.text);
  }
  if (taken > kShown) fmt::print(out, "{:>12} {} more\n", "...", taken - kShown);
  fmt::print(out, "\n{:<28} {:>6} {:>9} {:>9} {:>9}\n", "class", "cases", "median %", "p90 %", "bias %");
  for (const auto& [name, c] : classes) {
    const Quality q = quality_of(c.predicted, c.measured);
    fmt::print(out, "{:<28} {:>6} {:>9.1f} {:>9.1f} {:>+9.1f}\n", name, q.points, 100 * q.median, 100 * q.p90,
               100 * q.bias);
  }
  fmt::print(out, "profile {}, {} random cases of {} (seed {}); bursts are compared with burst clocks\n",
             gpu.name, taken, rows.size(), options.seed);
  for (const auto& [reason, count] : left_out) fmt::print(out, "  left out: {:>8}  {}\n", count, reason);
  return 0;
}

}  // namespace orrery
