#pragma once

#include <cstdint>
#include <map>
#include <set>

#include "calibrate/probe/probe.hpp"

namespace orrery {

/// A device that exists only as numbers, with known truth behind every sample: fits are tested by recovering
/// it.
///
/// Seconds of one execution:
///   matrix products  overhead + ceil(tiles / sms) * 2 tile^2 k / (flops_per_s / sms) + result bytes / hbm
///   attention        overhead + flops / (attention_share * flops_per_s)
///   collectives      alpha (gpus - 1) + bytes sent / link
///   everything else  overhead + bytes / hbm
///   beside communication   the same on the SMs left, times `contention`; that of the communication kernel
///                          beside products times `communication_contention`
/// times (1 + noise * N(0,1)); with probability `outlier_share` times `outlier_factor`. A sustained case
/// under the power cap runs slower: watts = min(cap, idle + pJ) and the clock falls in the ratio of uncapped
/// to capped energy. None of the default values is a figure of a real device.
struct SyntheticDevice {
  std::string name = "synthetic";
  int sms = 100;
  int tile = 128;
  double overhead_s = 4e-6;
  std::map<std::string, double, std::less<>> flops_per_s = {{"bf16", 1e15}, {"fp8-e4m3", 2e15}};
  double attention_share = 0.6;
  double hbm_bytes_per_s = 4e12;
  double link_bytes_per_s = 2e11;
  double alpha_s = 2e-6;
  double contention = 1;
  double communication_contention = 1;
  double idle_w = 100;
  double cap_w = 700;
  double joules_per_flop = 4e-13;
  double joules_per_byte = 1e-10;
  double clock_hz = 2e9;
  double memory_bytes = 1.4e11;  ///< a case whose bytes exceed it fails: out of memory
  double noise = 0.005;
  double outlier_share = 0;
  double outlier_factor = 3;
};

/// Ways in which it can go wrong, by class of operator.
struct SyntheticFaults {
  std::set<std::string, std::less<>> wrong = {};  ///< result differs from the reference
  std::set<std::string, std::less<>> hang = {};   ///< never comes back
  std::set<std::string, std::less<>> crash = {};  ///< the process dies
  std::set<std::string, std::less<>> rank = {};   ///< a rank of the collective fails
  int lost_after = -1;                            ///< the device is gone after this many cases; -1: never
};

class SyntheticProbe : public Probe {
 public:
  SyntheticProbe(SyntheticDevice device, std::uint64_t seed, SyntheticFaults faults = {});
  [[nodiscard]] About about() const override;
  [[nodiscard]] Answer run(const Case& what, const Effort& effort) override;

  /// The sum of its steps, of which each begins when the one before has ended.
  [[nodiscard]] Answer run_sequence(const Sequence& sequence, const Effort& effort) override;

  /// The truth: seconds without noise. 0 where the class is unknown to it.
  [[nodiscard]] double seconds(const Case& what) const;

 private:
  [[nodiscard]] bool lost();
  [[nodiscard]] std::optional<Failure> fault(const Case& what);

  SyntheticDevice device_;
  std::uint64_t seed_;
  SyntheticFaults faults_;
  int cases_ = 0;
};

}  // namespace orrery
