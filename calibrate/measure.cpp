#include "calibrate/measure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ostream>
#include <set>

#include "calibrate/journal.hpp"
#include "calibrate/sweep/standard_plan.hpp"
#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/units_text.hpp"
#include "sim/model/zoo.hpp"

namespace orrery {
namespace {

/// Failures of the hour, not of the case: a resumed run tries them again.
bool try_again(const Answer& answer) {
  const auto* failure = std::get_if<Failure>(&answer);
  return failure != nullptr &&
         (failure->kind == FailureClass::kNotReached || failure->kind == FailureClass::kDeviceLost);
}

bool is_device_lost(const Answer& answer) {
  const auto* failure = std::get_if<Failure>(&answer);
  return failure != nullptr && failure->kind == FailureClass::kDeviceLost;
}

std::string answer_text(const Answer& answer) {
  if (const auto* failure = std::get_if<Failure>(&answer))
    return fmt::format("{}: {}", to_text(failure->kind), failure->message);
  const auto& samples = std::get<Samples>(answer);
  const double median = median_seconds(samples);
  std::string out = fmt::format("{}, {} samples", to_text(Seconds{median}), samples.values.size());
  if (samples.flops > 0) out += ", " + to_text(FlopsPerSecond{samples.flops / median});
  if (samples.bytes > 0) out += ", " + to_text(BytesPerSecond{samples.bytes / median});
  return out;
}

About circumstances(const MeasureOptions& options, const About& device) {
  About about = device;
  about["seed"] = std::to_string(options.seed);
  about["date"] = options.date;
  about["tool"] = options.tool;
  about["models"] = join(options.models, " ");
  return about;
}

/// Asks the probe for one case unless that is known to be useless.
class Measurement {
 public:
  Measurement(const MeasureOptions& options, Probe& probe, const std::function<double()>& elapsed)
      : options_(options), probe_(probe), elapsed_(elapsed) {}

  [[nodiscard]] Answer answer(const Case& what) {
    if (lost_in_a_row_ >= 2) return Failure{FailureClass::kDeviceLost, "not tried: " + lost_reason_};
    const Seconds need = estimated_time(what, options_.effort.max_seconds, options_.effort.sustained_seconds);
    if (elapsed_() + need.value > options_.budget.value) {
      return Failure{FailureClass::kNotReached, fmt::format("the budget of {} was spent; needs about {}",
                                                            to_text(options_.budget), to_text(need))};
    }
    Answer found = probe_.run(what, options_.effort);
    lost_in_a_row_ = is_device_lost(found) ? lost_in_a_row_ + 1 : 0;
    if (lost_in_a_row_ > 0) lost_reason_ = std::get<Failure>(found).message;
    return found;
  }

