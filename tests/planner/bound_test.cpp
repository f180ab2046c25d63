// The planner's bounds never exceed what the simulator says, and the chunk level is the operator level where
// it says so. tests/bench/bound_check.cpp runs the same on as many layouts as one likes.
#include <gtest/gtest.h>

#include "sim/chunk_step.hpp"
#include "sim/lower/step_times.hpp"
#include "sim/simulate.hpp"
#include "tests/laws/real_scenarios.hpp"
#include "tests/support/random_layouts.hpp"
#include "tests/support/toy_scenario.hpp"

namespace orrery {
namespace {

Scenario roomy(Scenario s) {
  s.cluster.gpu.memory_bytes.value = 1e15;  // nothing falls out for memory
  s.cluster.host_memory_bytes = test::toy_number(1e15);
  s.cluster.host_memory_bytes_per_s = test::toy_number(100e9);
  return s;
}

std::vector<Scenario> scenarios() {
  std::vector<Scenario> all;
  std::vector<ModelSpec> models = test::toy_models();
  models.push_back(test::toy_window());
  for (const ModelSpec& model : models) {
    Scenario s = test::toy_scenario(model, {"1f1b"}, 8);
    s.gpus = 32;
    all.push_back(roomy(s));
    s.cluster.gpu.contention = {{.op_class = "gemm", .slowdown = test::toy_number(1.4)},
                                {.op_class = "memory", .slowdown = test::toy_number(1.1)},
                                {.op_class = "communication", .slowdown = test::toy_number(1.8)}};
    all.push_back(roomy(s));
    s.layout.overlap_grad_reduce = s.layout.overlap_param_gather = true;
    all.push_back(roomy(s));
    s.layout.overlap_grad_reduce = s.layout.overlap_param_gather = {};
    s.layout.messages = MessageRule::kAsync;
    all.push_back(roomy(s));
    s.training.attention = AttentionKernel::kUnfused;
    s.training.dropout = true;
    s.training.gradients = GradientFormat::kBf16;
    s.training.precision = Precision::kFp8Tensor;
    all.push_back(roomy(s));
  }
  // Tokens by the library's all-to-all, and a host that is called for every expert.
  for (Scenario s : test::real_scenarios()) {
    if (!s.model.moe) continue;
    s.layout.moe_dispatcher = TokenDispatcher::kAllToAll;
    s.training.expert_calls = ExpertCalls::kPerExpert;
    s.cluster.gpu.host_launch_s.value = 40e-6;
    s.layout.stage_layers.clear();
    s.training.global_batch_size /= 4;
    all.push_back(roomy(std::move(s)));
  }
  for (const TensorOverlap overlap : {TensorOverlap::kNone, TensorOverlap::kProducts}) {
    Scenario s = test::real_scenarios()[2];
    s.layout.tp_overlap = overlap;
    if (overlap == TensorOverlap::kProducts) s.training.precision = Precision::kFp8Tensor;
    s.layout.stage_layers.clear();
    s.training.global_batch_size /= 4;
    all.push_back(roomy(std::move(s)));
  }
  for (Scenario s : test::real_scenarios()) {
    s.layout.stage_layers.clear();
    s.training.global_batch_size /= 4;
    all.push_back(roomy(std::move(s)));
  }
  return all;
}

TEST(Bound, NoRandomLayoutIsSimulatedFasterOrCheaperThanItsBound) {
  Objective::Level level;
  level.terms.emplace_back();
  const Goal goal{.level = level, .constraints = {}};
  std::uint64_t seed = 1;
  for (const Scenario& s : scenarios()) {
    SearchSpace space = default_space(s);
    restrict_space(space, "offload", "all", "test");
    test::RandomLayouts layouts(s, space, seed++);
    ProfileCache profiles(layouts.variants());
    Screener screener(s, space, layouts.variants(), profiles, goal);
    for (int i = 0; i < 12; ++i) {
      const Candidate c = layouts.next(6000);
      const Scenario own = layouts.scenario_of(c);
      const std::string label =
          s.model.name + " " + layout_text(own.layout, derive(own.layout, own.training, own.gpus));
      const ZeroBound bound = screener.bound_of(c);
      ASSERT_EQ(own.layout.moe_dispatcher, s.layout.moe_dispatcher);
      const Metrics m = simulate(own).metrics;
      ASSERT_FALSE(m.infeasible) << label << m.infeasible->text;
      EXPECT_LE(to_seconds(SimTime{bound.step_ps}).value, m.step_time_s) << label;
      EXPECT_NEAR(bound.memory_bytes, m.memory_peak, 1e-9 * m.memory_peak) << label;
      EXPECT_LE(bound.energy_j, *m.power.step_j * (1 + 1e-12)) << label;
    }
  }
}

TEST(Chunk, IsTheOperatorLevelWhereItSaysSoAndNeverAboveIt) {
  std::uint64_t seed = 100;
  int exact = 0;
  for (const Scenario& s : scenarios()) {
    SearchSpace space = default_space(s);
    restrict_space(space, "offload", "all", "test");
    test::RandomLayouts layouts(s, space, seed++);
    for (int i = 0; i < 16; ++i) {
      const Scenario own = layouts.scenario_of(layouts.next(6000));
      const std::string label =
          s.model.name + " " + layout_text(own.layout, derive(own.layout, own.training, own.gpus));
      Plan plan;
      ASSERT_TRUE(plan_layout(own, plan)) << label;
      Schedule schedule;
      ASSERT_FALSE(scenario_schedule(own, schedule)) << label;
      const bool pairs = overlaps(schedule);
      plan_schedule(own, std::move(schedule), pairs, plan);
      const ChunkStep chunk = chunk_step(own, plan);
      const double simulated = simulate(own).metrics.step_time_s;
      EXPECT_EQ(step_outcome(own).time_s, simulated) << label;
      if (chunk.exact) {
        ++exact;
        EXPECT_EQ(to_seconds(chunk.time).value, simulated) << label;
      } else {
        EXPECT_LE(to_seconds(chunk.time).value, simulated) << label;
        // Traffic beside the steps is left out there, however much it is.
        if (own.layout.zero_stage < 2 && !own.layout.overlap_grad_reduce && !own.layout.offload.activations) {
          EXPECT_GT(to_seconds(chunk.time).value, 0.5 * simulated) << label;
        }
      }
    }
  }
  EXPECT_GT(exact, 20);
}

TEST(Chunk, AStepAloneTakesWhatTheEngineGivesIt) {
  std::vector<Scenario> all = test::real_scenarios();
  // Products that wait for two: the one before and the gathered input.
  Scenario cut = all[2];
  ASSERT_GT(cut.layout.tp, 1);
  cut.layout.sequence_parallel = true;
  cut.layout.tp_overlap = TensorOverlap::kProducts;
  cut.training.precision = Precision::kFp8Tensor;
  all.push_back(cut);
  for (const Scenario& s : all) {
    Plan plan;
    ASSERT_TRUE(plan_layout(s, plan));
    Schedule schedule;
    ASSERT_FALSE(scenario_schedule(s, schedule));
    const bool pairs = overlaps(schedule);
    plan_schedule(s, std::move(schedule), pairs, plan);
    for (const std::vector<Step>& rank : plan.schedule.ranks) {
      for (std::size_t i = 0; i < rank.size(); i += 7) {
        const std::size_t t = plan.templates->template_of(rank[i]);
        const TemplateTimes engine = plan.templates->times_alone(t);
        const StepTimes least = step_times(*plan.templates, plan.templates->at(t), {}, false);
        ASSERT_LE(least.duration, engine.duration) << to_text(rank[i]);
        if (s.layout.zero_stage >= 2) continue;  // traffic beside the steps: the bound alone
        const StepTimes own = step_times(*plan.templates, plan.templates->at(t), {}, true);
        ASSERT_EQ(own.duration, engine.duration) << to_text(rank[i]);
        ASSERT_EQ(own.output, engine.output) << to_text(rank[i]);
        ASSERT_EQ(own.gradient, engine.gradient) << to_text(rank[i]);
      }
    }
  }
}

}  // namespace
}  // namespace orrery
