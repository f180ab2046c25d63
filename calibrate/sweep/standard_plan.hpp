#pragma once

#include <string>
#include <vector>

#include "calibrate/probe/sample.hpp"
#include "sim/base/units.hpp"
#include "sim/model/model_spec.hpp"

namespace orrery {

/// Matrix products of one layer of a model with weights n x k.
struct LinearShape {
  std::int64_t n = 0;  ///< output features
  std::int64_t k = 0;  ///< input features
  auto operator<=>(const LinearShape&) const = default;
};
/// Distinct linear layers of the model with the heads and feed-forward width divided by `tp`: attention
/// projections, dense and shared feed-forward, output head. Routed experts are not among them.
[[nodiscard]] std::vector<LinearShape> linear_shapes(const ModelSpec& model, std::int64_t tp = 1);
/// The two products of a routed expert (gate and up together, down); empty without experts.
[[nodiscard]] std::vector<LinearShape> expert_shapes(const ModelSpec& model);

struct PlanOptions {
  int gpus = 1;                ///< on one GPU there are no collectives
  std::int64_t tokens = 4096;  ///< of a microbatch, the size that training shapes are measured at
};

/// What the standard calibration measures: products of every linear layer of `models` forward, backward and
/// for weight gradients, a grid for cross-validation, grouped products of experts, attention and MLA,
/// element-wise kernels, bandwidths, launches, copies, local parts of the all-to-all, collectives,
/// contention, and sustained runs for power. Classes take turns in the order of the list, so that a plan cut
/// short by its budget has something of each.
[[nodiscard]] std::vector<Case> standard_plan(const std::vector<ModelSpec>& models,
                                              const PlanOptions& options);

/// Rough upper estimate of the time that a case takes, for the budget: set-up and verification (assumed 0.5
/// s, not yet measured on a GPU), the timed part, the sustained part. It orders nothing and enters no result.
[[nodiscard]] Seconds estimated_time(const Case& what, double max_seconds, double sustained_seconds);

}  // namespace orrery
