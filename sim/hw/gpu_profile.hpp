#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/curve.hpp"
#include "sim/hw/kernel_time.hpp"
#include "sim/hw/shape_correction.hpp"
#include "sim/hw/sourced.hpp"

namespace orrery {

/// How an operator class's time is computed from shape and traffic. Equations: docs/models/compute.md.
enum class CurveForm {
  kGemmTile,         ///< waves of output tiles at a rate per SM, plus output traffic, plus overhead
  kBandwidth,        ///< bytes / rate + overhead
  kSequence,         ///< flops / rate(sequence length) + overhead
  kGemmKernel,       ///< the best of several tiles and splits, overlapped with memory (kernel_time.hpp)
  kAttentionKernel,  ///< blocks of query rows over the SMs, overlapped with memory (kernel_time.hpp)
};

/// One operator class of one device: the parameters of its form, where they come from and how well they fit.
struct OperatorCurve {
  std::string op_class;  ///< e.g. "gemm.fp8-block", see docs/formats/hwprofile.md
  CurveForm form = CurveForm::kBandwidth;
  std::int64_t sm_count = 0;          ///< SMs the kernels had when measured
  bool beside_communication = false;  ///< measured while communication kernels ran on the other SMs

  // kGemmTile
  double flops_per_s = 0;                  ///< of the `sm_count` SMs together, all busy with full tiles
  double output_bytes_per_s = 0;           ///< rate of the epilogue traffic that is not hidden
  std::vector<std::vector<double>> tiles;  ///< (rows, columns) of the output tiles a kernel may choose
  // kBandwidth
  double bytes_per_s = 0;
  // kSequence
  Curve flops_per_s_by_sequence;
  GemmKernelCurve gemm_kernel;            ///< kGemmKernel
  AttentionKernelCurve attention_kernel;  ///< kAttentionKernel
  ShapeCorrection correction;  ///< of these two forms, on all of a kernel's seconds, its overhead included
  // all
  double overhead_s = 0;   ///< fixed cost of one kernel (its gap to the next included)
  double sm_exponent = 1;  ///< time grows as (sm_count / SMs left)^sm_exponent

  std::string kernels;  ///< whose they are, e.g. "DeepGEMM"; empty: not recorded beyond the source
  Origin origin = Origin::kAssumed;
  std::string source;
  std::string date;
  std::string note;
  std::optional<double> median_error;  ///< relative, of the fit against its points
  std::optional<double> p90_error;
  std::int64_t points = 0;
};

/// How much slower a class of kernels runs while communication kernels run on the SMs set apart for them
/// (beyond the loss of those SMs), and the other way round.
struct Contention {
  std::string op_class;  ///< prefix of operator classes, or "communication.<operation>"
  Sourced slowdown;      ///< factor >= 1
};

struct PowerFigures {
  Sourced idle_w;
  Sourced cap_w;
  double board_cap_w = 0;         ///< the board's own limit where its owner has set `cap_w` below it; else 0
  Sourced communication_floor_w;  ///< board power while only waiting or issuing small kernels
  std::optional<Sourced>
      kernel_w;  ///< above the floor while a compute kernel fills the SMs, whatever it does
  std::map<std::string, Sourced> joules_per_flop;    ///< by precision: "bf16", "fp8"
  Sourced joules_per_byte;                           ///< of device memory traffic
  std::optional<Sourced> scale_up_joules_per_byte;   ///< through NVLink
  std::optional<Sourced> scale_out_joules_per_byte;  ///< through the NIC, above its constant draw
};

/// A GPU. Loaded from hwprofiles/gpu/<name>.json (schema orrery.gpu/1).
struct GpuProfile {
  std::string name;
  std::string device;
  Sourced sm_count;
  Sourced memory_bytes;  ///< visible to programs
  Sourced hbm_bytes_per_s;
  std::optional<Sourced> l2_bytes;                  ///< last-level cache; calibration asks for it
  std::map<std::string, Sourced> peak_flops_per_s;  ///< dense: "bf16", "fp8", "fp16", "tf32"
  Sourced launch_s;                                 ///< gap between two dependent kernels of one stream
  Sourced host_launch_s;                            ///< time the host needs to enqueue one kernel
  PowerFigures power;
  std::vector<OperatorCurve> operators;
  std::vector<Contention> contention;

  /// The curve of a class, null when the profile has none. A GPU with a peak for "mxfp8" runs MXFP8 at the
  /// rates of block FP8 where it has no curve of its own: the same tensor cores, scales along the reduction.
  [[nodiscard]] const OperatorCurve* find(const std::string& op_class) const;
  /// Factor for the longest entry that is a prefix of `op_class`; 1 when there is none.
  [[nodiscard]] double contention_factor(const std::string& op_class) const;
};

[[nodiscard]] GpuProfile load_gpu_profile(const std::filesystem::path& path);
[[nodiscard]] std::string to_json_text(const GpuProfile& profile);

}  // namespace orrery
