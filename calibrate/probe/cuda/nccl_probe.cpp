#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "calibrate/probe/cuda/nccl_library.hpp"
#include "calibrate/probe/stopping.hpp"
#include "calibrate/probe/work.hpp"

namespace orrery {
namespace {

constexpr double kPatience = 20;  ///< seconds for one step of all ranks

/// All GPUs of this node as ranks of one communicator, driven by one thread. Nothing here blocks: a rank that
/// fails or does not come back within kPatience ends the case with its number.
class Ranks {
 public:
  Ranks(int count, std::int64_t elements) : ranks_(static_cast<std::size_t>(count)) {
    ncclUniqueId id{};
    ok(nccl().unique_id(&id), 0, "unique id");
    for (int r = 0; r < count; ++r) ranks_[static_cast<std::size_t>(r)].make(r, r, elements);
    ok(nccl().group_start(), 0, "start");
    for (int r = 0; r < count; ++r) {
      check(cudaSetDevice(r), "device");
      ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
      config.blocking = 0;
      ok(nccl().init_rank(&ranks_[static_cast<std::size_t>(r)].comm, count, id, r, &config), r, "init");
    }
    ok(nccl().group_end(), 0, "init");
    settle("init");
  }
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;
  ~Ranks() {
    ranks_.clear();
    cudaSetDevice(0);
  }

  /// `repeats` executions; seconds of one, by the slowest rank.
  double run(std::string_view kind, std::int64_t elements, int repeats) {
    const std::string name(kind);
    for (NcclRank& rank : ranks_) check(cudaEventRecord(rank.begin, rank.stream), "event");
    for (int i = 0; i < repeats; ++i) {
      ok(nccl().group_start(), 0, "start");
      for (std::size_t r = 0; r < ranks_.size(); ++r)
        ok(enqueue_collective(kind, elements, static_cast<int>(r), static_cast<int>(ranks_.size()),
                              ranks_[r]),
           static_cast<int>(r), name.c_str());
      ok(nccl().group_end(), 0, name.c_str());
      settle(name.c_str());
    }
    double slowest = 0;
    for (NcclRank& rank : ranks_) check(cudaEventRecord(rank.end, rank.stream), "event");
    for (std::size_t r = 0; r < ranks_.size(); ++r) {
      wait([&] { return cudaEventQuery(ranks_[r].end); }, static_cast<int>(r), name.c_str());
      float milliseconds = 0;
      check(cudaEventElapsedTime(&milliseconds, ranks_[r].begin, ranks_[r].end), "event");
      slowest = std::max(slowest, 1e-3 * static_cast<double>(milliseconds) / repeats);
    }
    return slowest;
  }

  Verified verify(std::string_view kind, std::int64_t elements) {
    (void)run(kind, elements, 1);
    Distance distance;
    const auto count = static_cast<int>(ranks_.size());
    for (int r = 0; r < count; ++r)
      compare_collective(kind, elements, r, count, ranks_[static_cast<std::size_t>(r)], distance);
    return {.error = distance.value(), .limit = collective_error_limit(count)};
  }

 private:
  [[noreturn]] void fail(int r, const std::string& what) const {
    throw CaseFailed{{FailureClass::kRankFailed,
                      "rank " + std::to_string(r) + " of " + std::to_string(ranks_.size()) + ": " + what}};
  }
  void ok(ncclResult_t result, int r, const char* what) const {
    if (result != ncclSuccess && result != ncclInProgress)
      fail(r, std::string(what) + ": " + nccl().error_string(result));
  }
  /// Waits until every communicator has done what it was told.
  void settle(const char* what) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(kPatience);
    for (std::size_t r = 0; r < ranks_.size(); ++r) {
      ncclResult_t state = ncclInProgress;
      while (true) {
        ok(nccl().async_error(ranks_[r].comm, &state), static_cast<int>(r), what);
        if (state == ncclSuccess) break;
        ok(state, static_cast<int>(r), what);
        if (std::chrono::steady_clock::now() > until)
          fail(static_cast<int>(r), std::string(what) + " did not end within 20 s");
        std::this_thread::yield();
      }
    }
  }
  template <class F>
  void wait(F query, int r, const char* what) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(kPatience);
    for (cudaError_t state = query(); state != cudaSuccess; state = query()) {
      if (state != cudaErrorNotReady) fail(r, std::string(what) + ": " + cudaGetErrorString(state));
      ncclResult_t error = ncclSuccess;
      ok(nccl().async_error(ranks_[static_cast<std::size_t>(r)].comm, &error), r, what);
      ok(error, r, what);
      if (std::chrono::steady_clock::now() > until) fail(r, std::string(what) + " did not end within 20 s");
    }
  }

  std::vector<NcclRank> ranks_;
};

}  // namespace

Answer run_nccl(const Case& what, const Effort& effort) {
  int present = 0;
  check(cudaGetDeviceCount(&present), "devices");
  const auto count = static_cast<int>(size_of(what.shape, "gpus"));
  if (size_of(what.shape, "nodes") > 1)
    unsupported("collectives over several nodes are measured by `mpirun ... orrery calibrate measure`");
  if (count < 2 || count > present)
    unsupported("needs " + std::to_string(count) + " GPUs, " + std::to_string(present) + " are here");
  const std::int64_t elements = collective_elements(what, count);
  const std::string_view kind = collective_of(what.op_class);
  Ranks ranks(count, elements);
  const Verified verified = ranks.verify(kind, elements);
  if (!(verified.error <= verified.limit))
    return Failure{FailureClass::kWrongResult, "relative error " + std::to_string(verified.error)};
  const double once = ranks.run(kind, elements, 3);
  const int repeats = std::clamp(static_cast<int>(1e-3 / std::max(once, 1e-6)), 1, 50);
  int version = 0;
  (void)nccl().version(&version);
  Samples about_case;
  about_case.bytes = work_of(what).bytes;
  about_case.executions = repeats;
  about_case.error = verified.error;
  about_case.error_limit = verified.limit;
  about_case.note = "NCCL " + std::to_string(version) + ", one process, slowest rank";
  return collect(effort, std::move(about_case), [&]() -> std::variant<Sample, Failure> {
    Sample sample;
    sample.seconds = ranks.run(kind, elements, repeats);
    return sample;
  });
}

}  // namespace orrery
