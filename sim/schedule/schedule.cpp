#include "sim/schedule/schedule.hpp"

#include <algorithm>

namespace orrery {

std::vector<StageId> Schedule::stages_of(RankId rank) const {
  std::vector<StageId> held;
  for (std::int32_t stage = 0; stage < stages; ++stage) {
    const auto first = owner.begin() + static_cast<std::ptrdiff_t>(slot(StageId{stage}, MicrobatchId{0}));
    if (std::find(first, first + microbatches, rank) != first + microbatches) held.emplace_back(stage);
  }
  return held;
}

}  // namespace orrery
