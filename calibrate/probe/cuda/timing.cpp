#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "calibrate/probe/cuda/kernels.hpp"
#include "calibrate/probe/cuda/workload.hpp"
#include "calibrate/probe/stopping.hpp"
#include "calibrate/probe/work.hpp"

namespace orrery {
namespace {

/// Executions are timed together until they take this long: events tick in 0.5 us, and the first kernel of a
/// graph starts a few microseconds after the event before it.
constexpr double kShort = 1e-3;
constexpr int kMostTogether = 200;
constexpr double kSustainedPiece = 0.05;  ///< seconds between two samples of a sustained run
constexpr double kWarm = 0.02;            ///< seconds of executions before the first sample
/// What the host needs for a launch of a graph and for each other launch, amply: the stream is held so long.
constexpr std::int64_t kGraphCall_ns = 30'000, kCall_ns = 5'000;

class Events {
 public:
  Events() {
    check(cudaEventCreate(&begin_), "event");
    check(cudaEventCreate(&end_), "event");
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;
  ~Events() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
  }
  void begin(cudaStream_t stream) { check(cudaEventRecord(begin_, stream), "event"); }
  void end(cudaStream_t stream) { check(cudaEventRecord(end_, stream), "event"); }
  /// Seconds between the two, after they have happened.
  [[nodiscard]] double wait() {
    check(cudaEventSynchronize(end_), "kernel");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin_, end_), "event");
    return 1e-3 * static_cast<double>(milliseconds);
  }

 private:
  cudaEvent_t begin_ = nullptr;
  cudaEvent_t end_ = nullptr;
};

/// `count` executions as one graph, or one after the other where the workload cannot be captured.
class Together {
 public:
  Together(ProbeCase& workload, cudaStream_t stream, int count)
      : workload_(workload), stream_(stream), count_(count) {
    if (workload.graph()) capture();
  }
  Together(const Together&) = delete;
  Together& operator=(const Together&) = delete;
  ~Together() {
    if (graph_ != nullptr) cudaGraphExecDestroy(graph_);
  }
  void launch() {
    if (graph_ != nullptr) {
      check(cudaGraphLaunch(graph_, stream_), "graph");
      return;
    }
    for (int i = 0; i < count_; ++i) workload_.launch(stream_);
  }
  /// Nanoseconds that the host may take to enqueue them.
  [[nodiscard]] std::int64_t host_ns() const {
    constexpr std::int64_t kMostKernels = 2;  // of one execution that is not a graph
    return graph_ != nullptr ? kGraphCall_ns : kGraphCall_ns + kCall_ns * kMostKernels * count_;
  }
  [[nodiscard]] bool is_graph() const { return graph_ != nullptr; }

 private:
  /// A library may refuse to be captured: then there is no graph, and the stream is as before.
  void capture() {
    check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "graph");
    bool captured = true;
    try {
      for (int i = 0; i < count_; ++i) workload_.launch(stream_);
    } catch (const CaseFailed&) {
      captured = false;
    }
    cudaGraph_t graph = nullptr;
    captured = cudaStreamEndCapture(stream_, &graph) == cudaSuccess && captured;
    if (captured && cudaGraphInstantiate(&graph_, graph, 0) != cudaSuccess) graph_ = nullptr;
    if (graph != nullptr) cudaGraphDestroy(graph);
    (void)cudaGetLastError();
  }

  ProbeCase& workload_;
  cudaStream_t stream_;
  int count_;
  cudaGraphExec_t graph_ = nullptr;
};

/// Seconds of what `together` launches, behind a hold that covers the host's calls. `before` is enqueued
/// between hold and start.
template <class F>
double timed(Device& device, Events& events, Together& together, F before) {
  check(launch_hold(together.host_ns(), device.stream), "hold");
  before();
  events.begin(device.stream);
  together.launch();
  events.end(device.stream);
  return events.wait();
}
double timed(Device& device, Events& events, Together& together) {
  return timed(device, events, together, [] {});
}

/// Reads as much other memory as evicts all of the L2 cache; written lines would be written back under the
/// kernel that comes next.
void flush_l2(Device& device) {
  const std::int64_t bytes = std::max<std::int64_t>(2LL * device.l2_bytes, 1 << 26);
  if (device.flush.bytes() == 0) {
    device.flush = Buffer(bytes + 16);
    device.flush.zero(device.stream);
  }
  auto* sink = reinterpret_cast<std::uint32_t*>(device.flush.as<char>() + bytes);
  check(launch_read(device.flush.data(), bytes, sink, device.sms, 1, device.stream), "L2 flush");
}

