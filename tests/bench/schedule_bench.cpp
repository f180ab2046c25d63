// Time to make and to time whole schedules, without a simulation. Read the medians:
//   orrery_schedule_bench --benchmark_repetitions=5 --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>

#include <string>

#include "sim/schedule/auto_schedule.hpp"
#include "sim/schedule/list_schedule.hpp"
#include "tests/sim/schedule/random_costs.hpp"

namespace orrery::bench {
namespace {

/// Ranks and microbatches of a benchmark.
PipelineShape shape_of(const benchmark::State& state) {
  return {.pp = static_cast<int>(state.range(0)), .vpp = 1, .microbatches = static_cast<int>(state.range(1))};
}

void make_fixed(benchmark::State& state, const std::string& name) {
  const PipelineShape s = shape_of(state);
  for (auto _ : state) {
    auto result = make_schedule(name, s.pp, s.vpp, s.microbatches);
    benchmark::DoNotOptimize(result);
  }
}
BENCHMARK_CAPTURE(make_fixed, 1f1b, std::string("1f1b"))
    ->Args({16, 120})
    ->Args({64, 1024})
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(make_fixed, dualpipe, std::string("dualpipe"))
    ->Args({16, 120})
    ->Args({64, 1024})
    ->Unit(benchmark::kMicrosecond);

void time_dualpipe(benchmark::State& state) {
  const PipelineShape s = shape_of(state);
  const Schedule schedule = make_schedule("dualpipe", s.pp, 1, s.microbatches);
  const ScheduleCosts costs = test::random_costs(s.pp, 1, true);
  ScheduleTimer timer(costs);
  double steps = 0;
  for (const auto& rank : schedule.ranks) steps += static_cast<double>(rank.size());
  for (auto _ : state) {
    auto result = timer.run(schedule).makespan;
    benchmark::DoNotOptimize(result);
  }
  state.counters["steps/s"] = benchmark::Counter(steps, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(time_dualpipe)->Args({16, 120})->Args({64, 1024})->Unit(benchmark::kMicrosecond);

void list_schedule_from_both_ends(benchmark::State& state) {
  const PipelineShape s = shape_of(state);
  const Placement placement = placements(s).back();
  const ScheduleCosts costs = test::random_costs(s.pp, 1, true);
  const ListPolicy policy{.pairing = ListPolicy::Pairing::kWait, .split = ListPolicy::Split::kAlways};
  for (auto _ : state) {
    auto result = list_schedule(placement, costs, policy);
    benchmark::DoNotOptimize(result);
  }
}
BENCHMARK(list_schedule_from_both_ends)->Args({16, 120})->Args({64, 1024})->Unit(benchmark::kMicrosecond);

void lower_bound_from_both_ends(benchmark::State& state) {
  const PipelineShape s = shape_of(state);
  const Placement placement = placements(s).back();
  const ScheduleCosts costs = test::random_costs(s.pp, 1, true);
  for (auto _ : state) {
    auto result = lower_bound(placement, costs);
    benchmark::DoNotOptimize(result);
  }
}
BENCHMARK(lower_bound_from_both_ends)->Args({16, 120})->Unit(benchmark::kMicrosecond);

void find_schedule_from_both_ends(benchmark::State& state) {
  const PipelineShape s = shape_of(state);
  const AutoInput input{.placement = placements(s).back(), .costs = test::random_costs(s.pp, 1, true)};
  for (auto _ : state) {
    auto result = find_schedule(input).makespan;
    benchmark::DoNotOptimize(result);
  }
}
BENCHMARK(find_schedule_from_both_ends)->Args({16, 120})->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace orrery::bench
