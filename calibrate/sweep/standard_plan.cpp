#include "calibrate/sweep/standard_plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "calibrate/probe/work.hpp"

namespace orrery {
namespace {

struct PrecisionRow {
  const char* suffix;  ///< of the class
  const char* dtype;
};
constexpr std::array<PrecisionRow, 3> kPrecisions{
    {{"bf16", "bf16"}, {"fp8-block", "fp8-e4m3"}, {"fp8-tensor", "fp8-e4m3"}}};

/// Collects cases without repeating one.
class Plan {
 public:
  void add(Case what) {
    if (seen_.insert(what).second)
      by_class_[what.op_class + (what.sustained ? " sustained" : "")].push_back(what);
  }
  void product(const std::string& family, const char* layout, Shape shape, bool sustained = false) {
    for (const PrecisionRow& precision : kPrecisions) {
      const bool fp8 = std::string_view(precision.suffix) != "bf16";
      // FP8 tensor cores of Hopper and Ada take both operands along the reduction: one layout serves all
      // three.
      add({.op_class = family + precision.suffix,
           .name = "cublaslt " + std::string(fp8 ? "tn" : layout),
           .shape = shape,
           .dtype = precision.dtype,
           .sustained = sustained});
    }
  }
  /// The block-scaled product that serves where cuBLASLt has none (compute capability 8.9).
  void own_block_product(const std::string& family, Shape shape) {
    add({.op_class = family + "fp8-block",
         .name = "own mma.sync",
         .shape = std::move(shape),
         .dtype = "fp8-e4m3"});
  }
  /// One of each class in turn.
  std::vector<Case> in_turn() const {
    std::vector<Case> out;
    for (std::size_t round = 0; out.size() < seen_.size(); ++round) {
      for (const auto& [name, cases] : by_class_) {
        if (round < cases.size()) out.push_back(cases[round]);
      }
    }
    return out;
  }

