#include "calibrate/probe/sample.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

double median_of(std::vector<double> values) {
  SIM_CHECK(!values.empty(), "median of nothing");
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

bool is_size_name(std::string_view name) {
  return !name.empty() && name.front() >= 'a' && name.front() <= 'z' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

}  // namespace

std::int64_t size_of(const Shape& shape, std::string_view name) {
  const auto found = shape.find(name);
  return found == shape.end() ? 0 : found->second;
}

std::string to_text(const Shape& shape) {
  std::string out;
  for (const auto& [name, size] : shape) {
    if (!out.empty()) out += ' ';
    out += name + "=" + std::to_string(size);
  }
  return out;
}

Shape parse_shape(std::string_view text, const std::string& place) {
  Shape shape;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    const std::size_t equal = word.find('=');
    const std::string_view name = word.substr(0, equal);
    std::int64_t size = 0;
    bool good = equal != std::string_view::npos && is_size_name(name);
    if (good) {
      const std::string_view number = word.substr(equal + 1);
      const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), size);
      good = error == std::errc{} && end == number.data() + number.size() && size >= 0;
    }
    if (!good)
      throw InputError(place, "found '" + std::string(word) + "', expected sizes such as 'k=7168 m=4096'");
    if (!shape.emplace(name, size).second)
      throw InputError(place, "size '" + std::string(name) + "' is given twice");
  }
  return shape;
}

std::string to_text(const Case& c) {
  std::string out = c.op_class;
  for (const std::string& part : {c.name, c.dtype, to_text(c.shape)}) {
    if (!part.empty()) out += " " + part;
  }
  if (c.cold_l2) out += ", cold L2";
  if (c.sustained) out += ", sustained";
  return out;
}

std::string throttle_text(std::uint64_t reasons) {
  struct Row {
    std::uint64_t bit;
    const char* text;
  };
  static constexpr std::array<Row, 9> kRows{{{kThrottleIdle, "idle"},
                                             {kThrottleApplicationClocks, "application clocks"},
                                             {kThrottlePowerCap, "power cap"},
                                             {kThrottleHardwareSlowdown, "hardware slow-down"},
                                             {kThrottleSyncBoost, "sync boost"},
                                             {kThrottleThermalSoftware, "thermal (software)"},
                                             {kThrottleThermalHardware, "thermal (hardware)"},
                                             {kThrottlePowerBrake, "power brake"},
                                             {kThrottleDisplayClocks, "display clocks"}}};
  std::string out;
  for (const Row& row : kRows) {
    if ((reasons & row.bit) == 0) continue;
    reasons &= ~row.bit;
    out += (out.empty() ? "" : ", ") + std::string(row.text);
  }
  if (reasons != 0) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), reasons, 16).ptr;
    out += (out.empty() ? "unknown 0x" : ", unknown 0x") + std::string(digits.data(), end);
  }
  return out.empty() ? "none" : out;
}

const char* to_text(FailureClass kind) {
  switch (kind) {
    case FailureClass::kUnsupported: return "unsupported";
    case FailureClass::kOutOfMemory: return "out-of-memory";
    case FailureClass::kWrongResult: return "wrong-result";
    case FailureClass::kTimeOut: return "time-out";
    case FailureClass::kDeviceLost: return "device-lost";
    case FailureClass::kRankFailed: return "rank-failed";
    case FailureClass::kCrashed: return "crashed";
    case FailureClass::kNotReached: return "not-reached";
    case FailureClass::kNotRecorded: return "not-recorded";
    case FailureClass::kOther: return "other";
  }
  return "";
}

double median_seconds(const Samples& samples) {
  std::vector<double> good;
  for (const Sample& sample : samples.values) {
    if (!sample.outlier) good.push_back(sample.seconds);
  }
  if (good.empty()) {
    for (const Sample& sample : samples.values) good.push_back(sample.seconds);
  }
  return median_of(std::move(good));
}

void mark_outliers(Samples& samples, double limit) {
  for (Sample& sample : samples.values) sample.outlier = false;
  if (samples.values.size() < 5) return;
  const double middle = median_seconds(samples);
  std::vector<double> distances;
  for (const Sample& sample : samples.values) distances.push_back(std::abs(sample.seconds - middle));
  const double allowed = std::max(limit * 1.4826 * median_of(distances), 0.01 * middle);
  for (Sample& sample : samples.values) sample.outlier = std::abs(sample.seconds - middle) > allowed;
}

}  // namespace orrery
