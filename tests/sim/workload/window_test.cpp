// Layers that attend to a window: pairs, FLOPs and units, by hand.
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "sim/workload/flops.hpp"
#include "tests/sim/workload/work_sums.hpp"
#include "tests/support/deepseek_v3.hpp"
#include "tests/support/toy.hpp"

namespace orrery {
namespace {

Workload units_of(const ModelSpec& model, std::int64_t sequence, const Layout& layout = {},
                  AttentionKernel attention = AttentionKernel::kFused) {
  const Training training{.global_batch_size = 1, .sequence_length = sequence, .attention = attention};
  return make_units({.model = model, .layout = layout, .training = training});
}

Op core_of(const UnitWork& unit) {
  return test::named(test::ops_in(test::forward_pieces(unit.work)), "attention core");
}

TEST(Window, ShareIsTheExactSumOfKeysOverTheTriangle) {
  // Of 64 queries the first 16 see 1, 2, ... 16 keys, 136 together, the other 48 see 16: 904 of 64^2 / 2.
  EXPECT_DOUBLE_EQ(window_share(64, 16), 904.0 / 2048);
  EXPECT_DOUBLE_EQ(window_share(64, 1), 64.0 / 2048);
  std::int64_t pairs = 0;
  for (std::int64_t i = 0; i < 1000; ++i) pairs += std::min<std::int64_t>(i + 1, 77);
  EXPECT_DOUBLE_EQ(window_share(1000, 77), static_cast<double>(pairs) / 500'000);
}

TEST(Window, ShareIsOneWithoutAWindowShorterThanTheSequenceAndNeverMore) {
  for (const std::int64_t window : {0, 64, 65, 1 << 20}) EXPECT_EQ(window_share(64, window), 1) << window;
  // 63 keys leave out one pair of the 2,080 with the whole diagonal, more than the 2,048 of a triangle.
  EXPECT_EQ(window_share(64, 63), 1);
  for (std::int64_t window = 2; window < 64; ++window)
    EXPECT_LE(window_share(64, window - 1), window_share(64, window)) << window;
}

TEST(Window, ModelFlopsCountItWhereAttentionIsCausalOnly) {
  // Layers 0 and 2 of the toy model, whose attention takes 3072 FLOPs a token each with all 64 keys: of it
  // 904 / 2048, 1356. The non-causal convention is blind to masks.
  ModelSpec m = test::toy_dense();
  m.sliding_window = 16;
  m.full_layers = {1, 3};
  EXPECT_DOUBLE_EQ(model_flops_per_token(m, 64, true).value, 6.0 * 2632 + 2 * 3072 + 2 * 1356);
  EXPECT_DOUBLE_EQ(model_flops_per_token(m, 64, false).value, 6.0 * 2632 + 2 * 12288);
  EXPECT_EQ(model_flops_per_token(m, 16, true).value,
            model_flops_per_token(test::toy_dense(), 16, true).value);
}

TEST(Window, GptOssPerTokenIsWhatMegatronBridgeCounts) {
  // NVIDIA-NeMo/Megatron-Bridge, docs/performance-summary.md, container 26.08, GB300 and GB200 with 4,096
  // tokens: 1,077 and 934 TFLOP/s at 33,024 and 28,672 tokens/s.
  const double ours = model_flops_per_token(load_model("gpt-oss-120b", {}).spec, 4096, true).value;
  // 6 x 5,132,849,472; 3 x 2 x 64 heads x 128 x 2,048 keys in 18 layers, and 516,160 / 8,388,608 of it in 18.
  EXPECT_NEAR(ours, 30.797e9 + 18 * 100.663e6 + 18 * 6.194e6, 1e6);
  EXPECT_NEAR(ours, 1077e12 / 33024, 0.005 * ours);
  EXPECT_NEAR(ours, 934e12 / 28672, 0.005 * ours);
}

TEST(Window, KernelsOfItsLayersComputeTheirShareForwardAndBackward) {
  const Workload w = units_of(test::toy_window(), 64);
  const std::vector<std::size_t> row = layer_units(w, test::toy_window());
  const Op full = core_of(w.units[row[1]]);
  const Op window = core_of(w.units[row[0]]);
  EXPECT_EQ(full.window, 0);
  EXPECT_EQ(window.window, 16);
  // 4 heads, widths 2 + 2, 2 FLOPs: 32 a pair.
  EXPECT_DOUBLE_EQ(full.flops, 32.0 * 2048);
  EXPECT_DOUBLE_EQ(window.flops, 32.0 * 904);
  EXPECT_EQ(window.bytes, full.bytes);
  const Op backward =
      test::named(test::ops_in(test::backward_pieces(w.units[row[0]].work)), "attention backward");
  EXPECT_DOUBLE_EQ(backward.flops, 2.5 * 32.0 * 904);
  EXPECT_EQ(backward.window, 16);
}

TEST(Window, TensorAndContextRanksShareItOut) {
  Layout cut;
  cut.tp = 2;
  cut.cp = 4;
  const Workload w = units_of(test::toy_window(), 64, cut);
  const std::size_t first = layer_units(w, test::toy_window())[0];
  EXPECT_DOUBLE_EQ(core_of(w.units[first]).flops, 32.0 * 904 / 8);
  // Keys and values of all ranks are exchanged, as with full attention.
  const auto exchange = [&](std::size_t unit) {
    for (const CommOp& comm : test::comms_in(test::forward_pieces(w.units[unit].work))) {
      if (comm.axis == Axis::kCp) return comm.bytes;
    }
    return 0.0;
  };
  EXPECT_GT(exchange(first), 0);
  EXPECT_EQ(exchange(first), exchange(layer_units(w, test::toy_window())[1]));
}

TEST(Window, EveryKindOfLayerHasAUnitOfItsOwn) {
  const Workload w = units_of(test::toy_window(), 64);
  ASSERT_EQ(w.units.size(), 6U);  // embedding, dense and MoE with and without window, head
  const std::vector<std::size_t> row = layer_units(w, test::toy_window());
  for (std::size_t layer = 0; layer < row.size(); ++layer) {
    EXPECT_EQ(w.units[row[layer]].kind, layer < 2 ? UnitKind::kDense : UnitKind::kMoe) << layer;
    EXPECT_EQ(w.units[row[layer]].window, layer % 2 == 0 ? 16 : 0) << layer;
    EXPECT_EQ(w.units[row[layer]].kept_bytes, w.units[unit_of(w, w.units[row[layer]].kind)].kept_bytes);
  }
  EXPECT_EQ(w.units[unit_of(w, UnitKind::kMoe)].window, 0);
}

TEST(Window, GptOssAlternates) {
  const ModelSpec model = load_model("gpt-oss-120b", {}).spec;
  const Workload w = units_of(model, 4096);
  EXPECT_EQ(w.units.size(), 4U);
  const std::vector<std::size_t> row = layer_units(w, model);
  ASSERT_EQ(row.size(), 36U);
  for (std::size_t layer = 0; layer < row.size(); ++layer)
    EXPECT_EQ(w.units[row[layer]].window, layer % 2 == 0 ? 128 : 0) << layer;
}

TEST(Window, SequencesWithinItAndUnfusedProgramsKnowNone) {
  ModelSpec without = test::toy_window();
  without.sliding_window = 0;
  for (const auto& [sequence, attention] :
       {std::pair{16, AttentionKernel::kFused}, std::pair{64, AttentionKernel::kUnfused}}) {
    const Workload a = units_of(test::toy_window(), sequence, {}, attention);
    const Workload b = units_of(without, sequence, {}, attention);
    EXPECT_EQ(a.units.size(), b.units.size());
    EXPECT_EQ(layer_units(a, test::toy_window()), layer_units(b, without));
    for (std::size_t i = 0; i < a.units.size(); ++i) {
      EXPECT_EQ(test::flops(test::ops_in(test::all_pieces(a.units[i].work)), [](const Op&) { return true; }),
                test::flops(test::ops_in(test::all_pieces(b.units[i].work)), [](const Op&) { return true; }));
    }
  }
}

}  // namespace
}  // namespace orrery
