#pragma once

#include <cstdint>

#include "sim/layout/layout.hpp"

namespace orrery {

/// How often data-parallel traffic of one kind runs in a step of training.
enum class DataTraffic : std::uint8_t {
  kAfterPipeline,  ///< once, when the pipelines have ended, with nothing beside it
  kInChain,        ///< at every use, between the kernels: they wait for it
  kOnce,           ///< once per stage beside other work: at its first forward, after its last weight gradient
  kEveryUse,       ///< at every use of a unit beside the work on the units around it
};

/// What a layout's ZeRO stage and overlap settings make of gathering weights and reducing gradients.
///
///     ZeRO stage   gather weights                     reduce gradients
///     0            never                              after the pipeline or, overlapped, once
///     1            after the pipeline or once         after the pipeline or, overlapped, once
///     2            after the pipeline or once         in the chain or, overlapped, at every use
///     3            in the chain or at every use       in the chain or, overlapped, at every use
///
/// Left out in the layout, traffic at every use is overlapped and traffic once per step is not: PyTorch's
/// FSDP and DeepSpeed's stage 3 prefetch by default, Megatron-LM overlaps only with --overlap-grad-reduce and
/// --overlap-param-gather.
struct DataParallelPlan {
  DataTraffic gather = DataTraffic::kAfterPipeline;
  DataTraffic reduce = DataTraffic::kAfterPipeline;
};
[[nodiscard]] DataParallelPlan data_parallel_plan(const Layout& layout);

}  // namespace orrery
