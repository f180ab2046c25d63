#include <gtest/gtest.h>

#include <algorithm>

#include "sim/schedule/generators.hpp"
#include "sim/schedule/validate.hpp"
#include "tests/sim/schedule/unit_time.hpp"

namespace orrery {
namespace {

TEST(Combined, WithoutAPipelineTheNextForwardRunsBesideEachBackward) {
  EXPECT_EQ(to_csv(make_schedule("combined-1f1b", 1, 1, 3)),
            "0F0,(0F1;0B0)OVERLAP_F_B,(0F2;0B1)OVERLAP_F_B,0B2\n");
}

TEST(Combined, IsInterleavedWithOneForwardMoreAhead) {
  // Rank 1 of 2 with 2 stages runs 2 forwards ahead when interleaved, 3 here; then pairs, then what is left.
  const std::string text = to_csv(make_schedule("combined-1f1b", 2, 2, 4));
  EXPECT_EQ(text.substr(text.find('\n') + 1),
            "1F0,1F1,3F0,(3F1;3B0)OVERLAP_F_B,(1F2;3B1)OVERLAP_F_B,(1F3;1B0)OVERLAP_F_B,(3F2;1B1)OVERLAP_F_B,"
            "(3F3;3B2)OVERLAP_F_B,3B3,1B2,1B3\n");
}

TEST(Combined, APairIsOfTwoMicrobatches) {
  for (const int pp : {1, 2, 4, 8}) {
    for (const int vpp : {1, 2, 3}) {
      if (pp > 1 && vpp == 1) continue;
      const Schedule schedule = make_schedule("combined-1f1b", pp, vpp, 3 * pp);
      EXPECT_GT(stats(schedule).overall.pairs, 0) << pp << " x " << vpp;
      EXPECT_FALSE(validate(schedule)) << pp << " x " << vpp;
      for (const std::vector<Step>& steps : schedule.ranks) {
        for (const Step& s : steps) {
          if (s.overlapped) {
            EXPECT_FALSE(s.first.stage == s.second.stage && s.first.microbatch == s.second.microbatch);
          }
        }
      }
    }
  }
}

TEST(Combined, NeedsTwoMicrobatches) {
  EXPECT_TRUE(check_schedule("combined-1f1b", 1, 1, 1));
  EXPECT_FALSE(check_schedule("combined-1f1b", 1, 1, 2));
}

TEST(Combined, NeedsTwoStagesPerRankInAPipeline) {
  const Verdict refused = check_schedule("combined-1f1b", 4, 1, 8);
  ASSERT_TRUE(refused);
  EXPECT_NE(refused->text.find("vpp 2 or more"), std::string::npos) << refused->text;
}

}  // namespace
}  // namespace orrery
