#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace orrery {

/// What NVML says of a GPU at one moment; absent what the device does not report.
struct NvmlReading {
  std::optional<double> watts;   ///< board power; on recent GPUs a mean over about a second before the call
  std::optional<double> joules;  ///< energy since the driver was loaded; differences are exact over long runs
  std::optional<double> sm_clock_hz;
  std::optional<double> memory_clock_hz;
  std::optional<double> temperature_c;
  std::optional<std::uint64_t> throttle;  ///< bits of ThrottleReason
};

/// One GPU as seen by the management library, which is loaded at run time and only ever read: no setting of
/// the card is changed.
class Nvml {
 public:
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;
  ~Nvml();
  [[nodiscard]] NvmlReading read() const;
  [[nodiscard]] std::optional<double> power_limit_w() const;
  [[nodiscard]] std::string device_name() const;     ///< "" if not reported
  [[nodiscard]] std::string driver_version() const;  ///< "" if not reported

 private:
  friend struct NvmlOrReason open_nvml(const std::string& device, const std::string& library);
  struct Functions;
  explicit Nvml(std::unique_ptr<Functions> functions);
  std::unique_ptr<Functions> functions_;
};

/// The library, or why it is not there: "libnvidia-ml.so.1: cannot open shared object file...".
struct NvmlOrReason {
  std::unique_ptr<Nvml> nvml;
  std::string reason;
};

/// `device` is a PCI bus id ("0000:1b:00.0"; the order of CUDA devices need not be NVML's) or an index ("0").
[[nodiscard]] NvmlOrReason open_nvml(const std::string& device,
                                     const std::string& library = "libnvidia-ml.so.1");

}  // namespace orrery
