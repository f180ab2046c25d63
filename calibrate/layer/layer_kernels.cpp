#include "calibrate/layer/layer_kernels.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "calibrate/probe/work.hpp"
#include "sim/base/check.hpp"
#include "sim/cost/compute_cost.hpp"
#include "sim/workload/stage_work.hpp"

namespace orrery {
namespace {

bool begins(std::string_view text, std::initializer_list<std::string_view> starts) {
  return std::any_of(starts.begin(), starts.end(), [&](std::string_view s) { return text.starts_with(s); });
}

/// How the memory-bound kernels of a layer are served. First match counts; `names` are beginnings of an op's
/// name, empty for any of the kind. `same` is false where the probe's kernel computes something else and only
/// moves as much.
struct MemoryRow {
  OpKind kind;
  std::initializer_list<std::string_view> names;
  const char* op_class;  ///< of the probe
  const char* kernel;
  std::int64_t row_step;
  bool same;
};
const MemoryRow kMemory[] = {
    {OpKind::kNorm,
     {"attention norm backward", "mlp norm backward", "kv norm backward", "q norm backward"},
     "memory.norm",
     "own rmsnorm",
     1,
     false},
    {OpKind::kNorm, {}, "memory.norm", "own rmsnorm", 1, true},
    {OpKind::kQuantize, {"cast and transpose"}, "memory.quantize", "own cast and transpose", 128, true},
    {OpKind::kQuantize,
     {"transpose", "retile", "requantise"},
     "memory.quantize",
     "own cast and transpose",
     128,
     false},
    {OpKind::kQuantize, {"pack", "unpack"}, "memory.quantize", "own quantise 1x128", 1, false},
    {OpKind::kQuantize, {}, "memory.quantize", "own quantise 1x128", 1, true},
    {OpKind::kPack, {}, "memory.quantize", "own quantise 1x128", 1, false},
    {OpKind::kActivation,
     {"activation backward", "experts activation backward", "shared activation backward", "combine weight"},
     "memory.activation",
     "own swiglu",
     1,
     false},
    {OpKind::kActivation, {}, "memory.activation", "own swiglu", 1, true},
    {OpKind::kRotary, {}, "memory.rotary", "own rotary", 1, true},
    {OpKind::kPermute, {"unpermute"}, "memory.permute", "own permute rows", 1, false},
    {OpKind::kPermute, {}, "memory.permute", "own permute rows", 1, true},
    {OpKind::kRouter, {}, "memory.copy", "own residual add", 1, false},
    {OpKind::kCopy, {}, "memory.copy", "own residual add", 1, true},
};

class Listing {
 public:
  Listing(const ModelSpec& model, const GpuProfile& gpu) : model_(model), gpu_(gpu) {}

  void add(const char* part, const Segment& segment) {
    for (const WorkItem& item : segment) {
      if (const auto* op = std::get_if<Op>(&item)) {
        add(part, *op);
      } else {
        add(part, std::get<CommOp>(item));
      }
    }
  }
  LayerKernels take() { return std::move(out_); }

 private:
  void add(const char* part, const Op& op) {
    LayerKernel kernel{.part = part, .op = op, .predicted_s = predicted(op), .cases = {}, .remark = {}};
    serve(op, kernel);
    out_.kernels.push_back(std::move(kernel));
  }

  /// What one GPU does of an expert all-to-all: rows are gathered or scattered. Of the profile's classes the
  /// moving of rows is the nearest.
  void add(const char* part, const CommOp& comm) {
    const bool combine = comm.kind == CommKind::kCombine;
    if (comm.axis != Axis::kEp || !model_.moe) {
      ++out_.left_out[comm.name];
      return;
    }
    const Case local{.op_class = combine ? "combine" : "dispatch",
                     .name = "own local part",
                     .shape = {{"tokens", std::int64_t{std::llround(comm.tokens)}},
                               {"hidden", model_.hidden},
                               {"top_k", model_.moe->top_k},
                               {"experts", model_.moe->experts},
                               {"sms", 0}},
                     .dtype = "bf16"};
    const Op op{.name = comm.name, .kind = OpKind::kPermute, .bytes = work_of(local).bytes};
    out_.kernels.push_back({.part = part,
                            .op = op,
                            .predicted_s = predicted(op),
                            .local_part = true,
                            .cases = {local},
                            .remark = "local part; predicted as memory.permute of its bytes"});
  }

  [[nodiscard]] double predicted(const Op& op) const {
    return op_cost(op, gpu_, std::llround(gpu_.sm_count.value)).alone.value;
  }

  void serve(const Op& op, LayerKernel& kernel) const {
    const std::string op_class = orrery::op_class(op);
    switch (op.kind) {
      case OpKind::kGemm:
      case OpKind::kGroupedGemm:
      case OpKind::kWeightGemm:
      case OpKind::kGroupedWeightGemm: serve_product(op, op_class, kernel); return;
      case OpKind::kAttentionForward:
      case OpKind::kAttentionBackward: serve_attention(op, op_class, kernel); return;
      default: serve_memory(op, kernel); return;
    }
  }

