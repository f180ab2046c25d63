#pragma once

#include "calibrate/fit/model_fit.hpp"
#include "sim/hw/comm_curves.hpp"
#include "sim/hw/kernel_time.hpp"

/// The models that are fitted, one function each. Equations: docs/calibration.md; those of products and
/// attention are shared with the simulator (sim/hw/kernel_time.hpp).
namespace orrery {

/// What is known of a device before anything is fitted.
struct DeviceFacts {
  double sm_count = 0;
  double cache_bytes = 0;         ///< L2
  double memory_bytes_per_s = 0;  ///< nominal
  double peak_flops_per_s = 0;    ///< dense, at the precision of the class
};

struct GemmModelOptions {
  double operand_bytes = 2;
  bool quantise_inside = false;  ///< times hold a pass that quantises the activation
  /// Activations carry a scale for every row: kernels lose time on a tile that rows do not fill.
  /// Then large shapes count more, too: see `training_weight`.
  bool row_scales = false;
  double weight_copies = 5;  ///< distinct weights cycled through, to defeat the cache; 0: memory is cold
};

/// Matrix products: launch + gemm_kernel_seconds, memory time with the share that a cache of
/// `cache_share` x L2 serves. With `row_scales` and 65 to 1,024 rows, `unfilled_s` for each element of the
/// reduction and tile of 128 rows that is empty, times the load of the blocks that fetch such rows
/// (`unfilled_load` in gemm_model.cpp). It stays out of the curve: it is taken as a trait of the kernels in
/// the tables, which no other kernel was compared with.
[[nodiscard]] FitModel gemm_model(const DeviceFacts& device, const GemmModelOptions& options);
/// The curve in a fit of `gemm_model`.
[[nodiscard]] GemmKernelCurve gemm_curve(std::span<const double> values);

struct AttentionModelOptions {
  double tile_rows = 128;   ///< of a block; the forms of 128 and 256 are compared by cost
  bool cache_pass = false;  ///< times hold a kernel that writes `pass_bytes`
};

/// Attention: launch + attention_kernel_seconds [+ pass_bytes / pass_bytes_per_s]. The pass stays out of the
/// curve: training keeps no cache.
[[nodiscard]] FitModel attention_model(const DeviceFacts& device, const AttentionModelOptions& options = {});
[[nodiscard]] AttentionKernelCurve attention_curve(std::span<const double> values);

/// Memory-bound kernels: launch + bytes / rate with a ramp, t = launch + ((bytes/rate)^p + ramp^p)^(1/p) -
/// ramp.
[[nodiscard]] FitModel bandwidth_model(const DeviceFacts& device);

/// A collective of one kind and number of GPUs, by the bytes one GPU sends: one protocol for small messages
/// and one from `switch_bytes` on (sim/hw/comm_curves.hpp). All places between two measured sizes are tried
/// for the switch, and none at all. With fewer than 14 sizes there is one protocol.
[[nodiscard]] FitModel collective_model(std::span<const Observation> points);
[[nodiscard]] std::vector<CollectiveProtocol> collective_protocols(std::span<const double> values);

/// Board power of products: floor + FLOP/s J/FLOP + B/s J/B, compared with watts. The floor is the board's
/// power while it issues small kernels and what any kernel that fills the SMs adds, joules per byte are those
/// of streaming kernels; products cannot tell either apart, so both are given. There is no cap in it: a
/// product at the cap runs with the clocks that make the sum equal the cap, so its rate belongs to these
/// watts.
[[nodiscard]] FitModel power_model(double floor_w, double joules_per_byte);

/// A layer of experts on one rank with balanced routing (routing, expand, products, activation, reduce):
///   overhead + two grouped products + (rows (6 hidden + 2 (width of the first product + intermediate)))/move
///   + router_s_per_score tokens experts,  rows = tokens top_k local_experts / experts.
[[nodiscard]] FitModel expert_model(const DeviceFacts& device, double operand_bytes);
/// The grouped products in a fit of `expert_model`.
[[nodiscard]] GemmKernelCurve expert_curve(std::span<const double> values);

/// Expert all-to-all inside a node on `m` SMs (`exchange_seconds`).
[[nodiscard]] FitModel exchange_model(double largest_rate);
[[nodiscard]] ExchangeCurve exchange_curve(std::span<const double> values);

}  // namespace orrery
