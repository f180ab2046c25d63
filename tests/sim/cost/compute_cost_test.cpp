#include "sim/cost/compute_cost.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>
#include <string>

#include "sim/base/check.hpp"
#include "sim/workload/op_builder.hpp"
#include "tests/support/toy.hpp"

// Toy device: 10 SMs of 0.1 TFLOP/s, tiles of 100 x 100, 1 TB/s, no contention unless a test adds it.

namespace orrery {
namespace {

OperatorCurve& curve(GpuProfile& gpu, const std::string& op_class) {
  for (OperatorCurve& c : gpu.operators) {
    if (c.op_class == op_class) return c;
  }
  throw std::logic_error("no curve " + op_class);
}

double alone(const Op& op, std::int64_t sms, const GpuProfile& gpu = test::toy_gpu()) {
  return op_cost(op, gpu, sms).alone.value;
}

/// 1000 x 1000 x k: 100 tiles.
Op product(std::int64_t k) {
  return gemm_op("product", OpKind::kGemm, Precision::kBf16, 1, 1000, 1000, k);
}

Op attention(double flops, std::int64_t sequence) {
  return Op{.kind = OpKind::kAttentionForward, .sequence = sequence, .flops = flops};
}

TEST(OpCost, AMatrixProductTakesWavesOfTilesAndItsEpilogue) {
  // 100 tiles on 10 SMs: 10 waves of 2*100*100*5000 FLOPs at 0.1 TFLOP/s = 1 ms: 10 ms. Output 2 MB: 2 us.
  EXPECT_NEAR(alone(product(5000), 10), 10e-3 + 2e-6, 1e-12);
}

TEST(OpCost, AnUnfinishedWaveTakesAsLongAsAFullOne) {
  const Op eleven = gemm_op("", OpKind::kGemm, Precision::kBf16, 1, 1100, 100, 5000);
  const Op twenty = gemm_op("", OpKind::kGemm, Precision::kBf16, 1, 2000, 100, 5000);
  EXPECT_NEAR(alone(eleven, 10), 2e-3 + 0.22e-6, 1e-12);
  EXPECT_NEAR(alone(twenty, 10), 2e-3 + 0.40e-6, 1e-12);
  // A ragged edge is a whole tile: 101 rows are two.
  const Op ragged = gemm_op("", OpKind::kGemm, Precision::kBf16, 1, 101, 1000, 5000);
  EXPECT_NEAR(alone(ragged, 10), 2e-3 + 101 * 1000 * 2 / 1e12, 1e-12);
}

TEST(OpCost, GroupsAddTheirTiles) {
  // 4 experts of 5 tiles each: 20 tiles, 2 waves.
  const Op op = gemm_op("", OpKind::kGroupedGemm, Precision::kBf16, 4, 500, 100, 5000);
  EXPECT_NEAR(alone(op, 10), 2e-3 + 0.4e-6, 1e-12);
}

TEST(OpCost, TheBestTileIsChosen) {
  GpuProfile gpu = test::toy_gpu();
  curve(gpu, "gemm.bf16").tiles = {{100, 100}, {50, 100}};
  // 50 rows: a 100-row tile would be half empty. 10 tiles of 2*50*100*5000 = 0.5 ms.
  const Op thin = gemm_op("", OpKind::kGemm, Precision::kBf16, 1, 50, 1000, 5000);
  EXPECT_NEAR(alone(thin, 10, gpu), 0.5e-3 + 0.1e-6, 1e-12);
  EXPECT_LT(alone(thin, 10, gpu), alone(thin, 10));
}

TEST(OpCost, FewerSmsTakeMoreWavesAndASlowerEpilogue) {
  // 5 SMs: 20 waves; the epilogue at half the rate.
  EXPECT_NEAR(alone(product(5000), 5), 20e-3 + 4e-6, 1e-12);
  // More SMs than measured: the tiles spread, the epilogue stays.
  EXPECT_NEAR(alone(product(5000), 20), 5e-3 + 2e-6, 1e-12);
}

TEST(OpCost, AProductCannotOutrunTheMemory) {
  // k = 1 moves (1000 + 1000) * 2 + 2e6 bytes: 2.23 us at 0.9 TB/s. 10 waves of 0.2 us and 2 us of epilogue
  // take longer, products of an endlessly fast device would not.
  const Op op = product(1);
  EXPECT_NEAR(op.bytes, 2.004e6, 1);
  EXPECT_NEAR(alone(op, 10), 10 * 0.2e-6 + 2e-6, 1e-15);
  GpuProfile fast = test::toy_gpu();
  curve(fast, "gemm.bf16").flops_per_s = 1e18;
  curve(fast, "gemm.bf16").output_bytes_per_s = 1e18;
  EXPECT_NEAR(alone(op, 10, fast), 2.004e6 / 0.9e12, 1e-15);
}

TEST(OpCost, MemoryBoundKernelsTakeBytesOverRateAndTheirLaunches) {
  // 5 MB at 1 TB/s = 5 us, and 1 us per kernel.
  EXPECT_NEAR(alone(memory_op("", OpKind::kNorm, 5e6), 10), 6e-6, 1e-15);
  EXPECT_NEAR(alone(memory_op("", OpKind::kNorm, 5e6, 40), 10), 45e-6, 1e-15);
  EXPECT_NEAR(alone(memory_op("", OpKind::kNorm, 5e6), 5), 11e-6, 1e-15);
  // The memory does not grow with the SMs.
  EXPECT_NEAR(alone(memory_op("", OpKind::kNorm, 5e6), 20), 6e-6, 1e-15);
}

TEST(OpCost, TheSmExponentBendsTheShare) {
  GpuProfile gpu = test::toy_gpu();
  curve(gpu, "memory.copy").sm_exponent = 0.5;
  // 4 of 16 SMs: sqrt(1/4), half the rate.
  curve(gpu, "memory.copy").sm_count = 16;
  EXPECT_NEAR(alone(memory_op("", OpKind::kCopy, 5e6), 4, gpu), 11e-6, 1e-15);
  curve(gpu, "memory.copy").sm_exponent = 0;
  EXPECT_NEAR(alone(memory_op("", OpKind::kCopy, 5e6), 4, gpu), 6e-6, 1e-15);
}

TEST(OpCost, AttentionRunsAtTheRateOfItsSequenceLength) {
  GpuProfile gpu = test::toy_gpu();
  curve(gpu, "attention.forward").flops_per_s_by_sequence = Curve({{100, 1e11}, {10000, 1e12}});
  // Half way in log: sqrt(1e11 * 1e12).
  EXPECT_NEAR(alone(attention(1e9, 1000), 10, gpu), 1e9 / std::sqrt(1e23), 1e-12);
  EXPECT_NEAR(alone(attention(1e9, 20000), 10, gpu), 1e-3, 1e-12);
  EXPECT_NEAR(alone(attention(1e9, 20000), 5, gpu), 2e-3, 1e-12);
  EXPECT_NEAR(alone(attention(1e9, 20000), 20, gpu), 0.5e-3, 1e-12);
  curve(gpu, "attention.forward").overhead_s = 7e-6;
  EXPECT_NEAR(alone(attention(1e9, 20000), 10, gpu), 1e-3 + 7e-6, 1e-12);
}

TEST(OpCost, AttentionWithAWindowRunsAtTheRateOfTheSequenceWithAsManyKeys) {
  GpuProfile gpu = test::toy_gpu();
  curve(gpu, "attention.forward").flops_per_s_by_sequence = Curve({{2, 1e11}, {20000, 1e12}});
  Op op = attention(1e9, 20000);
  EXPECT_NEAR(alone(op, 10, gpu), 1e-3, 1e-12);
  // Every query sees one key, as in the mean of a causal sequence counted as 2^2 / 2 pairs.
  op.window = 1;
  EXPECT_NEAR(alone(op, 10, gpu), 1e-2, 1e-12);
}

TEST(OpCost, BlocksOfAttentionWithAWindowWalkItAndTheirOwnRows) {
  GpuProfile gpu = test::toy_gpu();
  OperatorCurve& c = curve(gpu, "attention.forward");
  c.form = CurveForm::kAttentionKernel;
  c.attention_kernel = {.flops_per_s = 1e12,
                        .block_s = 1e-6,
                        .tail = 0,
                        .small_tile_efficiency = 0.5,
                        .tile_rows = 128,
                        .memory_bytes_per_s = 1e12,
                        .overlap = 1};
  const auto of = [&](double heads, std::int64_t window) {
    Op op = attention(heads * 256 * 1024 * 1024 * window_share(1024, window), 1024);
    op.window = window;
    return alone(op, 10, gpu);
  };
  // 128 rows with 128 keys: 512 FLOPs a pair at 0.1 TFLOP/s. 1024 tokens are 8 blocks a head.
  const double tile = 512.0 * 128 * 128 / 1e11;
  // 10 heads on 10 SMs. All keys: 1 + 2 + ... + 8 = 36 tiles. 128 keys: the first block 1 tile, the others 2.
  EXPECT_NEAR(of(10, 0), 36 * tile + 8e-6, 1e-12);
  EXPECT_NEAR(of(10, 128), 15 * tile + 8e-6, 1e-12);
  // The first of 129 keys of a block's first row begins a tile, of 130 it lies in the one before: 1, 2, 3, 3.
  EXPECT_NEAR(of(10, 129), 15 * tile + 8e-6, 1e-12);
  EXPECT_NEAR(of(10, 130), 21 * tile + 8e-6, 1e-12);
  // One head: its longest block alone.
  EXPECT_NEAR(of(1, 0), 8 * tile + 1e-6, 1e-12);
  EXPECT_NEAR(of(1, 128), 2 * tile + 1e-6, 1e-12);
  for (std::int64_t window = 1; window < 1100; ++window) EXPECT_LE(of(10, window), of(10, 0) * (1 + 1e-12));
  EXPECT_NEAR(of(10, 1023), of(10, 0), 1e-12);
}

// A corrected curve: all of the kernel's seconds take the factor of its sizes, its overhead, too.
TEST(OpCost, ACorrectionMultipliesAllOfAKernelsSeconds) {
  GpuProfile gpu = test::toy_gpu();
  OperatorCurve& c = curve(gpu, "gemm.bf16");
  c.form = CurveForm::kGemmKernel;
  c.gemm_kernel = {.flops_per_s = 1e12,
                   .sm_bytes_per_s = 1e15,
                   .split_s = 1,
                   .split_bytes_per_s = 1e12,
                   .memory_bytes_per_s = 1e13,
                   .tiles = {{100, 100, 1}}};
  c.overhead_s = 3e-6;
  const double plain = alone(product(6400), 10, gpu);
  // log2 of 1,000 is 9.966, of 6,400 12.644: in K 0.822 of the way from the node at 11 to the one at 13.
  c.correction = {.sizes = kProductSizes,
                  .log2_first = {4, 4, 11},
                  .log2_step = {1, 1, 2},
                  .nodes = {1, 1, 2},
                  .log_ratio = {0, 0.1}};
  const double way = (std::log2(6400.0) - 11) / 2;
  EXPECT_NEAR(alone(product(6400), 10, gpu) / plain, std::exp(0.1 * way), 1e-12);
  EXPECT_NEAR(way, 0.822, 1e-3);
  // Three kernels of it have three overheads, each corrected.
  Op three = product(6400);
  three.kernels = 3;
  EXPECT_NEAR(alone(three, 10, gpu) - alone(product(6400), 10, gpu), 6e-6 * std::exp(0.1 * way), 1e-12);
}

TEST(OpCost, AttentionCannotOutrunTheMemoryEither) {
  Op op = attention(1e3, 100);
  op.bytes = 9e6;
  EXPECT_NEAR(alone(op, 10), 1e-5, 1e-15);
}

TEST(OpCost, ACurveMeasuredBesideCommunicationIsFasterAlone) {
  GpuProfile gpu = test::toy_gpu();
  gpu.contention = {{.op_class = "memory", .slowdown = test::toy_number(1.25)},
                    {.op_class = "gemm", .slowdown = test::toy_number(1.1)}};
  curve(gpu, "memory.norm").beside_communication = true;
  // Measured 5 us with communication beside it: 4 us alone, launch not divided.
  const OpCost norm = op_cost(memory_op("", OpKind::kNorm, 5e6), gpu, 10);
  EXPECT_NEAR(norm.alone.value, 4e-6 + 1e-6, 1e-15);
  EXPECT_EQ(norm.beside_communication, 1.25);
  // Measured alone: taken as it is.
  const OpCost copy = op_cost(memory_op("", OpKind::kCopy, 5e6), gpu, 10);
  EXPECT_NEAR(copy.alone.value, 6e-6, 1e-15);
  EXPECT_EQ(copy.beside_communication, 1.25);
  EXPECT_EQ(op_cost(product(100), gpu, 10).beside_communication, 1.1);
  EXPECT_EQ(op_cost(attention(1, 1), gpu, 10).beside_communication, 1);
}

TEST(OpCost, MoreSmsAreNeverSlower) {
  GpuProfile gpu = test::toy_gpu();
  curve(gpu, "gemm.bf16").tiles = {{100, 100}, {64, 128}, {128, 64}};
  for (const Op& op :
       {product(777), gemm_op("", OpKind::kWeightGemm, Precision::kFp8Block, 1, 333, 1777, 4096),
        gemm_op("", OpKind::kGroupedGemm, Precision::kBf16, 7, 130, 200, 50),
        memory_op("", OpKind::kActivation, 1e7), attention(1e9, 4096)}) {
    double last = alone(op, 1, gpu);
    for (std::int64_t sms = 2; sms <= 40; ++sms) {
      const double now = alone(op, sms, gpu);
      EXPECT_LE(now, last) << op_class(op) << " on " << sms;
      last = now;
    }
  }
}

TEST(OpCost, AMissingCurveIsAnInputErrorThatSaysWhatThereIs) {
  try {
    (void)op_cost(gemm_op("", OpKind::kGemm, Precision::kMxfp8, 1, 1, 1, 1), test::toy_gpu(), 10);
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_EQ(error.place(), "gpu profile toy");
    EXPECT_NE(error.problem().find("no curve for operator class 'gemm.mxfp8'"), std::string::npos);
    EXPECT_NE(error.problem().find("grouped-gemm.fp8-block"), std::string::npos);
  }
}

TEST(OpCost, ComputingOnNoSmIsABug) {
  EXPECT_THROW((void)op_cost(product(1), test::toy_gpu(), 0), InternalError);
}

}  // namespace
}  // namespace orrery
