#pragma once

#include <nccl.h>

#include <string>

#include "calibrate/probe/cuda/device.hpp"
#include "calibrate/probe/cuda/workload.hpp"

namespace orrery {

/// The functions of NCCL that are used, found at run time: the program starts where the library is not.
struct Nccl {
  decltype(&ncclGetUniqueId) unique_id = nullptr;
  decltype(&ncclCommInitRankConfig) init_rank = nullptr;
  decltype(&ncclCommAbort) abort = nullptr;
  decltype(&ncclCommFinalize) finalize = nullptr;
  decltype(&ncclCommDestroy) destroy = nullptr;
  decltype(&ncclCommGetAsyncError) async_error = nullptr;
  decltype(&ncclGetErrorString) error_string = nullptr;
  decltype(&ncclGetVersion) version = nullptr;
  decltype(&ncclGroupStart) group_start = nullptr;
  decltype(&ncclGroupEnd) group_end = nullptr;
  decltype(&ncclSend) send = nullptr;
  decltype(&ncclRecv) recv = nullptr;
  decltype(&ncclAllReduce) all_reduce = nullptr;
  decltype(&ncclAllGather) all_gather = nullptr;
  decltype(&ncclReduceScatter) reduce_scatter = nullptr;
};

/// Loaded once for the process. Throws CaseFailed (unsupported) with the reason where it cannot be loaded.
[[nodiscard]] const Nccl& nccl();

/// What one GPU of a communicator has. Given back with the value; the communicator is aborted then, if it has
/// not been destroyed before.
struct NcclRank {
  cudaStream_t stream = nullptr;
  cudaEvent_t begin = nullptr, end = nullptr;
  Buffer from, to;
  ncclComm_t comm = nullptr;
  int device = 0;

  NcclRank() = default;
  NcclRank(const NcclRank&) = delete;
  NcclRank& operator=(const NcclRank&) = delete;
  ~NcclRank();
  /// Stream, events, operands of rank `index` (random bf16 by its number) and a poisoned result.
  void make(int on_device, int index, std::int64_t elements);
};

/// Elements of the buffer of a case: `bytes` in bf16, rounded down to a multiple of `count`. Throws
/// CaseFailed when not one is left.
[[nodiscard]] std::int64_t collective_elements(const Case& what, int count);
/// Enqueues one execution for rank `index` of `count`, inside a group of NCCL; the first result that is
/// neither success nor in progress.
[[nodiscard]] ncclResult_t enqueue_collective(std::string_view kind, std::int64_t elements, int index,
                                              int count, const NcclRank& rank);
/// First, middle and last element of what rank `index` holds afterwards against the sum or copy of the
/// operands.
void compare_collective(std::string_view kind, std::int64_t elements, int index, int count,
                        const NcclRank& rank, Distance& distance);
/// Sums are rounded to bf16 on their way, in a ring once for each rank: the error grows with the root of
/// their number.
[[nodiscard]] double collective_error_limit(int count);

}  // namespace orrery
