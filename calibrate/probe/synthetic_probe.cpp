#include "calibrate/probe/synthetic_probe.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>

#include "calibrate/probe/stopping.hpp"
#include "calibrate/probe/work.hpp"

namespace orrery {
namespace {

/// Random numbers of one case: the same whatever was measured before it (splitmix64, Steele et al., OOPSLA
/// 2014).
class CaseNoise {
 public:
  CaseNoise(std::uint64_t seed, const Case& what) : state_(seed) {
    for (const char c : to_text(what)) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  }
  double uniform() {
    state_ += 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return (static_cast<double>((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53;
  }
  double normal() {  // Box-Muller
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::uint64_t state_;
};

bool is_collective(std::string_view name) {
  return !collective_of(name).empty();
}

}  // namespace

SyntheticProbe::SyntheticProbe(SyntheticDevice device, std::uint64_t seed, SyntheticFaults faults)
    : device_(std::move(device)), seed_(seed), faults_(std::move(faults)) {}

About SyntheticProbe::about() const {
  return {{"probe", "synthetic"}, {"device", device_.name}, {"sms", std::to_string(device_.sms)}};
}

double SyntheticProbe::seconds(const Case& what) const {
  const Work work = work_of(what);
  if (what.op_class == "launch") return device_.overhead_s;
  if (work.flops == 0 && work.bytes == 0) return 0;
  if (is_collective(what.op_class)) {
    return device_.alpha_s * static_cast<double>(size_of(what.shape, "gpus") - 1) +
           work.bytes / device_.link_bytes_per_s;
  }
  if (what.op_class == "contention.communication") {  // each SM moves its share of the memory bandwidth
    const double alone =
        device_.overhead_s + work.bytes * device_.sms /
                                 (device_.hbm_bytes_per_s * static_cast<double>(size_of(what.shape, "sms")));
    return what.name == "alone" ? alone : alone * device_.communication_contention;
  }
  const bool beside = what.op_class.starts_with("contention.") && size_of(what.shape, "sms") > 0;
  const double contention = beside ? device_.contention : 1;
  const auto rate = device_.flops_per_s.find(what.dtype);
  const std::int64_t m = size_of(what.shape, "m");
  if (m > 0) {
    if (rate == device_.flops_per_s.end()) return 0;
    const auto tile = static_cast<std::int64_t>(device_.tile);
    const std::int64_t n = size_of(what.shape, "n");
    const std::int64_t groups = std::max<std::int64_t>(1, size_of(what.shape, "groups"));
    const auto tiles = static_cast<double>(groups * ((m + tile - 1) / tile) * ((n + tile - 1) / tile));
    const double sms = device_.sms - static_cast<double>(size_of(what.shape, "sms"));
    const double per_tile = 2.0 * static_cast<double>(tile * tile * size_of(what.shape, "k"));
    const bool weight = what.op_class.find("wgrad") != std::string::npos;
    const double result = static_cast<double>(groups * m * n) * (weight ? 8 : 2);
    return contention * (device_.overhead_s + std::ceil(tiles / sms) * per_tile * device_.sms / rate->second +
                         result / device_.hbm_bytes_per_s);
  }
  if (work.flops > 0) {
    if (rate == device_.flops_per_s.end()) return 0;
    const double left = beside ? device_.sms - static_cast<double>(size_of(what.shape, "sms")) : device_.sms;
    const double compute = work.flops / (device_.attention_share * rate->second) * device_.sms / left;
    return contention * (device_.overhead_s + std::max(compute, work.bytes / device_.hbm_bytes_per_s));
  }
  return device_.overhead_s + work.bytes / device_.hbm_bytes_per_s;
}

std::optional<Failure> SyntheticProbe::fault(const Case& what) {
  if (faults_.hang.contains(what.op_class)) {
    while (true) pause();
  }
  if (faults_.crash.contains(what.op_class)) std::abort();
  if (faults_.wrong.contains(what.op_class))
    return Failure{FailureClass::kWrongResult, "relative error 0.5, allowed 0.01"};
  if (faults_.rank.contains(what.op_class))
    return Failure{FailureClass::kRankFailed, "rank 1 of " + std::to_string(size_of(what.shape, "gpus")) +
                                                  ": unhandled system error (synthetic)"};
  if (seconds(what) <= 0)
    return Failure{FailureClass::kUnsupported, "the synthetic device does not know this case"};
  const double bytes = work_of(what).bytes;
  if (bytes > device_.memory_bytes && !is_collective(what.op_class))
    return Failure{FailureClass::kOutOfMemory, "needs " + std::to_string(bytes) + " bytes"};
  return std::nullopt;
}

bool SyntheticProbe::lost() {
  return faults_.lost_after >= 0 && cases_++ >= faults_.lost_after;
}

Answer SyntheticProbe::run_sequence(const Sequence& sequence, const Effort& effort) {
  if (lost()) return Failure{FailureClass::kDeviceLost, "the synthetic device has fallen off its bus"};
  double truth = 0, memory = 0;
  std::set<Case> different;
  for (const SequenceStep& step : sequence.steps) {
    if (std::optional<Failure> failed = fault(step.what))
      return Failure{failed->kind, to_text(step.what) + ": " + failed->message};
    truth += step.repeats * seconds(step.what);
    if (different.insert(step.what).second) memory += work_of(step.what).bytes;
  }
  if (memory > device_.memory_bytes)
    return Failure{FailureClass::kOutOfMemory, "needs " + std::to_string(memory) + " bytes"};
  CaseNoise noise(seed_, sequence.what);
  return collect(effort, {}, [&] {
    Sample sample;
    sample.seconds = truth * std::max(0.1, 1 + device_.noise * noise.normal());
    return std::variant<Sample, Failure>(sample);
  });
}

Answer SyntheticProbe::run(const Case& what, const Effort& effort) {
  if (lost()) return Failure{FailureClass::kDeviceLost, "the synthetic device has fallen off its bus"};
  if (std::optional<Failure> failed = fault(what)) return *failed;
  const Work work = work_of(what);
  const double truth = seconds(what);

  // Energy above idle decides the clock of a sustained run.
  const double joules = work.flops * device_.joules_per_flop + work.bytes * device_.joules_per_byte;
  const double free_w = device_.idle_w + joules / truth;
  const double slow = what.sustained && free_w > device_.cap_w
                          ? (free_w - device_.idle_w) / (device_.cap_w - device_.idle_w)
                          : 1;
  CaseNoise noise(seed_, what);
  Samples answer;
  answer.flops = work.flops;
  answer.bytes = work.bytes;
  answer.error = 1e-3;
  answer.error_limit = 1e-2;
  return collect(effort, std::move(answer), [&] {
    Sample sample;
    sample.seconds = truth * slow * std::max(0.1, 1 + device_.noise * noise.normal());
    if (noise.uniform() < device_.outlier_share) sample.seconds *= device_.outlier_factor;
    sample.sm_clock_hz = device_.clock_hz / slow;
    if (what.sustained) sample.watts = device_.idle_w + joules / (truth * slow);
    sample.throttle = slow > 1 ? std::uint64_t{kThrottlePowerCap} : 0;
    return std::variant<Sample, Failure>(sample);
  });
}

}  // namespace orrery
