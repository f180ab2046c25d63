#include "calibrate/probe/nvml.hpp"

#include <dlfcn.h>

#include <array>
#include <charconv>

namespace orrery {

// Own declarations of the few functions that are called (NVML API, stable since driver 418). The header
// nvml.h is not part of every toolkit, and without a driver there is no library to link.
struct Nvml::Functions {
  using Device = void*;
  void* library = nullptr;
  Device device = nullptr;
  int (*init)() = nullptr;
  int (*shutdown)() = nullptr;
  const char* (*error_string)(int) = nullptr;
  int (*handle_by_index)(unsigned, Device*) = nullptr;
  int (*handle_by_bus_id)(const char*, Device*) = nullptr;
  int (*name)(Device, char*, unsigned) = nullptr;
  int (*driver)(char*, unsigned) = nullptr;
  int (*power_mw)(Device, unsigned*) = nullptr;
  int (*power_limit_mw)(Device, unsigned*) = nullptr;
  int (*energy_mj)(Device, unsigned long long*) = nullptr;
  int (*clock_mhz)(Device, int, unsigned*) = nullptr;
  int (*temperature)(Device, int, unsigned*) = nullptr;
  int (*throttle)(Device, unsigned long long*) = nullptr;

  template <class F>
  bool load(const char* symbol, F& function) {
    function = reinterpret_cast<F>(dlsym(library, symbol));
    return function != nullptr;
  }
};

namespace {

constexpr int kSmClock = 1;  // NVML_CLOCK_SM
constexpr int kMemoryClock = 2;
constexpr int kCoreTemperature = 0;

template <class Function, class Device, class... Arguments>
std::optional<double> ask(Function function, Device device, double unit, Arguments... arguments) {
  unsigned value = 0;
  if (function == nullptr || function(device, arguments..., &value) != 0) return std::nullopt;
  return unit * value;
}

}  // namespace

Nvml::Nvml(std::unique_ptr<Functions> functions) : functions_(std::move(functions)) {}

Nvml::~Nvml() {
  functions_->shutdown();
  dlclose(functions_->library);
}

NvmlReading Nvml::read() const {
  const Functions& f = *functions_;
  NvmlReading out;
  out.watts = ask(f.power_mw, f.device, 1e-3);
  out.sm_clock_hz = ask(f.clock_mhz, f.device, 1e6, kSmClock);
  out.memory_clock_hz = ask(f.clock_mhz, f.device, 1e6, kMemoryClock);
  out.temperature_c = ask(f.temperature, f.device, 1, kCoreTemperature);
  unsigned long long wide = 0;
  if (f.energy_mj != nullptr && f.energy_mj(f.device, &wide) == 0)
    out.joules = 1e-3 * static_cast<double>(wide);
  if (f.throttle != nullptr && f.throttle(f.device, &wide) == 0) out.throttle = wide;
  return out;
}

std::optional<double> Nvml::power_limit_w() const {
  return ask(functions_->power_limit_mw, functions_->device, 1e-3);
}

std::string Nvml::device_name() const {
  std::array<char, 96> text{};
  const Functions& f = *functions_;
  const bool known = f.name != nullptr && f.name(f.device, text.data(), text.size() - 1) == 0;
  return known ? text.data() : "";
}

std::string Nvml::driver_version() const {
  std::array<char, 96> text{};
  const Functions& f = *functions_;
  return f.driver != nullptr && f.driver(text.data(), text.size() - 1) == 0 ? text.data() : "";
}

NvmlOrReason open_nvml(const std::string& device, const std::string& library) {
  auto f = std::make_unique<Nvml::Functions>();
  f->library = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (f->library == nullptr) return {.nvml = nullptr, .reason = dlerror()};
  const auto give_up = [&](const std::string& reason) {
    dlclose(f->library);
    return NvmlOrReason{.nvml = nullptr, .reason = library + ": " + reason};
  };
  const bool needed = f->load("nvmlInit_v2", f->init) && f->load("nvmlShutdown", f->shutdown) &&
                      f->load("nvmlErrorString", f->error_string) &&
                      f->load("nvmlDeviceGetHandleByIndex_v2", f->handle_by_index) &&
                      f->load("nvmlDeviceGetHandleByPciBusId_v2", f->handle_by_bus_id);
  if (!needed) return give_up("lacks a function that every NVML has; is it the driver's library?");
  f->load("nvmlDeviceGetName", f->name);
  f->load("nvmlSystemGetDriverVersion", f->driver);
  f->load("nvmlDeviceGetPowerUsage", f->power_mw);
  f->load("nvmlDeviceGetEnforcedPowerLimit", f->power_limit_mw);
  f->load("nvmlDeviceGetTotalEnergyConsumption", f->energy_mj);
  f->load("nvmlDeviceGetClockInfo", f->clock_mhz);
  f->load("nvmlDeviceGetTemperature", f->temperature);
  f->load("nvmlDeviceGetCurrentClocksThrottleReasons", f->throttle);

  if (const int error = f->init(); error != 0)
    return give_up(std::string("nvmlInit: ") + f->error_string(error));
  unsigned index = 0;
  const auto [end, problem] = std::from_chars(device.data(), device.data() + device.size(), index);
  const bool is_index = problem == std::errc{} && end == device.data() + device.size();
  const int error =
      is_index ? f->handle_by_index(index, &f->device) : f->handle_by_bus_id(device.c_str(), &f->device);
  if (error != 0) {
    const std::string reason = "GPU " + device + ": " + f->error_string(error);
    f->shutdown();
    return give_up(reason);
  }
  return {.nvml = std::unique_ptr<Nvml>(new Nvml(std::move(f))), .reason = {}};
}

}  // namespace orrery
