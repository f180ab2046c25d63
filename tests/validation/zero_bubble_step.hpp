#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "sim/engine/engine.hpp"
#include "sim/lower/lower.hpp"
#include "sim/lower/memory.hpp"
#include "sim/report/measure.hpp"
#include "sim/schedule/generators.hpp"

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
  double makespan_s = 0;  ///< from the first start on any rank to the last end on any
  double period_s = 0;    ///< of steps that follow one another without a barrier
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

/// The longest that any rank is busy with a step, from its own first action to the end of its own update.
/// With an optimizer that waits for no other rank (the paper's post-validation) every rank can start its next
/// step then, so steps follow one another at this distance. Of 1F1B it is the makespan: rank 0 starts first
/// and ends last.
inline double period_of(const LoweredStep& step, const Timeline& timeline) {
  SimTime pipelines;
  SimTime longest;
  for (std::size_t r = 0; r < step.pipeline_end.size(); ++r) {
    const SimTime end = timeline.end[step.pipeline_end[r].at()];
    const SimTime start = timeline.start[step.steps[step.rank_begin[r]].first_task.at()];
    pipelines = std::max(pipelines, end);
    longest = std::max(longest, end - start);
  }
  return to_seconds(longest + (timeline.makespan - pipelines)).value;
}

/// The chain of simulate() without its refusals: a step that does not fit the GPU's memory is timed all the
/// same, and a first or last stage may hold no layer but the embedding or the head.
inline ZeroBubbleStep simulate_zero_bubble(const ZeroBubbleRun& run, const ClusterProfile& cluster) {
  const ModelSpec model = zero_bubble_model(run);
  const Layout layout = zero_bubble_layout(run);
  const Training training{
      .global_batch_size = run.batch, .sequence_length = run.sequence, .precision = Precision::kFp16};
  const Derived derived = derive(layout, training, run.pp);
  const Schedule schedule =
      make_schedule(layout.schedule, static_cast<int>(layout.pp), static_cast<int>(layout.vpp),
                    static_cast<int>(derived.microbatches));
  const RankMap ranks(layout, run.pp, cluster.gpus_per_node);
  Workload workload = make_units({model, layout, training, cluster.gpus_per_node, {}});
  StepTemplates templates(workload, ranks, cluster, static_cast<std::int64_t>(cluster.gpu.sm_count.value));
  assign_stages(workload, model, training, layout.stage_layers);
  const MemoryRules rules = memory_rules(training.precision);
  ZeroBubbleStep result;
  for (const RankMemory& m :
       memory_by_rank({workload, schedule, layout, derived, model, rules, cluster.gpu.memory_bytes.value})) {
    result.peak_bytes = std::max(result.peak_bytes, m.total());
  }
  const LoweredStep step = lower({.workload = workload,
                                  .schedule = schedule,
                                  .layout = layout,
                                  .derived = derived,
                                  .ranks = ranks,
                                  .cluster = cluster,
                                  .templates = templates,
                                  .optimizer_bytes_per_param = optimizer_traffic(rules)});
  const Timeline timeline = orrery::run(step.graph);
  result.makespan_s = to_seconds(timeline.makespan).value;
  result.period_s = period_of(step, timeline);
  return result;
}

}  // namespace orrery::test
