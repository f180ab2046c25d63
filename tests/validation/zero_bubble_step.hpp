#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "sim/base/check.hpp"
#include "sim/simulate.hpp"

/// A run of "Zero Bubble Pipeline Parallelism" (arXiv 2401.10241) as one simulated step.
namespace orrery::test {

struct ZeroBubbleRun {
  std::string id;
  std::string model;
  std::int64_t layers = 0, hidden = 0, heads = 0, sequence = 0, pp = 0;
  std::string schedule;  ///< as the paper names it
  std::int64_t microbatch = 0, batch = 0;
  double samples_per_s = 0;  ///< measured, per GPU
  double peak_gb = 0;        ///< measured, of the fullest GPU
};

struct ZeroBubbleStep {
  double makespan_s = 0;  ///< step with a barrier: from the first start on any rank to the last end on any
  double period_s = 0;    ///< step without one (post-validation)
  double peak_bytes = 0;  ///< of the fullest GPU
};

/// GPT-2's blocks in the row's shape. The vocabulary is not published: 32,000 words let the three models
/// count 1.5, 6.2 and 28.3 billion parameters as the paper names them, GPT-2's 50,257 would make the
/// last 28.4.
inline ModelSpec zero_bubble_model(const ZeroBubbleRun& run) {
  ModelSpec m;
  m.name = run.model;
  m.architecture = "GPT2LMHeadModel";
  m.hidden = run.hidden;
  m.layers = run.layers;
  m.heads = m.kv_heads = run.heads;
  m.head_dim = run.hidden / run.heads;
  m.ffn = 4 * run.hidden;
  m.vocab = 32000;
  m.max_positions = run.sequence;
  m.tied_embeddings = true;
  m.qkv_bias = m.attention_output_bias = m.mlp_bias = true;
  m.norm = NormKind::kLayer;
  m.position = PositionKind::kLearned;
  m.feed_forward = FeedForwardKind::kPlain;
  return m;
}

/// Embedding and head count as a layer each, as in the paper: the first and the last stage have one less.
inline std::vector<std::int64_t> zero_bubble_stages(std::int64_t layers, std::int64_t stages) {
  std::vector<std::int64_t> counts;
  for (std::int64_t i = 0; i < stages; ++i) {
    counts.push_back((i + 1) * (layers + 2) / stages - i * (layers + 2) / stages);
  }
  --counts.front();
  --counts.back();
  return counts;
}

/// The paper's searched schedules stand here as their handcrafted relatives; 1F1B-I has one layer per stage.
inline Layout zero_bubble_layout(const ZeroBubbleRun& run) {
  Layout l;
  l.pp = run.pp;
  l.microbatch_size = run.microbatch;
  l.schedule = run.schedule == "1F1B"     ? "1f1b"
               : run.schedule == "1F1B-I" ? "interleaved-1f1b"
               : run.schedule == "ZB-1p"  ? "zb-h1"
               : run.schedule == "ZB-2p"  ? "zb-h2"
                                          : "zb-v";
  if (run.schedule == "1F1B-I") l.vpp = (run.layers + 2) / run.pp;
  if (run.schedule == "ZB-V") l.vpp = 2;
  l.stage_layers = zero_bubble_stages(run.layers, l.pp * l.vpp);
  return l;
}

[[nodiscard]] inline Scenario zero_bubble_scenario(const ZeroBubbleRun& run, const ClusterProfile& cluster) {
  Scenario s;
  s.model = zero_bubble_model(run);
  s.model_ref = run.model;
  s.cluster = cluster;
  s.gpus = run.pp;
  s.layout = zero_bubble_layout(run);
  s.training = {
      .global_batch_size = run.batch, .sequence_length = run.sequence, .precision = Precision::kFp16};
  return s;
}

/// `simulate` twice: with a barrier, and without one as the paper's schedules run. Of 1F1B both are the same
/// step, because rank 0 starts first and ends last.
inline ZeroBubbleStep simulate_zero_bubble(const ZeroBubbleRun& run, const ClusterProfile& cluster) {
  Scenario s = zero_bubble_scenario(run, cluster);
  const SimResult barrier = simulate(s);
  s.layout.optimizer_sync = OptimizerSync::kPostValidation;
  const SimResult none = simulate(s);
  SIM_CHECK(!barrier.metrics.infeasible && !none.metrics.infeasible, run.id);
  return {.makespan_s = barrier.metrics.step_time_s,
          .period_s = none.metrics.step_time_s,
          .peak_bytes = none.metrics.memory_peak};
}

}  // namespace orrery::test
