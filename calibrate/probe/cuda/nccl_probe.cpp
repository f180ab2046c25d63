#include <dlfcn.h>
#include <nccl.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include "calibrate/probe/cuda/kernels.hpp"
#include "calibrate/probe/cuda/workload.hpp"
#include "calibrate/probe/stopping.hpp"
#include "calibrate/probe/work.hpp"

namespace orrery {
namespace {

constexpr double kPatience = 20;  ///< seconds for one step of all ranks

struct Nccl {
  decltype(&ncclGetUniqueId) unique_id = nullptr;
  decltype(&ncclCommInitRankConfig) init_rank = nullptr;
  decltype(&ncclCommAbort) abort = nullptr;
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

Nccl load() {
  void* library = nullptr;
  for (const char* path : {"libnccl.so.2", ORRERY_CUDA_LIBRARIES "/libnccl.so.2"}) {
    library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) break;
  }
  if (library == nullptr) unsupported(std::string("NCCL is not here: ") + dlerror());
  Nccl out;
  const auto find = [&](const char* symbol, auto& function) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, symbol));
    if (function == nullptr) unsupported(std::string("NCCL lacks ") + symbol);
  };
  find("ncclGetUniqueId", out.unique_id);
  find("ncclCommInitRankConfig", out.init_rank);
  find("ncclCommAbort", out.abort);
  find("ncclCommGetAsyncError", out.async_error);
  find("ncclGetErrorString", out.error_string);
  find("ncclGetVersion", out.version);
  find("ncclGroupStart", out.group_start);
  find("ncclGroupEnd", out.group_end);
  find("ncclSend", out.send);
  find("ncclRecv", out.recv);
  find("ncclAllReduce", out.all_reduce);
  find("ncclAllGather", out.all_gather);
  find("ncclReduceScatter", out.reduce_scatter);
  return out;
}

const Nccl& nccl() {
  static const Nccl functions = load();
  return functions;
}

/// All GPUs of this node as ranks of one communicator, driven by one thread. Nothing here blocks: a rank that
/// fails or does not come back within kPatience ends the case with its number.
class Ranks {
 public:
  Ranks(int count, std::int64_t elements) : ranks_(static_cast<std::size_t>(count)) {
    ncclUniqueId id{};
    ok(nccl().unique_id(&id), 0, "unique id");
    ok(nccl().group_start(), 0, "start");
    for (int r = 0; r < count; ++r) {
      Rank& rank = ranks_[static_cast<std::size_t>(r)];
      check(cudaSetDevice(r), "device");
      check(cudaStreamCreateWithFlags(&rank.stream, cudaStreamNonBlocking), "stream");
      check(cudaEventCreate(&rank.begin), "event");
      check(cudaEventCreate(&rank.end), "event");
      rank.from = Buffer(2 * elements);
      rank.to = Buffer(2 * elements);
      check(launch_fill(Fill::kBf16, rank.from.data(), elements, seed_of(r), rank.stream), "fill");
      rank.to.poison(rank.stream);
      ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
      config.blocking = 0;
      ok(nccl().init_rank(&rank.comm, count, id, r, &config), r, "init");
    }
    ok(nccl().group_end(), 0, "init");
    settle("init");
  }
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;
  ~Ranks() {
    for (std::size_t r = 0; r < ranks_.size(); ++r) {
      cudaSetDevice(static_cast<int>(r));
      if (ranks_[r].comm != nullptr) nccl().abort(ranks_[r].comm);
      cudaEventDestroy(ranks_[r].begin);
      cudaEventDestroy(ranks_[r].end);
      cudaStreamDestroy(ranks_[r].stream);
    }
    cudaSetDevice(0);
  }

  /// `repeats` executions; seconds of one, by the slowest rank.
  double run(const std::string& kind, std::int64_t elements, int repeats) {
    for (Rank& rank : ranks_) check(cudaEventRecord(rank.begin, rank.stream), "event");
    for (int i = 0; i < repeats; ++i) {
      ok(nccl().group_start(), 0, "start");
      for (std::size_t r = 0; r < ranks_.size(); ++r) enqueue(kind, elements, static_cast<int>(r));
      ok(nccl().group_end(), 0, kind.c_str());
      settle(kind.c_str());
    }
    double slowest = 0;
    for (std::size_t r = 0; r < ranks_.size(); ++r)
      check(cudaEventRecord(ranks_[r].end, ranks_[r].stream), "event");
    for (std::size_t r = 0; r < ranks_.size(); ++r) {
      wait([&] { return cudaEventQuery(ranks_[r].end); }, static_cast<int>(r), kind.c_str());
      float milliseconds = 0;
      check(cudaEventElapsedTime(&milliseconds, ranks_[r].begin, ranks_[r].end), "event");
      slowest = std::max(slowest, 1e-3 * static_cast<double>(milliseconds) / repeats);
    }
    return slowest;
  }

