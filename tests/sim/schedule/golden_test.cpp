#include <gtest/gtest.h>

#include <string>

#include "sim/schedule/generators.hpp"
#include "tests/support/golden.hpp"

namespace orrery {
namespace {

TEST(Golden, EveryScheduleOfFourAndEightRanksIsTheOneKept) {
  // 20 microbatches are no multiple of 8 ranks: interleaving takes groups of 10, Chimera half a unit more.
  for (const GeneratorInfo& info : generators()) {
    for (const auto& [pp, microbatches] : {std::pair{4, 8}, std::pair{8, 20}}) {
      test::expect_golden(
          "schedule/" + info.name + "_p" + std::to_string(pp) + "_n" + std::to_string(microbatches) + ".csv",
          to_csv(make_schedule(info.name, pp, info.default_vpp, microbatches)));
    }
  }
}

}  // namespace
}  // namespace orrery
