#pragma once

#include <string>
#include <string_view>

#include "calibrate/import/imported.hpp"

namespace orrery {

/// What kernels of a known program are called: JSON `orrery.kernel-names/1` (docs/formats/samples.md).
struct KernelName {
  std::string phase;            ///< annotation around the launch, "" for any
  std::string kernel;           ///< part of the kernel's name
  std::int64_t occurrence = 0;  ///< which launch of that kernel inside one instance of the phase; 0: every
  std::string name, op_class, dtype;
  Shape shape;
};
struct KernelNames {
  std::string place;               ///< file
  std::vector<std::string> needs;  ///< parts of kernel names that a trace must have for these names to apply
  std::vector<KernelName> names;
};
[[nodiscard]] KernelNames parse_kernel_names(std::string_view text, const std::string& place);

/// Kineto traces (PyTorch profiler, Chrome trace format): device activities (kernel, gpu_memcpy, gpu_memset)
/// grouped into operators. A kernel launched inside an annotation (record_function, ProfilerStep aside)
/// belongs to that phase, and the n-th launch of a kernel inside one instance of a phase is the same operator
/// as the n-th in any other instance; without annotations kernels are grouped by name, grid, block and
/// stream. `names`, where it applies, gives operators their name, class and shape. Shapes recorded by
/// the profiler (`Input Dims` of aten::mm, addmm, bmm) give a product its class.
/// InputError: no JSON, no list `traceEvents`, no device activity, a duration that is negative or no number.
[[nodiscard]] Imported import_kineto(std::string_view text, const std::string& place,
                                     const std::vector<KernelNames>& names);

}  // namespace orrery
