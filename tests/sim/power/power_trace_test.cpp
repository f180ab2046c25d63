#include "sim/power/power_trace.hpp"

#include <gtest/gtest.h>

#include <array>
#include <utility>

#include "sim/engine/engine.hpp"
#include "sim/engine/task_graph_builder.hpp"
#include "tests/support/toy.hpp"

namespace orrery {
namespace {

/// Two ranks of one lane: rank 0 works from 0 to 2 s, rank 1 from 0 to 4 s.
Timeline two_ranks() {
  TaskGraphBuilder b;
  const ResourceId first = b.add_lane("rank 0");
  const ResourceId second = b.add_lane("rank 1");
  b.add_task({.lane = first, .duration = to_sim_time(Seconds{2})});
  b.add_task({.lane = second, .duration = to_sim_time(Seconds{4})});
  return run(std::move(b).freeze());
}

PowerTrace trace_of(const Timeline& timeline, const std::vector<double>& energy, std::size_t bins,
                    const PowerFigures& figures) {
  const std::vector<std::int32_t> items{0, 1};
  return power_trace({.timeline = timeline,
                      .item_by_task = items,
                      .joules_by_item = energy,
                      .ranks = 2,
                      .lanes_per_rank = 1,
                      .figures = figures,
                      .bins = bins});
}

// Floor 120 W. 200 J in 2 s are 100 W above it, then nothing; 400 J in 4 s are 100 W all the time.
// Mean: 120 + (200 + 400) J / (2 ranks * 4 s) = 195 W.
TEST(PowerTrace, EnergyIsSpreadOverTheTaskAndIdleTimeDrawsTheFloor) {
  const PowerTrace t = trace_of(two_ranks(), {200, 400}, 4, test::toy_cluster().gpu.power);
  EXPECT_DOUBLE_EQ(t.bin_s, 1);
  EXPECT_EQ(t.rank_w[0], (std::vector<double>{220, 220, 120, 120}));
  EXPECT_EQ(t.rank_w[1], (std::vector<double>{220, 220, 220, 220}));
  EXPECT_EQ(t.mean_by_bin(), (std::vector<double>{220, 220, 170, 170}));
  EXPECT_DOUBLE_EQ(t.mean_w, 195);
  EXPECT_DOUBLE_EQ(t.peak_w, 220);
  EXPECT_DOUBLE_EQ(t.capped_share, 0);
  EXPECT_DOUBLE_EQ(t.cap_stretch, 0);
}

// 1520 J in 2 s ask for 760 + 120 = 880 W of 500 W: the clock would fall until 380 W above the floor are
// drawn, twice as long: 2 s more of 4 s, half the step. Capped are 2 of the 2 * 4 s.
TEST(PowerTrace, TheCapCutsAndTellsHowMuchTimeItWouldCost) {
  const PowerTrace t = trace_of(two_ranks(), {1520, 0}, 4, test::toy_cluster().gpu.power);
  EXPECT_DOUBLE_EQ(t.peak_w, 500);
  EXPECT_DOUBLE_EQ(t.capped_share, 0.25);
  EXPECT_DOUBLE_EQ(t.cap_stretch, 0.5);
}

TEST(PowerTrace, TheMeanDoesNotDependOnTheBins) {
  const PowerFigures figures = test::toy_cluster().gpu.power;
  for (const std::size_t bins : {1U, 3U, 7U, 512U})
    EXPECT_NEAR(trace_of(two_ranks(), {200, 400}, bins, figures).mean_w, 195, 1e-9) << bins;
}

// A kernel draws 60 W of its own, once: rank 0 from 0 to 2 s (220 + 60 W), rank 1 all the time (220 + 60 W).
TEST(PowerTrace, ARunningKernelDrawsPowerOfItsOwn) {
  PowerFigures p = test::toy_cluster().gpu.power;
  p.kernel_w = test::toy_number(60);
  const Timeline timeline = two_ranks();
  const std::vector<std::int32_t> items{0, 1};
  const std::vector<double> energy{200, 400};
  const std::array<bool, 2> kernels{true, true};
  const PowerTrace t = power_trace({.timeline = timeline,
                                    .item_by_task = items,
                                    .joules_by_item = energy,
                                    .is_kernel_by_item = kernels,
                                    .ranks = 2,
                                    .lanes_per_rank = 1,
                                    .figures = p,
                                    .bins = 4});
  EXPECT_EQ(t.rank_w[0], (std::vector<double>{280, 280, 120, 120}));
  EXPECT_EQ(t.rank_w[1], (std::vector<double>{280, 280, 280, 280}));
}

// Two kernels side by side on one rank, 2 s each of 2 s: 60 W, not 120.
TEST(PowerTrace, TwoKernelsSideBySideDrawItOnce) {
  PowerFigures p = test::toy_cluster().gpu.power;
  p.kernel_w = test::toy_number(60);
  TaskGraphBuilder b;
  for (const char* lane : {"first", "second"})
    b.add_task({.lane = b.add_lane(lane), .duration = to_sim_time(Seconds{2})});
  const Timeline timeline = run(std::move(b).freeze());
  const std::vector<std::int32_t> items{0, 0};
  const std::vector<double> energy{0};
  const std::array<bool, 1> kernels{true};
  EXPECT_DOUBLE_EQ(power_trace({.timeline = timeline,
                                .item_by_task = items,
                                .joules_by_item = energy,
                                .is_kernel_by_item = kernels,
                                .ranks = 1,
                                .lanes_per_rank = 2,
                                .figures = p,
                                .bins = 1})
                       .mean_w,
                   180);
}

// H200 at burst speed: an 8192^3 BF16 product at 806 TFLOPS moves 0.403 GB. It asks for 130 + 260 + 806e12 *
// 0.414e-12 + 0.295e12 B/s * 48.4e-12 = 738 W of 700. The clock falls by (700 - 390) / (738 - 390): 718
// TFLOPS, measured sustained 708 (ai-dynamo/aiconfigurator @095f58a, gemm and gemm power tables of h200_sxm).
TEST(PowerTrace, TheClockDropOfALargeProductIsThatOfTheMeasuredSustainedRate) {
  const double flops = 2.0 * 8192.0 * 8192.0 * 8192.0;
  const double seconds = flops / 806e12;
  PowerFigures p = test::toy_cluster().gpu.power;
  p.communication_floor_w.value = 130;
  p.kernel_w = test::toy_number(260);
  p.cap_w.value = 700;
  const double energy = flops * 0.414e-12 + 3.0 * 2.0 * 8192.0 * 8192.0 * 48.4e-12;
  TaskGraphBuilder b;
  b.add_task({.lane = b.add_lane("gpu"), .duration = to_sim_time(Seconds{seconds})});
  const Timeline timeline = run(std::move(b).freeze());
  const std::vector<std::int32_t> items{0};
  const std::vector<double> energies{energy};
  const std::array<bool, 1> kernels{true};
  const PowerTrace t = power_trace({.timeline = timeline,
                                    .item_by_task = items,
                                    .joules_by_item = energies,
                                    .is_kernel_by_item = kernels,
                                    .ranks = 1,
                                    .lanes_per_rank = 1,
                                    .figures = p,
                                    .bins = 1});
  EXPECT_DOUBLE_EQ(t.mean_w, 700);
  EXPECT_NEAR(806.0 / (1.0 + t.cap_stretch), 708, 0.03 * 708);
}

}  // namespace
}  // namespace orrery
