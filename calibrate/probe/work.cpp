#include "calibrate/probe/work.hpp"

#include <string>

namespace orrery {
namespace {

double d(const Case& c, std::string_view name) {
  return static_cast<double>(size_of(c.shape, name));
}

Work product(const Case& c, bool grouped, bool weight) {
  const double groups = grouped ? d(c, "groups") : 1;
  const double m = d(c, "m"), n = d(c, "n"), k = d(c, "k");
  const double out = groups * m * n * (weight ? 8 : 2);
  return {.flops = 2 * groups * m * n * k, .bytes = groups * (m * k + n * k) * bytes_of_dtype(c.dtype) + out};
}

Work attention(const Case& c, bool backward) {
  const double sequences = d(c, "sequences"), heads = d(c, "heads"), s = d(c, "sequence");
  const double width = d(c, "qk_dim") + d(c, "v_dim");
  const double forward = sequences * heads * width * s * s;
  // Query and output of every head, key and value of the heads that have their own; backward: the gradients,
  // too.
  const double bytes = sequences * s * (heads + d(c, "kv_heads")) * width * bytes_of_dtype(c.dtype);
  return {.flops = backward ? 2.5 * forward : forward, .bytes = backward ? 2 * bytes : bytes};
}

/// Absorbed decode: every head reads the one cached row of 512 + 64 per token (arXiv 2405.04434, 2.1.2).
Work decode(const Case& c) {
  const double rows = d(c, "sequences") * d(c, "cached");
  return {.flops = 2 * rows * d(c, "heads") * (576 + 512), .bytes = rows * 576 * bytes_of_dtype(c.dtype)};
}

/// Element-wise kernels; bf16 activations unless the kind says otherwise, FP8 with one FP32 scale per 128.
Work element_wise(const Case& c) {
  const double elements = d(c, "rows") * d(c, "width");
  constexpr double kScaledFp8 = 1 + 4.0 / 128;
  const std::string_view kind = std::string_view(c.op_class).substr(std::string_view("memory.").size());
  double per_element = 0;
  if (kind == "norm") per_element = 4;                   // read x, write y
  if (kind == "quantize") per_element = 2 + kScaledFp8;  // read bf16, write FP8 and scales
  if (kind == "activation") per_element = 6;  // read gate and up, write one; `width` is the result's
  if (kind == "rotary") per_element = 4;
  if (kind == "copy") per_element = 6;     // residual addition: two are read, one is written
  if (kind == "permute") per_element = 4;  // `rows` are the rows written; each is read once
  return {.bytes = elements * per_element};
}

Work collective(const Case& c) {
  const double bytes = d(c, "bytes"), gpus = d(c, "gpus");
  if (gpus < 2) return {};
  const double others = (gpus - 1) / gpus;
  const std::string_view kind = collective_of(c.op_class);
  if (kind == "all-reduce") return {.bytes = 2 * bytes * others};
  if (kind == "send-recv") return {.bytes = bytes};
  return {.bytes = bytes * others};
}

/// Local parts on one GPU. Dispatch reads bf16 rows once and writes an FP8 row with scales per chosen expert;
/// combine reads a bf16 row per chosen expert and writes their weighted sum.
Work exchange(const Case& c) {
  const double rows = d(c, "tokens") * d(c, "hidden"), copies = d(c, "top_k");
  if (c.op_class == "dispatch") return {.bytes = rows * (2 + copies * (1 + 4.0 / 128))};
  return {.bytes = rows * (2 * copies + 2)};
}

}  // namespace

std::string_view collective_of(std::string_view op_class) {
  constexpr std::string_view kPrefix = "collective.";
  if (!op_class.starts_with(kPrefix)) return {};
  op_class.remove_prefix(kPrefix.size());
  for (const std::string_view known :
       {"all-to-all", "all-reduce", "all-gather", "reduce-scatter", "send-recv"})
    if (op_class == known) return op_class;
  return {};
}

double bytes_of_dtype(std::string_view dtype) {
  if (dtype == "fp32" || dtype == "tf32") return 4;
  if (dtype == "bf16" || dtype == "fp16") return 2;
  if (dtype == "fp8-e4m3" || dtype == "fp8-e5m2" || dtype == "int8") return 1;
  return 0;
}

Work work_of(const Case& what) {
  const std::string& name = what.op_class;
  if (name.starts_with("contention.")) {
    Case beside = what;
    beside.op_class = name.substr(std::string_view("contention.").size());
    return work_of(beside);
  }
  if (name.starts_with("gemm.")) return product(what, false, false);
  if (name.starts_with("wgrad.")) return product(what, false, true);
  if (name.starts_with("grouped-gemm.")) return product(what, true, false);
  if (name.starts_with("grouped-wgrad.")) return product(what, true, true);
  if (name == "attention-mla.decode") return decode(what);
  if (name.starts_with("attention")) return attention(what, name.ends_with(".backward"));
  if (name.starts_with("memory.")) return element_wise(what);
  if (name.starts_with("bandwidth.") || name.starts_with("copy.") || name == "communication")
    return {.bytes = d(what, "bytes")};
  if (name == "dispatch" || name == "combine") return exchange(what);
  if (!collective_of(name).empty()) return collective(what);
  return {};
}

}  // namespace orrery
