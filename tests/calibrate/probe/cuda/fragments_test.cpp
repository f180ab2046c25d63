// Who owns which element of a fragment, and where tiles lie in banks.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "calibrate/probe/cuda/attention_forward.cuh"
#include "calibrate/probe/cuda/block_gemm.cuh"
#include "tests/calibrate/probe/cuda/kernel_world.hpp"

namespace orrery {
namespace {

using namespace test;

TEST(FragmentMap, EveryElementHasExactlyOneOwner) {
  std::vector<int> a(256), b(128), c(128), a8(512), b8(256);
  for (int lane = 0; lane < 32; ++lane) {
    for (int r = 0; r < 4; ++r) {
      for (int half = 0; half < 2; ++half)
        ++a[static_cast<std::size_t>(FragmentMap::a_row(lane, r) * 16 + FragmentMap::a_col16(lane, r, half))];
      for (int byte = 0; byte < 4; ++byte)
        ++a8[static_cast<std::size_t>(FragmentMap::a_row(lane, r) * 32 +
                                      FragmentMap::a_col32(lane, r, byte))];
      ++c[static_cast<std::size_t>(FragmentMap::c_row(lane, r) * 8 + FragmentMap::c_col(lane, r))];
    }
    for (int r = 0; r < 2; ++r) {
      for (int half = 0; half < 2; ++half)
        ++b[static_cast<std::size_t>(FragmentMap::b_row16(lane, r, half) * 8 + FragmentMap::b_col(lane))];
      for (int byte = 0; byte < 4; ++byte)
        ++b8[static_cast<std::size_t>(FragmentMap::b_row32(lane, r, byte) * 8 + FragmentMap::b_col(lane))];
    }
  }
  for (const std::vector<int>& owners : {a, b, c, a8, b8}) {
    EXPECT_TRUE(std::all_of(owners.begin(), owners.end(), [](int n) { return n == 1; }));
  }
}

TEST(FragmentMap, LanesThatThePtxManualNames) {
  // PTX ISA, m16n8k16 for .bf16: groupID = lane >> 2, threadID_in_group = lane % 4; lane 6: group 1,
  // thread 2.
  EXPECT_EQ(FragmentMap::a_row(6, 0), 1);
  EXPECT_EQ(FragmentMap::a_row(6, 1), 9);
  EXPECT_EQ(FragmentMap::a_col16(6, 0, 1), 5);
  EXPECT_EQ(FragmentMap::a_col16(6, 2, 0), 12);
  EXPECT_EQ(FragmentMap::b_row16(6, 1, 0), 12);
  EXPECT_EQ(FragmentMap::b_col(6), 1);
  EXPECT_EQ(FragmentMap::c_row(6, 2), 9);
  EXPECT_EQ(FragmentMap::c_col(6, 3), 5);
  EXPECT_EQ(FragmentMap::a_col32(6, 3, 3), 27);  // 2 * 4 + 3 + 16
}

TEST(Tile, SwizzledRowsOfAMatrixLieInDifferentBanks) {
  for (int chunk = 0; chunk < 24; ++chunk) {
    std::vector<int> banks;
    for (int row = 8; row < 16; ++row) banks.push_back(tile_offset<24>(row, chunk) / 16 % 8);
    std::sort(banks.begin(), banks.end());
    EXPECT_EQ(std::unique(banks.begin(), banks.end()) - banks.begin(), 8);
  }
}

}  // namespace
}  // namespace orrery
