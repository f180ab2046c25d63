#pragma once

#include "sim/engine/sim_time.hpp"
#include "sim/lower/step_template.hpp"

namespace orrery {

inline constexpr std::uint32_t kNoMessage = 0xffffffff;

/// What a step hands to other ranks: items of the NIC lane, or kNoMessage where it hands on nothing.
struct StepMessages {
  std::uint32_t output = kNoMessage;
  std::uint32_t gradient = kNoMessage;
};

/// One step of a rank's program with nothing else on its GPU, from its begin marker.
struct StepTimes {
  SimTime work;      ///< until compute and communication lane have done all of it
  SimTime duration;  ///< the same, at least what the host needs to enqueue it
  SimTime free;      ///< `duration`, at least until its messages have left
  SimTime output;    ///< until the forward's output is at the next stage (here, where there is no message)
  SimTime gradient;  ///< the same of the gradient
  SimTime message_left;  ///< what its messages still take alone at `work`
};

/// With `contended`, exactly what the engine gives to these tasks on one GPU, rounding included: the
/// equations of engine/sharing.hpp over three lanes. Without, every task as fast as alone: the longest path,
/// which no run of the step can undercut whatever runs beside it. Steps with data-parallel traffic beside
/// them are for the second alone, which leaves that traffic out.
[[nodiscard]] StepTimes step_times(const StepTemplates& templates, const StepTemplate& step,
                                   const StepMessages& messages, bool contended);

}  // namespace orrery
