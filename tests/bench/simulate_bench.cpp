// Time of one simulated step and of its parts. Read the medians:
//   orrery_simulate_bench --benchmark_repetitions=5 --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>

#include <filesystem>

#include "sim/schedule/generators.hpp"
#include "sim/schedule/validate.hpp"
#include "sim/simulate.hpp"
#include "tests/support/deepseek_v3.hpp"

namespace orrery::bench {
namespace {

Scenario v3() {
  Scenario s;
  s.model = test::v3_model();
  s.cluster = load_cluster("h800-sxm-ib400", {{std::filesystem::path(ORRERY_SOURCE_DIR) / "hwprofiles"}});
  s.gpus = test::kV3Gpus;
  s.layout = test::v3_layout();
  s.training = test::v3_training();
  return s;
}

/// One step at operator level: 2,048 GPUs as 16 pipeline ranks, 120 microbatches.
void simulate_deepseek_v3(benchmark::State& state) {
  const Scenario s = v3();
  double tasks = 0;
  for (auto _ : state) {
    SimResult r = simulate(s);
    if (r.metrics.infeasible) state.SkipWithError("does not fit");
    tasks = static_cast<double>(r.metrics.tasks);
    benchmark::DoNotOptimize(r.metrics.step_time_s);
  }
  state.counters["tasks/s"] = benchmark::Counter(tasks, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(simulate_deepseek_v3)->Unit(benchmark::kMillisecond);

/// The same as a search would ask for it, about a quarter of the microbatches.
void simulate_deepseek_v3_32_microbatches(benchmark::State& state) {
  Scenario s = v3();
  s.training.global_batch_size = 128 * 32;
  for (auto _ : state) {
    auto result = simulate(s).metrics.step_time_s;
    benchmark::DoNotOptimize(result);
  }
}
BENCHMARK(simulate_deepseek_v3_32_microbatches)->Unit(benchmark::kMillisecond);

void simulate_pair_of_four_layers(benchmark::State& state) {
  const Scenario s = v3();
  for (auto _ : state) {
    auto result = simulate_pair(s, 4).time_s;
    benchmark::DoNotOptimize(result);
  }
}
BENCHMARK(simulate_pair_of_four_layers)->Unit(benchmark::kMillisecond);

void make_dualpipe_schedule(benchmark::State& state) {
  const auto ranks = static_cast<int>(state.range(0));
  const auto microbatches = static_cast<int>(state.range(1));
  for (auto _ : state) {
    auto result = make_schedule("dualpipe", ranks, 1, microbatches);
    benchmark::DoNotOptimize(result);
  }
}
BENCHMARK(make_dualpipe_schedule)->Args({16, 120})->Args({64, 1024})->Unit(benchmark::kMicrosecond);

void validate_dualpipe_schedule(benchmark::State& state) {
  const Schedule schedule =
      make_schedule("dualpipe", static_cast<int>(state.range(0)), 1, static_cast<int>(state.range(1)));
  for (auto _ : state) {
    auto result = validate(schedule);
    benchmark::DoNotOptimize(result);
  }
}
BENCHMARK(validate_dualpipe_schedule)->Args({16, 120})->Args({64, 1024})->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace orrery::bench
