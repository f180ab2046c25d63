#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <ostream>
#include <set>

#include "calibrate/check_measured.hpp"
#include "calibrate/commands.hpp"
#include "calibrate/comparison.hpp"
#include "calibrate/fit/quality.hpp"
#include "calibrate/sample_input.hpp"
#include "calibrate/sweep/held_out_plan.hpp"
#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"
#include "sim/model/zoo.hpp"

namespace orrery {
namespace {

/// Samples that the profile may have been fitted on.
SampleInput excluded(const CheckOptions& options) {
  return options.exclude.empty() ? SampleInput{} : load_samples(options.exclude);
}

/// What a fit learns of a case, whichever kernel served it.
struct FittedPoint {
  std::string op_class;
  Shape shape;
  bool sustained = false;
  auto operator<=>(const FittedPoint&) const = default;
};
FittedPoint point_of(const Case& what) {
  return {.op_class = what.op_class, .shape = what.shape, .sustained = what.sustained};
}

/// Classes take turns, each in a random order of its own.
std::vector<Case> random_cases(const std::vector<Case>& cases, std::size_t count, std::uint64_t seed) {
  std::map<std::string, std::vector<Case>> classes;
  for (const std::size_t i : shuffled(cases.size(), seed)) classes[cases[i].op_class].push_back(cases[i]);
  std::vector<Case> out;
  for (std::size_t round = 0; out.size() < std::min(count, cases.size()); ++round) {
    for (const auto& [name, of_class] : classes)
      if (round < of_class.size() && out.size() < count) out.push_back(of_class[round]);
  }
  return out;
}

}  // namespace

int run_check(const CheckOptions& options, std::ostream& out) {
  const GpuProfile gpu = load_gpu_profile(options.profile);
  const SampleInput input = load_samples(options.samples);
  std::set<Case> known;
  for (const SampleFile& file : excluded(options).files)
    for (const Outcome& outcome : file.outcomes) known.insert(outcome.what);
  const Comparison all = compare_with(gpu, input.files, known);
  if (all.cases.empty())
    throw InputError(options.samples.front(),
                     "holds no case that the profile " + gpu.name + " has a curve for");
  std::vector<ComparedCase> taken;
  for (const std::size_t i : shuffled(all.cases.size(), options.seed)) {
    if (taken.size() == static_cast<std::size_t>(options.count)) break;
    taken.push_back(all.cases[i]);
  }
  print_compared(taken, false, out);
  fmt::print(out, "profile {}, {} random cases of {} (seed {}); bursts are compared with burst clocks\n",
             gpu.name, taken.size(), all.cases.size(), options.seed);
  print_left_out(all.left_out, out);
  return 0;
}

std::vector<Case> plan_of_check(const GpuProfile& gpu, const CheckOptions& options,
                                const std::vector<ModelSpec>& models, const std::vector<std::string>& classes,
                                std::map<std::string, std::int64_t>& left_out) {
  std::vector<Case> candidates = held_out_plan(models, {}, options.seed);
  std::set<FittedPoint> known;
  for (const SampleFile& file : excluded(options).files)
    for (const Outcome& outcome : file.outcomes) known.insert(point_of(outcome.what));
  if (!options.exclude.empty()) {
    // Only with the samples of the fit at hand is it known which cases of the standard plan it did not see.
    const std::vector<Case> standard = standard_plan(models, {});
    candidates.insert(candidates.end(), standard.begin(), standard.end());
  }
  std::vector<Case> predicted;
  for (const Case& what : wanted_cases(candidates, classes)) {
    std::string reason = "used for the fit (--exclude)";
    if (!known.contains(point_of(what)) && predicted_seconds(gpu, what, reason)) {
      predicted.push_back(what);
    } else {
      ++left_out[reason];
    }
  }
  return random_cases(predicted, static_cast<std::size_t>(options.count), options.seed);
}

int run_check_measuring(const CheckOptions& options, const MeasureOptions& measure,
                        const ProbeFactory& factory, std::ostream& out, std::ostream& progress) {
  const GpuProfile gpu = load_gpu_profile(options.profile);
  std::vector<ModelSpec> models;
  for (const std::string& name : measure.models)
    models.push_back(load_model(name, std::filesystem::current_path()).spec);
  std::map<std::string, std::int64_t> left_out;
  const std::vector<Case> plan = plan_of_check(gpu, options, models, measure.classes, left_out);
  if (plan.empty())
    throw InputError(
        "check", "the profile " + gpu.name + " has a curve for none of the cases that can be measured here");
  const MeasureReport report = measure_plan(plan, measure, factory, progress, stopwatch());
  const SampleFile found = parse_samples(read_file(report.output), report.output.string());
  const Comparison compared = compare_with(gpu, {&found, 1}, {});
  print_compared(compared.cases, true, out);
  const auto device = found.about.find("device");
  fmt::print(out, "profile {} ({}), measured on {}: {} random cases (seed {}) at sizes {}\n", gpu.name,
             gpu.device, device == found.about.end() ? "an unnamed device" : device->second, plan.size(),
             options.seed,
             options.exclude.empty() ? "that the standard plan does not have"
                                     : "that the samples of --exclude do not have");
  if (!left_out.empty()) {
    fmt::print(out, "not among the cases to choose from:\n");
    print_left_out(left_out, out);
  }
  fmt::print(out, "{}", to_text(report));
  return report.exit_code();
}

}  // namespace orrery