 private:
  const MeasureOptions& options_;
  Probe& probe_;
  const std::function<double()>& elapsed_;
  int lost_in_a_row_ = 0;
  std::string lost_reason_;
};

Journal open_journal(const MeasureOptions& options, const About& about) {
  std::filesystem::path path = options.output;
  path += ".partial";
  if (!options.resume) return {path, about};
  if (std::filesystem::exists(path)) return Journal::resume(path, about);
  if (std::filesystem::exists(options.output)) {  // complete, but perhaps with cases that were not reached
    std::filesystem::copy_file(options.output, path);
    return Journal::resume(path, about);
  }
  throw InputError("--resume", fmt::format("found neither {} nor {}; begin without --resume", path.string(),
                                           options.output.string()));
}

}  // namespace

std::vector<Case> wanted_cases(const std::vector<Case>& plan, const std::vector<std::string>& classes) {
  std::vector<Case> out;
  std::set<std::string> used;
  for (const Case& what : plan) {
    bool keep = classes.empty();
    for (const std::string& start : classes) {
      if (!what.op_class.starts_with(start)) continue;
      keep = true;
      used.insert(start);
    }
    if (keep) out.push_back(what);
  }
  for (const std::string& start : classes) {
    if (used.contains(start)) continue;
    std::set<std::string> known;
    for (const Case& what : plan) known.insert(what.op_class);
    const std::vector<std::string> names(known.begin(), known.end());
    throw InputError("--class", fmt::format("found '{}', expected the beginning of one of {}{}", start,
                                            join(names), did_you_mean(start, names)));
  }
  return out;
}

int MeasureReport::exit_code() const {
  for (const auto& [name, count] : failed) {
    if (name != to_text(FailureClass::kUnsupported)) return 5;
  }
  return 0;
}

MeasureReport measure_plan(const std::vector<Case>& plan, const MeasureOptions& options,
                           const ProbeFactory& factory, std::ostream& progress,
                           const std::function<double()>& elapsed) {
  IsolatedProbe probe(factory, options.patience);
  if (const std::string reason = probe.start(); !reason.empty()) {
    throw InputError(options.command,
                     "no GPU can be measured here: " + reason + "; without one, " + options.without_gpu);
  }
  return measure_with(plan, options, probe, progress, elapsed);
}

MeasureReport measure_with(const std::vector<Case>& plan, const MeasureOptions& options, Probe& probe,
                           std::ostream& progress, const std::function<double()>& elapsed) {
  Journal journal = open_journal(options, circumstances(options, probe.about()));
  MeasureReport report{.output = options.output};
  SampleFile file{.about = circumstances(options, probe.about()), .outcomes = {}};
  Measurement measurement(options, probe, elapsed);
  int number = 0;
  for (const Case& what : plan) {
    ++number;
    const auto known = journal.answers().find(what);
    const bool over = known != journal.answers().end() && !try_again(known->second);
    Outcome outcome{.what = what, .answer = over ? known->second : measurement.answer(what)};
    if (over) {
      ++report.taken_over;
    } else {
      journal.append(outcome);
      progress << fmt::format("[{}/{}] {}: {}\n", number, plan.size(), to_text(what),
                              answer_text(outcome.answer))
               << std::flush;
    }
    if (const auto* failure = std::get_if<Failure>(&outcome.answer)) {
      ++report.failed[to_text(failure->kind)];
      report.failures.push_back(outcome);
    } else {
      ++report.measured;
    }
    file.outcomes.push_back(std::move(outcome));
  }
  write_file(options.output, to_csv(file));
  std::filesystem::remove(journal.path());
  report.elapsed = Seconds{elapsed()};
  return report;
}

std::function<double()> stopwatch() {
  const auto start = std::chrono::steady_clock::now();
  return [start] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
}

std::string to_text(const MeasureReport& report) {
  std::string out = fmt::format("{} cases measured", report.measured);
  for (const auto& [name, count] : report.failed) out += fmt::format(", {} {}", count, name);
  if (report.taken_over > 0) out += fmt::format(" ({} taken over from the journal)", report.taken_over);
  out += fmt::format(" in {}\n", to_text(report.elapsed));
  for (const auto& [name, count] : report.failed) {
    // Equal messages of one class of failure are told once.
    std::map<std::string, std::pair<int, std::string>> messages;
    for (const Outcome& outcome : report.failures) {
      const Failure& failure = std::get<Failure>(outcome.answer);
      if (to_text(failure.kind) != name) continue;
      auto& [number, first] = messages[failure.message];
      if (number++ == 0) first = to_text(outcome.what);
    }
    for (const auto& [message, found] : messages) {
      out += fmt::format("  {}: {}{}: {}\n", name, found.second,
                         found.first > 1 ? fmt::format(" and {} more", found.first - 1) : "", message);
    }
  }
  out += fmt::format("samples: {}\n", report.output.string());
  if (report.failed.contains(to_text(FailureClass::kNotReached)))
    out += "What was not reached is measured by the same command with --resume and a larger --budget.\n";
  return out;
}

int run_measure(const MeasureOptions& options, const ProbeFactory& factory, std::ostream& out,
                std::ostream& progress) {
  std::vector<ModelSpec> models;
  for (const std::string& name : options.models)
    models.push_back(load_model(name, std::filesystem::current_path()).spec);
  const std::vector<Case> plan = wanted_cases(standard_plan(models, {.gpus = options.gpus}), options.classes);
  const MeasureReport report = measure_plan(plan, options, factory, progress, stopwatch());
  out << to_text(report);
  return report.exit_code();
}

}  // namespace orrery
