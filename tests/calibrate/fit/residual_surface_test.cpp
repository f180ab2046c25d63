#include "calibrate/fit/residual_surface.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "calibrate/fit/kernel_models.hpp"

namespace orrery {
namespace {

/// Uniform in -1 to 1, the same every time.
class Noise {
 public:
  double operator()() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(state_ >> 11) / 4503599627370496.0 - 1;
  }

 private:
  std::uint64_t state_ = 7;
};

/// 300 points of 16 to 65,536 in both sizes; `value` of log2 of the sizes plus `noise` times -1 to 1.
template <class Value>
std::vector<Residual> points_of(Value value, double noise) {
  Noise random;
  std::vector<Residual> points;
  for (int i = 0; i < 300; ++i) {
    const double a = 10 + 6 * random(), b = 10 + 6 * random();
    points.push_back({.sizes = {std::exp2(a), std::exp2(b)}, .log_ratio = value(a, b) + noise * random()});
  }
  return points;
}

const std::vector<std::string> kSizes{"a", "b"};

// A hill of 12 % at 2^10 in a, as wide as 2 octaves, whatever b is; noise of up to 6 % (3.5 % its deviation).
TEST(ResidualSurface, FindsAHillUnderNoise) {
  const auto hill = [](double a, double) { return 0.12 * std::exp(-(a - 10) * (a - 10) / 8); };
  const SurfaceFit fit = fit_surface(points_of(hill, 0.06), kSizes);
  ASSERT_FALSE(fit.correction.empty());
  for (double a = 5; a <= 15; a += 0.5)
    for (double b = 6; b <= 14; b += 2) {
      const double sizes[] = {std::exp2(a), std::exp2(b)};
      EXPECT_NEAR(std::log(fit.correction.factor(sizes)), hill(a, b), 0.03) << a << " " << b;
    }
  EXPECT_NEAR(fit.noise, 0.06 / std::sqrt(3), 0.01);
  // What does not depend on b is found to be long in b.
  EXPECT_GT(fit.octaves[1], fit.octaves[0]);
}

TEST(ResidualSurface, IsNoneWhereThereIsOnlyNoise) {
  const SurfaceFit fit = fit_surface(points_of([](double, double) { return 0.0; }, 0.1), kSizes);
  EXPECT_TRUE(fit.correction.empty());
  EXPECT_TRUE(fit_surface({}, kSizes).correction.empty());
  std::vector<Residual> alike(50, {.sizes = {64, 64}, .log_ratio = 0});
  EXPECT_TRUE(fit_surface(alike, kSizes).correction.empty());
}

// One point of 20 took 1.28 times as long as the others: a fallback kernel. The surface stays with the many.
TEST(ResidualSurface, IsNotDrawnAwayByASlowFew) {
  const auto slope = [](double a, double) { return 0.02 * (a - 10); };
  std::vector<Residual> points = points_of(slope, 0.02);
  for (std::size_t i = 0; i < points.size(); i += 20) points[i].log_ratio += 0.25;
  const SurfaceFit fit = fit_surface(points, kSizes);
  ASSERT_FALSE(fit.correction.empty());
  for (double a = 6; a <= 14; a += 1) {
    const double sizes[] = {std::exp2(a), 1024};
    EXPECT_NEAR(std::log(fit.correction.factor(sizes)), slope(a, 10), 0.012) << a;
  }
}

TEST(ResidualSurface, IsTheSameEveryTime) {
  const auto hill = [](double a, double b) { return 0.1 * std::sin(a) * std::cos(b / 2); };
  const std::vector<Residual> points = points_of(hill, 0.03);
  EXPECT_EQ(fit_surface(points, kSizes).correction.log_ratio,
            fit_surface(points, kSizes).correction.log_ratio);
}

// Products on a device that is as the model says but for K of 8,192 to 16,384, where it takes a tenth longer.
TEST(ResidualSurface, MendsWhatTheModelHasNoParameterFor) {
  const DeviceFacts device{.sm_count = 100, .memory_bytes_per_s = 2e12, .peak_flops_per_s = 1e15};
  FitModel model = gemm_model(device, {.weight_copies = 0});
  model.starts = 1;  // which is the truth below
  std::vector<double> truth;
  for (const FitParameter& p : model.parameters) truth.push_back(p.start);
  std::vector<Observation> points;
  Noise noise;
  for (int i = 0; i < 160; ++i) {
    Observation o;
    o.m = std::round(std::exp2(9 + 4 * noise()));
    o.n = std::round(std::exp2(10 + 3 * noise()));
    o.k = std::round(std::exp2(11.5 + 3 * noise()));
    o.input_bytes = 2 * o.m * o.k;
    o.weight_bytes = 2 * o.n * o.k;
    o.output_bytes = 2 * o.m * o.n;
    const double slow = 0.1 * std::exp(-std::pow(std::log2(o.k) - 13.5, 2));
    o.seconds = model.predict(truth, o) * std::exp(slow) * (1 + 0.01 * noise());
    points.push_back(o);
  }
  const ModelFit with = fit_model(model, points, {.folds = 3}, "test");
  ASSERT_FALSE(with.surface.correction.empty());
  model.sizes.clear();
  const ModelFit without = fit_model(model, points, {.folds = 3}, "test");
  EXPECT_TRUE(without.surface.correction.empty());
  // The figures that count are of points that neither parameters nor surface have seen.
  EXPECT_LT(with.cross_validated.p90, 0.75 * without.cross_validated.p90);
  EXPECT_LT(with.cross_validated.median, without.cross_validated.median);
}

}  // namespace
}  // namespace orrery
