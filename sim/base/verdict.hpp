#pragma once

#include <optional>
#include <string>

namespace orrery {

/// Why a layout cannot run. Every code is printed as its kebab-case text in results.
enum class Reason {
  kWorldSize,        ///< GPU count is not a multiple of tp*cp*pp
  kExpertWorldSize,  ///< GPU count is not a multiple of etp*ep*pp
  kTensorParallel,   ///< tp does not divide heads, hidden or feed-forward sizes
  kContextParallel,  ///< sequence does not divide over cp
  kExpertParallel,   ///< ep exceeds or does not divide the experts
  kPipeline,         ///< more stages than layers, or a stage without work
  kSchedule,         ///< the schedule's own conditions (parity, enough microbatches)
  kBatch,            ///< global batch does not divide into microbatches
  kMemory,           ///< a rank needs more memory than it has
  kCapability,       ///< the device lacks something the settings ask for (FP8 units)
};

[[nodiscard]] inline const char* to_text(Reason reason) {
  switch (reason) {
    case Reason::kWorldSize: return "world-size";
    case Reason::kExpertWorldSize: return "expert-world-size";
    case Reason::kTensorParallel: return "tensor-parallel";
    case Reason::kContextParallel: return "context-parallel";
    case Reason::kExpertParallel: return "expert-parallel";
    case Reason::kPipeline: return "pipeline";
    case Reason::kSchedule: return "schedule";
    case Reason::kBatch: return "batch";
    case Reason::kMemory: return "memory";
    case Reason::kCapability: return "capability";
  }
  return "unknown";
}

/// A typed reason with the quantity that broke the limit, the need, the limit and a sentence with a cure.
struct Infeasible {
  Reason reason = Reason::kWorldSize;
  std::string quantity;  ///< what was compared, with its unit, e.g. "bytes of rank 3"
  double needed = 0;
  double available = 0;
  std::string text;
};

/// Feasible when empty. An infeasible layout is a result, never an exception.
using Verdict = std::optional<Infeasible>;

}  // namespace orrery
