#include "calibrate/layer/layer_check.hpp"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <map>
#include <optional>
#include <ostream>
#include <set>

#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/units_text.hpp"
#include "sim/model/zoo.hpp"

namespace orrery {
namespace {

/// A kernel of the layer with what was measured of it.
struct MeasuredKernel {
  const LayerKernel* kernel = nullptr;
  const Case* served_by = nullptr;  ///< the fastest; null: none
  double measured_s = 0;            ///< all repeats, each alone
  std::string reason;               ///< why none
};

std::vector<Case> cases_of(const LayerKernels& layer) {
  std::vector<Case> out;
  std::set<Case> seen;
  for (const LayerKernel& kernel : layer.kernels)
    for (const Case& what : kernel.cases)
      if (seen.insert(what).second) out.push_back(what);
  return out;
}

std::vector<MeasuredKernel> match(const LayerKernels& layer, const SampleFile& file) {
  std::map<Case, const Answer*> answers;
  for (const Outcome& outcome : file.outcomes) answers[outcome.what] = &outcome.answer;
  std::vector<MeasuredKernel> out;
  for (const LayerKernel& kernel : layer.kernels) {
    MeasuredKernel found{.kernel = &kernel, .reason = "the probe has no kernel for it"};
    for (const Case& what : kernel.cases) {
      const auto answer = answers.find(what);
      if (answer == answers.end()) continue;
      if (const auto* failure = std::get_if<Failure>(answer->second)) {
        if (found.served_by == nullptr)
          found.reason = fmt::format("{}: {}", to_text(failure->kind), failure->message);
        continue;
      }
      const double seconds = kernel.repeats * median_seconds(std::get<Samples>(*answer->second));
      if (found.served_by != nullptr && seconds >= found.measured_s) continue;
      found.served_by = &what;
      found.measured_s = seconds;
    }
    out.push_back(std::move(found));
  }
  return out;
}

Sequence sequence_of(const std::vector<MeasuredKernel>& kernels, const LayerCheckOptions& options) {
  Sequence out{.what = {.op_class = "layer",
                        .name = options.model + " forward and backward",
                        .shape = {{"sequence", options.layer.sequence}, {"ep", options.layer.ep}},
                        .dtype = to_text(options.layer.precision),
                        .sustained = true},
               .steps = {}};
  for (const MeasuredKernel& k : kernels)
    if (k.served_by != nullptr) out.steps.push_back({.what = *k.served_by, .repeats = k.kernel->repeats});
  return out;
}

Answer measure_sequence(const Sequence& sequence, const MeasureOptions& measure, const ProbeFactory& factory,
                        const std::function<double()>& elapsed) {
  if (sequence.steps.empty()) return Failure{FailureClass::kUnsupported, "no kernel of it could be measured"};
  if (elapsed() > measure.budget.value)
    return Failure{FailureClass::kNotReached,
                   fmt::format("the budget of {} was spent", to_text(measure.budget))};
  IsolatedProbe probe(factory, measure.patience);
  return probe.run_sequence(sequence, measure.effort);
}

double error(double predicted, double measured) {
  return 100 * (predicted / measured - 1);
}

struct Totals {
  double predicted = 0, alone = 0, predicted_local = 0, alone_local = 0;
  int missing = 0;
};

Totals print_kernels(const std::vector<MeasuredKernel>& kernels, std::ostream& out) {
  Totals totals;
  fmt::print(out, "{:>12} {:>12} {:>8}  {:<36} {}\n", "predicted us", "alone us", "error %", "kernel",
             "measured with");
  const std::string* part = nullptr;
  for (const MeasuredKernel& k : kernels) {
    const LayerKernel& kernel = *k.kernel;
    if (part == nullptr || *part != kernel.part) fmt::print(out, "{}\n", kernel.part);
    part = &kernel.part;
    const std::string name =
        kernel.repeats > 1 ? fmt::format("{} x{}", kernel.op.name, kernel.repeats) : kernel.op.name;
    if (k.served_by == nullptr) {
      ++totals.missing;
      fmt::print(out, "{:>12.2f} {:>12} {:>8}  {:<36} left out of the sums: {}\n", kernel.predicted_s * 1e6,
                 "-", "-", name, k.reason);
      continue;
    }
    totals.predicted += kernel.predicted_s;
    totals.alone += k.measured_s;
    if (kernel.local_part) {
      totals.predicted_local += kernel.predicted_s;
      totals.alone_local += k.measured_s;
    }
    fmt::print(out, "{:>12.2f} {:>12.2f} {:>+8.1f}  {:<36} {} {}{}\n", kernel.predicted_s * 1e6,
               k.measured_s * 1e6, error(kernel.predicted_s, k.measured_s), name, k.served_by->name,
               to_text(k.served_by->shape), kernel.remark.empty() ? "" : "; " + kernel.remark);
  }
  return totals;
}

void print_totals(const Totals& t, const Answer& sequence, std::ostream& out) {
  fmt::print(out, "\n{:>12.2f} {:>12.2f} {:>+8.1f}  sum of the kernels, each alone\n", t.predicted * 1e6,
             t.alone * 1e6, t.alone > 0 ? error(t.predicted, t.alone) : 0);
  if (t.alone_local > 0)
    fmt::print(out, "{:>12.2f} {:>12.2f} {:>+8.1f}  of it local parts of dispatch and combine\n",
               t.predicted_local * 1e6, t.alone_local * 1e6, error(t.predicted_local, t.alone_local));
  if (const auto* failure = std::get_if<Failure>(&sequence)) {
    fmt::print(out, "{:>12.2f} {:>12} {:>8}  as one sequence: {}: {}\n", t.predicted * 1e6, "-", "-",
               to_text(failure->kind), failure->message);
    return;
  }
  const double whole = median_seconds(std::get<Samples>(sequence));
  const double off = error(t.predicted, whole);
  fmt::print(out, "{:>12.2f} {:>12.2f} {:>+8.1f}  as one sequence ({:+.1f} % against the kernels alone)\n",
             t.predicted * 1e6, whole * 1e6, off, error(whole, t.alone));
  fmt::print(out, "{} the target of {:g} %\n",
             off <= 100 * kLayerTarget && off >= -100 * kLayerTarget ? "within" : "misses",
             100 * kLayerTarget);
}

Precision parse_precision(const std::string& text) {
  std::vector<std::string> known;
  for (const Precision p : {Precision::kBf16, Precision::kFp8Block, Precision::kFp8Tensor}) {
    if (text == to_text(p)) return p;
    known.emplace_back(to_text(p));
  }
  throw InputError("--precision", fmt::format("found '{}', expected one of {}{}", text, join(known),
                                              did_you_mean(text, known)));
}

}  // namespace

int run_layer_check(const LayerCheckOptions& given, const MeasureOptions& measure,
                    const ProbeFactory& factory, std::ostream& out, std::ostream& progress) {
  LayerCheckOptions options = given;
  options.layer.precision = parse_precision(given.precision);
  const GpuProfile gpu = load_gpu_profile(options.profile);
  const ModelSpec model = load_model(options.model, std::filesystem::current_path()).spec;
  const LayerKernels layer = layer_kernels(model, options.layer, gpu);
  const auto elapsed = stopwatch();
  MeasureReport report = measure_plan(cases_of(layer), measure, factory, progress, elapsed);
  SampleFile file = parse_samples(read_file(report.output), report.output.string());
  const std::vector<MeasuredKernel> kernels = match(layer, file);
  const Sequence sequence = sequence_of(kernels, options);
  const Answer whole = measure_sequence(sequence, measure, factory, elapsed);
  file.outcomes.push_back({.what = sequence.what, .answer = whole});
  write_file(report.output, to_csv(file));

  const Totals totals = print_kernels(kernels, out);
  print_totals(totals, whole, out);
  const auto device = file.about.find("device");
  fmt::print(
      out,
      "profile {} ({}), measured on {}; {} {}, one sequence of {} tokens, ep {}, recompute {}\n"
      "predicted: the simulator's kernels on all SMs, clocks of long runs; alone: bursts; the sequence "
      "ran back to back\n",
      gpu.name, gpu.device, device == file.about.end() ? "an unnamed device" : device->second, options.model,
      to_text(options.layer.precision), options.layer.sequence, options.layer.ep, options.layer.recompute);
  for (const auto& [name, count] : layer.left_out)
    fmt::print(out, "  not run on one GPU and in neither sum: {} ({} times)\n", name, count);
  fmt::print(out, "{}", to_text(report));
  const bool complete = totals.missing == 0 && std::holds_alternative<Samples>(whole);
  return complete ? 0 : 5;
}

}  // namespace orrery
