#pragma once

#include <vector>

#include "sim/engine/task_graph.hpp"

namespace orrery::test {

/// Times of a run found in the most obvious way: look at every task at every instant. Quadratic. `Number` is
/// std::int64_t (the rounding rule of sharing.hpp) or long double (no rounding).
template <class Number>
struct NaiveTimes {
  std::vector<Number> start;
  std::vector<Number> end;
};

template <class Number>
[[nodiscard]] NaiveTimes<Number> run_naive(const TaskGraph& graph);

}  // namespace orrery::test
