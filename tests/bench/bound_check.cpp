// orrery_bound_check N [SCENARIO.json]: compares the planner's bounds with the simulator on N random layouts
// of the scenario's default space, with memory enough for all of them. Exit code 1 when a bound exceeds it.
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "planner/parallel_for.hpp"
#include "sim/base/check.hpp"
#include "sim/engine/sim_time.hpp"
#include "sim/simulate.hpp"
#include "tests/support/random_layouts.hpp"

namespace orrery {
namespace {

struct Tally {
  std::int64_t layouts = 0, exceeded = 0;
  double gap = 0, worst = 0;
};

/// One stretch of the run; its layouts depend on `seed` alone.
Tally check(const Scenario& scenario, const SearchSpace& space, std::uint64_t seed, int count) {
  test::RandomLayouts layouts(scenario, space, seed);
  ProfileCache profiles(layouts.variants());
  Goal goal;
  goal.level.terms.emplace_back();
  Screener screener(scenario, space, layouts.variants(), profiles, goal);
  Tally tally;
  for (int i = 0; i < count; ++i) {
    const Candidate c = layouts.next(12'000);
    const ZeroBound bound = screener.bound_of(c);
    const Scenario own = layouts.scenario_of(c);
    const Metrics m = simulate(own).metrics;
    if (m.infeasible) continue;
    const double least = to_seconds(SimTime{bound.step_ps}).value;
    const bool exceeded = least > m.step_time_s || bound.memory_bytes > m.memory_peak * (1 + 1e-9) ||
                          bound.energy_j > m.power.step_j.value_or(0) * (1 + 1e-12);
    ++tally.layouts;
    tally.exceeded += exceeded ? 1 : 0;
    tally.gap += 1 - least / m.step_time_s;
    tally.worst = std::max(tally.worst, 1 - least / m.step_time_s);
    if (exceeded)
      std::printf("exceeded: %s\n",
                  layout_text(own.layout, derive(own.layout, own.training, own.gpus)).c_str());
  }
  return tally;
}

int run(int argc, char** argv) {
  const std::filesystem::path root = ORRERY_SOURCE_DIR;
  const int wanted = argc > 1 ? std::atoi(argv[1]) : 1000;
  Scenario s = load_scenario(argc > 2 ? argv[2] : root / "docs/examples/mixtral-8x7b-h100.json", {},
                             {{root / "hwprofiles"}});
  s.cluster.gpu.memory_bytes.value = 1e15;
  if (s.cluster.host_memory_bytes) s.cluster.host_memory_bytes->value = 1e15;
  SearchSpace space = default_space(s);
  restrict_space(space, "offload", "all", "space");
  constexpr int kStretch = 100;
  std::vector<Tally> tallies(static_cast<std::size_t>((wanted + kStretch - 1) / kStretch));
  parallel_for(available_threads(), tallies.size(), [&](std::size_t, std::size_t i) {
    const int left = wanted - static_cast<int>(i) * kStretch;
    tallies[i] = check(s, space, i + 1, std::min(left, kStretch));
  });
  Tally sum;
  for (const Tally& t : tallies) {
    sum.layouts += t.layouts;
    sum.exceeded += t.exceeded;
    sum.gap += t.gap;
    sum.worst = std::max(sum.worst, t.worst);
  }
  std::printf("%lld layouts, %lld bounds exceeded; mean gap %.2f %%, largest %.1f %%\n",
              static_cast<long long>(sum.layouts), static_cast<long long>(sum.exceeded),
              100 * sum.gap / static_cast<double>(sum.layouts), 100 * sum.worst);
  return sum.exceeded == 0 && sum.layouts > 0 ? 0 : 1;
}

}  // namespace
}  // namespace orrery

int main(int argc, char** argv) {
  try {
    return orrery::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 3;
  }
}
