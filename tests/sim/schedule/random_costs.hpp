#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

#include "sim/schedule/auto_schedule.hpp"

/// Uneven costs of stages, drawn from a seed: the same on every machine.
namespace orrery::test {

/// `from` to `to`.
inline std::int64_t draw(std::mt19937_64& random, std::int64_t from, std::int64_t to) {
  return from + static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(to - from + 1));
}

/// F 10 to 40 ticks, I and W each half to one and a half times that, B at most I + W; pairs save up to the
/// whole shorter half; 2 to 5 units kept.
inline ScheduleCosts random_costs(int stages, std::uint64_t seed, bool pairs) {
  std::mt19937_64 random(seed);
  ScheduleCosts costs;
  for (int s = 0; s < stages; ++s) {
    const std::int64_t f = draw(random, 10, 40);
    const std::int64_t i = draw(random, f / 2, 3 * f / 2);
    const std::int64_t w = draw(random, f / 2, 3 * f / 2);
    const std::int64_t b = i + w - draw(random, 0, w / 4);
    StageCost cost{.forward = whole_step(f),
                   .backward = whole_step(b),
                   .input_grad = whole_step(i),
                   .weight_grad = whole_step(w),
                   .kept = draw(random, 2, 5),
                   .deferred = draw(random, 0, 2)};
    cost.backward.gradient = draw(random, b / 2, b);
    costs.stages.push_back(cost);
  }
  if (pairs) {
    for (const StageCost& f : costs.stages) {
      for (const StageCost& b : costs.stages) {
        const std::int64_t shorter = std::min(f.forward.duration, b.backward.duration);
        costs.pairs.push_back(
            whole_step(f.forward.duration + b.backward.duration - draw(random, 0, shorter)));
      }
    }
  }
  costs.message = draw(random, 0, 8);
  costs.blocking = draw(random, 0, 1) == 1;
  return costs;
}

}  // namespace orrery::test
