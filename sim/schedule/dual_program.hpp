#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/schedule/action.hpp"

namespace orrery {

/// One of the two streams of microbatches through a rank: its stage there and the stream's first microbatch.
struct DualPhase {
  StageId stage;
  MicrobatchId first;
};

/// What the program of one rank depends on.
struct DualShape {
  int half = 1;       ///< ranks between an end and the middle: P/2 in DualPipe, P in DualPipeV
  int distance = 0;   ///< of the rank to the nearer end, 0 .. half-1; half-1 is next to the middle
  int per_phase = 2;  ///< microbatches of each stream, at least 2 * half
  std::array<DualPhase, 2> phases;
};

/// The eight-step program DualPipe and DualPipeV share, as `step()` of deepseek-ai/DualPipe 3da1bbe
/// dualpipe/dualpipe.py and dualpipev.py run it. Weight gradients held back leave in the order they came.
[[nodiscard]] std::vector<Step> dual_program(const DualShape& shape);

}  // namespace orrery
