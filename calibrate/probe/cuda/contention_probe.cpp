#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "calibrate/probe/cuda/green_contexts.hpp"
#include "calibrate/probe/cuda/kernels.hpp"
#include "calibrate/probe/cuda/workload.hpp"
#include "calibrate/probe/stopping.hpp"
#include "calibrate/probe/work.hpp"

namespace orrery {
namespace {

/// Words that host and device both see: which blocks are resident, whether to stop, and whether the kernel
/// ended by itself.
struct Signals {
  static constexpr int kMostBlocks = 1000, kWords = kMostBlocks + 2;
  volatile std::uint32_t* host = nullptr;
  volatile std::uint32_t* device = nullptr;
  Signals() {
    void* memory = nullptr;
    check(cudaHostAlloc(&memory, 4 * kWords, cudaHostAllocMapped), "signals");
    host = static_cast<volatile std::uint32_t*>(memory);
    void* seen = nullptr;
    check(cudaHostGetDevicePointer(&seen, memory, 0), "signals");
    device = static_cast<volatile std::uint32_t*>(seen);
    clear();
  }
  void clear() {
    for (int i = 0; i < kWords; ++i) host[i] = 0;
  }
  [[nodiscard]] int resident(int blocks) const {
    int count = 0;
    for (int i = 0; i < blocks; ++i) count += host[i] != 0 ? 1 : 0;
    return count;
  }
  void stop() { host[kMostBlocks] = 1; }
  [[nodiscard]] bool ended_by_itself() const { return host[kMostBlocks + 1] != 0; }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals() { cudaFreeHost(const_cast<std::uint32_t*>(host)); }
};

/// The communication-like kernel: persistent blocks, one to an SM, that copy device memory (arXiv
/// 2412.19437, 3.2.2 gives such kernels 20 SMs). They leave no shared memory to others, so that the work
/// beside them runs on the remaining SMs only.
class Communication {
 public:
  static constexpr std::int64_t kBuffer = std::int64_t{256} << 20;
  /// On `stream` of a partition, or, when it is null, on a stream of its own that all SMs serve.
  Communication(int sms, Device& device, cudaStream_t stream)
      : sms_(sms), device_(device), from_(kBuffer), to_(kBuffer), shared_(device.shared_bytes - 2048) {
    if (stream == nullptr) {
      int least = 0, greatest = 0;
      check(cudaDeviceGetStreamPriorityRange(&least, &greatest), "stream");
      check(cudaStreamCreateWithPriority(&own_stream_, cudaStreamNonBlocking, greatest), "stream");
    }
    stream_ = stream == nullptr ? own_stream_ : stream;
    check(launch_fill(Fill::kWords, from_.data(), kBuffer / 4, device.fresh_seed(), device.stream), "fill");
    check(cudaStreamSynchronize(device.stream), "fill");
  }
  Communication(const Communication&) = delete;
  Communication& operator=(const Communication&) = delete;
  ~Communication() {
    signals_.stop();
    cudaStreamSynchronize(stream_);
    if (own_stream_ != nullptr) cudaStreamDestroy(own_stream_);
  }

  /// Begins to run until `stop`; returns when all its blocks have their SM.
  void start() {
    signals_.clear();
    enqueue(kBuffer, 0);
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (signals_.resident(sms_) < sms_) {
      if (std::chrono::steady_clock::now() > until)
        throw CaseFailed{{FailureClass::kOther, "the communication kernel did not get its " +
                                                    std::to_string(sms_) + " SMs within 10 s"}};
      std::this_thread::yield();
    }
  }
  void stop() {
    signals_.stop();
    check(cudaStreamSynchronize(stream_), "communication");
    if (signals_.ended_by_itself())
      throw CaseFailed{
          {FailureClass::kOther,
           "the communication kernel ended after 30 s: what ran beside it waited for it, or took "
           "too long"}};
  }
  /// Enqueues `rounds` copies of `bytes` / 2.
  void enqueue(std::int64_t bytes, int rounds) {
    check(launch_communication(to_.data(), from_.data(), rounds == 0 ? kBuffer : bytes / 2, rounds, sms_,
                               shared_, signals_.device, signals_.device + Signals::kMostBlocks, stream_),
          "communication");
  }
  [[nodiscard]] cudaStream_t stream() const { return stream_; }

 private:
  int sms_;
  Device& device_;
  Buffer from_, to_;
  Signals signals_;
  int shared_;
  cudaStream_t stream_ = nullptr, own_stream_ = nullptr;
};

/// Cases whose name begins so are measured on the two parts of a partition.
constexpr std::string_view kGreen = "green ";

/// While it lives, work goes to the part of the partition that is not the communication's.
class OnPart {
 public:
  OnPart(Device& device, const GreenPartition* partition) : device_(device), before_(device.stream) {
    if (partition != nullptr) device.stream = partition->work();
  }
  OnPart(const OnPart&) = delete;
  OnPart& operator=(const OnPart&) = delete;
  ~OnPart() { device_.stream = before_; }