  void serve_product(const Op& op, const std::string& op_class, LayerKernel& kernel) const {
    const bool fp8 = is_fp8(op.precision);
    const bool weight = op.kind == OpKind::kWeightGemm || op.kind == OpKind::kGroupedWeightGemm;
    const bool grouped = op.kind == OpKind::kGroupedGemm || op.kind == OpKind::kGroupedWeightGemm;
    const bool input_grad = std::string_view(op.name).ends_with("input grad");
    // As the standard plan names them: FP8 takes both operands along the reduction.
    const char* layout = fp8 ? "tn" : weight ? "nt" : input_grad ? "nn" : "tn";
    Case what{.op_class = op_class,
              .name = std::string("cublaslt ") + layout,
              .shape = {{"m", op.m}, {"n", op.n}, {"k", op.k}},
              .dtype = fp8 ? "fp8-e4m3" : "bf16"};
    if (grouped) what.shape["groups"] = op.groups;
    kernel.cases.push_back(what);
    if (op.precision == Precision::kFp8Block && !(grouped && weight)) {
      what.name = "own mma.sync";
      kernel.cases.push_back(what);
    }
  }

  void serve_attention(const Op& op, const std::string& op_class, LayerKernel& kernel) const {
    Case what{.op_class = op_class,
              .name = "own",
              .shape = {{"sequences", 1},
                        {"heads", model_.heads},
                        {"kv_heads", model_.mla ? model_.heads : model_.kv_heads},
                        {"sequence", op.sequence},
                        {"qk_dim", model_.qk_head_dim()},
                        {"v_dim", model_.v_head_dim()}},
              .dtype = "bf16"};
    kernel.cases.push_back(what);
    if (op.kind == OpKind::kAttentionBackward) return;
    for (const char* other : {"own wgmma", "cudnn"}) {
      what.name = other;
      kernel.cases.push_back(what);
    }
  }

  static void serve_memory(const Op& op, LayerKernel& kernel) {
    kernel.repeats = static_cast<int>(std::max<std::int64_t>(1, op.kernels));
    for (const MemoryRow& row : kMemory) {
      if (row.kind != op.kind || (row.names.size() > 0 && !begins(op.name, row.names))) continue;
      kernel.cases = {memory_case(row.op_class, row.kernel, op.bytes / kernel.repeats, row.row_step)};
      kernel.remark = row.same ? "" : "another kernel that moves the same bytes";
      return;
    }
  }

  const ModelSpec& model_;
  const GpuProfile& gpu_;
  LayerKernels out_;
};

}  // namespace

Case memory_case(const std::string& op_class, const std::string& name, double bytes, std::int64_t row_step) {
  Case best;
  double nearest = -1;
  // The widest rows that come near the bytes: kernels are written for rows of a hidden size.
  for (const std::int64_t width : {std::int64_t{7168}, std::int64_t{4096}, std::int64_t{2048},
                                   std::int64_t{1024}, std::int64_t{512}, std::int64_t{128}}) {
    Case what{.op_class = op_class, .name = name, .shape = {{"rows", 1}, {"width", width}}, .dtype = "bf16"};
    const double of_row = work_of(what).bytes;
    const std::int64_t least = std::max<std::int64_t>(2, row_step);
    const auto steps = std::llround(bytes / (of_row * static_cast<double>(row_step)));
    const std::int64_t rows = std::max<std::int64_t>(least, steps * row_step);
    what.shape["rows"] = rows;
    const double off = std::abs(static_cast<double>(rows) * of_row - bytes);
    if (nearest >= 0 && off > nearest - 1e-3 * bytes) continue;  // narrower rows for a gain of 0.1 % or more
    nearest = off;
    best = std::move(what);
  }
  return best;
}

LayerKernels layer_kernels(const ModelSpec& model, const LayerOptions& options, const GpuProfile& gpu) {
  Layout layout;
  layout.ep = model.moe ? options.ep : 1;
  if (model.moe && (options.ep < 1 || model.moe->experts % options.ep != 0))
    throw InputError("--ep",
                     fmt::format("found {}, expected a number that divides the {} experts of the model",
                                 options.ep, model.moe->experts));
  layout.recompute = make_recompute({options.recompute}, "--recompute");
  Training training;
  training.sequence_length = options.sequence;
  training.precision = options.precision;
  ModelSpec shape = model;
  shape.sliding_window = 0;  // no kernel of the probe knows windows: a layer with full attention
  const Workload workload = make_units({.model = shape, .layout = layout, .training = training});
  const LayerWork& work =
      workload.units[unit_of(workload, model.moe ? UnitKind::kMoe : UnitKind::kDense)].work;
  Listing listing(model, gpu);
  listing.add("attention forward", work.attention_f);
  listing.add("dispatch forward", work.dispatch_f);
  listing.add("feed-forward forward", work.mlp_f);
  listing.add("combine forward", work.combine_f);
  listing.add("recomputation", work.recompute);
  listing.add("combine backward", work.combine_b);
  listing.add("feed-forward backward", work.mlp_b);
  listing.add("dispatch backward", work.dispatch_b);
  listing.add("attention backward", work.attention_b);
  listing.add("feed-forward weights", work.mlp_w);
  listing.add("attention weights", work.attention_w);
  return listing.take();
}

}  // namespace orrery
