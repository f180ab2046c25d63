#pragma once

#include <cstdint>
#include <vector>

/// Times of compute kernels from their shape: the equations of the forms `gemm-kernel` and
/// `attention-kernel` of a GPU profile. They stand here because the simulator evaluates them and
/// calibration fits their parameters; docs/models/compute.md has the derivation and the known errors.
namespace orrery {

/// Parameters of matrix products on one device.
///
/// A kernel is a choice of output tile (a x b) and of s parts along the reduction; it runs
/// C = G ceil(M/a) ceil(N/b) s blocks (CTAs) on S SMs. One block takes
///     block = cta_s + min(M,a) min(N,b) / sm_outputs_per_s x bytes of a result / 2
///             + ceil64(K/s) max(2 a b / (R e / S0), operand (min(M,a) + min(N,b)) / sm_bytes_per_s)
/// and C of them block (q ceil(C/S) + (1 - q) max(1, C/S)), q = wave_share: 1 is a kernel whose last wave
/// costs as much as a full one, 0 a perfectly balanced one. Compute and memory overlap,
///     T = (compute^p + memory^p)^(1/p) [+ split_s + 4 M N s / split_bytes_per_s  for s > 1],
/// times 1 + throttle share B/(B + throttle_after_s), share = compute^p / (compute^p + memory^p): clocks that
/// sink under the power cap after B seconds of work like this (T itself where a burst is timed),
/// and the kernel with the smallest T counts, as a library's heuristic picks it. s is 1, 2, 4, ... 32 with
/// K/s >= 128; grouped products (G > 1) are not split.
struct GemmKernelCurve {
  double flops_per_s = 0;       ///< R: of all `sm_count` SMs with the best tile
  double sm_bytes_per_s = 0;    ///< operands that one SM takes in
  double cta_s = 0;             ///< start and end of one block
  double sm_outputs_per_s = 0;  ///< BF16 results that one SM writes at the end of a block; 0: inside cta_s
  double split_s = 0;
  double split_bytes_per_s = 0;
  double memory_bytes_per_s = 0;           ///< device memory, as products reach it
  double overlap = 2;                      ///< p >= 0.5
  double wave_share = 0;                   ///< q, 0 to 1
  double throttle = 0;                     ///< share of time that sustained work loses to lower clocks
  double throttle_after_s = 1;             ///< > 0
  std::vector<std::vector<double>> tiles;  ///< (a, b, e): rows, columns, share of R that the tile reaches
};

/// B of a training step, which keeps a device busy for seconds: the longest kernels that bursts were timed
/// with.
inline constexpr double kSustainedSeconds = 0.02;

/// Bytes that a block writes at its end for each element of C, of which `moved` go through memory: half of
/// them where a sum is read and written (8 for an FP32 gradient: 4), since what is read comes in beside the
/// reduction or is added up in the cache.
[[nodiscard]] inline double written_bytes(double moved) {
  return moved > 2 ? moved / 2 : moved;
}

struct GemmSize {
  double groups = 1, m = 0, n = 0, k = 0;
  double operand_bytes = 2;  ///< per element of A and B
  double result_bytes = 2;   ///< written per element of C (`written_bytes`)
  double busy_s = 0;         ///< B; 0: this kernel alone
  double step_delay_s = 0;   ///< added to the slowest block for each element of the reduction; fits only
};

/// Seconds without launch. `memory_s`: seconds that the traffic takes alone; `sms`: S; `sm_count`: S0.
[[nodiscard]] double gemm_kernel_seconds(const GemmKernelCurve& curve, const GemmSize& size, double memory_s,
                                         double sms, double sm_count);

/// Parameters of causal attention (FlashAttention: a block takes `t` query rows and walks the keys).
///
/// With H = batch x heads, n = ceil(sequence / t) blocks per head and F FLOPs per pair of query and key,
///     pair tile  A = F t 128 / (R e / S0)       e = 1 for t = tile_rows, small_tile_efficiency for half
///     longest    L = A n t/128 + block_s
///     all        W = H (A t/128 n (n+1)/2 + block_s n) / S
///     compute    max(L, W + tail L max(0, 1 - S/(H n)))
///     T          (compute^p + memory^p)^(1/p)
/// for t = tile_rows and half of it, the smaller counts. With a window of w a block walks at most the steps
/// of 128 keys that reach back from its first row, and its own rows: r = 1 + ceil((w - 1) / 128) 128 / t
/// times t keys, so n is min(n, r) in L and n (n + 1) / 2 in W is m (m + 1) / 2 + (n - m) r with m = min(n,
/// floor r). The tail is the wait for blocks that were started late. Kernels of Ampere and Hopper give a
/// block 128 rows, those of Blackwell two tiles of 128 that take turns (FlashAttention,
/// flash_attn/cute/flash_fwd_sm100.py @001e273); the tables show steps at as many blocks as SMs for 256 rows
/// there.
struct AttentionKernelCurve {
  double flops_per_s = 0;            ///< R: of all `sm_count` SMs on full tiles, causal FLOPs
  double block_s = 0;                ///< start and end of one block
  double tail = 0;                   ///< 0 to 1
  double small_tile_efficiency = 1;  ///< 0 to 1
  double tile_rows = 128;            ///< query rows of a block
  double memory_bytes_per_s = 0;
  double overlap = 1;  ///< p >= 0.5
};

struct AttentionSize {
  double heads = 0;           ///< batch x heads
  double sequence = 0;        ///< tokens of one sequence
  double flops_per_pair = 0;  ///< of one query with one key: 2 (query width + value width) forward
  double window = 0;          ///< w: keys a query sees at most, its own included; 0: all before it
};

/// Seconds without launch; arguments as for products.
[[nodiscard]] double attention_kernel_seconds(const AttentionKernelCurve& curve, const AttentionSize& size,
                                              double memory_s, double sms, double sm_count);

}  // namespace orrery
