#include <gtest/gtest.h>

#include <cmath>

#include "calibrate/fit/kernel_models.hpp"
#include "calibrate/fit/least_squares.hpp"
#include "calibrate/fit/levenberg_marquardt.hpp"
#include "sim/base/check.hpp"

namespace orrery {
namespace {

// y = 2 + 3 x at x = 0, 1, 2: the columns are 1 and x.
TEST(LeastSquares, FindsTheLineThroughItsPoints) {
  const std::vector<double> a{1, 0, 1, 1, 1, 2}, y{2, 5, 8};
  const LinearFit fit = solve_least_squares(a, y, 2, "test");
  EXPECT_NEAR(fit.x[0], 2, 1e-12);
  EXPECT_NEAR(fit.x[1], 3, 1e-12);
  EXPECT_NEAR(fit.residual, 0, 1e-12);
}

// Two columns, the second twice the first: any split of the sum fits as well.
TEST(LeastSquares, RefusesColumnsThatAreAlike) {
  const std::vector<double> a{1, 2, 2, 4, 3, 6}, y{1, 2, 3};
  EXPECT_THROW((void)solve_least_squares(a, y, 2, "test"), InputError);
}

// y = -1 + 2 x at x = 1, 2, 3 is 1, 3, 5. With x0 >= 0 the best is 0 + s x, s = (1 + 6 + 15)/(1 + 4 + 9) =
// 22/14.
TEST(LeastSquares, NonNegativePutsANegativeCoefficientAtZero) {
  const std::vector<double> a{1, 1, 1, 2, 1, 3}, y{1, 3, 5};
  const LinearFit fit = solve_nonnegative(a, y, 2, "test");
  EXPECT_EQ(fit.x[0], 0);
  EXPECT_NEAR(fit.x[1], 22.0 / 14.0, 1e-12);
}

// Units must not matter: columns of 1e15 (FLOP) and 1 (floor), coefficients 5e-13 and 100.
TEST(LeastSquares, NonNegativeCopesWithUnitsFarApart) {
  std::vector<double> a, y;
  for (int i = 1; i <= 10; ++i) {
    a.insert(a.end(), {1.0, i * 1e14});
    y.push_back(100 + 5e-13 * i * 1e14);
  }
  const LinearFit fit = solve_nonnegative(a, y, 2, "test");
  EXPECT_NEAR(fit.x[0], 100, 1e-6);
  EXPECT_NEAR(fit.x[1], 5e-13, 1e-20);
}

// Rosenbrock's valley as residuals 10 (y - x^2) and 1 - x: minimum at (1, 1).
TEST(LevenbergMarquardt, FindsTheEndOfRosenbrocksValley) {
  const Residuals valley = [](std::span<const double> x, std::span<double> r) {
    r[0] = 10 * (x[1] - x[0] * x[0]);
    r[1] = 1 - x[0];
  };
  const std::vector<double> start{-1.2, 1}, low{-10, -10}, high{10, 10};
  const NonlinearFit fit = fit_nonlinear(valley, 2, start, low, high, {.iterations = 200}, "test");
  EXPECT_NEAR(fit.x[0], 1, 1e-5);
  EXPECT_NEAR(fit.x[1], 1, 1e-5);
  EXPECT_NE(fit.stop, FitStop::kIterations);
}

TEST(LevenbergMarquardt, StopsAtABoundAndSaysThatAStartIsNotFinite) {
  const Residuals pull = [](std::span<const double> x, std::span<double> r) { r[0] = r[1] = x[0] + 5; };
  const std::vector<double> start{1}, low{0}, high{2};
  EXPECT_EQ(fit_nonlinear(pull, 2, start, low, high, {}, "test").x[0], 0);
  const Residuals bad = [](std::span<const double>, std::span<double> r) { r[0] = r[1] = std::nan(""); };
  EXPECT_EQ(fit_nonlinear(bad, 2, start, low, high, {}, "test").stop, FitStop::kNotFinite);
}

// Ten points on 3 x, one thrown far off: plain squares go after it, the robust loss hardly moves.
TEST(LevenbergMarquardt, RobustLossIgnoresAPointFarOff) {
  const Residuals line = [](std::span<const double> x, std::span<double> r) {
    for (int i = 0; i < 10; ++i)
      r[static_cast<std::size_t>(i)] = x[0] * (i + 1) - (i == 9 ? 300.0 : 3.0 * (i + 1));
  };
  const std::vector<double> start{1}, low{-100}, high{100};
  const double plain = fit_nonlinear(line, 10, start, low, high, {}, "test").x[0];
  const double robust = fit_nonlinear(line, 10, start, low, high, {.robust_scale = 0.05}, "test").x[0];
  EXPECT_GT(plain, 8);
  EXPECT_NEAR(robust, 3, 0.2);
}

TEST(Quality, IsOfRelativeErrors) {
  // Errors +10 %, -20 %, 0: median of sizes 10 %, 90th percentile 0.1 + 0.8 (0.2 - 0.1) = 18 %, bias 0.
  const std::vector<double> predicted{1.1, 0.8, 1}, measured{1, 1, 1};
  const Quality q = quality_of(predicted, measured);
  EXPECT_NEAR(q.median, 0.1, 1e-12);
  EXPECT_NEAR(q.p90, 0.18, 1e-12);
  EXPECT_NEAR(q.bias, 0, 1e-12);
}

TEST(Quality, FoldsHoldEveryPointOnceAndDoNotDependOnTheRun) {
  const std::vector<std::size_t> fold = fold_of_points(103, 5, 9);
  std::vector<int> count(5);
  for (const std::size_t f : fold) ++count[f];
  for (const int c : count) EXPECT_TRUE(c == 20 || c == 21);
  EXPECT_EQ(fold, fold_of_points(103, 5, 9));
  EXPECT_NE(fold, fold_of_points(103, 5, 10));
}

DeviceFacts toy_device() {
  return {.sm_count = 100, .cache_bytes = 0, .memory_bytes_per_s = 2e12, .peak_flops_per_s = 1e15};
}

/// Products of many sizes on a synthetic device with known parameters, times off by up to 2 %.
std::vector<Observation> synthetic_products(const FitModel& model, std::span<const double> truth) {
  std::vector<Observation> points;
  std::uint64_t state = 1;
  for (const double m : {16.0, 64.0, 128.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0, 16384.0})
    for (const double n : {256.0, 1024.0, 4096.0, 8192.0})
      for (const double k : {512.0, 2048.0, 8192.0}) {
        Observation o;
        o.m = m;
        o.n = n;
        o.k = k;
        o.input_bytes = 2 * m * k;
        o.weight_bytes = 2 * n * k;
        o.output_bytes = 2 * m * n;
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        const double noise = static_cast<double>(state >> 11) / 9007199254740992.0 - 0.5;
        o.seconds = model.predict(truth, o) * (1 + 0.04 * noise);
        points.push_back(o);
      }
  return points;
}

TEST(GemmModel, RecoversTheParametersOfASyntheticDevice) {
  FitModel model = gemm_model(toy_device(), {.weight_copies = 0});
  model.starts = 4;  // for the time of the test
  std::vector<double> truth;
  for (const FitParameter& p : model.parameters) truth.push_back(p.start);
  const auto at = [&](const std::string& name) {
    for (std::size_t i = 0; i < model.parameters.size(); ++i)
      if (model.parameters[i].name == name) return i;
    throw std::out_of_range(name);
  };
  truth[at("overhead_s")] = 3e-6;
  truth[at("flops_per_s")] = 7e14;
  truth[at("memory_bytes_per_s")] = 1.6e12;
  truth[at("cta_s")] = 2.5e-6;
  const std::vector<Observation> points = synthetic_products(model, truth);
  const ModelFit fit = fit_model(model, points, {.folds = 5, .seed = 3}, "test");
  EXPECT_NEAR(fit.value("overhead_s") / 3e-6, 1, 0.2);
  EXPECT_NEAR(fit.value("flops_per_s") / 7e14, 1, 0.06);
  EXPECT_NEAR(fit.value("memory_bytes_per_s") / 1.6e12, 1, 0.06);
  EXPECT_NEAR(fit.value("cta_s") / 2.5e-6, 1, 0.3);
  // Noise is uniform within 2 %: the median cannot be far above 1 %.
  EXPECT_LT(fit.cross_validated.median, 0.015);
  EXPECT_LT(fit.cross_validated.p90, 0.03);
}

/// Attention of many sizes on a synthetic device, a pass of 2,304 bytes a token and head group before it.
std::vector<Observation> synthetic_attention(const FitModel& model, std::span<const double> truth) {
  std::vector<Observation> points;
  for (const double heads : {8.0, 32.0, 128.0, 512.0})
    for (double s = 64; s <= 32768; s *= 1.5) {
      Observation o;
      o.heads = heads;
      o.sequence = std::round(s);
      o.flops_per_pair = 512;
      o.bytes = 2 * o.sequence * heads * 512;
      o.pass_bytes = 2304 * o.sequence * heads / 8;
      o.seconds = model.predict(truth, o);
      points.push_back(o);
    }
  return points;
}

// 8 heads of 4,096 tokens are 128 blocks of 256 rows, more than 100 SMs, but 256 of 128: the steps differ.
TEST(AttentionModel, TellsBlocksOf256RowsFrom128AndTheCachePassFromTheKernel) {
  const FitModel wide = attention_model(toy_device(), {.tile_rows = 256, .cache_pass = true});
  const FitModel narrow = attention_model(toy_device(), {.cache_pass = true});
  const std::vector<double> truth{8e-6, 5.5e14, 4e-6, 0.7, 0.6, 1.2e12, 1.6, 256, 1e12};
  const std::vector<Observation> points = synthetic_attention(wide, truth);
  const ModelFit right = fit_model(wide, points, {.folds = 0}, "test");
  const ModelFit wrong = fit_model(narrow, points, {.folds = 0}, "test");
  EXPECT_LT(right.cost, 0.1 * wrong.cost);
  EXPECT_EQ(attention_curve(right.values()).tile_rows, 256);
  EXPECT_NEAR(right.value("pass_bytes_per_s") / 1e12, 1, 0.05);
  EXPECT_NEAR(right.value("flops_per_s") / 5.5e14, 1, 0.02);
}

TEST(AttentionModel, RecoversTheParametersOfASyntheticDevice) {
  const FitModel model = attention_model(toy_device());
  const std::vector<double> truth{8e-6, 5.5e14, 4e-6, 0.7, 0.6, 1.2e12, 1.6, 128};
  const std::vector<Observation> points = synthetic_attention(model, truth);
  const ModelFit fit = fit_model(model, points, {.folds = 5}, "test");
  EXPECT_NEAR(fit.value("overhead_s") / 8e-6, 1, 0.02);
  EXPECT_NEAR(fit.value("flops_per_s") / 5.5e14, 1, 0.02);
  EXPECT_NEAR(fit.value("block_s") / 4e-6, 1, 0.1);
  EXPECT_NEAR(fit.value("tail"), 0.7, 0.1);
  EXPECT_LT(fit.cross_validated.p90, 0.01);
}

/// Messages of 512 B to 512 MiB with the times of two protocols: 12 us and 100 GB/s, from `switch_bytes` on
/// 40 us and 330 GB/s, latency and bytes added.
std::vector<Observation> two_protocols(double switch_bytes, int sizes) {
  const std::vector<CollectiveProtocol> truth{
      {.from_bytes = 0, .latency_s = 12e-6, .bytes_per_s = 100e9, .overlap = 1},
      {.from_bytes = switch_bytes, .latency_s = 40e-6, .bytes_per_s = 330e9, .overlap = 1}};
  std::vector<Observation> points;
  for (int i = 0; i < sizes; ++i) {
    Observation o;
    o.bytes = 512 * std::exp2(20.0 * i / (sizes - 1));
    o.seconds = collective_seconds(truth, o.bytes);
    points.push_back(o);
  }
  return points;
}

TEST(CollectiveModel, RecoversTwoProtocolsAndWhereTheyChange) {
  const std::vector<Observation> points = two_protocols(3e6, 21);
  const ModelFit fit = fit_model(collective_model(points), points, {.folds = 0}, "test");
  EXPECT_NEAR(fit.value("latency_s") / 12e-6, 1, 0.02);
  EXPECT_NEAR(fit.value("large_latency_s") / 40e-6, 1, 0.1);
  EXPECT_NEAR(fit.value("large_bytes_per_s") / 330e9, 1, 0.02);
  // Sizes are powers of two times 512: 3 MB lies between 2.1 and 4.2 MB.
  EXPECT_GT(fit.value("switch_bytes"), 2.09e6);
  EXPECT_LT(fit.value("switch_bytes"), 4.2e6);
  EXPECT_LT(fit.in_sample.p90, 0.02);
}

TEST(CollectiveModel, HasOneProtocolForFewSizes) {
  const std::vector<Observation> points = two_protocols(1e18, 11);
  const ModelFit fit = fit_model(collective_model(points), points, {.folds = 0}, "test");
  EXPECT_EQ(fit.parameters.size(), 3u);
  EXPECT_EQ(collective_protocols(fit.values()).size(), 1u);
  EXPECT_NEAR(fit.value("latency_s") / 12e-6, 1, 0.02);
  EXPECT_NEAR(fit.value("bytes_per_s") / 100e9, 1, 0.02);
}

// 130 W + 800e12 FLOP/s * 0.5 pJ + 2e12 B/s * 50 pJ = 130 + 400 + 100 = 630 W.
TEST(PowerModel, AddsFloorFlopsAndBytes) {
  const FitModel model = power_model(130, 5e-11);
  Observation o;
  o.seconds = 1;
  o.flops = 800e12;
  o.bytes = 2e12;
  EXPECT_NEAR(model.predict(std::vector<double>{5e-13}, o), 630, 1e-9);
}

TEST(ModelFit, RefusesPointsThatSayNothing) {
  const FitModel model = bandwidth_model(toy_device());
  std::vector<Observation> points(6);
  for (Observation& o : points) {
    o.bytes = 1e6;
    o.seconds = 1e-5;
  }
  EXPECT_THROW((void)fit_model(model, points, {}, "test"), InputError);              // all alike
  EXPECT_THROW((void)fit_model(model, {points.data(), 1}, {}, "test"), InputError);  // one sample
  points[2].seconds = -1e-5;
  EXPECT_THROW((void)fit_model(model, points, {}, "test"), InputError);  // a negative time
}

TEST(ModelFit, TakesTheCheapestOfItsSearches) {
  // (x - 1)^2 (x - 9)^2 is lowest at 1 and at 9; the term in x lifts the valley at 9, where the given start
  // lies.
  FitModel model{.name = "two valleys"};
  model.parameters = {{"x", "", 9.5, 0, 10, false}};
  model.measured = [](const Observation& o) { return o.seconds; };
  model.predict = [](std::span<const double> v, const Observation& o) {
    const double x = v[0];
    return std::exp(0.01 * ((x - 1) * (x - 1) * (x - 9) * (x - 9) + x)) * o.bytes;
  };
  std::vector<Observation> points(4);
  for (std::size_t i = 0; i < points.size(); ++i) {
    points[i].bytes = points[i].seconds = 1.0 + static_cast<double>(i);
  }
  const ModelFit one = fit_model(model, points, {.folds = 0}, "test");
  EXPECT_GT(one.value("x"), 8);
  model.starts = 4;
  const ModelFit four = fit_model(model, points, {.folds = 0}, "test");
  EXPECT_LT(four.value("x"), 2);
}

// Two groups of equal size want 1 and 2. With residuals of log(x) and log(x / 2) and weights 1 and 3, least
// squares gives log x = 9 log 2 / 10; the robust loss is linear this far out, so the heavier group wins
// outright.
TEST(ModelFit, CountsHeavierObservationsMore) {
  FitModel model{.name = "level"};
  model.parameters = {{"x", "", 1.5, 0.1, 10}};
  model.measured = [](const Observation& o) { return o.seconds; };
  model.predict = [](std::span<const double> v, const Observation&) { return v[0]; };
  model.weight = [](const Observation& o) { return o.seconds > 1.5 ? 3.0 : 1.0; };
  std::vector<Observation> points(8);
  for (std::size_t i = 0; i < points.size(); ++i) points[i].seconds = i % 2 == 0 ? 1 : 2;
  const ModelFitOptions squares{.folds = 0, .robust_scale = 0};
  EXPECT_NEAR(std::log(fit_model(model, points, squares, "test").value("x")), 0.9 * std::log(2.0), 1e-3);
  EXPECT_NEAR(fit_model(model, points, {.folds = 0}, "test").value("x"), 2, 0.05);
}

// 132 SMs; reduction of 128, too short to be split. Full tiles and more than 1,024 rows lose nothing; 129
// rows leave 127 of 128 empty. With 8 x 132 = 1,056 columns the loss is 127/128 x 128 x unfilled_s, with half
// of them a quarter, with 65,536 (512 blocks for 66 places) 7.76 times as much.
TEST(GemmModel, LosesOnEmptyRowsByTheLoadOfTheBlocksThatFetchThem) {
  DeviceFacts device = toy_device();
  device.sm_count = 132;
  const FitModel model = gemm_model(device, {.operand_bytes = 1, .row_scales = true, .weight_copies = 0});
  std::vector<double> with, without;
  for (const FitParameter& p : model.parameters) {
    // Without memory traffic in the way and without clocks, times add up.
    const double value = p.name == "throttle" ? 0 : p.start;
    with.push_back(value);
    without.push_back(p.name == "unfilled_s" ? 0 : value);
  }
  const auto loss = [&](double m, double n) {
    const Observation o{.m = m, .n = n, .k = 128};
    return (model.predict(with, o) - model.predict(without, o)) / (128 * 2e-9);
  };
  EXPECT_NEAR(loss(129, 1056), 127.0 / 128, 1e-9);
  EXPECT_NEAR(loss(129, 528), 127.0 / 128 / 4, 1e-9);
  EXPECT_NEAR(loss(129, 65536), 127.0 / 128 * 512 / 66, 1e-9);
  EXPECT_EQ(loss(128, 1056), 0);
  EXPECT_EQ(loss(1025, 1056), 0);
  EXPECT_EQ(loss(64, 1056), 0);
}

TEST(ModelFit, IsTheSameEveryTime) {
  FitModel model = gemm_model(toy_device(), {.weight_copies = 0});
  model.starts = 6;  // more than are searched in full
  std::vector<double> truth;
  for (const FitParameter& p : model.parameters) truth.push_back(p.start);
  const std::vector<Observation> points = synthetic_products(model, truth);
  EXPECT_EQ(fit_model(model, points, {.folds = 0}, "test").values(),
            fit_model(model, points, {.folds = 0}, "test").values());
}

}  // namespace
}  // namespace orrery
