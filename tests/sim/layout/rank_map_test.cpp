#include "sim/layout/rank_map.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "sim/base/check.hpp"
#include "tests/support/deepseek_v3.hpp"

namespace orrery {
namespace {

constexpr Axis kAxes[] = {Axis::kTp, Axis::kCp, Axis::kDp, Axis::kPp, Axis::kEp, Axis::kEtp, Axis::kExpertDp};

std::int64_t along(const Coordinates& c, Axis axis) {
  switch (axis) {
    case Axis::kTp: return c.tp;
    case Axis::kCp: return c.cp;
    case Axis::kDp: return c.dp;
    case Axis::kPp: return c.pp;
    case Axis::kEp: return c.ep;
    case Axis::kEtp: return c.etp;
    case Axis::kExpertDp: return c.expert_dp;
  }
  return -1;
}

/// Coordinates without the one on `axis`, of the part (dense or expert) the axis belongs to.
std::vector<std::int64_t> others(const Coordinates& c, Axis axis) {
  const bool expert = axis == Axis::kEp || axis == Axis::kEtp || axis == Axis::kExpertDp;
  std::vector<std::int64_t> rest;
  for (Axis a : expert ? std::vector<Axis>{Axis::kEtp, Axis::kEp, Axis::kExpertDp, Axis::kPp}
                       : std::vector<Axis>{Axis::kTp, Axis::kCp, Axis::kDp, Axis::kPp}) {
    if (a != axis) rest.push_back(along(c, a));
  }
  return rest;
}

struct Case {
  Layout layout;
  std::int64_t gpus;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (std::int64_t tp : {1, 2, 4}) {
    for (std::int64_t cp : {1, 2}) {
      for (std::int64_t pp : {1, 3, 4}) {
        for (std::int64_t ep : {1, 2, 8}) {
          for (std::int64_t etp : {1, 2}) {
            Layout l;
            l.tp = tp;
            l.cp = cp;
            l.pp = pp;
            l.ep = ep;
            l.etp = etp;
            all.push_back({l, 16 * pp});
          }
        }
      }
    }
  }
  return all;
}

std::string name_of(const Case& c) {
  const Layout& l = c.layout;
  return "tp " + std::to_string(l.tp) + " cp " + std::to_string(l.cp) + " pp " + std::to_string(l.pp) +
         " ep " + std::to_string(l.ep) + " etp " + std::to_string(l.etp);
}

TEST(RankMap, CoordinatesAndRankAreInverses) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(name_of(c));
    const RankMap map(c.layout, c.gpus, 8);
    std::set<std::vector<std::int64_t>> expert;
    for (std::int32_t r = 0; r < c.gpus; ++r) {
      const Coordinates at = map.coordinates(GpuId{r});
      EXPECT_EQ(map.rank(at.tp, at.cp, at.dp, at.pp), GpuId{r});
      expert.insert({at.etp, at.ep, at.expert_dp, at.pp});
    }
    EXPECT_EQ(expert.size(), static_cast<std::size_t>(c.gpus));  // no two GPUs share an expert place
  }
}

TEST(RankMap, EveryGpuIsInExactlyOneGroupOfEachAxis) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(name_of(c));
    const RankMap map(c.layout, c.gpus, 8);
    for (Axis axis : kAxes) {
      std::multiset<std::int32_t> seen;
      for (const std::vector<GpuId>& group : map.groups(axis)) {
        for (GpuId gpu : group) {
          seen.insert(gpu.value);
          EXPECT_EQ(map.group(gpu, axis), group);
        }
      }
      EXPECT_EQ(seen.size(), static_cast<std::size_t>(c.gpus)) << to_text(axis);
      EXPECT_EQ(std::set<std::int32_t>(seen.begin(), seen.end()).size(), seen.size()) << to_text(axis);
    }
  }
}

TEST(RankMap, AGroupDiffersOnItsAxisAloneAndInOrder) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(name_of(c));
    const RankMap map(c.layout, c.gpus, 8);
    for (Axis axis : kAxes) {
      for (const std::vector<GpuId>& group : map.groups(axis)) {
        for (std::size_t i = 0; i < group.size(); ++i) {
          EXPECT_EQ(along(map.coordinates(group[i]), axis), static_cast<std::int64_t>(i));
          EXPECT_EQ(others(map.coordinates(group[i]), axis), others(map.coordinates(group[0]), axis));
        }
      }
    }
  }
}

