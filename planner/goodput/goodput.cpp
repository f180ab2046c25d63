#include "planner/goodput/goodput.hpp"

#include <algorithm>
#include <cmath>

namespace orrery {
namespace {

constexpr double kSecondsPerDay = 86400.0;
constexpr double kSpareConfidence = 0.99;
constexpr double kSlowerByOneSlowNode = 0.10;  // arXiv 2402.15627: slow machines are about 10 % slower

/// One slow node slows a synchronous job: slowdown times the chance that there is one, at most `most`.
double straggler_loss(const GoodputInput& in) {
  const double any = 1.0 - std::pow(1.0 - in.slow_node_share, static_cast<double>(in.nodes));
  return std::min(in.straggler_loss, kSlowerByOneSlowNode * any);
}

}  // namespace

double mean_time_between_failures(double nodes, double failures_per_node_day) {
  const double per_day = nodes * failures_per_node_day;
  return per_day > 0 ? kSecondsPerDay / per_day : 0.0;
}

double daly_interval(double stall_s, double mtbf_s) {
  if (stall_s >= 2.0 * mtbf_s) return mtbf_s;
  const double x = stall_s / (2.0 * mtbf_s);
  return std::sqrt(2.0 * stall_s * mtbf_s) * (1.0 + std::sqrt(x) / 3.0 + x / 9.0) - stall_s;
}

double meta_ettr(double mtbf_s, double restart_s, double interval_s, double stall_s) {
  const double failures = mtbf_s > 0 ? (restart_s + interval_s / 2.0) / mtbf_s : 0.0;
  return std::max(0.0, 1.0 - failures) / (1.0 + stall_s / interval_s);
}

std::int64_t poisson_quantile(double mean, double confidence) {
  if (mean <= 0) return 0;
  double log_term = -mean;  // of P(X = k), so that large means do not underflow
  double sum = std::exp(log_term);
  std::int64_t k = 0;
  while (sum < confidence && static_cast<double>(k) < mean + 20.0 * std::sqrt(mean) + 20.0) {
    ++k;
    log_term += std::log(mean) - std::log(static_cast<double>(k));
    sum += std::exp(log_term);
  }
  return k;
}

Goodput goodput(const GoodputInput& in) {
  Goodput out;
  const double nodes = static_cast<double>(in.nodes);
  out.checkpoint_stall_s = in.stall_s + in.copy_s;
  out.checkpoint_write_s = in.checkpoint_bytes / (in.bytes_per_s_per_node * nodes);
  out.mtbf_s = mean_time_between_failures(nodes, in.failures_per_node_day);
  out.failures_per_day = nodes * in.failures_per_node_day;
  out.spare_nodes = poisson_quantile(out.failures_per_day * in.hardware_share * in.repair_s / kSecondsPerDay,
                                     kSpareConfidence);
  const double slow = straggler_loss(in);
  if (out.mtbf_s <= 0) {  // nothing fails, so nothing is saved but for an interval that was asked for
    const double w =
        in.interval_s > 0 ? out.checkpoint_stall_s / (in.interval_s + out.checkpoint_stall_s) : 0;
    out.checkpoint_interval_s = in.interval_s;
    out.checkpoint = w;
    out.stragglers = (1.0 - w) * slow;
    out.useful = (1.0 - w) * (1.0 - slow);
    out.meta_ettr = 1.0 - w;
    return out;
  }
  const double m = out.mtbf_s;
  const double w = out.checkpoint_stall_s;
  double t = in.interval_s > 0 ? in.interval_s : daly_interval(w, m);
  if (in.interval_s <= 0 && t < out.checkpoint_write_s) {
    t = out.checkpoint_write_s;
    out.write_bound = true;
  }
  out.checkpoint_interval_s = t;
  // Per interval of t useful seconds, in elapsed seconds. A job that fails far more often than it saves makes
  // no progress; exponents are cut so that its numbers stay finite.
  constexpr double kMost = 60.0;
  const double elapsed =
      m * std::exp(std::min(kMost, in.restart_s / m)) * std::expm1(std::min(kMost, (t + w) / m));
  const double work = t / elapsed;
  out.checkpoint = w / elapsed;
  // Every failure is followed by a restart; failures during one lengthen it.
  const double failures = (elapsed - (t + w)) / elapsed;
  const double restarts = std::min(failures, failures * in.restart_s / (in.restart_s + (t + w) / 2.0));
  out.restart = restarts;
  out.lost = failures - restarts;
  out.stragglers = work * slow;
  out.useful = work - out.stragglers;
  out.meta_ettr = meta_ettr(m, in.restart_s, t, w);
  return out;
}

}  // namespace orrery
