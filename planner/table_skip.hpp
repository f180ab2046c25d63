#pragma once

#include <optional>
#include <string>

namespace orrery {

/// Why a row of a table of published runs has no error to show.
enum class SkipReason {
  kMetric,     ///< not a speed of whole steps, or in a unit that is not read
  kTask,       ///< not pre-training: fine-tuning, adapters, reinforcement learning
  kGpu,        ///< no cluster profile of this GPU
  kCell,       ///< a cell that the simulator needs is empty
  kPrecision,  ///< a numeric format that is not simulated
  kModel,      ///< a shape that the columns do not tell and no built-in model has
  kSchedule,   ///< no generator of this pipeline schedule
  kFeature,    ///< something else that is not simulated, such as an optimizer on the host
  kLayout,     ///< the simulator finds the layout impossible
  kMemory,     ///< the simulator finds too little memory, where somebody has run it
};

/// The text is one for all rows of a cause, with the value found where it differs.
struct Skip {
  SkipReason reason = SkipReason::kMetric;
  std::string text;
};
using MaybeSkip = std::optional<Skip>;

/// "no cluster profile of the GPU": one line for each reason.
[[nodiscard]] const char* to_text(SkipReason reason);

}  // namespace orrery