 private:
  std::set<Case> seen_;
  std::map<std::string, std::vector<Case>> by_class_;
};

void add_products(Plan& plan, const ModelSpec& model, std::int64_t tokens) {
  for (const LinearShape& s : linear_shapes(model)) {
    for (const std::int64_t m : {tokens, tokens / 4})
      plan.product("gemm.", "tn", {{"m", m}, {"n", s.n}, {"k", s.k}});
    plan.product("gemm.", "nn", {{"m", tokens}, {"n", s.k}, {"k", s.n}});
    plan.product("wgrad.", "nt", {{"m", s.n}, {"n", s.k}, {"k", tokens}});
    plan.own_block_product("gemm.", {{"m", tokens}, {"n", s.n}, {"k", s.k}});
    plan.own_block_product("wgrad.", {{"m", s.n}, {"n", s.k}, {"k", tokens}});
  }
  if (!model.moe) return;
  // Experts of one GPU: as many as DeepSeek-V3 has at EP 64 or 32, rows of balanced and of uneven routing.
  for (const LinearShape& s : expert_shapes(model)) {
    for (const std::int64_t groups : {std::int64_t{4}, std::int64_t{8}}) {
      for (const std::int64_t m : {std::int64_t{512}, tokens, 2 * tokens}) {
        plan.product("grouped-gemm.", "tn", {{"groups", groups}, {"m", m}, {"n", s.n}, {"k", s.k}});
      }
    }
    plan.product("grouped-gemm.", "tn",
                 {{"groups", 4}, {"m", tokens}, {"n", s.n}, {"k", s.k}, {"uneven", 130}});
    plan.own_block_product("grouped-gemm.", {{"groups", 4}, {"m", tokens}, {"n", s.n}, {"k", s.k}});
    plan.product("grouped-wgrad.", "nt", {{"groups", 4}, {"m", s.n}, {"n", s.k}, {"k", tokens}});
  }
}

/// Shapes spread evenly in the logarithm from 128 to 16384, multiples of 128: the additive recurrence of the
/// generalised golden ratio in three dimensions (Roberts 2018, "R3 sequence"), so that neighbours of a
/// model's shapes are known too.
void add_grid(Plan& plan, int count) {
  constexpr double kRatio = 1.2207440846057596;  // the real root of x^4 = x + 1
  std::array<double, 3> at{0.5, 0.5, 0.5};
  for (int i = 0; i < count; ++i) {
    std::array<std::int64_t, 3> sizes{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      at[axis] += 1 / std::pow(kRatio, static_cast<double>(axis + 1));
      at[axis] -= std::floor(at[axis]);
      sizes[axis] = 128 * static_cast<std::int64_t>(std::llround(std::exp2(7 * at[axis])));
    }
    plan.product("gemm.", "tn", {{"m", sizes[0]}, {"n", sizes[1]}, {"k", sizes[2]}});
  }
}

void add_attention(Plan& plan, const ModelSpec& model) {
  const std::string family = model.mla ? "attention-mla" : "attention";
  const std::int64_t kv = model.mla ? model.heads : model.kv_heads;
  // All heads and a quarter of them, as tensor parallelism leaves them, and two sequences: a curve needs 14
  // points.
  for (const std::int64_t sequence :
       {std::int64_t{1024}, std::int64_t{2048}, std::int64_t{4096}, std::int64_t{8192}}) {
    for (const auto& [sequences, part] :
         {std::pair<std::int64_t, std::int64_t>{1, 1}, {1, 4}, {2, 1}, {2, 4}}) {
      // Forward by cuDNN and by the wgmma of Hopper as well as by mma.sync, which every device here has.
      for (const auto& [direction, name] : {std::pair{".forward", "own"},
                                            {".forward", "own wgmma"},
                                            {".forward", "cudnn"},
                                            {".backward", "own"}}) {
        plan.add({.op_class = family + direction,
                  .name = name,
                  .shape = {{"sequences", sequences},
                            {"heads", std::max<std::int64_t>(1, model.heads / part)},
                            {"kv_heads", std::max<std::int64_t>(1, kv / part)},
                            {"sequence", sequence},
                            {"qk_dim", model.qk_head_dim()},
                            {"v_dim", model.v_head_dim()}},
                  .dtype = "bf16"});
      }
    }
  }
  if (!model.mla) return;
  for (const char* dtype : {"bf16", "fp8-e4m3"}) {
    for (const std::int64_t cached : {std::int64_t{1024}, std::int64_t{4096}, std::int64_t{16384}}) {
      for (const std::int64_t sequences : {std::int64_t{16}, std::int64_t{64}, std::int64_t{128}}) {
        for (const char* name : {"own", "own wgmma"}) {
          plan.add(
              {.op_class = "attention-mla.decode",
               .name = name,
               .shape = {{"sequences", sequences}, {"heads", model.heads}, {"cached", cached}, {"page", 64}},
               .dtype = dtype});
        }
      }
    }
  }
}

void add_element_wise(Plan& plan, const ModelSpec& model, std::int64_t tokens) {
  struct Row {
    const char* kind;
    const char* name;
    std::int64_t width;
  };
  const std::int64_t ffn = model.moe ? model.moe->expert_ffn : model.ffn;
  const std::int64_t rope =
      model.mla ? model.mla->qk_rope_head_dim * model.heads : model.heads * model.head_dim;
  const std::array<Row, 7> rows{{{"norm", "rmsnorm", model.hidden},
                                 {"quantize", "quantise 1x128", model.hidden},
                                 {"quantize", "cast and transpose", model.hidden},
                                 {"activation", "swiglu", ffn},
                                 {"rotary", "rotary", rope},
                                 {"permute", "permute rows", model.hidden},
                                 {"copy", "residual add", model.hidden}}};
  for (const Row& row : rows) {
    for (const std::int64_t count : {tokens / 8, tokens, 8 * tokens}) {
      for (const bool cold : {false, true}) {
        plan.add({.op_class = "memory." + std::string(row.kind),
                  .name = "own " + std::string(row.name),
                  .shape = {{"rows", count}, {"width", row.width}},
                  .dtype = "bf16",
                  .cold_l2 = cold});
      }
    }
  }
}

void add_device(Plan& plan) {
  for (const char* name : {"read", "write", "copy"}) {
    for (const std::int64_t mib : {std::int64_t{256}, std::int64_t{1024}, std::int64_t{4096}}) {
      plan.add({.op_class = "bandwidth.hbm", .name = name, .shape = {{"bytes", mib << 20}}, .dtype = "bf16"});
    }
  }
  for (const std::int64_t mib : {std::int64_t{4}, std::int64_t{8}, std::int64_t{16}})
    plan.add({.op_class = "bandwidth.l2", .name = "read", .shape = {{"bytes", mib << 20}}, .dtype = "bf16"});
  for (const char* name : {"stream", "graph", "host call"})
    plan.add({.op_class = "launch", .name = name, .shape = {{"kernels", 100}}, .dtype = ""});
  for (const char* direction : {"copy.host-to-device", "copy.device-to-host"}) {
    for (const std::int64_t kib : {std::int64_t{64}, std::int64_t{16384}, std::int64_t{262144}})
      plan.add({.op_class = direction, .name = "pinned", .shape = {{"bytes", kib << 10}}, .dtype = ""});
  }
}

void add_exchange(Plan& plan, const ModelSpec& model, const PlanOptions& options) {
  if (model.moe) {
    for (const char* part : {"dispatch", "combine"}) {
      for (const std::int64_t sms : {std::int64_t{8}, std::int64_t{20}, std::int64_t{32}, std::int64_t{0}}) {
        plan.add({.op_class = part,
                  .name = "own local part",
                  .shape = {{"tokens", options.tokens},
                            {"hidden", model.hidden},
                            {"top_k", model.moe->top_k},
                            {"experts", model.moe->experts},
                            {"sms", sms}},  // 0: all
                  .dtype = "bf16"});
      }
    }
  }
  if (options.gpus < 2) return;
  // Two, four, ... and all GPUs of the node, since rates and latencies differ; nearly every power of two,
  // since the library changes its protocol somewhere (14 sizes show where).
  std::set<std::int64_t> counts{options.gpus};
  for (std::int64_t n = 2; n < options.gpus; n *= 2) counts.insert(n);
  for (const char* kind : {"all-to-all", "all-reduce", "all-gather", "reduce-scatter", "send-recv"}) {
    for (const std::int64_t gpus : counts) {
      if (std::string(kind) == "send-recv" && gpus > *counts.begin()) continue;
      for (int power = 12; power <= 29; ++power) {
        plan.add({.op_class = std::string("collective.") + kind,
                  .name = std::string(kind) == "all-to-all" ? "nccl send-recv" : "nccl",
                  .shape = {{"bytes", std::int64_t{1} << power}, {"gpus", gpus}},
                  .dtype = "bf16"});
      }
    }
  }
}

void add_contention(Plan& plan, const ModelSpec& model, std::int64_t tokens) {
  const std::vector<LinearShape> linear = linear_shapes(model);
  const Shape product{{"m", tokens}, {"n", linear.back().n}, {"k", linear.back().k}};
  const Shape attention{{"sequences", 1},
                        {"heads", model.heads},
                        {"kv_heads", model.mla ? model.heads : model.kv_heads},
                        {"sequence", tokens},
                        {"qk_dim", model.qk_head_dim()},
                        {"v_dim", model.v_head_dim()}};
  for (const int sms : {0, 4, 8, 16, 20, 24, 32}) {
    const auto beside = [&](const char* op_class, Shape shape, const std::string& name) {
      shape["sms"] = sms;
      // The same on the two parts of green contexts, which split SMs by eight.
      for (const char* way : {"", "green "}) {
        if (*way != 0 && (sms == 0 || sms % 8 != 0)) continue;
        plan.add({.op_class = op_class, .name = way + name, .shape = shape, .dtype = "bf16"});
      }
    };
    beside("contention.gemm.bf16", product, "cublaslt tn");
    beside(model.mla ? "contention.attention-mla.forward" : "contention.attention.forward", attention, "own");
    if (sms == 0) continue;
    Shape moved = product;
    moved["bytes"] = std::int64_t{1} << 28;  // by the communication kernel in one execution
    beside("contention.communication", moved, "alone");
    beside("contention.communication", moved, "beside gemm");
  }
}

void add_sustained(Plan& plan, const ModelSpec& model, std::int64_t tokens) {
  const std::vector<LinearShape> linear = linear_shapes(model);
  plan.product("gemm.", "tn", {{"m", tokens}, {"n", linear.back().n}, {"k", linear.back().k}}, true);
  plan.product("gemm.", "tn", {{"m", 8192}, {"n", 8192}, {"k", 8192}}, true);
  plan.add({.op_class = model.mla ? "attention-mla.forward" : "attention.forward",
            .name = "own",
            .shape = {{"sequences", 1},
                      {"heads", model.heads},
                      {"kv_heads", model.mla ? model.heads : model.kv_heads},
                      {"sequence", 4096},
                      {"qk_dim", model.qk_head_dim()},
                      {"v_dim", model.v_head_dim()}},
            .dtype = "bf16",
            .sustained = true});
  plan.add({.op_class = "bandwidth.hbm",
            .name = "copy",
            .shape = {{"bytes", std::int64_t{1} << 31}},
            .dtype = "bf16",
            .sustained = true});
  plan.add({.op_class = "memory.norm",
            .name = "own rmsnorm",
            .shape = {{"rows", 8 * tokens}, {"width", model.hidden}},
            .dtype = "bf16",
            .sustained = true});
}

}  // namespace

std::vector<LinearShape> linear_shapes(const ModelSpec& model, std::int64_t tp) {
  std::vector<LinearShape> out;
  const auto add = [&](std::int64_t n, std::int64_t k) {
    const LinearShape shape{n, k};
    if (std::find(out.begin(), out.end(), shape) == out.end()) out.push_back(shape);
  };
  const std::int64_t heads = std::max<std::int64_t>(1, model.heads / tp);
  if (model.mla) {
    const MlaShape& mla = *model.mla;
    if (mla.q_lora_rank > 0) add(mla.q_lora_rank, model.hidden);
    add(heads * model.qk_head_dim(), mla.q_lora_rank > 0 ? mla.q_lora_rank : model.hidden);
    add(mla.kv_lora_rank + mla.qk_rope_head_dim, model.hidden);
    add(heads * (mla.qk_nope_head_dim + mla.v_head_dim), mla.kv_lora_rank);
  } else {
    add((heads + 2 * std::max<std::int64_t>(1, model.kv_heads / tp)) * model.head_dim, model.hidden);
  }
  add(model.hidden, heads * model.v_head_dim());
  const std::int64_t inputs = model.feed_forward == FeedForwardKind::kGated ? 2 : 1;
  const auto feed_forward = [&](std::int64_t width) {
    if (width <= 0) return;
    add(inputs * width, model.hidden);
    add(model.hidden, width);
  };
  if (model.moe) feed_forward(model.moe->shared_ffn / tp);
  if (!model.moe || model.leading_dense_layers > 0 || !model.dense_layers.empty())
    feed_forward(model.ffn / tp);
  return out;
}

std::vector<LinearShape> expert_shapes(const ModelSpec& model) {
  if (!model.moe) return {};
  const std::int64_t inputs = model.feed_forward == FeedForwardKind::kGated ? 2 : 1;
  return {{inputs * model.moe->expert_ffn, model.hidden}, {model.hidden, model.moe->expert_ffn}};
}

std::vector<Case> standard_plan(const std::vector<ModelSpec>& models, const PlanOptions& options) {
  Plan plan;
  add_device(plan);
  for (std::size_t i = 0; i < models.size(); ++i) {
    const ModelSpec& model = models[i];
    add_products(plan, model, options.tokens);
    add_attention(plan, model);
    add_element_wise(plan, model, options.tokens);
    add_exchange(plan, model, options);
    if (i == 0) {  // once is enough: these do not depend on the model but need sizes
      add_contention(plan, model, options.tokens);
      add_sustained(plan, model, options.tokens);
    }
  }
  add_grid(plan, 24);
  return plan.in_turn();
}

Seconds estimated_time(const Case& what, double max_seconds, double sustained_seconds) {
  constexpr double kSetUp = 0.5;
  const Work work = work_of(what);
  // Slow enough for any GPU of the last ten years: 50 TFLOP/s and 500 GB/s, five executions at least.
  const double once = 1e-5 + work.flops / 5e13 + work.bytes / 5e11;
  return Seconds{kSetUp + std::min(max_seconds, 60 * once) + (what.sustained ? sustained_seconds : 0)};
}

}  // namespace orrery
