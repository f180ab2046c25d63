#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "calibrate/probe/cuda/nccl_library.hpp"
#include "calibrate/probe/work.hpp"
#include "calibrate/ranks/communicator.hpp"

namespace orrery {
namespace {

constexpr char kHex[] = "0123456789abcdef";

std::string to_hex(const ncclUniqueId& id) {
  std::string out;
  for (const char c : id.internal) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHex[byte >> 4U];
    out += kHex[byte & 15U];
  }
  return out;
}

ncclUniqueId from_hex(const std::string& text) {
  ncclUniqueId id{};
  if (text.size() != 2 * sizeof id.internal)
    throw RankFailure{{FailureClass::kOther, "the unique id has " + std::to_string(text.size()) + " digits"}};
  const auto digit = [](char c) { return static_cast<int>(std::strchr(kHex, c) - kHex); };
  for (std::size_t i = 0; i < sizeof id.internal; ++i)
    id.internal[i] = static_cast<char>(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
  return id;
}

/// Failures of CUDA as failures of the rank.
template <class F>
auto translated(F f) {
  try {
    return f();
  } catch (const CaseFailed& failed) {
    throw RankFailure{failed.failure};
  }
}

/// One GPU of a communicator over several processes. Waits for the other ranks without an end: who asks it
/// gives it up.
class NcclCommunicator final : public Communicator {
 public:
  explicit NcclCommunicator(RankProgress progress) : progress_(std::move(progress)) {
    translated([&] {
      check(cudaGetDeviceCount(&devices_), "devices");
      if (devices_ < 1) unsupported("no GPU");
      (void)nccl();
    });
  }

  About about() override {
    return translated([&] {
      cudaDeviceProp properties{};
      check(cudaGetDeviceProperties(&properties, 0), "device");
      int version = 0;
      ok(nccl().version(&version), "version");
      return About{{"device", properties.name},
                   {"gpus_of_host", std::to_string(devices_)},
                   {"nccl", std::to_string(version)}};
    });
  }

  std::string unique_id() override {
    return translated([&] {
      ncclUniqueId id{};
      ok(nccl().unique_id(&id), "unique id");
      return to_hex(id);
    });
  }

  void join(const Case& what, const std::string& id, const RankPlace& place) override {
    translated([&] {
      // A launcher may have given each process one GPU that is number 0 to it.
      const int device = devices_ == 1 ? 0 : place.device;
      if (device >= devices_)
        unsupported("is process " + std::to_string(place.device) + " of a host with " +
                    std::to_string(devices_) + " GPUs");
      place_ = place;
      kind_ = std::string(collective_of(what.op_class));
      elements_ = collective_elements(what, place.count);
      rank_ = std::make_unique<NcclRank>();
      rank_->make(device, place.index, elements_);
      ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
      config.blocking = 0;
      progress_("communicator");
      ok(nccl().init_rank(&rank_->comm, place.count, from_hex(id), place.index, &config), "init");
      settle("init");
    });
  }

  RankVerified verify() override {
    return translated([&] {
      (void)execute(1);
      Distance distance;
      compare_collective(kind_, elements_, place_.index, place_.count, *rank_, distance);
      return RankVerified{.error = distance.value(), .limit = collective_error_limit(place_.count)};
    });
  }

  double run(int repeats) override {
    return translated([&] { return execute(repeats); });
  }

  void leave() override {
    translated([&] {
      if (!rank_ || rank_->comm == nullptr) return;
      ok(nccl().finalize(rank_->comm), "end");
      settle("end");
      ok(nccl().destroy(std::exchange(rank_->comm, nullptr)), "end");
      rank_.reset();
    });
  }

 private:
  void ok(ncclResult_t result, const char* what) const {
    if (result == ncclSuccess || result == ncclInProgress) return;
    throw RankFailure{{FailureClass::kRankFailed, std::string(what) + ": " + nccl().error_string(result)}};
  }
  void settle(const char* what) {
    ncclResult_t state = ncclInProgress;
    while (true) {
      ok(nccl().async_error(rank_->comm, &state), what);
      ok(state, what);
      if (state == ncclSuccess) return;
      std::this_thread::yield();
    }
  }
  double execute(int repeats) {
    check(cudaEventRecord(rank_->begin, rank_->stream), "event");
    progress_("enqueue");
    for (int i = 0; i < repeats; ++i) {
      ok(nccl().group_start(), "start");
      ok(enqueue_collective(kind_, elements_, place_.index, place_.count, *rank_), kind_.c_str());
      ok(nccl().group_end(), kind_.c_str());
      settle(kind_.c_str());
    }
    check(cudaEventRecord(rank_->end, rank_->stream), "event");
    progress_("wait for the GPU");
    for (cudaError_t state = cudaEventQuery(rank_->end); state != cudaSuccess;
         state = cudaEventQuery(rank_->end)) {
      if (state != cudaErrorNotReady) check(state, kind_.c_str());
      ncclResult_t error = ncclSuccess;
      ok(nccl().async_error(rank_->comm, &error), kind_.c_str());
      ok(error, kind_.c_str());
    }
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, rank_->begin, rank_->end), "event");
    return 1e-3 * static_cast<double>(milliseconds) / repeats;
  }

  RankProgress progress_;
  int devices_ = 0;
  RankPlace place_;
  std::string kind_;
  std::int64_t elements_ = 0;
  std::unique_ptr<NcclRank> rank_;
};

}  // namespace

std::unique_ptr<Communicator> make_nccl_communicator(RankProgress progress) {
  return std::make_unique<NcclCommunicator>(std::move(progress));
}

}  // namespace orrery
