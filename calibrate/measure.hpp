#pragma once

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "calibrate/probe/isolated_probe.hpp"
#include "calibrate/probe/probe.hpp"
#include "sim/base/units.hpp"

namespace orrery {

/// What `orrery-calibrate measure` is told; every text comes from the command line as it is.
struct MeasureOptions {
  std::vector<std::string> models = {"deepseek-v3",
                                     "llama-3-8b"};  ///< names or paths, as sim/model/zoo.hpp takes them
  std::vector<std::string> classes;  ///< only classes that begin with one of these; empty: all
  std::filesystem::path output = "samples.csv";
  bool resume = false;     ///< go on with OUTPUT.partial
  Seconds budget{600};     ///< wall-clock time; what does not fit is recorded as not reached
  std::uint64_t seed = 1;  ///< of the random operands
  int gpus = 1;
  Effort effort{.relative_error = 0.01,
                .min_samples = 5,
                .max_samples = 60,
                .max_seconds = 0.3,
                .sustained_seconds = 4};
  Patience patience;
  std::string command = "measure";  ///< for messages
  std::string without_gpu =
      "take over what others measured: orrery calibrate import (--kineto, --nccl-tests, "
      "--table)";    ///< what to do where there is none
  std::string date;  ///< today, for the file; the mains look at the clock
  std::string tool;  ///< name, version and commit of the program
};

struct MeasureReport {
  int measured = 0;
  std::map<std::string, int> failed = {};  ///< by name of the failure class
  int taken_over = 0;                      ///< found in the journal
  std::vector<Outcome> failures = {};      ///< all of them, in the order of the plan
  Seconds elapsed = {};
  std::filesystem::path output;
  /// 0: all measured, or unsupported by this device; 5: something is missing (not reached, time-out, lost,
  /// ...).
  [[nodiscard]] int exit_code() const;
};

/// Measures `plan` with the probe of `factory`, which runs in a process of its own, and writes
/// options.output: complete or not at all; until then OUTPUT.partial is the journal. Every case of the plan
/// ends as samples or as a failure there. Progress goes to `progress`, one line per case. InputError: no
/// probe (with the reason and the way to import), a journal of other circumstances, an output that cannot be
/// written. `elapsed` gives seconds since the start.
[[nodiscard]] MeasureReport measure_plan(const std::vector<Case>& plan, const MeasureOptions& options,
                                         const ProbeFactory& factory, std::ostream& progress,
                                         const std::function<double()>& elapsed);

/// The same with a probe that looks after its own isolation (ranks on many nodes).
[[nodiscard]] MeasureReport measure_with(const std::vector<Case>& plan, const MeasureOptions& options,
                                         Probe& probe, std::ostream& progress,
                                         const std::function<double()>& elapsed);

/// Seconds since the call of this function.
[[nodiscard]] std::function<double()> stopwatch();
/// The cases of `plan` whose class begins with one of `classes`; all when there are none. InputError for one
/// that matches nothing.
[[nodiscard]] std::vector<Case> wanted_cases(const std::vector<Case>& plan,
                                             const std::vector<std::string>& classes);

/// The command: loads the models, makes the standard plan, keeps the wanted classes, measures, and prints the
/// summary to `out`. The exit code is that of the report. InputError for unknown models or classes that match
/// nothing.
[[nodiscard]] int run_measure(const MeasureOptions& options, const ProbeFactory& factory, std::ostream& out,
                              std::ostream& progress);

/// Lines for people: counts, every failure with its reason, what to do next.
[[nodiscard]] std::string to_text(const MeasureReport& report);

}  // namespace orrery
