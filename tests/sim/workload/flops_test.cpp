#include "sim/workload/flops.hpp"

#include <gtest/gtest.h>

#include "sim/model/param_count.hpp"
#include "tests/sim/workload/work_sums.hpp"
#include "tests/support/deepseek_v3.hpp"
#include "tests/support/toy.hpp"

namespace orrery {
namespace {

using test::flops;

struct Sums {
  double forward_linear = 0, forward_attention = 0, backward_linear = 0, backward_attention = 0;
};

Sums sums(const ModelSpec& model, const Layout& layout, Training training) {
  Workload w = make_units({.model = model, .layout = layout, .training = training});
  Sums s;
  for (const UnitWork* u : test::whole_model(w, model, training)) {
    const std::vector<Op> forward = test::ops_in(test::forward_pieces(u->work));
    const std::vector<Op> backward = test::ops_in(test::backward_pieces(u->work));
    s.forward_linear += flops(forward, test::is_linear);
    s.forward_attention += flops(forward, test::is_attention);
    s.backward_linear += flops(backward, test::is_linear);
    s.backward_attention += flops(backward, test::is_attention);
  }
  return s;
}

/// Weights that multiply tokens: no norms, no selection bias, no look-up, no scalar gate (left out of ops).
double matrix_weights(const ModelSpec& m) {
  const ParamCount count = count_params(m);
  double n = static_cast<double>(count.active_without_lookup() - count.norms);
  if (m.moe && m.moe->selection_bias) n -= static_cast<double>(m.moe_layers() * m.moe->experts);
  if (m.moe && m.moe->router_bias) n -= static_cast<double>(m.moe_layers() * m.moe->experts);
  if (m.moe && m.moe->shared_gate) n -= static_cast<double>(m.moe_layers() * m.hidden);
  return n;
}

TEST(Flops, DeepSeekV3PerTokenIsWhatIsPublished) {
  // arXiv 2505.09343: table 2 has 250 GFLOP per token causal; table 4's non-causal rate is 280/250 of it.
  const ModelSpec v3 = test::v3_model();
  EXPECT_NEAR(model_flops_per_token(v3, 4096, true).value, 250.4e9, 0.001 * 250.4e9);
  EXPECT_NEAR(model_flops_per_token(v3, 4096, false).value, 281.2e9, 0.001 * 281.2e9);
}

TEST(Flops, TheToyModelMatchesTheHandSum) {
  // Active: 4 layers of 592, last norm 8, head 32*8 = 256: 2632 weights, times 6. Attention: 4 heads of 2 +
  // 2, 2 FLOPs each, half of 64 keys, 4 layers, forward and twice backward: 2*16*32*4*3 = 12288.
  EXPECT_DOUBLE_EQ(model_flops_per_token(test::toy_dense(), 64, true).value, 6.0 * 2632 + 12288);
  EXPECT_DOUBLE_EQ(model_flops_per_token(test::toy_dense(), 64, false).value, 6.0 * 2632 + 2 * 12288);
}

TEST(Flops, TheOpsOfAStepAddUpToTheAnalyticCount) {
  for (const char* name : {"deepseek-v3", "deepseek-v2-lite", "llama-3-8b", "mixtral-8x7b", "qwen2-57b-a14b",
                           "gpt-3-175b", "qwen3-30b-a3b", "gpt-oss-20b"}) {
    SCOPED_TRACE(name);
    const ModelSpec model = load_model(name, {}).spec;
    const Training training{.global_batch_size = 1, .sequence_length = 2048, .mtp = false};
    const Sums s = sums(model, Layout{}, training);
    const double linear = 2.0 * matrix_weights(model) * 2048;
    const double attention = model_flops_per_token(model, 2048, true).value / 3 * 2048 -
                             2.0 * static_cast<double>(count_params(model).active_without_lookup()) * 2048;
    // Biases and sinks have no matrix product of their own: up to 1e-3 of a GPT layer.
    const bool biases = model.mlp_bias || (model.moe && model.moe->expert_bias);
    EXPECT_NEAR(s.forward_linear, linear, (biases ? 1e-3 : 1e-4) * linear);
    EXPECT_NEAR(s.forward_attention, attention, 1e-9 * attention);
  }
}

TEST(Flops, DeepSeekV3OpsAddUpExactly) {
  const ModelSpec v3 = test::v3_model();
  Training training = test::v3_training();
  training.mtp = false;
  const Sums s = sums(v3, test::v3_layout(), training);
  const double linear = 2.0 * matrix_weights(v3) * 4096;
  EXPECT_NEAR(s.forward_linear, linear, 1e-12 * linear);
  // The kernels of one token: forward (249.x - norms)/3 and the causal attention.
  EXPECT_NEAR(3 * (s.forward_linear + s.forward_attention) / 4096, 250.4e9, 0.001 * 250.4e9);
}

TEST(Flops, BackwardOfLinearLayersIsTwiceTheForwardAndOfAttentionTwoAndAHalf) {
  for (const char* name : {"deepseek-v3", "llama-3-8b", "mixtral-8x7b"}) {
    SCOPED_TRACE(name);
    const ModelSpec model = load_model(name, {}).spec;
    const Training training{.global_batch_size = 1, .sequence_length = 2048};
    const Sums s = sums(model, Layout{}, training);
    EXPECT_NEAR(s.backward_linear, 2 * s.forward_linear, 1e-12 * s.backward_linear);
    EXPECT_NEAR(s.backward_attention, 2.5 * s.forward_attention, 1e-12 * s.backward_attention);
  }
}

TEST(Flops, InputAndWeightGradientsCostTheSame) {
  const ModelSpec v3 = test::v3_model();
  const Workload w = make_units({.model = v3, .layout = Layout{}, .training = test::v3_training()});
  for (const UnitWork& u : w.units) {
    const std::vector<Op> ops = test::ops_in(test::backward_pieces(u.work));
    const auto weight = [](const Op& op) {
      return op.kind == OpKind::kWeightGemm || op.kind == OpKind::kGroupedWeightGemm;
    };
    const auto input = [&](const Op& op) { return test::is_linear(op) && !weight(op); };
    EXPECT_DOUBLE_EQ(flops(ops, input), flops(ops, weight)) << u.name;
  }
}

TEST(Flops, OneMtpModuleAddsTenGflopPerToken) {
  // Layer with 9 active experts 585.3e6 (attention 187.1e6, experts 396.4e6, router 1.8e6), join 102.8e6,
  // head 926.7e6: 6 x 1.615e9 = 9.69 GFLOP; attention 2 * 128 * 320 * 2048 * 3 = 0.50 GFLOP.
  const ModelSpec v3 = test::v3_model();
  Training training = test::v3_training();
  const Sums with = sums(v3, Layout{}, training);
  training.mtp = false;
  const Sums without = sums(v3, Layout{}, training);
  const double per_token =
      3 *
      (with.forward_linear + with.forward_attention - without.forward_linear - without.forward_attention) /
      4096;
  EXPECT_NEAR(per_token, 10.19e9, 0.002 * 10.19e9);
}

}  // namespace
}  // namespace orrery
