// Element-wise kernels and the local halves of an exchange against their formulas.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include "calibrate/probe/cuda/element_wise.cuh"
#include "tests/calibrate/probe/cuda/kernel_world.hpp"

namespace orrery {
namespace {

using namespace test;

TEST(ElementWise, SwiGluResidualRotaryAndPermuteEqualTheirFormulas) {
  const std::int64_t rows = 3, width = 128;
  const Bf16 x = random_bf16(rows * 2 * width, 1), y = random_bf16(rows * width, 2);
  std::vector<float> angles;
  for (int sine = 0; sine < 2; ++sine)
    for (int row = 0; row < rows; ++row)
      for (int j = 0; j < 32; ++j)
        angles.push_back(static_cast<float>(sine == 0 ? std::cos(row * 0.1 * j) : std::sin(row * 0.1 * j)));
  const std::vector<std::int32_t> source{2, 0, 1};
  Bf16 out(rows * width);
  const ElementArguments g{.x = x.data(),
                           .y = y.data(),
                           .angles = angles.data(),
                           .source = source.data(),
                           .out = out.data(),
                           .rows = rows,
                           .width = width,
                           .head = 64};
  const auto check = [&](auto body, auto expected) {
    std::fill(out.begin(), out.end(), std::uint16_t{0x7fc0});
    for (std::int64_t i = 0; i < rows * width / 8; ++i) body.run(g, i);
    for (std::int64_t i = 0; i < rows * width; ++i) {
      const double want = expected(i / width, i % width);
      EXPECT_NEAR(at(out, i), want, std::abs(want) / 200 + 1e-6);
    }
  };
  check(ResidualAdd{},
        [&](std::int64_t r, std::int64_t c) { return at(x, r * width + c) + at(y, r * width + c); });
  check(SwiGlu{}, [&](std::int64_t r, std::int64_t c) {
    const double gate = at(x, r * 2 * width + c);
    return gate / (1 + std::exp(-gate)) * at(x, r * 2 * width + width + c);
  });
  check(Rotary{}, [&](std::int64_t r, std::int64_t c) {
    const double angle = static_cast<double>(r) * 0.1 * static_cast<double>(c % 64 / 2);
    const double a = at(x, r * width + c / 2 * 2), b = at(x, r * width + c / 2 * 2 + 1);
    return c % 2 == 0 ? a * std::cos(angle) - b * std::sin(angle) : a * std::sin(angle) + b * std::cos(angle);
  });
  check(PermuteRows{}, [&](std::int64_t r, std::int64_t c) {
    return at(x, source[static_cast<std::size_t>(r)] * width + c);
  });
}

TEST(ElementWise, RmsNormEqualsItsFormula) {
  const std::int64_t width = 7168;
  const Bf16 x = random_bf16(2 * width, 1), weight = random_bf16(width, 2);
  Bf16 out(2 * width, 0x7fc0);
  const ElementArguments g{.x = x.data(), .y = weight.data(), .out = out.data(), .rows = 2, .width = width};
  for (std::int64_t row = 0; row < 2; ++row) {
    float shared[8];
    HostLanes<RmsNorm::Registers> lanes(RmsNorm::kThreads);
    RmsNorm::run(lanes, shared, g, row);
    double squares = 0;
    for (std::int64_t i = 0; i < width; ++i) squares += at(x, row * width + i) * at(x, row * width + i);
    const double root = std::sqrt(squares / static_cast<double>(width) + 1e-6);
    for (std::int64_t i = 0; i < width; ++i) {
      const double want = at(x, row * width + i) / root * at(weight, i);
      EXPECT_NEAR(at(out, row * width + i), want, std::abs(want) / 200 + 1e-6);
    }
  }
}

TEST(ElementWise, QuantiseKeepsEveryValueWithinHalfAStep) {
  const std::int64_t rows = 5, width = 384;
  Bf16 x = random_bf16(rows * width, 1);
  for (std::int64_t i = 0; i < 128; ++i) x[static_cast<std::size_t>(i)] = 0;  // a block of zeros
  std::vector<std::uint8_t> codes(x.size(), 0x7f);
  std::vector<float> scales(rows * width / 128, NAN);
  const ElementArguments g{
      .x = x.data(), .codes = codes.data(), .scales = scales.data(), .rows = rows, .width = width};
  for (std::int64_t first = 0; first < rows * width / 8;
       first += 64) {  // 240 groups of eight: the last block is cut
    HostLanes<Quantise::Registers> lanes(64);
    Quantise::run(lanes, g, first);
  }
  for (std::int64_t i = 0; i < rows * width; ++i) {
    const double scale = scales[static_cast<std::size_t>(i % width / 128 * rows + i / width)];
    const double back = from_e4m3(codes[static_cast<std::size_t>(i)]) * scale;
    // A step is 2^-3 of the binade (half of it: 1/16 of the value), or 2^-9 of the scale below the smallest
    // normal.
    EXPECT_LE(std::abs(back - at(x, i)), std::max(std::abs(at(x, i)) / 16, scale * std::exp2(-10)) * 1.001);
  }
}

TEST(ElementWise, CastTransposeHoldsTheSameValuesTurnedRound) {
  const std::int64_t rows = 256, width = 128;
  const Bf16 x = random_bf16(rows * width, 1);
  std::vector<std::uint8_t> codes(x.size(), 0x7f);
  std::vector<float> scales(rows / 128 * width, NAN);
  const ElementArguments g{
      .x = x.data(), .codes = codes.data(), .scales = scales.data(), .rows = rows, .width = width};
  std::vector<std::uint32_t> shared(CastTranspose::kSharedWords);
  for (std::int64_t row = 0; row < rows; row += 128)
    for (std::int64_t column = 0; column < width; column += 64) {
      HostLanes<CastTranspose::Registers> lanes(CastTranspose::kThreads);
      CastTranspose::run(lanes, shared.data(), g, row, column);
    }
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < width; ++c) {
      const double scale = scales[static_cast<std::size_t>(r / 128 * width + c)];
      const double back = from_e4m3(codes[static_cast<std::size_t>(c * rows + r)]) * scale;
      EXPECT_LE(std::abs(back - at(x, r * width + c)),
                std::max(std::abs(at(x, r * width + c)) / 16, scale * std::exp2(-10)) * 1.001);
    }
}

/// Distinct words that a warp asks of one bank of 32 at a time; more than one takes as many turns.
int turns(const std::vector<int>& words) {
  std::vector<std::set<int>> banks(32);
  for (const int word : words) banks[static_cast<std::size_t>(word % 32)].insert(word);
  std::size_t most = 0;
  for (const std::set<int>& bank : banks) most = std::max(most, bank.size());
  return static_cast<int>(most);
}

TEST(ElementWise, CastTransposeUsesEveryBankOnceInATurn) {
  for (int warp = 0; warp < 8; ++warp) {
    for (int i = 0; i < 32; ++i) {
      std::vector<int> read;
      for (int lane = 0; lane < 32; ++lane)
        read.push_back(CastTranspose::word(lane % 4 * 32 + i, 8 * warp + lane / 4));
      EXPECT_EQ(turns(read), 1) << "warp " << warp << ", row " << i;
      EXPECT_LT(*std::max_element(read.begin(), read.end()), CastTranspose::kSharedWords);
    }
    for (int j = 0; j < 8; j += 2) {
      std::vector<int> written;
      for (int lane = 0; lane < 32; ++lane)
        written.push_back(CastTranspose::word(4 * warp + lane / 8, lane % 8 * 8 + j));
      EXPECT_EQ(turns(written), 1) << "warp " << warp << ", word " << j;
    }
  }
}

TEST(Exchange, DispatchThenCombineWithWeightsThatSumToOneGivesTheTokenBack) {
  const int tokens = 6, hidden = 256, top_k = 3;
  const Bf16 x = random_bf16(tokens * hidden, 1);
  std::vector<std::int32_t> place(tokens * top_k);
  std::iota(place.begin(), place.end(), 0);
  std::shuffle(place.begin(), place.end(), std::mt19937(5));
  std::vector<float> weight;
  for (int i = 0; i < tokens; ++i) weight.insert(weight.end(), {0.5F, 0.25F, 0.25F});
  std::vector<std::uint8_t> codes(tokens * top_k * hidden, 0x7f);
  std::vector<float> scales(tokens * top_k * 2, NAN);
  ExchangeArguments g{.x = x.data(),
                      .place = place.data(),
                      .weight = weight.data(),
                      .codes = codes.data(),
                      .scales = scales.data(),
                      .tokens = tokens,
                      .hidden = hidden,
                      .top_k = top_k};
  for (std::int64_t first = 0; first < tokens * hidden / 8; first += 128) {
    HostLanes<DispatchLocal::Registers> lanes(128);
    DispatchLocal::run(lanes, g, first);
  }
  Bf16 rows(codes.size()), out(x.size());
  for (std::size_t i = 0; i < codes.size(); ++i) rows[i] = to_bf16(from_e4m3(codes[i]) * scales[i / 128]);
  g.x = rows.data();
  g.out = out.data();
  for (std::int64_t i = 0; i < tokens * hidden / 8; ++i) CombineLocal::run(g, i);
  Distance distance;
  for (std::int64_t i = 0; i < tokens * hidden; ++i) distance.add(at(out, i), at(x, i));
  EXPECT_LT(distance.value(), 0.035);  // E4M3 keeps 3 bits of mantissa: uniform rounding error 2^-4 / sqrt(3)
}

}  // namespace
}  // namespace orrery
