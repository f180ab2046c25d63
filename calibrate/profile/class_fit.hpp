#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "calibrate/fit/kernel_models.hpp"
#include "calibrate/probe/sample.hpp"
#include "sim/hw/gpu_profile.hpp"

namespace orrery {

/// Name of the rows of a table of latent attention (calibrate/import/measured_table.cpp): their times hold
/// the kernel that writes the latent cache.
inline constexpr const char* kLatentTable = "latent attention";

/// The points of one operator class (and, for collectives, one number of GPUs) ready to be fitted.
struct ClassPoints {
  std::string op_class;  ///< of a profile; "power.<precision>" for board power of products
  std::int64_t gpus = 0;
  std::vector<Observation> points;
  bool quantise_inside = false;
  bool cache_pass = false;  ///< times of latent attention that hold the kernel writing the cache
  double weight_copies = 0;
  bool sustained = false;
  std::string source, date;  ///< of the first file that has the class, where it says them
};

/// Samples sorted into classes, in the order of their names. What no model covers is counted in `unused`.
/// Median seconds of each outcome count; outcomes that failed are unused. Where a class has burst and
/// sustained samples they become two entries; sustained ones with watts also become "power.<precision>".
struct SortedSamples {
  std::vector<ClassPoints> classes;
  std::map<std::string, std::int64_t> unused;
};
[[nodiscard]] SortedSamples sort_samples(std::span<const SampleFile> files);

/// Sizes and median seconds of a case as the models see them; empty: no model has the class, or sizes are
/// missing.
[[nodiscard]] std::optional<Observation> observe(const Case& what, const Samples& samples);

/// Distinct GPUs out of n that hold top_k distinct random experts out of `experts`, the same number on each:
///   n (1 - C(experts - experts/n, top_k) / C(experts, top_k))
/// and for unknown `experts` (fewer than n) as for very many. As sim/workload/routing.cpp counts them.
[[nodiscard]] double exchange_targets(double n, double top_k, double experts);

/// What the models need to know of a device. InputError when its profile has no peak for the class.
[[nodiscard]] DeviceFacts device_facts(const GpuProfile& gpu, const std::string& op_class);

struct ClassFit {
  ClassPoints data = {};
  FitModel model = {};
  ModelFit fit = {};
  std::string clocks = {};  ///< the profile that the clocks of long runs were taken from; empty: fitted
};

/// `tile_rows`: query rows of a block of attention.
[[nodiscard]] FitModel model_of(const ClassPoints& data, const GpuProfile& gpu, double tile_rows = 128);
/// `clocks`: products take `throttle` and `throttle_after_s` from its curve of the class, for samples too
/// short to show them; null, or no such curve: they are fitted. Attention is fitted with blocks of 128 and of
/// 256 query rows, and the form that describes all points at the lower cost counts.
[[nodiscard]] ClassFit fit_class(const ClassPoints& data, const GpuProfile& gpu,
                                 const ModelFitOptions& options, const GpuProfile* clocks = nullptr);

}  // namespace orrery
