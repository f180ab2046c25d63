#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "calibrate/probe/sample.hpp"
#include "sim/hw/gpu_profile.hpp"
#include "sim/layout/layout.hpp"
#include "sim/model/model_spec.hpp"
#include "sim/workload/op.hpp"

/// One layer forward and backward, as the simulator's workload lists its kernels, beside the kernels of the
/// probe that stand for them.
namespace orrery {

struct LayerOptions {
  std::int64_t sequence = 4096;  ///< tokens of a microbatch of one sequence
  std::int64_t ep = 64;          ///< expert parallel: a GPU holds experts / ep of them
  Precision precision = Precision::kFp8Block;
  std::string recompute = "deepseek-v3";  ///< as in a scenario
};

struct LayerKernel {
  std::string part;        ///< "attention forward", "experts backward", ...
  Op op;                   ///< as the simulator has it; of a local part: its bytes as an op of memory.permute
  double predicted_s = 0;  ///< all `op.kernels` of it, on all SMs, with the clocks of long runs
  bool local_part = false;  ///< of dispatch or combine: no curve of a GPU's profile is of it
  /// Cases that can stand for one of the equal kernels, each by another kernel of the probe; empty: none.
  std::vector<Case> cases;
  int repeats = 1;     ///< equal kernels
  std::string remark;  ///< "moves the same bytes": the probe has no kernel that computes this
};

struct LayerKernels {
  std::vector<LayerKernel> kernels;  ///< forward, then backward with the weight gradients, in running order
  /// Communications that a single GPU has nothing of (data-parallel traffic), by name.
  std::map<std::string, int> left_out;
};

/// The layer of `model` with experts, or, when it has none, its dense layer, from sim/workload's
/// `make_units`; nothing of it is written down here. Durations are `op_cost` on all SMs of `gpu`. Products
/// and attention become cases of the same sizes, memory-bound kernels cases of the same class that move the
/// same bytes (up to the rounding of rows, 1 % at most for a kernel of a megabyte and more). InputError when
/// `gpu` has no curve for a class, or ep does not divide the experts.
[[nodiscard]] LayerKernels layer_kernels(const ModelSpec& model, const LayerOptions& options,
                                         const GpuProfile& gpu);

/// A memory-bound case of `op_class` for a kernel that moves `bytes`: rows and width of the probe's kernel
/// `name`, rows a multiple of `row_step`.
[[nodiscard]] Case memory_case(const std::string& op_class, const std::string& name, double bytes,
                               std::int64_t row_step);

}  // namespace orrery
