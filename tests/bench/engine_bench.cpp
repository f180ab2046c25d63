// Tasks per second of the engine on a pipeline of 16 ranks x 4 lanes, about 600,000 tasks. Read the medians:
//   orrery_engine_bench --benchmark_repetitions=9 --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>

#include "sim/engine/engine.hpp"
#include "sim/engine/graph_checks.hpp"
#include "tests/bench/baseline_loop.hpp"
#include "tests/bench/pipeline_graph.hpp"

namespace orrery::bench {

namespace {

constexpr int kRanks = 16;
constexpr int kSteps = 9375;

const TaskGraph& graph(bool coupled) {
  static const TaskGraph plain = pipeline_graph(kRanks, kSteps, false);
  static const TaskGraph slowed = pipeline_graph(kRanks, kSteps, true);
  return coupled ? slowed : plain;
}

void count_tasks(benchmark::State& state) {
  const auto tasks = static_cast<double>(graph(false).task_count());
  state.counters["tasks/s"] =
      benchmark::Counter(tasks, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1000);
}

void baseline_priority_queue(benchmark::State& state) {
  const TaskGraph& g = graph(false);
  if (run_baseline(g).end != run(g, {.path = RunPath::kEvents}).end) state.SkipWithError("times differ");
  for (auto _ : state) {
    auto result = run_baseline(g);
    benchmark::DoNotOptimize(result);
  }
  count_tasks(state);
}
BENCHMARK(baseline_priority_queue)->Unit(benchmark::kMillisecond);

void engine_events(benchmark::State& state) {
  const TaskGraph& g = graph(false);
  for (auto _ : state) {
    auto result = run(g, {.path = RunPath::kEvents});
    benchmark::DoNotOptimize(result);
  }
  count_tasks(state);
}
BENCHMARK(engine_events)->Unit(benchmark::kMillisecond);

void engine_relaxation(benchmark::State& state) {
  const TaskGraph& g = graph(false);
  for (auto _ : state) {
    auto result = run(g);
    benchmark::DoNotOptimize(result);
  }
  count_tasks(state);
}
BENCHMARK(engine_relaxation)->Unit(benchmark::kMillisecond);

void engine_coupled(benchmark::State& state) {
  const TaskGraph& g = graph(true);
  for (auto _ : state) {
    auto result = run(g);
    benchmark::DoNotOptimize(result);
  }
  count_tasks(state);
}
BENCHMARK(engine_coupled)->Unit(benchmark::kMillisecond);

void build_graph(benchmark::State& state) {
  for (auto _ : state) {
    auto result = pipeline_graph(kRanks, kSteps, true);
    benchmark::DoNotOptimize(result);
  }
  count_tasks(state);
}
BENCHMARK(build_graph)->Unit(benchmark::kMillisecond);

void check_find_cycle(benchmark::State& state) {
  const TaskGraph& g = graph(false);
  for (auto _ : state) {
    auto result = find_cycle(g);
    benchmark::DoNotOptimize(result);
  }
  count_tasks(state);
}
BENCHMARK(check_find_cycle)->Unit(benchmark::kMillisecond);

void check_longest_path(benchmark::State& state) {
  const TaskGraph& g = graph(false);
  for (auto _ : state) {
    auto result = longest_path_length(g);
    benchmark::DoNotOptimize(result);
  }
  count_tasks(state);
}
BENCHMARK(check_longest_path)->Unit(benchmark::kMillisecond);

void check_critical_path(benchmark::State& state) {
  const TaskGraph& g = graph(true);
  const Timeline timeline = run(g);
  for (auto _ : state) {
    auto result = critical_path(g, timeline);
    benchmark::DoNotOptimize(result);
  }
  count_tasks(state);
}
BENCHMARK(check_critical_path)->Unit(benchmark::kMillisecond);

}  // namespace

}  // namespace orrery::bench
