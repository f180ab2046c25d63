#include "sim/workload/stage_work.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "sim/base/check.hpp"
#include "sim/layout/data_parallel.hpp"
#include "sim/model/param_count.hpp"
#include "sim/workload/activations.hpp"
#include "sim/workload/op_builder.hpp"
#include "sim/workload/tensor_overlap.hpp"

namespace orrery {
namespace {

BlockContext make_context(const WorkloadInput& in) {
  const std::int64_t tokens = in.layout.microbatch_size * in.training.sequence_length / in.layout.cp;
  BlockContext c{.model = in.model, .layout = in.layout};
  c.precision = in.training.precision;
  c.sequence = in.training.sequence_length;
  c.tokens = tokens;
  c.norm_tokens = in.layout.sequence_parallel ? tokens / in.layout.tp : tokens;
  c.sequences = in.layout.microbatch_size;
  c.routing = in.routing;
  c.attention = in.training.attention;
  c.dropout = in.training.dropout;
  c.gradient_bytes = bytes_of(in.training.gradients);
  c.expert_calls = in.training.expert_calls;
  c.loss = in.training.loss;
  if (in.model.moe) {
    const std::int64_t per_node =
        std::max<std::int64_t>(1, std::min(in.layout.ep, in.gpus_per_node / in.layout.etp));
    c.spread = expert_spread(*in.model.moe, in.layout.ep, per_node);
  }
  return c;
}

UnitKind layer_kind(const ModelSpec& m, std::int64_t layer) {
  return m.is_moe_layer(layer) ? UnitKind::kMoe : UnitKind::kDense;
}

double d(std::int64_t x) {
  return static_cast<double>(x);
}

/// Parameters of a transformer layer on one rank. Latent down-projections, norms and routers are not cut by
/// tp.
void layer_params_on_rank(const BlockContext& c, bool moe, UnitWork& unit) {
  const ModelSpec& m = c.model;
  const double tp = d(c.layout.tp);
  double replicated = d(layer_norm_params(m));
  double cut = d(attention_params(m));
  if (m.mla) {
    const double down = d(m.hidden) * d(m.mla->q_lora_rank + m.mla->kv_lora_rank + m.mla->qk_rope_head_dim);
    replicated += down;
    cut -= down;
  }
  if (moe) {
    cut += d(shared_expert_params(m));
    replicated += d(router_params(m));
    unit.expert_params = d(m.moe->experts) * d(expert_params(m)) / d(c.layout.ep * c.layout.etp);
  } else {
    cut += d(dense_ffn_params(m));
  }
  unit.dense_params = replicated + cut / tp;
}

/// Window of a layer where it leaves something out: unfused programs compute every score and mask it.
std::int64_t counted_window(const WorkloadInput& in, std::int64_t layer) {
  const std::int64_t window = in.model.window_of(layer);
  const bool counts =
      window < in.training.sequence_length && in.training.attention == AttentionKernel::kFused;
  return counts ? window : 0;
}

UnitWork transformer_unit(BlockContext c, UnitKind kind, std::int64_t window) {
  c.window = window;
  const bool moe = kind == UnitKind::kMoe || (kind == UnitKind::kMtp && c.model.moe.has_value());
  UnitWork unit{.kind = kind, .name = kind == UnitKind::kMtp ? "mtp" : moe ? "moe" : "dense"};
  if (window > 0) unit.name += "-window";
  unit.window = window;
  if (kind == UnitKind::kMtp) add_mtp_projection(c, unit.work);
  // The backward of the block runs before that of the projection in front of it.
  LayerWork block;
  add_attention(c, block);
  if (moe) {
    add_moe(c, block);
  } else {
    add_dense_mlp(c, block);
  }
  const auto append = [](Segment& to, const Segment& from) { to.insert(to.end(), from.begin(), from.end()); };
  const auto prepend = [](Segment& to, const Segment& from) {
    to.insert(to.begin(), from.begin(), from.end());
  };
  overlap_tensor_parallel(c, CutProducts::kYes, block);
  append(unit.work.attention_f, block.attention_f);
  prepend(unit.work.attention_b, block.attention_b);
  append(unit.work.attention_w, block.attention_w);
  unit.work.dispatch_f = block.dispatch_f;
  unit.work.mlp_f = block.mlp_f;
  unit.work.combine_f = block.combine_f;
  unit.work.combine_b = block.combine_b;
  unit.work.mlp_b = block.mlp_b;
  unit.work.dispatch_b = block.dispatch_b;
  unit.work.mlp_w = block.mlp_w;
  layer_params_on_rank(c, moe, unit);
  if (kind == UnitKind::kMtp) {
    unit.dense_params +=
        d(mtp_module_params(c.model)) -
        d(c.model.moe ? layer_params(c.model, c.model.layers - 1) : layer_params(c.model, 0));
  }
  if (c.layout.recompute.layer) add_full_recompute(unit.work);
  set_activation_bytes(c, moe, unit);
  return unit;
}

/// Gathering `params` weights (BF16) and reducing their gradients: between the kernels where the layout puts
/// them into the chain, apart where they run beside it.
void add_data_parallel_part(const BlockContext& c, double params, Axis axis, UnitWork& unit) {
  if (params <= 0) return;
  const Layout& layout = c.layout;
  const DataParallelPlan plan = data_parallel_plan(layout);
  const CommOp gather{
      .name = "gather weights", .kind = CommKind::kAllGather, .axis = axis, .bytes = 2.0 * params};
  const CommOp reduce{.name = "reduce gradients",
                      .kind = layout.zero_stage == 0 ? CommKind::kAllReduce : CommKind::kReduceScatter,
                      .axis = axis,
                      .bytes = c.gradient_bytes * params};
  if (plan.gather == DataTraffic::kInChain) {
    unit.work.attention_f.insert(unit.work.attention_f.begin(), gather);
    unit.work.recompute.insert(unit.work.recompute.begin(), gather);
  } else if (plan.gather != DataTraffic::kAfterPipeline) {
    unit.gather.insert(unit.gather.begin(), gather);
  }
  if (plan.reduce == DataTraffic::kInChain) {
    unit.work.attention_w.emplace_back(reduce);
  } else if (plan.reduce != DataTraffic::kAfterPipeline) {
    unit.reduce.emplace_back(reduce);
  }
}

void add_data_parallel(const BlockContext& c, UnitWork& unit) {
  add_data_parallel_part(c, unit.expert_params, Axis::kExpertDp, unit);
  add_data_parallel_part(c, unit.dense_params, Axis::kDp, unit);
}

/// A window that is not counted has no unit of its own: its layers are those with full attention.
std::size_t unit_of_layer(const Workload& workload, UnitKind kind, std::int64_t window) {
  for (std::size_t i = 0; i < workload.units.size(); ++i) {
    if (workload.units[i].kind == kind && workload.units[i].window == window) return i;
  }
  return unit_of(workload, kind);
}

/// Weights of the norm in front of the head, and of BLOOM's after the embedding.
double outer_norm_params(const ModelSpec& m) {
  return d(m.norm == NormKind::kRms ? m.hidden : 2 * m.hidden);
}

}  // namespace

Workload make_units(const WorkloadInput& input) {
  const BlockContext c = make_context(input);
  const ModelSpec& m = input.model;
  Workload w;
  w.boundary_bytes = 2.0 * d(c.norm_tokens) * d(m.hidden);
  w.gradient_bytes = c.gradient_bytes;
  w.weight_cast_bytes = weight_cast_bytes(c.precision);
  const double tp = d(input.layout.tp);

  UnitWork embedding{.kind = UnitKind::kEmbedding, .name = "embedding", .work = embedding_work(c)};
  embedding.dense_params = (d(embedding_params(m)) + d(position_embedding_params(m))) / tp;
  if (m.embedding_norm) embedding.dense_params += outer_norm_params(m);
  w.units.push_back(std::move(embedding));

  std::set<std::pair<UnitKind, std::int64_t>> layers;  // dense before MoE, full attention before a window
  for (std::int64_t i = 0; i < m.layers; ++i) layers.emplace(layer_kind(m, i), counted_window(input, i));
  for (const auto& [kind, window] : layers) w.units.push_back(transformer_unit(c, kind, window));

  UnitWork head{.kind = UnitKind::kHead, .name = "head", .work = head_work(c)};
  // A tied head on a stage of its own needs a copy of the embedding.
  const bool copy = m.tied_embeddings && input.layout.pp * input.layout.vpp > 1;
  overlap_tensor_parallel(c, CutProducts::kNo, head.work);
  head.dense_params = (copy ? d(embedding_params(m)) : d(head_params(m))) / tp + outer_norm_params(m);
  // Input of the projection and the FP32 log-probabilities (or the BF16 gradient); the weight gradient needs
  // the input and the BF16 gradient of the logits. FP32 logits and their gradient are alive together while
  // the loss runs.
  const LossBytes loss = loss_bytes(c.loss);
  head.kept_bytes = 2.0 * d(c.norm_tokens) * d(m.hidden) + loss.kept * d(c.tokens) * d(m.vocab) / tp;
  head.deferred_bytes = 2.0 * d(c.norm_tokens) * d(m.hidden) + 2.0 * d(c.tokens) * d(m.vocab) / tp;
  head.working_bytes = loss.working * d(c.tokens) * d(m.vocab) / tp;
  w.units.push_back(std::move(head));
  if (m.mtp_modules > 0 && input.training.mtp)
    w.units.push_back(transformer_unit(c, UnitKind::kMtp, counted_window(input, m.layers - 1)));
  for (UnitWork& unit : w.units) add_data_parallel(c, unit);
  return w;
}

std::size_t unit_of(const Workload& workload, UnitKind kind) {
  for (std::size_t i = 0; i < workload.units.size(); ++i) {
    if (workload.units[i].kind == kind) return i;
  }
  fail_check("unit kind", __FILE__, __LINE__, "the model has no unit of this kind");
}

std::vector<std::size_t> layer_units(const Workload& workload, const ModelSpec& model) {
  std::vector<std::size_t> row;
  row.reserve(static_cast<std::size_t>(model.layers));
  for (std::int64_t i = 0; i < model.layers; ++i) {
    row.push_back(unit_of_layer(workload, layer_kind(model, i), model.window_of(i)));
  }
  return row;
}

void assign_stages(Workload& workload, const ModelSpec& model, const Training& training,
                   const std::vector<std::int64_t>& layers_per_stage, std::int64_t mtp_stage) {
  const std::vector<std::size_t> row = layer_units(workload, model);
  workload.stages.clear();
  std::int64_t layer = 0;
  for (std::int64_t count : layers_per_stage) {
    StageUnits stage{.units = {}, .first_layer = layer, .layers = count};
    for (std::int64_t i = 0; i < count; ++i) stage.units.push_back(row.at(static_cast<std::size_t>(layer++)));
    workload.stages.push_back(std::move(stage));
  }
  SIM_CHECK(layer == model.layers, "stages do not hold all layers");
  std::vector<std::size_t>& first = workload.stages.front().units;
  first.insert(first.begin(), unit_of(workload, UnitKind::kEmbedding));
  std::vector<std::size_t>& last = workload.stages.back().units;
  last.push_back(unit_of(workload, UnitKind::kHead));
  if (!training.mtp || model.mtp_modules == 0) return;
  const std::size_t stages = workload.stages.size();
  const std::size_t at = mtp_stage < 0 ? stages - 1 : static_cast<std::size_t>(mtp_stage);
  SIM_CHECK(at < stages, "the MTP modules need a stage that exists");
  for (std::int64_t i = 0; i < model.mtp_modules; ++i) {
    workload.stages[at].units.push_back(unit_of(workload, UnitKind::kMtp));
    last.push_back(unit_of(workload, UnitKind::kHead));
  }
  // Each module's hidden state travels on to its head.
  for (std::size_t s = at; s + 1 < stages; ++s) workload.stages[s].hidden_states = 1 + model.mtp_modules;
}

}  // namespace orrery
