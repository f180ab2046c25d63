#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/layout/layout.hpp"
#include "sim/model/model_spec.hpp"
#include "sim/workload/blocks.hpp"

namespace orrery {

/// What a stage is made of. Equal units share one description, so a stage is a list of small numbers.
enum class UnitKind : std::uint8_t { kEmbedding, kDense, kMoe, kHead, kMtp };

/// One unit on one rank for one microbatch: its work, its share of the parameters and what it keeps for the
/// backward pass.
struct UnitWork {
  UnitKind kind = UnitKind::kDense;
  std::string name;
  std::int64_t window = 0;  ///< of a layer: keys a query sees at most; 0: all before it
  LayerWork work{};
  /// Data-parallel traffic that runs beside the pipeline's work: BF16 weights before a use, gradients
  /// after the last weight gradient. How often: data_parallel.hpp.
  Segment gather{}, reduce{};
  double dense_params = 0;    ///< parameters on this rank outside of routed experts
  double expert_params = 0;   ///< parameters of routed experts on this rank
  double kept_bytes = 0;      ///< activations kept from forward to input gradient
  double deferred_bytes = 0;  ///< of these and the gradients, what a postponed weight gradient still needs
  double working_bytes = 0;   ///< largest set alive only while the unit runs
};

/// Unit numbers of one stage in the order of the forward pass.
struct StageUnits {
  std::vector<std::size_t> units;
  std::int64_t first_layer = 0;  ///< of the main model
  std::int64_t layers = 0;
  /// Hidden states in a message to the next stage: one, and one more per MTP module of a stage before.
  std::int64_t hidden_states = 1;
};

struct Workload {
  std::vector<UnitWork> units;
  std::vector<StageUnits> stages;
  double gradient_bytes = 4;     ///< of one weight gradient, summed up and reduced
  double weight_cast_bytes = 0;  ///< memory traffic per weight of a rank, once a step: FP8 copies
  double boundary_bytes = 0;     ///< one message between stages: a microbatch's hidden state in BF16
};

struct WorkloadInput {
  const ModelSpec& model;
  const Layout& layout;
  const Training& training;
  std::int64_t gpus_per_node = 8;
  Routing routing{};
};

/// The different units of the model: with windows shorter than the sequence and a fused attention, one more
/// of each kind of layer that has them. `stages` is left empty.
[[nodiscard]] Workload make_units(const WorkloadInput& input);
/// Units in model order without embedding and head: one per main layer.
[[nodiscard]] std::vector<std::size_t> layer_units(const Workload& workload, const ModelSpec& model);
/// Fills `stages` from layers per stage: the embedding goes to the first stage, the head and one more for
/// every MTP module to the last. The MTP modules go in front of their heads, or all behind the layers of
/// `mtp_stage`.
void assign_stages(Workload& workload, const ModelSpec& model, const Training& training,
                   const std::vector<std::int64_t>& layers_per_stage, std::int64_t mtp_stage = -1);
/// Number of the first unit of a kind, of layers the one with full attention where there is one; SIM_CHECK
/// when the model has none.
[[nodiscard]] std::size_t unit_of(const Workload& workload, UnitKind kind);

}  // namespace orrery
