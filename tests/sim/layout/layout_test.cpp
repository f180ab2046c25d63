#include "sim/layout/layout.hpp"

#include <gtest/gtest.h>

#include <string>

#include "sim/base/check.hpp"
#include "tests/support/deepseek_v3.hpp"

namespace orrery {
namespace {

TEST(Layout, DeepSeekV3HasOneHundredTwentyMicrobatches) {
  const Derived d = derive(test::v3_layout(), test::v3_training(), test::kV3Gpus);
  EXPECT_EQ(d.dp, 128);       // 2048 / 16
  EXPECT_EQ(d.expert_dp, 2);  // 2048 / (64 * 16)
  EXPECT_EQ(d.stages, 16);
  EXPECT_EQ(d.microbatches, 120);  // 15360 / 128
  EXPECT_EQ(d.tokens_per_microbatch, 4096);
}

TEST(Layout, DerivedSizesFollowEveryAxis) {
  Layout l;
  l.tp = 2;
  l.cp = 4;
  l.pp = 2;
  l.vpp = 3;
  l.ep = 4;
  l.etp = 2;
  l.microbatch_size = 2;
  const Derived d = derive(l, {.global_batch_size = 48, .sequence_length = 1024}, 64);
  EXPECT_EQ(d.dp, 4);                       // 64 / (2*4*2)
  EXPECT_EQ(d.expert_dp, 4);                // 64 / (2*4*2)
  EXPECT_EQ(d.stages, 6);                   // 2*3
  EXPECT_EQ(d.microbatches, 6);             // 48 / (4*2)
  EXPECT_EQ(d.tokens_per_microbatch, 512);  // 2*1024/4
}

TEST(Layout, RecomputePoliciesSwitchTheirOperators) {
  EXPECT_FALSE(make_recompute({"none"}, "").norms);
  EXPECT_FALSE(make_recompute({}, "").layer);
  EXPECT_TRUE(make_recompute({"selective"}, "").attention_core);
  EXPECT_FALSE(make_recompute({"selective"}, "").norms);
  const Recompute full = make_recompute({"full"}, "");
  EXPECT_TRUE(full.layer);
  EXPECT_FALSE(full.norms || full.mla_up || full.activation || full.attention_core);
  const Recompute v3 = make_recompute({"deepseek-v3"}, "");
  EXPECT_TRUE(v3.norms && v3.mla_up && v3.activation);
  EXPECT_FALSE(v3.attention_core || v3.layer);
}

TEST(Layout, AListOfOperatorsAddsUp) {
  const Recompute r = make_recompute({"norms", "attention-core"}, "");
  EXPECT_EQ(r.policy, "norms+attention-core");
  EXPECT_TRUE(r.norms && r.attention_core);
  EXPECT_FALSE(r.mla_up || r.activation || r.layer);
  // A whole layer holds its parts: they must not be computed a third time.
  const Recompute whole = make_recompute({"norms", "layer"}, "");
  EXPECT_TRUE(whole.layer);
  EXPECT_FALSE(whole.norms);
}

TEST(Layout, AnUnknownRecomputeNameIsAnInputErrorWithTheNearest) {
  try {
    (void)make_recompute({"selectiv"}, "scenario.json#/layout/recompute");
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_EQ(error.place(), "scenario.json#/layout/recompute");
    EXPECT_NE(error.problem().find("did you mean 'selective'?"), std::string::npos) << error.problem();
  }
  try {
    (void)make_recompute({"norms", "full"}, "place");
    FAIL() << "a policy among operators was accepted";
  } catch (const InputError& error) {
    EXPECT_EQ(error.problem().find("did you mean 'full'"), std::string::npos) << error.problem();
  }
}

TEST(Layout, PrecisionsHaveNamesAndAKind) {
  EXPECT_STREQ(to_text(Precision::kFp8Block), "fp8-block");
  EXPECT_STREQ(to_text(Precision::kMxfp8), "mxfp8");
  EXPECT_EQ(precision_names().size(), 5U);
  EXPECT_FALSE(is_fp8(Precision::kBf16));
  EXPECT_FALSE(is_fp8(Precision::kFp16));
  EXPECT_TRUE(is_fp8(Precision::kFp8Tensor) && is_fp8(Precision::kFp8Block) && is_fp8(Precision::kMxfp8));
}

}  // namespace
}  // namespace orrery
