#include <gtest/gtest.h>

#include <set>
#include <string>

#include "sim/base/check.hpp"
#include "sim/base/ids.hpp"
#include "sim/base/units.hpp"
#include "sim/base/verdict.hpp"

namespace orrery {
namespace {

template <class A, class B>
concept Addable = requires(A a, B b) {
  a + b;
};
template <class A, class B>
concept Comparable = requires(A a, B b) {
  a == b;
};
template <class A, class B>
concept Ordered = requires(A a, B b) {
  a < b;
};
template <class A, class B>
concept Multipliable = requires(A a, B b) {
  a* b;
};
template <class A, class B>
concept Divisible = requires(A a, B b) {
  a / b;
};

static_assert(Addable<Bytes, Bytes>);
static_assert(!Addable<Bytes, Flops>);
static_assert(!Addable<Bytes, double>);
static_assert(!Addable<Seconds, BytesPerSecond>);
static_assert(!Comparable<Bytes, Flops>);
static_assert(!Comparable<Seconds, double>);
static_assert(!Multipliable<Bytes, Bytes>);
static_assert(!Multipliable<Watts, Watts>);
static_assert(!Multipliable<Flops, Seconds>);
static_assert(!Divisible<Flops, BytesPerSecond>);
static_assert(!Divisible<Bytes, FlopsPerSecond>);
static_assert(!Divisible<double, Seconds>);
static_assert(!std::is_convertible_v<double, Bytes>);
static_assert(!std::is_convertible_v<Bytes, double>);

static_assert(Comparable<RankId, RankId>);
static_assert(!Comparable<RankId, StageId>);
static_assert(!Comparable<RankId, GpuId>);
static_assert(!Comparable<RankId, int>);
static_assert(!Ordered<StageId, MicrobatchId>);
static_assert(!Addable<RankId, RankId>);
static_assert(!std::is_convertible_v<int, StageId>);
static_assert(!std::is_assignable_v<StageId&, MicrobatchId>);

TEST(Units, QuotientsAndProductsHaveTheRightDimension) {
  static_assert(std::is_same_v<decltype(Bytes{1} / BytesPerSecond{1}), Seconds>);
  static_assert(std::is_same_v<decltype(Flops{1} / Seconds{1}), FlopsPerSecond>);
  static_assert(std::is_same_v<decltype(Watts{1} * Seconds{1}), Joules>);
  static_assert(std::is_same_v<decltype(Bytes{1} / Bytes{1}), double>);
  // 80 GB over 50 GB/s take 1.6 s; 3 TFLOP at 1.5 TFLOP/s take 2 s; 700 W for 10 s are 7 kJ.
  EXPECT_DOUBLE_EQ((Bytes{80e9} / BytesPerSecond{50e9}).value, 1.6);
  EXPECT_DOUBLE_EQ((Flops{3e12} / FlopsPerSecond{1.5e12}).value, 2.0);
  EXPECT_DOUBLE_EQ((Watts{700} * Seconds{10}).value, 7000.0);
  EXPECT_DOUBLE_EQ((Joules{7000} / Seconds{10}).value, 700.0);
  EXPECT_DOUBLE_EQ((Bytes{10} / Seconds{4}).value, 2.5);
  EXPECT_DOUBLE_EQ((BytesPerSecond{2} * Seconds{3}).value, 6.0);
}

TEST(Units, SumsAndMultiplesKeepTheDimension) {
  Seconds t{2};
  t += Seconds{3};
  t -= Seconds{1};
  t *= 2.0;
  EXPECT_DOUBLE_EQ(t.value, 8.0);
  EXPECT_EQ(-t + 3.0 * Seconds{1} + Seconds{10} / 2.0, Seconds{0});
  EXPECT_LT(Seconds{1}, Seconds{2});
}

TEST(Ids, AnIdIsASubscriptAndOrdered) {
  EXPECT_EQ(StageId{7}.at(), 7U);
  EXPECT_EQ(StageId{std::size_t{7}}, StageId{7});
  EXPECT_LT(RankId{2}, RankId{3});
  EXPECT_EQ(RankId{}, RankId{0});
}

TEST(Check, ABrokenInvariantNamesConditionPlaceAndMessage) {
  try {
    SIM_CHECK(1 + 1 == 3, "sums are wrong");
    FAIL() << "nothing was thrown";
  } catch (const InternalError& error) {
    const std::string what = error.what();
    EXPECT_NE(what.find("1 + 1 == 3"), std::string::npos) << what;
    EXPECT_NE(what.find("types_test.cpp:"), std::string::npos) << what;
    EXPECT_NE(what.find("sums are wrong"), std::string::npos) << what;
  }
}

TEST(Check, AnInputErrorKeepsPlaceAndProblemApart) {
  const InputError error("file.json#/a", "found 3, expected 4");
  EXPECT_EQ(error.place(), "file.json#/a");
  EXPECT_EQ(error.problem(), "found 3, expected 4");
  EXPECT_STREQ(error.what(), "file.json#/a: found 3, expected 4");
  EXPECT_STREQ(InputError("", "nothing to do").what(), "nothing to do");
}

TEST(Verdict, EveryReasonHasItsOwnKebabCaseText) {
  std::set<std::string> seen;
  for (int i = 0; i <= static_cast<int>(Reason::kCapability); ++i) {
    const std::string text = to_text(static_cast<Reason>(i));
    EXPECT_NE(text, "unknown");
    EXPECT_EQ(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string::npos) << text;
    EXPECT_TRUE(seen.insert(text).second) << text;
  }
  EXPECT_EQ(seen.size(), 10U);
}

}  // namespace
}  // namespace orrery
