#include "sim/base/suggest.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace orrery {
namespace {

TEST(Suggest, DistanceCountsInsertDeleteReplaceAndSwap) {
  EXPECT_EQ(edit_distance("", ""), 0);
  EXPECT_EQ(edit_distance("abc", ""), 3);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);  // k-s, e-i, +g
  EXPECT_EQ(edit_distance("dualpipe", "dualpip"), 1);
  EXPECT_EQ(edit_distance("dualpipe", "dualpiep"), 1);  // one swap of neighbours
  EXPECT_EQ(edit_distance("DualPipe", "dualpipe"), 0);  // case does not count
  EXPECT_EQ(edit_distance("ca", "abc"), 3);             // a swapped pair is not edited again
}

TEST(Suggest, DistanceIsSymmetricAndObeysTheTriangle) {
  const std::array<std::string, 5> words{"gpus", "gpu", "pug", "layout", "lay"};
  for (const std::string& a : words) {
    for (const std::string& b : words) {
      EXPECT_EQ(edit_distance(a, b), edit_distance(b, a));
      EXPECT_EQ(edit_distance(a, b) == 0, a == b);
    }
  }
}

TEST(Suggest, TheNearestWordWinsAndTiesGoToTheEarlier) {
  const std::vector<std::string> words{"ep", "pp", "tp", "schedule"};
  EXPECT_EQ(nearest("shedule", words), "schedule");
  EXPECT_EQ(nearest("xp", words), "ep");
  EXPECT_EQ(nearest("tp", words), "tp");
}

TEST(Suggest, NothingNearMeansNoSuggestion) {
  const std::vector<std::string> words{"schedule", "microbatch_size"};
  EXPECT_EQ(nearest("economics", words), "");
  EXPECT_EQ(did_you_mean("economics", words), "");
  EXPECT_EQ(nearest("any", {}), "");
  // A third of the word may differ: 15 letters, 5 changes.
  EXPECT_EQ(nearest("microbatch_xxxx", words), "microbatch_size");
  EXPECT_EQ(nearest("microbatxxxxxxx", words), "");
}

TEST(Suggest, TheSentenceEndsTheErrorText) {
  const std::vector<std::string> words{"gpus"};
  EXPECT_EQ(did_you_mean("gpu", words), "; did you mean 'gpus'?");
  EXPECT_EQ(join(std::vector<std::string>{"a", "b", "c"}), "a, b, c");
  EXPECT_EQ(join(std::vector<std::string>{"a", "b"}, "+"), "a+b");
  EXPECT_EQ(join({}), "");
}

}  // namespace
}  // namespace orrery
