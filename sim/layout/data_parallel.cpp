#include "sim/layout/data_parallel.hpp"

namespace orrery {

DataParallelPlan data_parallel_plan(const Layout& l) {
  DataParallelPlan plan;
  const bool gathers_often = l.zero_stage >= 3;
  if (l.overlap_param_gather.value_or(gathers_often) && l.zero_stage >= 1) {
    plan.gather = gathers_often ? DataTraffic::kEveryUse : DataTraffic::kOnce;
  } else if (gathers_often) {
    plan.gather = DataTraffic::kInChain;
  }
  const bool reduces_often = l.zero_stage >= 2;
  if (l.overlap_grad_reduce.value_or(reduces_often)) {
    plan.reduce = reduces_often ? DataTraffic::kEveryUse : DataTraffic::kOnce;
  } else if (reduces_often) {
    plan.reduce = DataTraffic::kInChain;
  }
  return plan;
}

}  // namespace orrery
