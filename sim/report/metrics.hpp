#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/verdict.hpp"

namespace orrery {

/// What the schedule was doing, seconds of the slowest pipeline rank; sums to the step time. A forward
/// includes its own exposed communication.
struct Breakdown {
  double forward = 0;           ///< forward chunks alone ("1F")
  double backward_input = 0;    ///< backward chunks: input gradients alone and whole backwards ("1B")
  double backward_weight = 0;   ///< weight gradients postponed by the schedule ("1W")
  double forward_backward = 0;  ///< overlapped pairs ("1F1B")
  double bubble = 0;            ///< waiting inside the pipeline
  double optimizer = 0;         ///< gradient reduction, update, parameter gathering after the pipeline
  double other = 0;
  [[nodiscard]] double sum() const {
    return forward + backward_input + backward_weight + forward_backward + bubble + optimizer + other;
  }
};

/// Why the time went, seconds of the same rank; sums to the step time.
struct Waterfall {
  double compute = 0;    ///< kernels at their stand-alone speed on the SMs they have
  double recompute = 0;  ///< of the same, computed a second time
  double exposed_tp = 0, exposed_cp = 0, exposed_ep = 0, exposed_pp = 0, exposed_dp = 0;
  double exposed_offload = 0;  ///< copies to and from the host
  double exposed_host = 0;     ///< calls of the host, where kernels have ended before all are enqueued
  double contention = 0;       ///< kernels slowed by communication beside them
  double bubble = 0;
  std::optional<double> imbalance;  ///< empty: not told apart from the bubble
  double optimizer = 0;
  double other = 0;
  [[nodiscard]] double sum() const {
    return compute + recompute + exposed_tp + exposed_cp + exposed_ep + exposed_pp + exposed_dp +
           exposed_offload + exposed_host + contention + bubble + imbalance.value_or(0) + optimizer + other;
  }
};

struct RankMemoryRow {
  std::int64_t rank = 0;
  double weights = 0, gradients = 0, optimizer = 0, activations = 0, buffers = 0, reserve = 0, total = 0;
  double live_microbatches = 0;
  double host = 0;  ///< bytes of one GPU in its host's memory; no part of the total
};

/// One pipeline rank's share of the step, seconds.
struct RankTimes {
  std::int64_t rank = 0;
  Breakdown breakdown;
  std::int64_t forwards = 0, pairs = 0, backwards = 0, input_grads = 0, weight_grads = 0;
  double pipeline_end = 0;
};

/// A stage and what it holds, with the mean times of its actions in the run (0 where it has none of a kind).
struct StageRow {
  std::int64_t stage = 0;
  std::int64_t first_layer = 0, layers = 0;
  std::string extras;  ///< "embedding", "head + mtp", ...
  double forward_s = 0, backward_input_s = 0, backward_weight_s = 0, pair_s = 0;
};

/// The groups of one axis of the layout and the network they span; all groups of an axis lie alike.
struct GroupRow {
  std::string axis;  ///< "tp", "ep", ...
  std::int64_t size = 1, groups = 1, per_node = 1, nodes = 1;
  std::string tier;  ///< "none", "scale-up" (inside a node), "scale-out" (one GPU a node), "both"
};

/// Bytes that a GPU sends in a step for one axis of the layout, mean over the pipeline ranks.
struct LinkRow {
  std::string axis;            ///< "tp", "cp", "ep", "pp", "dp"
  double scale_up_bytes = 0;   ///< inside its node
  double scale_out_bytes = 0;  ///< through its NIC
};

/// A number behind the result, with unit, kind and source.
struct Assumption {
  std::string name;
  std::string value;  ///< as text, number or name
  std::string unit;
  std::string kind;  ///< measured, published, datasheet, fitted, assumed, given
  std::string source;
};

struct Throughput {
  double tokens_per_s = 0, tokens_per_day = 0, tokens_per_s_per_gpu = 0;
  double model_tflops_per_gpu_causal = 0, model_tflops_per_gpu_noncausal = 0;
  double mfu_causal = 0, mfu_noncausal = 0;  ///< against the dense BF16 peak
};

/// Of the step. Peaks are means over one bin of the trace.
struct Power {
  std::optional<double> gpu_mean_w, gpu_peak_w, node_mean_w, node_peak_w;
  std::optional<double> cluster_mean_w, cluster_peak_w;  ///< nodes and network
  std::optional<double> nodes_overhead_w;                ///< of all nodes, part of the cluster's
  std::optional<double> network_w;  ///< switches, part of the cluster's; empty: no figure
  std::optional<double> step_j, per_token_j;
  std::optional<double> capped_share;  ///< of GPUs and time, in which more was asked for than the cap
  std::optional<double> cap_stretch;   ///< how much longer the busiest rank's step would be, not applied
  double bin_s = 0;
  std::vector<double> gpu_by_bin_w;                ///< mean over the GPUs
  std::vector<double> node_by_bin_w;               ///< mean over the nodes
  std::vector<double> cluster_by_bin_w;            ///< nodes and switches
  std::vector<std::vector<double>> rank_by_bin_w;  ///< one GPU of each pipeline rank
};

/// The whole run at this step time; empty where an input was not given.
struct Run {
  double tokens = 0;
  std::optional<double> days, gpu_hours, gpu_hours_per_trillion_tokens, energy_mwh, usd, co2e_t;
  std::optional<double> ideal_days, ideal_gpu_hours, ideal_usd;  ///< as if nothing ever failed
  std::optional<double> owned_usd;                               ///< for machines bought and paid off
  std::optional<double> goodput;
};

/// Everything a report shows. `infeasible` set: the rest is empty except memory, where it was the reason.
struct Metrics {
  Verdict infeasible;
  std::vector<std::pair<std::string, std::string>>
      nearest;  ///< change that would make it feasible: key, value
  double step_time_s = 0;
  std::optional<double> step_time_p10_s, step_time_p90_s;  ///< by the model's error on published runs
  double step_tokens = 0;
  std::int64_t slowest_rank = 0;
  Breakdown breakdown;
  Breakdown mean_breakdown;  ///< mean over the pipeline ranks
  Waterfall waterfall;
  /// The same rank's FLOPs, recomputation apart, at the dense peak of their precision; empty: no such peak.
  std::optional<double> ideal_compute_s;
  /// Causes along the chain of tasks that sets the step time, over all ranks; empty where steps overlap.
  std::optional<Waterfall> critical_path;
  Throughput throughput;
  double memory_capacity = 0;
  double memory_peak = 0;
  std::vector<RankMemoryRow> memory;
  std::vector<RankTimes> ranks;
  std::vector<StageRow> stages;
  std::vector<GroupRow> groups;
  std::vector<LinkRow> links;
  Power power;
  Run run;
  std::vector<Assumption> assumptions;
  std::int64_t tasks = 0;  ///< simulated tasks
};

}  // namespace orrery