  /// Element 0 and the last of what each rank holds afterwards.
  Verified verify(const std::string& kind, std::int64_t elements) {
    (void)run(kind, elements, 1);
    Distance distance;
    const auto count = static_cast<std::int64_t>(ranks_.size()), part = elements / count;
    const auto x = [&](std::int64_t rank, std::int64_t i) {
      return static_cast<double>(
          round_to_bf16(random_normal(seed_of(static_cast<int>(rank)), static_cast<std::uint64_t>(i))));
    };
    for (std::int64_t r = 0; r < count; ++r) {
      check(cudaSetDevice(static_cast<int>(r)), "device");
      const Rank& rank = ranks_[static_cast<std::size_t>(r)];
      const std::int64_t held = kind == "reduce-scatter" ? part : elements;
      for (const std::int64_t i : {std::int64_t{0}, held / 2, held - 1}) {
        double expected = 0;
        if (kind == "all-reduce") {
          for (std::int64_t q = 0; q < count; ++q) expected += x(q, i);
        } else if (kind == "reduce-scatter") {
          for (std::int64_t q = 0; q < count; ++q) expected += x(q, r * part + i);
        } else if (kind == "all-gather") {
          expected = x(i / part, i % part);
        } else if (kind == "all-to-all") {
          expected = x(i / part, r * part + i % part);
        } else {
          expected = x((r + count - 1) % count, i);
        }
        distance.add(
            static_cast<double>(from_bf16(download(rank.to.as<std::uint16_t>(), i, 1, rank.stream)[0])),
            expected);
      }
    }
    return {.error = distance.value(), .limit = 2e-2};  // sums are rounded to bf16 on their way
  }

 private:
  struct Rank {
    cudaStream_t stream = nullptr;
    cudaEvent_t begin = nullptr, end = nullptr;
    Buffer from, to;
    ncclComm_t comm = nullptr;
  };
  static std::uint32_t seed_of(int rank) { return 77U + static_cast<std::uint32_t>(rank); }

  void enqueue(const std::string& kind, std::int64_t elements, int r) {
    Rank& rank = ranks_[static_cast<std::size_t>(r)];
    const auto count = static_cast<int>(ranks_.size());
    const std::int64_t part = elements / count;
    const auto* from = rank.from.as<std::uint16_t>();
    auto* to = rank.to.as<std::uint16_t>();
    const auto whole = static_cast<std::size_t>(elements), piece = static_cast<std::size_t>(part);
    if (kind == "all-reduce") {
      ok(nccl().all_reduce(from, to, whole, ncclBfloat16, ncclSum, rank.comm, rank.stream), r, "all-reduce");
    } else if (kind == "all-gather") {
      ok(nccl().all_gather(from, to, piece, ncclBfloat16, rank.comm, rank.stream), r, "all-gather");
    } else if (kind == "reduce-scatter") {
      ok(nccl().reduce_scatter(from, to, piece, ncclBfloat16, ncclSum, rank.comm, rank.stream), r,
         "reduce-scatter");
    } else if (kind == "all-to-all") {
      for (int peer = 0; peer < count; ++peer) {
        ok(nccl().send(from + peer * part, piece, ncclBfloat16, peer, rank.comm, rank.stream), r, "send");
        ok(nccl().recv(to + peer * part, piece, ncclBfloat16, peer, rank.comm, rank.stream), r, "recv");
      }
    } else {
      ok(nccl().send(from, whole, ncclBfloat16, (r + 1) % count, rank.comm, rank.stream), r, "send");
      ok(nccl().recv(to, whole, ncclBfloat16, (r + count - 1) % count, rank.comm, rank.stream), r, "recv");
    }
  }

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

  std::vector<Rank> ranks_;
};

}  // namespace

Answer run_nccl(const Case& what, const Effort& effort) {
  int present = 0;
  check(cudaGetDeviceCount(&present), "devices");
  const auto count = static_cast<int>(size_of(what.shape, "gpus"));
  if (count < 2 || count > present)
    unsupported("needs " + std::to_string(count) + " GPUs, " + std::to_string(present) + " are here");
  const std::int64_t elements = size_of(what.shape, "bytes") / 2 / count * count;
  if (elements < count) unsupported("needs an element for each GPU");
  Ranks ranks(count, elements);
  const Verified verified = ranks.verify(what.op_class, elements);
  if (!(verified.error <= verified.limit))
    return Failure{FailureClass::kWrongResult, "relative error " + std::to_string(verified.error)};
  const double once = ranks.run(what.op_class, elements, 3);
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
    sample.seconds = ranks.run(what.op_class, elements, repeats);
    return sample;
  });
}

}  // namespace orrery
