#include "sim/cost/compute_cost.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/base/check.hpp"
#include "sim/base/suggest.hpp"
#include "sim/power/power_model.hpp"

namespace orrery {
namespace {

/// Share of the nominal memory rate that streaming kernels reach.
constexpr double kStreamShare = 0.9;

const OperatorCurve& curve_of(const std::string& name, const GpuProfile& gpu) {
  if (const OperatorCurve* curve = gpu.find(name)) return *curve;
  std::vector<std::string> known;
  for (const OperatorCurve& curve : gpu.operators) known.push_back(curve.op_class);
  throw InputError(
      "gpu profile " + gpu.name,
      fmt::format("has no curve for operator class '{}' that this run needs; it has {}{}. Add the curve (see "
                  "docs/formats/hwprofile.md) or choose another precision",
                  name, join(known), did_you_mean(name, known)));
}

double sm_share(const OperatorCurve& c, double sms) {
  return std::pow(sms / static_cast<double>(c.sm_count), c.sm_exponent);
}

double gemm_time(const Op& op, const OperatorCurve& c, std::int64_t sms) {
  const double per_sm = c.flops_per_s / static_cast<double>(c.sm_count);
  double best = std::numeric_limits<double>::infinity();
  for (const std::vector<double>& tile : c.tiles) {
    const double tiles = static_cast<double>(op.groups) * std::ceil(static_cast<double>(op.m) / tile[0]) *
                         std::ceil(static_cast<double>(op.n) / tile[1]);
    const double waves = std::ceil(tiles / static_cast<double>(sms));
    best = std::min(best, waves * 2.0 * tile[0] * tile[1] * static_cast<double>(op.k) / per_sm);
  }
  const double share = std::min(1.0, static_cast<double>(sms) / static_cast<double>(c.sm_count));
  const double epilogue = op.output_bytes / (c.output_bytes_per_s * share);
  return best + epilogue;
}

double bandwidth_time(const Op& op, const OperatorCurve& c, std::int64_t sms) {
  const double share = std::min(1.0, sm_share(c, static_cast<double>(sms)));
  return op.bytes / (c.bytes_per_s * share);
}

/// With a window the rate is that of the whole sequence whose queries see as many keys in the mean.
double sequence_time(const Op& op, const OperatorCurve& c, std::int64_t sms) {
  const double length = static_cast<double>(op.sequence) * window_share(op.sequence, op.window);
  return op.flops / (c.flops_per_s_by_sequence.at(length) * sm_share(c, static_cast<double>(sms)));
}

/// Bytes of one element of a product's operands.
double operand_bytes(Precision precision) {
  return precision == Precision::kBf16 || precision == Precision::kFp16 ? 2 : 1;
}

double gemm_kernel_time(const Op& op, const OperatorCurve& c, std::int64_t sms) {
  const GemmSize size{.groups = static_cast<double>(op.groups),
                      .m = static_cast<double>(op.m),
                      .n = static_cast<double>(op.n),
                      .k = static_cast<double>(op.k),
                      .operand_bytes = operand_bytes(op.precision),
                      .result_bytes = written_bytes(op.output_bytes /
                                                    (static_cast<double>(op.groups) *
                                                     static_cast<double>(op.m) * static_cast<double>(op.n))),
                      .busy_s = kSustainedSeconds};
  return gemm_kernel_seconds(c.gemm_kernel, size, op.bytes / c.gemm_kernel.memory_bytes_per_s,
                             static_cast<double>(sms), static_cast<double>(c.sm_count));
}

/// FLOPs of one query with one key are twice this: query plus value width (256, latent 320), 2.5 times that
/// in a backward.
double pair_width(const Op& op) {
  return (op.mla ? 320.0 : 256.0) * (op.kind == OpKind::kAttentionBackward ? 2.5 : 1.0);
}

/// Batch x heads, from the FLOPs: 2 heads width seq^2 / 2, of which a window leaves its share.
double attention_heads(const Op& op) {
  const auto sequence = static_cast<double>(op.sequence);
  return op.flops / (pair_width(op) * sequence * sequence * window_share(op.sequence, op.window));
}

double attention_kernel_time(const Op& op, const OperatorCurve& c, std::int64_t sms) {
  const AttentionSize size{.heads = attention_heads(op),
                           .sequence = static_cast<double>(op.sequence),
                           .flops_per_pair = 2 * pair_width(op),
                           .window = static_cast<double>(op.window)};
  return attention_kernel_seconds(c.attention_kernel, size, op.bytes / c.attention_kernel.memory_bytes_per_s,
                                  static_cast<double>(sms), static_cast<double>(c.sm_count));
}

/// What the equations of the class's curve miss at the sizes of this kernel.
double correction_of(const Op& op, const OperatorCurve& c) {
  if (c.correction.empty()) return 1;
  if (c.form == CurveForm::kGemmKernel) {
    const double sizes[] = {static_cast<double>(op.m), static_cast<double>(op.n), static_cast<double>(op.k)};
    return c.correction.factor(sizes);
  }
  const double sizes[] = {attention_heads(op), static_cast<double>(op.sequence)};
  return c.correction.factor(sizes);
}

/// How much longer a kernel of `seconds` takes under a cap that the owner has set below the board's: the
/// energy above the floor has to pass through what the cap leaves, where it passed through the board's
/// before.
double cap_factor(const Op& op, const PowerFigures& p, double seconds) {
  if (p.board_cap_w <= 0 || seconds <= 0) return 1;
  const double floor = p.communication_floor_w.value;
  const double above =
      joules(
          {.flops = op.flops, .fp8 = op_class(op).find("fp8") != std::string::npos, .memory_bytes = op.bytes},
          p) +
      (p.kernel_w ? p.kernel_w->value * seconds : 0.0);
  const double before = std::max(seconds, above / (p.board_cap_w - floor));
  return std::max(1.0, above / (p.cap_w.value - floor) / before);
}

}  // namespace

OpCost op_cost(const Op& op, const GpuProfile& gpu, std::int64_t sms) {
  SIM_CHECK(sms >= 1, "compute needs at least one SM");
  if (op.repeats > 1) {
    const auto times = static_cast<double>(op.repeats);
    Op one = op;
    one.repeats = 1;
    one.flops /= times;
    one.bytes /= times;
    one.output_bytes /= times;
    OpCost cost = op_cost(one, gpu, sms);
    cost.alone = cost.alone * times;
    return cost;
  }
  const std::string name = op_class(op);
  const OperatorCurve& c = curve_of(name, gpu);
  OpCost cost;
  cost.beside_communication = gpu.contention_factor(name);
  double time = 0;
  switch (c.form) {
    case CurveForm::kGemmTile: time = gemm_time(op, c, sms); break;
    case CurveForm::kBandwidth: time = bandwidth_time(op, c, sms); break;
    case CurveForm::kSequence: time = sequence_time(op, c, sms); break;
    case CurveForm::kGemmKernel: time = gemm_kernel_time(op, c, sms); break;
    case CurveForm::kAttentionKernel: time = attention_kernel_time(op, c, sms); break;
  }
  const double correction = correction_of(op, c);
  time *= correction;
  if (c.beside_communication) time /= cost.beside_communication;
  // What the profile's points did not show: no kernel streams faster than the memory.
  if (c.form != CurveForm::kBandwidth)
    time = std::max(time, op.bytes / (kStreamShare * gpu.hbm_bytes_per_s.value));
  time *= cap_factor(op, gpu.power, time);
  cost.alone = Seconds{time + static_cast<double>(op.kernels) * c.overhead_s * correction};
  SIM_CHECK(std::isfinite(cost.alone.value) && cost.alone.value >= 0, "op time is not a number");
  return cost;
}

}  // namespace orrery