Answer sustained(Device& device, ProbeCase& workload, const Effort& effort, double once, Samples about_case) {
  const int count = std::clamp(static_cast<int>(kSustainedPiece / once), 1, 100000);
  const int in_graph = std::min(count, kMostTogether);
  Together together(workload, device.stream, in_graph);
  const int repeats = (count + in_graph - 1) / in_graph;
  about_case.executions = std::int64_t{repeats} * in_graph;
  const double per_sample = static_cast<double>(about_case.executions) * workload.rounds();
  std::array<Events, 2> events;
  const auto enqueue = [&](Events& piece) {
    piece.begin(device.stream);
    for (int i = 0; i < repeats; ++i) together.launch();
    piece.end(device.stream);
  };
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  std::optional<double> joules_before;
  double seconds_before = 0;
  // The next piece is in the queue before one is waited for, so that the meters are read under load.
  enqueue(events[0]);
  for (std::size_t i = 0; elapsed() < effort.sustained_seconds || about_case.values.empty(); ++i) {
    enqueue(events[(i + 1) % 2]);
    const double seconds = events[i % 2].wait();
    const bool settled = elapsed() >= 0.6 * effort.sustained_seconds;
    if (settled && !joules_before && device.nvml) {
      joules_before = device.nvml->read().joules;
      seconds_before = elapsed();
    }
    const Sample sample = sample_of(device, seconds / per_sample);
    if (settled) about_case.values.push_back(sample);
  }
  if (joules_before) {
    const std::optional<double> joules = device.nvml->read().joules;
    if (joules && elapsed() > seconds_before) {
      const double watts = (*joules - *joules_before) / (elapsed() - seconds_before);
      about_case.note += (about_case.note.empty() ? "" : "; ") + std::string("mean ") +
                         std::to_string(watts) + " W by the energy counter over " +
                         std::to_string(elapsed() - seconds_before) + " s";
    }
  }
  check(cudaStreamSynchronize(device.stream), "sustained run");
  mark_outliers(about_case);
  return about_case;
}

/// Executes until clocks have had time to rise, three times at least.
void warm_up(Device& device, ProbeCase& workload) {
  const auto start = std::chrono::steady_clock::now();
  do {
    for (int i = 0; i < 3; ++i) workload.launch(device.stream);
    check(cudaStreamSynchronize(device.stream), "warm-up");
  } while (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < kWarm);
}

/// Executions that take `kShort` together.
int count_for(double once) {
  return std::clamp(static_cast<int>(std::ceil(kShort / std::max(once, 1e-7))), 1, kMostTogether);
}

}  // namespace

double Distance::value() const {
  if (std::isnan(difference_)) return std::numeric_limits<double>::infinity();
  return norm_ > 0 ? std::sqrt(difference_ / norm_)
                   : (difference_ > 0 ? std::numeric_limits<double>::infinity() : 0);
}

Sample sample_of(Device& device, double seconds) {
  Sample sample;
  sample.seconds = seconds;
  if (!device.nvml) return sample;
  const NvmlReading reading = device.nvml->read();
  sample.sm_clock_hz = reading.sm_clock_hz;
  sample.memory_clock_hz = reading.memory_clock_hz;
  sample.watts = reading.watts;
  sample.throttle = reading.throttle;
  return sample;
}

Answer time_workload(const Case& what, Device& device, ProbeCase& workload, const Effort& effort) {
  const std::optional<Verified> verified = workload.verify();
  Samples about_case;
  const Work work = work_of(what);
  about_case.flops = work.flops;
  about_case.bytes = work.bytes;
  about_case.note = workload.note();
  if (verified) {
    about_case.error = std::isfinite(verified->error) ? verified->error : 1e30;
    about_case.error_limit = verified->limit;
    if (!(verified->error <= verified->limit)) {
      return Failure{FailureClass::kWrongResult, "relative error " + std::to_string(verified->error) +
                                                     ", allowed " + std::to_string(verified->limit)};
    }
  }
  warm_up(device, workload);
  Events events;
  double once = 0;
  {
    Together one(workload, device.stream, 1);
    once = timed(device, events, one);
    // Alone it holds the time from the event to the first kernel, too.
    if (!what.cold_l2 && count_for(once) > 1) {
      Together some(workload, device.stream, count_for(once));
      once = timed(device, events, some) / count_for(once);
    }
  }
  if (what.sustained) return sustained(device, workload, effort, std::max(once, 1e-7), std::move(about_case));

  const int count = what.cold_l2 ? 1 : count_for(once);
  about_case.executions = std::int64_t{count} * workload.rounds();
  Together together(workload, device.stream, count);
  if (workload.graph() && !together.is_graph())
    about_case.note +=
        std::string(about_case.note.empty() ? "" : "; ") + "could not be captured into a graph";
  together.launch();
  check(cudaStreamSynchronize(device.stream), "warm-up");
  return collect(effort, std::move(about_case), [&]() -> std::variant<Sample, Failure> {
    const double seconds = timed(device, events, together, [&] {
      if (what.cold_l2) flush_l2(device);
    });
    return sample_of(device, seconds / (count * workload.rounds()));
  });
}

}  // namespace orrery
