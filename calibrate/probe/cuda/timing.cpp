#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "calibrate/probe/cuda/workload.hpp"
#include "calibrate/probe/stopping.hpp"
#include "calibrate/probe/work.hpp"

namespace orrery {
namespace {

constexpr double kShort =
    200e-6;  ///< executions are timed together until they take this long: events tick in 0.5 us
constexpr int kMostTogether = 200;
constexpr double kSustainedPiece = 0.05;  ///< seconds between two samples of a sustained run

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
  template <class F>
  [[nodiscard]] double seconds(cudaStream_t stream, F enqueue) {
    check(cudaEventRecord(begin_, stream), "event");
    enqueue();
    check(cudaEventRecord(end_, stream), "event");
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
    if (count < 2 || !workload.graph()) return;
    cudaGraph_t graph = nullptr;
    check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "graph");
    for (int i = 0; i < count; ++i) workload.launch(stream);
    check(cudaStreamEndCapture(stream, &graph), "graph");
    const cudaError_t made = cudaGraphInstantiate(&graph_, graph, 0);
    cudaGraphDestroy(graph);
    check(made, "graph");
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

 private:
  ProbeCase& workload_;
  cudaStream_t stream_;
  int count_;
  cudaGraphExec_t graph_ = nullptr;
};

void flush_l2(Device& device) {
  if (device.flush.bytes() == 0)
    device.flush = Buffer(std::max<std::int64_t>(2LL * device.l2_bytes, 1 << 26));
  check(cudaMemsetAsync(device.flush.data(), 0x5a, static_cast<std::size_t>(device.flush.bytes()),
                        device.stream),
        "L2 flush");
}

Answer sustained(Device& device, ProbeCase& workload, const Effort& effort, double once, Samples about_case) {
  const int count = std::clamp(static_cast<int>(kSustainedPiece / once), 1, 100000);
  const int in_graph = std::min(count, kMostTogether);
  Together together(workload, device.stream, in_graph);
  const int repeats = (count + in_graph - 1) / in_graph;
  about_case.executions = std::int64_t{repeats} * in_graph;
  Events events;
  const auto start = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  std::optional<double> joules_before;
  double seconds_before = 0;
  while (elapsed() < effort.sustained_seconds || about_case.values.empty()) {
    const bool settled = elapsed() >= 0.6 * effort.sustained_seconds;
    if (settled && !joules_before && device.nvml) {
      joules_before = device.nvml->read().joules;
      seconds_before = elapsed();
    }
    const double seconds = events.seconds(device.stream, [&] {
      for (int i = 0; i < repeats; ++i) together.launch();
    });
    const Sample sample = sample_of(device, seconds / static_cast<double>(about_case.executions));
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
  mark_outliers(about_case);
  return about_case;
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
  for (int i = 0; i < 3; ++i) workload.launch(device.stream);
  check(cudaStreamSynchronize(device.stream), "warm-up");
  Events events;
  const double once = events.seconds(device.stream, [&] { workload.launch(device.stream); });
  if (what.sustained) return sustained(device, workload, effort, std::max(once, 1e-7), std::move(about_case));

  const int count =
      what.cold_l2 ? 1 : std::clamp(static_cast<int>(kShort / std::max(once, 1e-7)), 1, kMostTogether);
  about_case.executions = count;
  Together together(workload, device.stream, count);
  together.launch();
  check(cudaStreamSynchronize(device.stream), "warm-up");
  return collect(effort, std::move(about_case), [&]() -> std::variant<Sample, Failure> {
    if (what.cold_l2) flush_l2(device);
    const double seconds = events.seconds(device.stream, [&] { together.launch(); });
    return sample_of(device, seconds / count);
  });
}

}  // namespace orrery