 private:
  Device& device_;
  cudaStream_t before_;
};

ProbeCasePtr work_beside(const Case& what, Device& device, int sms) {
  Case beside = what;
  beside.op_class = what.op_class.substr(std::string("contention.").size());
  beside.shape.erase("sms");
  if (beside.op_class.starts_with("attention")) return make_attention(beside, device);
  return make_cublaslt_gemm(beside, device, sms);
}

double event_seconds(cudaEvent_t begin, cudaEvent_t end) {
  float milliseconds = 0;
  check(cudaEventSynchronize(end), "kernel");
  check(cudaEventElapsedTime(&milliseconds, begin, end), "event");
  return 1e-3 * static_cast<double>(milliseconds);
}

struct EventPair {
  cudaEvent_t begin = nullptr, end = nullptr;
  EventPair() {
    check(cudaEventCreate(&begin), "event");
    check(cudaEventCreate(&end), "event");
  }
  EventPair(const EventPair&) = delete;
  EventPair& operator=(const EventPair&) = delete;
  ~EventPair() {
    cudaEventDestroy(begin);
    cudaEventDestroy(end);
  }
};

/// Time of the communication kernel for a fixed number of bytes, alone or while products run on the other
/// SMs.
Answer time_communication(const Case& what, Device& device, int sms, cudaStream_t part,
                          const Effort& effort) {
  const bool beside = what.name == "beside gemm";
  const std::int64_t bytes = std::min(size_of(what.shape, "bytes"), 2 * Communication::kBuffer);
  ProbeCasePtr work;
  if (beside) {
    Case product = what;
    product.op_class = "gemm.bf16";
    product.name = "cublaslt tn";
    product.shape.erase("bytes");
    product.shape.erase("sms");
    work = make_cublaslt_gemm(product, device, sms);
    const std::optional<Verified> verified = work->verify();
    if (!verified || !(verified->error <= verified->limit))
      return Failure{FailureClass::kWrongResult, "the product beside is wrong"};
  }
  Communication communication(sms, device, part);
  EventPair moved, worked;
  const auto run = [&](int products) {
    check(cudaEventRecord(moved.begin, communication.stream()), "event");
    communication.enqueue(bytes, 4);
    check(cudaEventRecord(moved.end, communication.stream()), "event");
    for (int i = 0; i < products; ++i) work->launch(device.stream);
    const double seconds = event_seconds(moved.begin, moved.end) / 4;
    check(cudaStreamSynchronize(device.stream), "product");
    return seconds;
  };
  const double alone = run(0);
  int products = 0;
  if (beside) {
    check(cudaEventRecord(worked.begin, device.stream), "event");
    work->launch(device.stream);
    check(cudaEventRecord(worked.end, device.stream), "event");
    // Enough of them to be there all the time, even if the copy takes three times as long as alone.
    products = 2 + static_cast<int>(std::ceil(3 * 4 * alone / event_seconds(worked.begin, worked.end)));
  }
  Samples about_case;
  about_case.bytes = static_cast<double>(bytes);
  about_case.executions = 4;
  about_case.note = "persistent blocks, read and written bytes together" +
                    std::string(beside ? ", products on the other SMs" : "");
  return collect(effort, std::move(about_case),
                 [&]() -> std::variant<Sample, Failure> { return sample_of(device, run(products)); });
}

}  // namespace

Answer run_contention(const Case& asked, Device& device, const Effort& effort) {
  Case what = asked;
  const bool green = what.name.starts_with(kGreen);
  if (green) what.name = what.name.substr(kGreen.size());
  const auto sms = static_cast<int>(size_of(what.shape, "sms"));
  if (sms < 0 || sms >= device.sms || sms > Signals::kMostBlocks)
    unsupported("the device has " + std::to_string(device.sms) + " SMs");
  if (green && sms == 0) unsupported("a partition needs SMs on both sides");
  std::unique_ptr<GreenPartition> partition;
  if (green) partition = make_green_partition(device, sms);
  const cudaStream_t part = partition ? partition->communication() : nullptr;
  const OnPart on_part(device, partition.get());
  if (what.op_class == "contention.communication") {
    if (sms < 1) unsupported("needs SMs");
    Answer answer = time_communication(what, device, sms, part, effort);
    if (auto* samples = std::get_if<Samples>(&answer); samples != nullptr && green)
      samples->note += ", parts of green contexts";
    return answer;
  }
  const ProbeCasePtr work = work_beside(what, device, sms);
  if (sms == 0) return time_workload(what, device, *work, effort);
  Communication communication(sms, device, part);
  // Once before: kernels are loaded at their first launch, and loading may wait for what runs - which would
  // be for ever.
  (void)work->verify();
  communication.start();
  Answer answer = time_workload(what, device, *work, effort);
  communication.stop();
  if (auto* samples = std::get_if<Samples>(&answer))
    samples->note += std::string(", beside persistent blocks that copy device memory") +
                     (green ? ", parts of green contexts" : "");
  return answer;
}

}  // namespace orrery
