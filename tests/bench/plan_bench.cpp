// Screening and chunk-level evaluation of layouts on one core.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <limits>

#include "planner/evaluate.hpp"
#include "tests/support/random_layouts.hpp"

namespace orrery {
namespace {

Scenario example(const char* name) {
  const std::filesystem::path root = ORRERY_SOURCE_DIR;
  return load_scenario(root / "docs/examples" / name, {}, {{root / "hwprofiles"}});
}

Goal by_step() {
  Goal goal;
  goal.level.terms.emplace_back();
  return goal;
}

/// Bound and verdict of all layouts of the node that holds the scenario's own one; nothing is cut off.
void screening(benchmark::State& state, const char* name) {
  const Scenario s = example(name);
  SearchSpace space = default_space(s);
  for (const char* key : {"tp", "cp", "ep", "etp", "mbs", "recompute"}) pin(space, key, s, "bench");
  const std::vector<Variant> variants = variants_of(space);
  const Goal goal = by_step();
  ProfileCache profiles(variants);
  Screener screener(s, space, variants, profiles, goal);
  ReasonCounts infeasible;
  std::int64_t total = 0;
  const std::vector<ScreenNode> nodes = screener.open({}, infeasible, total);
  for (auto _ : state) {
    auto result = screener.expand(nodes.front(), std::numeric_limits<double>::infinity());
    benchmark::DoNotOptimize(result);
  }
  state.counters["layouts/s"] = benchmark::Counter(
      static_cast<double>(nodes.front().candidates) * static_cast<double>(state.iterations()),
      benchmark::Counter::kIsRate);
}
BENCHMARK_CAPTURE(screening, deepseek_v3, "deepseek-v3-2048-h800.json");
BENCHMARK_CAPTURE(screening, llama_405b, "llama-3.1-405b-16384-h100.json");
BENCHMARK_CAPTURE(screening, mixtral, "mixtral-8x7b-h100.json");

/// One layout from its plan to its time, tables made anew.
void chunk_level(benchmark::State& state, const char* name) {
  const Scenario s = example(name);
  SearchSpace space = default_space(s);
  for (const char* key :
       {"tp", "cp", "ep", "etp", "mbs", "recompute", "pp", "vpp", "schedule", "zero", "placement"})
    pin(space, key, s, "bench");
  const std::vector<Variant> variants = variants_of(space);
  const Goal goal = by_step();
  Evaluator evaluator(s, space, variants, goal);
  for (auto _ : state) {
    auto result = evaluator.evaluate({}, 0.0);
    benchmark::DoNotOptimize(result);
  }
  state.counters["layouts/s"] =
      benchmark::Counter(static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}
BENCHMARK_CAPTURE(chunk_level, deepseek_v3, "deepseek-v3-2048-h800.json");
BENCHMARK_CAPTURE(chunk_level, llama_405b, "llama-3.1-405b-16384-h100.json");
BENCHMARK_CAPTURE(chunk_level, mixtral, "mixtral-8x7b-h100.json");

}  // namespace
}  // namespace orrery

BENCHMARK_MAIN();
