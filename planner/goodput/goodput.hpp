#pragma once

#include <cstdint>

#include "planner/economics/ranged.hpp"

namespace orrery {

/// Failures, restarts and checkpoints of runs, with sources (schema orrery.reliability/1).
struct ReliabilityData {
  Ranged failures_per_node_day;  ///< that stop the job
  Ranged restart_s;              ///< detection, start, loading
  Ranged checkpoint_bytes_per_s_per_node;
  Ranged checkpoint_stall_s;  ///< of training, for one checkpoint
  Ranged straggler_loss;      ///< share of productive time, at most
  Ranged slow_node_share;
  Ranged hardware_share;  ///< of the failures
  Ranged repair_s;        ///< of a failed node
};

/// One run as failures see it.
struct GoodputInput {
  std::int64_t nodes = 1;
  double failures_per_node_day = 0;
  double restart_s = 0;
  double checkpoint_bytes = 0;      ///< weights and optimizer state of the whole model
  double bytes_per_s_per_node = 1;  ///< to storage
  double copy_s = 0;                ///< GPU to host of the largest rank
  double stall_s = 0;               ///< besides the copy
  double interval_s = 0;            ///< between checkpoints; 0: the best
  double straggler_loss = 0;
  double slow_node_share = 0;
  double hardware_share = 0;
  double repair_s = 0;
};

/// Shares of the run's elapsed time; useful + checkpoint + lost + restart + stragglers = 1.
struct Goodput {
  double useful = 1;      ///< the goodput: time of the simulated steps over elapsed time
  double checkpoint = 0;  ///< standing still while the state is copied
  double lost = 0;        ///< work done again after failures
  double restart = 0;     ///< detection, start, loading
  double stragglers = 0;
  double mtbf_s = 0;  ///< mean time between failures of the job; infinite (0 failures): 0
  double failures_per_day = 0;
  double checkpoint_stall_s = 0;  ///< of one checkpoint
  double checkpoint_write_s = 0;  ///< until it is on storage
  double checkpoint_interval_s = 0;
  bool write_bound = false;      ///< the interval is the time to write one: storage is too slow for the best
  double meta_ettr = 1;          ///< the same without stragglers by Meta's approximation, for comparison
  std::int64_t spare_nodes = 0;  ///< enough in 99 of 100 cases at any time
};

/// Failures as a Poisson process of one rate per node and day, restarts that may fail themselves, exponential
/// time between failures (J. T. Daly, Future Generation Computer Systems 22, 2006, eq. 13):
///   elapsed / useful = MTBF e^(R/MTBF) (e^((t+w)/MTBF) - 1) / t
/// for checkpoints of stall w every t seconds of work. The best t is Daly's (eq. 37), at least the time to
/// write. Meta's form (arXiv 2410.21680, section 4) is computed beside it. Known to be wrong: small jobs
/// fail more often than one rate says; docs/models/goodput.md. Errors: none; nodes >= 1.
[[nodiscard]] Goodput goodput(const GoodputInput& input);

/// Mean time between failures of a job, seconds; 0 when nothing fails.
[[nodiscard]] double mean_time_between_failures(double nodes, double failures_per_node_day);
/// Daly's best interval between checkpoints of stall w: sqrt(2 w M) (1 + sqrt(w / 2M) / 3 + w / 18M) - w for
/// w < 2M, else M. Seconds.
[[nodiscard]] double daly_interval(double stall_s, double mtbf_s);
/// Expected effective training time ratio of arXiv 2410.21680: (1 - N r (u0 + t/2)) / (1 + w/t), at least 0.
[[nodiscard]] double meta_ettr(double mtbf_s, double restart_s, double interval_s, double stall_s);
/// Smallest s with P(Poisson(mean) <= s) >= confidence.
[[nodiscard]] std::int64_t poisson_quantile(double mean, double confidence);

}  // namespace orrery
