#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/bound/unit_times.hpp"
#include "sim/lower/memory.hpp"
#include "sim/schedule/schedule_profile.hpp"

namespace orrery {

/// Most different units a model has: embedding, dense and MoE with full attention and with a window, head,
/// MTP.
inline constexpr std::size_t kUnitKinds = 7;

/// A layout's units cut into stages: what the bound needs of each stage. Picoseconds, least values.
struct StageBounds {
  std::vector<std::int64_t> layers;  ///< [stage] of the main model
  struct Stage {
    WorkSums sums;
    std::int64_t forward = 0, backward = 0, input_grad = 0, weight_grad = 0;  ///< steps of their own
    std::int64_t backward_gradient = 0;       ///< until the gradient of a whole backward can leave
    std::int64_t first_backward_compute = 0;  ///< of the stage's first unit, see UnitTimes
    std::int64_t last_combine = 0;
    std::size_t units = 0;
    std::array<std::int32_t, kUnitKinds> unit_count{};  ///< of each unit of the table
    double working = 0;                                 ///< bytes
    double away = 0;                                    ///< activations that can wait on the host, bytes
    double largest_away = 0;                            ///< of one unit
    double head_params = 0;                             ///< of heads after the first, which share its weights
    bool embedding = false, mtp = false;
  };
  std::vector<Stage> stages;
  std::int64_t message = 0;  ///< between neighbour ranks
};

/// How layers are laid on stages where `layout.stage_layers` does not say.
enum class LayerPlacement {
  kBalanced,   ///< by computed time, as the simulator does where nothing is given
  kEven,       ///< as many layers in each; what is left over goes to the middle
  kLightEnds,  ///< the same with embedding and head counted as a layer each (Megatron-LM's
               ///< --account-for-embedding/loss-in-pipeline-split)
};
[[nodiscard]] const char* to_text(LayerPlacement placement);

/// Layers per stage for the two that only count; empty where a stage would be left without any.
[[nodiscard]] std::vector<std::int64_t> counted_layers(LayerPlacement placement, std::int64_t layers,
                                                       std::int64_t stages);

/// What every layout with these units shares.
struct BoundContext {
  const Scenario& scenario;  ///< its layout holds tp, cp, ep, etp, microbatch and recompute
  const UnitTable& units;
  CostMemo& memo;
  std::int64_t communication_sms = 0;
};

/// The stages of one pipeline. `stage_layers` empty: balanced, with the communication counted unless
/// `hidden`, over `owner` [stage] -> rank.
[[nodiscard]] StageBounds stage_bounds(const BoundContext& context,
                                       const std::vector<std::int64_t>& stage_layers,
                                       const std::vector<std::int32_t>& owner, std::int64_t pp,
                                       std::int64_t vpp, bool hidden);

/// Bounds that no simulated step of the layout undercuts, and its memory.
struct LayoutBound {
  std::int64_t pipeline_ps = 0;              ///< until the last rank may be done with its microbatches
  std::vector<std::int64_t> ends;            ///< [rank] the same by rank
  std::vector<RankParams> params;            ///< [rank]
  std::vector<double> activations, buffers;  ///< [rank] bytes
  std::vector<double> staying, copies;  ///< [rank] of activations and buffers where activations are offloaded
  std::vector<double> joules;           ///< [rank] of one GPU beyond its floor, in the pipeline
  EndpointGroup dense_group, expert_group;    ///< that share gradients, as the step's tail has them
  EndpointGroup dense_shards, expert_shards;  ///< over which ZeRO 2 and 3 cut one copy of a stage
};

/// The least time of a step, with, for every rank r of the schedule and by exact counts of its steps,
///   head(r)   the shortest way of a microbatch to the stage of its first step,
///   turn(r)   the shortest way of a microbatch to the last stage and back to the stage of its first
///   backward, before, middle, after   the least time of its steps before the first backward, from there to
///   the last
///             backward, and after that,
///   drain(r)  the shortest way of a gradient from its last backward to stage 0:
///       T(r) = max(head + before, turn) + middle + max(after, drain),
/// where a step takes at least its longest chain of tasks, and an overlapped pair at least
///       min over o, p of  sum C_i + sum M_j + sum o_i (1 - 1/s_i) + sum p_j (1 - 1/t_j) - sum o_i
///       with sum o_i = sum p_j, 0 <= o_i <= C_i s_i, 0 <= p_j <= M_j t_j:
/// C_i kernels of slowdown s_i beside communication, M_j communication of slowdown t_j beside kernels, o and
/// p the time they spend beside the other (docs/models/plan.md derives it).
/// Messages that block lengthen the steps that send them. Memory is that of `memory_by_rank`, exactly.
[[nodiscard]] LayoutBound layout_bound(const BoundContext& context, const ScheduleProfile& profile,
                                       const StageBounds& stages);

/// Least time of a forward and a backward of `f` and `b` in one overlapped pair, picoseconds.
[[nodiscard]] std::int64_t pair_least(const WorkSums& f, const WorkSums& b,
                                      const std::vector<double>& factors);

/// Least work of the whole model on one microbatch, picoseconds summed over the ranks of a pipeline.
[[nodiscard]] std::int64_t whole_work(const BoundContext& context, bool pairs);
/// What the fullest rank holds at least, bytes: the mean over the ranks, of parameters and of as many
/// microbatches as live everywhere at once.
[[nodiscard]] double mean_memory(const BoundContext& context, const ScheduleProfile& profile,
                                 std::int64_t zero_stage, std::int64_t pp, const Offload& offload);

/// Fills in the two groups.
void set_tail_groups(const Scenario& scenario, std::int64_t pp, std::int64_t copies, LayoutBound& bound);

/// Raises the times of a bound by the schedule's relaxation: every rank runs its steps in order, each when
/// the one before has ended and its inputs are there, all at their least. Times only grow with durations, so
/// this is a bound too, and a closer one: it knows every bubble. Costs as much as the schedule has steps.
void relax_bound(const BoundContext& context, const ScheduleProfile& profile, const StageBounds& stages,
                 const Schedule& schedule, LayoutBound& bound);

/// One of the four ZeRO stages of a bound.
struct ZeroBound {
  std::int64_t step_ps = 0;  ///< least time of the step
  double memory_bytes = 0;   ///< of the fullest rank
  double energy_j = 0;       ///< least energy of all nodes in the step
};
/// With ZeRO 2 and 3 the step is at least as long as one rank's reductions of gradients, or its gathering of
/// weights, one after the other: at every use of a unit, on one lane; and with offloaded activations as its
/// copies to the host.
[[nodiscard]] ZeroBound zero_bound(const BoundContext& context, const ScheduleProfile& profile,
                                   const StageBounds& stages, const LayoutBound& bound,
                                   std::int64_t zero_stage, std::int64_t pp, const Offload& offload = {});

}  // namespace orrery
