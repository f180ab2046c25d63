#include "calibrate/ranks/measure_ranks.hpp"

#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <ostream>

#include "calibrate/sweep/collective_plan.hpp"
#include "sim/base/check.hpp"

namespace orrery {
namespace {

/// Sends the others home however the measurement ends.
class Dismissal {
 public:
  explicit Dismissal(RankProbe& probe) : probe_(probe) {}
  Dismissal(const Dismissal&) = delete;
  Dismissal& operator=(const Dismissal&) = delete;
  ~Dismissal() { probe_.dismiss(); }

 private:
  RankProbe& probe_;
};

}  // namespace

int run_measure_ranks(const RankMeasureOptions& options, Messenger& messenger, RankAgent& agent,
                      std::ostream& out, std::ostream& progress) {
  constexpr int kPartial = 5;
  if (messenger.rank() != 0) {
    if (serve_ranks(messenger, agent, options.host, options.patience)) return 0;
    fmt::print(progress, "rank {} of {} ({}): process 0 or another one was lost\n", messenger.rank(),
               messenger.size(), options.host);
    return kPartial;
  }
  RankProbe probe(messenger, agent, options.host, options.patience);
  const Dismissal dismissal(probe);
  if (const std::string reason = probe.gather(); !reason.empty())
    throw InputError(options.measure.command, "no collective can be measured here: " + reason +
                                                  "; without GPUs, " + options.measure.without_gpu);
  const About about = probe.about();
  const auto missing = about.find("missing_ranks");
  if (missing != about.end()) fmt::print(progress, "missing: {}\n", missing->second);
  const std::vector<int> hosts = probe.ranks_of_hosts();
  std::vector<Case> plan = collective_plan(hosts);
  if (plan.empty())
    throw InputError(options.measure.command, "collectives need two GPUs, started as one process for each");
  plan = wanted_cases(plan, options.measure.classes);
  fmt::print(progress, "{} ranks on {} hosts\n", messenger.size(), hosts.size());
  const MeasureReport report = measure_with(plan, options.measure, probe, progress, stopwatch());
  out << to_text(report);
  return missing != about.end() ? std::max(kPartial, report.exit_code()) : report.exit_code();
}

}  // namespace orrery
