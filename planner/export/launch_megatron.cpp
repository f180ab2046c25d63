// Names and meanings of the flags: megatron/training/arguments.py of NVIDIA/Megatron-LM, commit 000c4ac24f61,
// and megatron/core/transformer/moe/README.md. tests/data/launch_flags.txt lists those that are used.
#include <fmt/format.h>

#include <algorithm>

#include "planner/export/launch.hpp"
#include "sim/base/suggest.hpp"
#include "sim/layout/data_parallel.hpp"
#include "sim/layout/pipeline_layout.hpp"

namespace orrery {
namespace {

using Flags = std::vector<LaunchFlag>;

void add(Flags& flags, const char* name) {
  flags.push_back({name, {}});
}
void add(Flags& flags, const char* name, const std::string& value) {
  flags.push_back({name, value});
}
void add(Flags& flags, const char* name, std::int64_t value) {
  flags.push_back({name, std::to_string(value)});
}

void add_biases(const ModelSpec& m, LaunchFlags& out) {
  const bool experts_only = m.moe && m.moe_layers() == m.layers;
  const bool feed_forward = experts_only ? m.moe->expert_bias : m.mlp_bias;
  const bool none = !m.attention_output_bias && !feed_forward;
  const bool all = m.qkv_bias && m.attention_output_bias && feed_forward;
  if (none) {
    add(out.model, "--disable-bias-linear");
    if (m.qkv_bias) add(out.model, "--add-qkv-bias");
  } else if (!all) {
    out.missing.emplace_back(
        "biases in some linear layers only (Megatron-LM has them in all, in none, or in QKV alone)");
  }
}

void add_attention(const ModelSpec& m, LaunchFlags& out) {
  Flags& f = out.model;
  add(f, "--num-attention-heads", m.heads);
  if (m.mla) {
    add(f, "--multi-latent-attention");
    if (m.mla->q_lora_rank > 0) add(f, "--q-lora-rank", m.mla->q_lora_rank);
    add(f, "--kv-lora-rank", m.mla->kv_lora_rank);
    add(f, "--qk-head-dim", m.mla->qk_nope_head_dim);
    add(f, "--qk-pos-emb-head-dim", m.mla->qk_rope_head_dim);
    add(f, "--v-head-dim", m.mla->v_head_dim);
  } else {
    add(f, "--kv-channels", m.head_dim);
    if (m.kv_heads < m.heads) {
      add(f, "--group-query-attention");
      add(f, "--num-query-groups", m.kv_heads);
    }
  }
  if (m.qk_norm || m.mla) add(f, "--qk-layernorm");
  if (m.position == PositionKind::kRotary) add(f, "--position-embedding-type", "rope");
  if (m.position == PositionKind::kLearned) add(f, "--position-embedding-type", "learned_absolute");
  if (m.position == PositionKind::kAlibi) out.missing.emplace_back("ALiBi positions");
  if (m.sliding_window > 0)
    out.missing.push_back(
        fmt::format("a sliding window of {} tokens in {} of {} layers: see --window-size and "
                    "--window-attn-skip-freq of your version",
                    m.sliding_window, m.window_layers(), m.layers));
  if (m.attention_sinks) out.missing.emplace_back("attention sinks: see --softmax-type of your version");
}

/// "([0]*3+[1]*58)": 1 where a layer has experts.
std::string layer_pattern(const ModelSpec& m) {
  std::string out;
  for (std::int64_t layer = 0; layer < m.layers;) {
    const bool moe = m.is_moe_layer(layer);
    std::int64_t end = layer;
    while (end < m.layers && m.is_moe_layer(end) == moe) ++end;
    out += fmt::format("{}[{}]*{}", out.empty() ? "" : "+", moe ? 1 : 0, end - layer);
    layer = end;
  }
  return "(" + out + ")";
}

void add_experts(const LaunchPlan& plan, LaunchFlags& out) {
  const MoeShape& moe = *plan.scenario.model.moe;
  Flags& f = out.model;
  add(f, "--num-experts", moe.experts);
  add(f, "--moe-router-topk", moe.top_k);
  add(f, "--moe-ffn-hidden-size", moe.expert_ffn);
  if (moe.shared_ffn > 0) add(f, "--moe-shared-expert-intermediate-size", moe.shared_ffn);
  add(f, "--moe-layer-freq", layer_pattern(plan.scenario.model));
  if (moe.groups > 1) {
    add(f, "--moe-router-num-groups", moe.groups);
    add(f, "--moe-router-group-topk", moe.groups_kept);
  }
  if (moe.selection_bias) {
    add(f, "--moe-router-score-function", "sigmoid");
    add(f, "--moe-router-enable-expert-bias");
  }
  if (moe.router_bias) out.missing.emplace_back("a bias in the router's projection");
  if (moe.shared_gate) out.missing.emplace_back("the gate on the shared experts");
  add(f, "--moe-grouped-gemm");
  // Some profiles have rates of the library's all-to-all where no kernel of DeepEP's kind was measured.
  const bool measured = plan.scenario.cluster.expert_all_to_all.kernel.find("DeepEP") != std::string::npos;
  const Layout& l = plan.scenario.layout;
  if (l.moe_dispatcher == TokenDispatcher::kDeepEp && measured && l.ep > 1) {
    add(f, "--moe-token-dispatcher-type", "flex");
    add(f, "--moe-enable-deepep");
    if (plan.communication_sms > 0) add(f, "--moe-deepep-num-sms", plan.communication_sms);
  } else {
    add(f, "--moe-token-dispatcher-type", "alltoall");
  }
  if (plan.scenario.routing.kind == Routing::Kind::kBalanced)
    out.missing.emplace_back(
        "balanced experts are assumed, --moe-router-load-balancing-type and its coefficients are yours to "
        "choose "
        "(for a benchmark, --moe-router-force-load-balancing)");
}

void add_model(const LaunchPlan& plan, LaunchFlags& out) {
  const Scenario& s = plan.scenario;
  const ModelSpec& m = s.model;
  Flags& f = out.model;
  add(f, "--num-layers", m.layers);
  add(f, "--hidden-size", m.hidden);
  add(f, "--ffn-hidden-size", m.ffn);
  add(f, "--seq-length", s.training.sequence_length);
  add(f, "--max-position-embeddings", std::max(m.max_positions, s.training.sequence_length));
  add(f, "--vocab-size", m.vocab);
  add_attention(m, out);
  add(f, "--normalization", m.norm == NormKind::kRms ? "RMSNorm" : "LayerNorm");
  if (m.feed_forward == FeedForwardKind::kGated) add(f, "--swiglu");
  if (!m.tied_embeddings) add(f, "--untie-embeddings-and-output-weights");
  add_biases(m, out);
  if (m.clamped_gate)
    out.missing.emplace_back(
        "the clamped gate in place of SwiGLU: see --quick-geglu, --glu-linear-offset and "
        "--activation-func-clamp-value of your version");
  if (m.parallel_block) out.missing.emplace_back("attention and feed-forward side by side");
  if (m.embedding_norm) out.missing.emplace_back("a norm right after the embedding");
  if (s.training.mtp && m.mtp_modules > 0) add(f, "--mtp-num-layers", m.mtp_modules);
  if (s.training.loss == LossKernel::kFused) {
    add(f, "--cross-entropy-loss-fusion");
    add(f, "--cross-entropy-fusion-impl", "te");
  }
  if (m.moe) add_experts(plan, out);
}

void add_schedule(const LaunchPlan& plan, LaunchFlags& out) {
  const Layout& l = plan.scenario.layout;
  if (l.pp * l.vpp > 1 && !plan.stage_layers.empty()) {
    const std::int64_t mtp = plan.scenario.training.mtp ? plan.scenario.model.mtp_modules : 0;
    add(out.parallel, "--pipeline-model-parallel-layout",
        pipeline_layout_text(
            {.layers = plan.stage_layers, .mtp_stage = plan.scenario.layout.mtp_stage, .mtp_modules = mtp}));
  }
  if (l.vpp > 1 && l.messages == MessageRule::kBlocking) add(out.parallel, "--no-overlap-p2p-communication");
  const bool combined = l.schedule == "combined-1f1b";
  if (combined) add(out.parallel, "--overlap-moe-expert-parallel-comm");
  if (l.tp > 1 && l.sequence_parallel && l.tp_overlap == TensorOverlap::kProducts)
    add(out.parallel, "--tp-comm-overlap");
  if (l.pp > 1 && l.schedule != "1f1b" && l.schedule != "interleaved-1f1b" && !combined)
    out.missing.push_back(
        fmt::format("the schedule '{}': Megatron-LM runs 1F1B, interleaved where a rank has several stages. "
                    "The predicted "
                    "time is not that of these flags; simulate with --schedule {} for it",
                    l.schedule, l.vpp > 1 ? "interleaved-1f1b" : "1f1b"));
}

void add_sharding(const Layout& layout, LaunchFlags& out) {
  Flags& f = out.parallel;
  const std::int64_t zero = layout.zero_stage;
  if (zero >= 1) add(f, "--use-distributed-optimizer");
  if (zero >= 2) {
    add(f, "--use-megatron-fsdp");
    add(f, "--data-parallel-sharding-strategy", zero == 2 ? "optim_grads" : "optim_grads_params");
  }
  const DataParallelPlan plan = data_parallel_plan(layout);
  const auto beside = [](DataTraffic t) { return t == DataTraffic::kOnce || t == DataTraffic::kEveryUse; };
  if (beside(plan.reduce)) add(f, "--overlap-grad-reduce");
  if (beside(plan.gather)) add(f, "--overlap-param-gather");
  if (!beside(plan.reduce))
    out.missing.emplace_back(
        "gradients of data parallelism are predicted without overlap: --overlap-grad-reduce makes the step "
        "faster "
        "than predicted (--set layout.overlap_grad_reduce=true predicts it)");
  if (zero >= 1 && !beside(plan.gather))
    out.missing.emplace_back(
        "weights of data parallelism are gathered without overlap: --overlap-param-gather makes the step "
        "faster than "
        "predicted (--set layout.overlap_param_gather=true predicts it)");
}

void add_parallel(const LaunchPlan& plan, LaunchFlags& out) {
  const Layout& l = plan.scenario.layout;
  Flags& f = out.parallel;
  add(f, "--tensor-model-parallel-size", l.tp);
  add(f, "--context-parallel-size", l.cp);
  add(f, "--pipeline-model-parallel-size", l.pp);
  if (plan.scenario.model.moe) {
    add(f, "--expert-model-parallel-size", l.ep);
    add(f, "--expert-tensor-parallel-size", l.etp);
    if (l.tp > 1 && !l.sequence_parallel)
      out.missing.emplace_back(
          "tensor parallelism without sequence parallelism: Megatron-LM demands --sequence-parallel with "
          "experts and tp > 1");
  }
  if (l.sequence_parallel && l.tp > 1) add(f, "--sequence-parallel");
  add_schedule(plan, out);
  add_sharding(l, out);
}

void add_offload(const LaunchPlan& plan, LaunchFlags& out) {
  const Layout& layout = plan.scenario.layout;
  Flags& f = out.training;
  if (layout.offload.optimizer) {
    add(f, "--optimizer-cpu-offload");
    add(f, "--optimizer-offload-fraction", "1.0");
    add(f, "--use-precision-aware-optimizer");
    out.missing.emplace_back(
        "the update on the host is predicted one part after the other: --overlap-cpu-optimizer-d2h-h2d makes "
        "the step faster than predicted");
  }
  if (layout.offload.activations) {
    add(f, "--fine-grained-activation-offloading");
    const Recompute& r = layout.recompute;
    std::vector<std::string> modules{"qkv_linear", "attn_proj"};
    if (!r.norms) modules.insert(modules.end(), {"attn_norm", "mlp_norm"});
    if (!r.attention_core) modules.emplace_back("core_attn");
    if (plan.scenario.model.moe) modules.emplace_back("expert_fc1");
    if (plan.scenario.model.moe && !r.activation) modules.emplace_back("moe_act");
    add(f, "--offload-modules", join(modules, " "));
    out.missing.emplace_back(
        "the activations of dense feed-forward layers and shared experts, which no offload module names: "
        "they "
        "stay on the GPU");
  }
}

void add_recompute(const LaunchPlan& plan, LaunchFlags& out) {
  const Recompute& r = plan.scenario.layout.recompute;
  Flags& f = out.training;
  if (r.layer) {
    add(f, "--recompute-granularity", "full");
    add(f, "--recompute-method", "uniform");
    add(f, "--recompute-num-layers", 1);
    return;
  }
  std::vector<std::string> modules;
  if (r.attention_core) modules.emplace_back("core_attn");
  if (r.norms) modules.emplace_back("layernorm");
  if (r.mla_up && plan.scenario.model.mla) modules.emplace_back("mla_up_proj");
  if (r.activation) {
    if (plan.scenario.model.moe) modules.emplace_back("moe_act");
    out.missing.emplace_back(
        plan.scenario.model.moe
            ? "recompute of the activation function in dense layers and shared experts (moe_act covers "
              "the routed experts)"
            : "recompute of the activation function alone (the module mlp recomputes the whole MLP)");
  }
  if (modules.empty()) return;
  add(f, "--recompute-granularity", "selective");
  add(f, "--recompute-modules", join(modules, " "));
}

void add_precision(Precision precision, LaunchFlags& out) {
  Flags& f = out.training;
  add(f, precision == Precision::kFp16 ? "--fp16" : "--bf16");
  if (!is_fp8(precision)) return;
  add(f, "--fp8-format", precision == Precision::kFp8Tensor ? "hybrid" : "e4m3");
  add(f, "--fp8-recipe",
      precision == Precision::kFp8Tensor  ? "tensorwise"
      : precision == Precision::kFp8Block ? "blockwise"
                                          : "mxfp8");
}

void add_training(const LaunchPlan& plan, LaunchFlags& out) {
  const Scenario& s = plan.scenario;
  Flags& f = out.training;
  add(f, "--micro-batch-size", s.layout.microbatch_size);
  add(f, "--global-batch-size", s.training.global_batch_size);
  if (s.training.tokens > 0)
    add(f, "--train-samples",
        static_cast<std::int64_t>(s.training.tokens / static_cast<double>(s.training.sequence_length)));
  add_recompute(plan, out);
  add_offload(plan, out);
  add_precision(s.training.precision, out);
}

std::string array(const char* name, const Flags& flags) {
  std::string out = fmt::format("{}=(\n", name);
  for (const LaunchFlag& flag : flags) {
    const bool plain = flag.value.find_first_of("|*()[]+ ") == std::string::npos;
    const bool words = flag.name == "--recompute-modules";  // each its own argument
    out += "  " + flag.name;
    if (!flag.value.empty()) out += " " + (plain || words ? flag.value : "'" + flag.value + "'");
    out += "\n";
  }
  return out + ")\n";
}

}  // namespace

LaunchFlags megatron_flags(const LaunchPlan& plan) {
  LaunchFlags out;
  add_model(plan, out);
  add_parallel(plan, out);
  add_training(plan, out);
  return out;
}

std::string megatron_script(const LaunchPlan& plan) {
  const LaunchFlags flags = megatron_flags(plan);
  std::string out = "# " + launch_title(plan) +
                    "\n# Flags of Megatron-LM, core v0.14/0.15 line: megatron/training/arguments.py of "
                    "commit 000c4ac24f61.\n"
                    "# Without a flag:\n";
  for (const std::string& line : flags.missing) out += "# - " + line + "\n";
  out += "# - data, tokenizer, optimizer, learning rate and checkpoints are not part of a plan\n";
  out += array("MODEL_ARGS", flags.model) + array("PARALLEL_ARGS", flags.parallel) +
         array("TRAINING_ARGS", flags.training);
  const std::int64_t per_node = std::min(plan.scenario.gpus, plan.scenario.cluster.gpus_per_node);
  out += fmt::format(
      "# torchrun --nnodes {} --nproc-per-node {} ... pretrain_gpt.py \"${{MODEL_ARGS[@]}}\" "
      "\"${{PARALLEL_ARGS[@]}}\" \"${{TRAINING_ARGS[@]}}\" ...\n",
      (plan.scenario.gpus + per_node - 1) / per_node, per_node);
  return out;
}

std::string sbatch_script(const LaunchPlan& plan) {
  const Scenario& s = plan.scenario;
  const std::int64_t per_node = std::min(s.gpus, s.cluster.gpus_per_node);
  std::string out = "#!/bin/bash\n";
  out += fmt::format(
      "#SBATCH --job-name=train\n#SBATCH --nodes={}\n#SBATCH --ntasks-per-node=1\n"
      "#SBATCH --gpus-per-node={}\n#SBATCH --exclusive\n",
      (s.gpus + per_node - 1) / per_node, per_node);
  if (plan.days > 0)
    out += fmt::format("# The whole run is predicted to take {:.1f} days; set --time for one part of it.\n",
                       plan.days);
  out +=
      "# Written for Slurm 22.05 or newer. Choose --partition, --account and --time; DATA_ARGS is yours: "
      "data, tokenizer,\n"
      "# optimizer, learning rate, checkpoints.\n"
      "set -euo pipefail\n"
      "DATA_ARGS=(${DATA_ARGS:-})\n"
      "MASTER_ADDR=$(scontrol show hostnames \"$SLURM_JOB_NODELIST\" | head -n 1)\n"
      "MASTER_PORT=${MASTER_PORT:-29500}\n\n";
  out += megatron_script(plan);
  out += fmt::format(
      "\nsrun torchrun --nnodes \"$SLURM_JOB_NUM_NODES\" --nproc-per-node {} --rdzv-id \"$SLURM_JOB_ID\" \\\n"
      "  --rdzv-backend c10d --rdzv-endpoint \"$MASTER_ADDR:$MASTER_PORT\" \\\n"
      "  pretrain_gpt.py \"${{MODEL_ARGS[@]}}\" \"${{PARALLEL_ARGS[@]}}\" \"${{TRAINING_ARGS[@]}}\" "
      "\"${{DATA_ARGS[@]}}\"\n",
      per_node);
  return out;
}

}  // namespace orrery
