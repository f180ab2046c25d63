#include "planner/goodput/goodput.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace orrery {
namespace {

constexpr double kDay = 86400.0;

GoodputInput llama3() {
  // 16,384 H100 in 2,048 nodes; 405e9 weights of 14 bytes; rates of hwprofiles/economics/reliability.json.
  return {.nodes = 2048,
          .failures_per_node_day = 0.004,
          .restart_s = 900,
          .checkpoint_bytes = 405e9 * 14,
          .bytes_per_s_per_node = 1e9,
          .stall_s = 3};
}

// arXiv 2410.21680: MTTF = 1 / (N r). RSC-1, 6.50 failures per 1,000 node-days: 1.8 h on 16,384 GPUs and 0.23
// h on 131,072, as printed there.
TEST(Goodput, MetasMeanTimeBetweenFailuresIsReproduced) {
  EXPECT_NEAR(mean_time_between_failures(16384 / 8.0, 6.5e-3) / 3600, 1.80, 0.005);
  EXPECT_NEAR(mean_time_between_failures(131072 / 8.0, 6.5e-3) / 3600, 0.225, 0.001);
}

// The measured points of the same paper for small jobs, 7.9 h on 1,024 GPUs and 47.7 days on 8, are 3 to 4
// times shorter than the one rate gives: 28.8 h and 154 days. The model does not hold there.
TEST(Goodput, OneRateFailsForSmallJobs) {
  EXPECT_NEAR(mean_time_between_failures(128, 6.5e-3) / 3600, 28.8, 0.1);
  EXPECT_GT(mean_time_between_failures(128, 6.5e-3) / 3600 / 7.9, 3);
  EXPECT_GT(mean_time_between_failures(1, 6.5e-3) / kDay / 47.7, 3);
}

// Llama 3, arXiv 2407.21783: 419 unexpected interruptions in 54 days, one every 3.09 h. With the default
// rate, 4 per 1,000 node-days: 2048 * 0.004 * 54 = 442, 5.6 % more. RSC-1's and RSC-2's rates bracket it.
TEST(Goodput, InterruptionsOfLlama3AreBracketedByOtherClusters) {
  const double of_default = 2048 * 0.004 * 54;
  EXPECT_NEAR(of_default / 419 - 1, 0.056, 0.001);
  EXPECT_LT(2048 * 2.34e-3 * 54, 419);
  EXPECT_GT(2048 * 6.50e-3 * 54, 419);
  EXPECT_NEAR(mean_time_between_failures(2048, 419 / 54.0 / 2048) / 3600, 3.09, 0.01);
}

// The same paper: more than 90 % effective training time. The defaults give 89.6 %, with Llama 3's own rate
// 90.1 %; ten minutes of restart instead of fifteen lead to 92.6 %.
TEST(Goodput, EffectiveTimeOfLlama3) {
  EXPECT_NEAR(goodput(llama3()).useful, 0.8965, 0.001);
  GoodputInput own = llama3();
  own.failures_per_node_day = 419 / 54.0 / 2048;
  EXPECT_NEAR(goodput(own).useful, 0.9011, 0.001);
  own.restart_s = 600;
  EXPECT_NEAR(goodput(own).useful, 0.926, 0.002);
}

TEST(Goodput, SharesSumToOne) {
  for (const double rate : {0.0, 1e-4, 4e-3, 0.1, 5.0}) {
    for (const double slow : {0.0, 0.05}) {
      GoodputInput in = llama3();
      in.failures_per_node_day = rate;
      in.straggler_loss = slow;
      in.slow_node_share = 0.005;
      in.interval_s = 600;
      const Goodput g = goodput(in);
      EXPECT_NEAR(g.useful + g.checkpoint + g.lost + g.restart + g.stragglers, 1, 1e-12) << rate;
      EXPECT_GE(g.lost, 0);
      EXPECT_GE(g.restart, 0);
      EXPECT_GT(g.useful, 0);
    }
  }
}

// A brute-force walk: work in intervals of t + w, exponential failures by inversion of a fixed sequence, a
// failure costs what was done since the last checkpoint and a restart, which may fail too.
TEST(Goodput, TheFormulaIsThatOfASimulatedJob) {
  const double m = 10000, t = 600, w = 30, r = 900;
  std::uint64_t state = 1;
  const auto next_failure = [&] {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    const double u = (static_cast<double>(state >> 11) + 0.5) / 9007199254740992.0;
    return -m * std::log(u);
  };
  double elapsed = 0;
  const int intervals = 400000;
  double left = next_failure();
  for (int i = 0; i < intervals; ++i) {
    double need = t + w;
    while (left < need) {
      elapsed += left;
      left = next_failure();
      need = r + t + w;  // restart, then the interval again
    }
    elapsed += need;
    left -= need;
  }
  GoodputInput in{
      .nodes = 1, .failures_per_node_day = kDay / m, .restart_s = r, .stall_s = w, .interval_s = t};
  // Daly's form has the restart in front of every attempt of an interval (e^(R/M)); the walk has it only
  // after a failure, so the formula is a little pessimistic.
  EXPECT_NEAR(goodput(in).useful, intervals * t / elapsed, 0.01);
}

TEST(Goodput, DalysIntervalIsTheBest) {
  for (const double w : {1.0, 30.0, 300.0}) {
    GoodputInput in = llama3();
    in.stall_s = w;
    in.bytes_per_s_per_node = 1e12;
    const Goodput best = goodput(in);
    for (const double factor : {0.7, 0.9, 1.1, 1.5}) {
      GoodputInput other = in;
      other.interval_s = best.checkpoint_interval_s * factor;
      EXPECT_LE(goodput(other).useful, best.useful * (1 + 1e-6)) << w << " " << factor;
    }
  }
}

TEST(Goodput, SlowStorageSetsTheInterval) {
  GoodputInput in = llama3();
  in.bytes_per_s_per_node = 1e6;  // 5.67e12 B / 2.048e9 B/s = 2769 s
  const Goodput g = goodput(in);
  EXPECT_TRUE(g.write_bound);
  EXPECT_NEAR(g.checkpoint_interval_s, 405e9 * 14 / 2.048e9, 1e-6);
}

// Meta's form at 2,048 nodes, r = 3.79e-3 a day, u0 10 min, interval 30 min, write 0.1 min:
// (1 - 7.76 a day * 25 / 1440) / (1 + 0.1 / 30) = 0.865 / 1.0033 = 0.8624.
TEST(Goodput, MetasRatioByHand) {
  const double m = mean_time_between_failures(2048, 3.79e-3);
  EXPECT_NEAR(meta_ettr(m, 600, 1800, 6), 0.8624, 5e-4);
}

TEST(Goodput, TheTwoFormsAgreeWhereFailuresAreRare) {
  GoodputInput in = llama3();
  in.nodes = 128;
  const Goodput g = goodput(in);
  EXPECT_NEAR(g.useful, g.meta_ettr, 5e-4);
}

TEST(Goodput, MoreFailuresNeverHelp) {
  double before = 2;
  for (const double rate : {0.0, 0.001, 0.002, 0.004, 0.0065, 0.02, 0.1}) {
    GoodputInput in = llama3();
    in.failures_per_node_day = rate;
    const double now = goodput(in).useful;
    EXPECT_LE(now, before);
    before = now;
  }
}

// Mean 0.8: P(0) = 0.449, P(<=1) = 0.809, P(<=2) = 0.953, P(<=3) = 0.991.
TEST(Goodput, SparesByThePoissonDistribution) {
  EXPECT_EQ(poisson_quantile(0.8, 0.99), 3);
  EXPECT_EQ(poisson_quantile(0, 0.99), 0);
  EXPECT_EQ(poisson_quantile(900, 0.5), 900);
}

}  // namespace
}  // namespace orrery