TEST(RankMap, ShiftingAllRanksByAWholeStageChangesOnlyThePipelineCoordinate) {
  // Relabelling law: a stage is a block of gpus/pp ranks, and all blocks are laid out alike.
  for (const Case& c : cases()) {
    SCOPED_TRACE(name_of(c));
    const RankMap map(c.layout, c.gpus, 8);
    const auto block = static_cast<std::int32_t>(c.gpus / c.layout.pp);
    for (std::int32_t r = 0; r + block < c.gpus; ++r) {
      Coordinates moved = map.coordinates(GpuId{r + block});
      moved.pp -= 1;
      EXPECT_EQ(moved, map.coordinates(GpuId{r}));
      for (Axis axis : kAxes) EXPECT_EQ(map.span(GpuId{r + block}, axis), map.span(GpuId{r}, axis));
    }
  }
}

TEST(RankMap, SpansDoNotDependOnTheMemberAsked) {
  for (const Case& c : cases()) {
    const RankMap map(c.layout, c.gpus, 8);
    for (Axis axis : kAxes) {
      for (const std::vector<GpuId>& group : map.groups(axis)) {
        const GroupSpan span = map.span(group[0], axis);
        for (GpuId gpu : group) EXPECT_EQ(map.span(gpu, axis), span);
        EXPECT_EQ(span.size, span.per_node * span.nodes) << name_of(c) << " " << to_text(axis);
      }
    }
  }
}

TEST(RankMap, TensorRanksAreInnermostThenContextThenData) {
  Layout l;
  l.tp = 2;
  l.cp = 2;
  l.pp = 2;
  l.ep = 4;
  const RankMap map(l, 16, 8);  // dp = 2, expert dp = 2
  const auto ids = [](std::vector<std::int32_t> values) {
    std::vector<GpuId> out;
    for (std::int32_t v : values) out.emplace_back(v);
    return out;
  };
  EXPECT_EQ(map.group(GpuId{5}, Axis::kTp), ids({4, 5}));
  EXPECT_EQ(map.group(GpuId{5}, Axis::kCp), ids({5, 7}));
  EXPECT_EQ(map.group(GpuId{5}, Axis::kDp), ids({1, 5}));
  EXPECT_EQ(map.group(GpuId{5}, Axis::kPp), ids({5, 13}));
  EXPECT_EQ(map.group(GpuId{5}, Axis::kEp), ids({4, 5, 6, 7}));
  EXPECT_EQ(map.group(GpuId{5}, Axis::kExpertDp), ids({1, 5}));
  EXPECT_EQ(map.coordinates(GpuId{13}),
            (Coordinates{.tp = 1, .cp = 0, .dp = 1, .pp = 1, .ep = 1, .etp = 0, .expert_dp = 1}));
}

TEST(RankMap, DeepSeekV3SpreadsItsExpertsOverEightNodes) {
  const RankMap map(test::v3_layout(), test::kV3Gpus, 8);
  // 2048 / 16 = 128 GPUs per stage: two groups of 64 expert ranks, each 8 nodes x 8.
  EXPECT_EQ(map.span(GpuId{0}, Axis::kEp), (GroupSpan{.size = 64, .per_node = 8, .nodes = 8}));
  EXPECT_EQ(map.groups(Axis::kEp).size(), 32U);
  EXPECT_EQ(map.span(GpuId{0}, Axis::kDp), (GroupSpan{.size = 128, .per_node = 8, .nodes = 16}));
  EXPECT_EQ(map.span(GpuId{0}, Axis::kExpertDp), (GroupSpan{.size = 2, .per_node = 1, .nodes = 2}));
  const std::vector<GpuId> pipeline = map.group(GpuId{37}, Axis::kPp);
  ASSERT_EQ(pipeline.size(), 16U);
  for (std::size_t i = 0; i < pipeline.size(); ++i)
    EXPECT_EQ(pipeline[i].value, 37 + 128 * static_cast<std::int32_t>(i));
}

TEST(RankMap, SpansCountTheNodesThatAGroupTouches) {
  Layout l;
  l.tp = 4;
  const RankMap map(l, 16, 8);
  EXPECT_EQ(map.span(GpuId{0}, Axis::kTp), (GroupSpan{.size = 4, .per_node = 4, .nodes = 1}));
  EXPECT_EQ(map.span(GpuId{0}, Axis::kDp), (GroupSpan{.size = 4, .per_node = 2, .nodes = 2}));
  EXPECT_EQ(map.span(GpuId{0}, Axis::kPp), (GroupSpan{.size = 1, .per_node = 1, .nodes = 1}));
}

TEST(RankMap, ALayoutThatDoesNotFillTheGpusIsABug) {
  Layout l;
  l.tp = 3;
  EXPECT_THROW(RankMap(l, 16, 8), InternalError);
  Layout e;
  e.ep = 3;
  EXPECT_THROW(RankMap(e, 16, 8), InternalError);
  const RankMap map(Layout{}, 16, 8);
  EXPECT_THROW((void)map.coordinates(GpuId{16}), InternalError);
  EXPECT_THROW((void)map.coordinates(GpuId{-1}), InternalError);
}

}  // namespace
}  // namespace orrery
