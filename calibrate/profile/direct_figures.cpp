#include "calibrate/profile/direct_figures.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "calibrate/profile/build_profile.hpp"
#include "calibrate/profile/class_fit.hpp"

namespace orrery {
namespace {

constexpr const char* kContention = "contention.";
constexpr const char* kCommunication = "communication";

bool starts(const std::string& text, const char* prefix) {
  return text.rfind(prefix, 0) == 0;
}

/// Classes that `measure` writes and no profile has a place for, with the reason.
const char* without_place(const std::string& op_class) {
  if (starts(op_class, "bandwidth.l2")) return "profiles hold no bandwidth of the L2 cache";
  if (op_class == "dispatch" || op_class == "combine")
    return "the local part of an exchange on one GPU: without the links it is no exchange";
  if (starts(op_class, "attention-mla.decode")) return "training does not decode";
  return nullptr;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// Rate of the largest measured size, by class.
struct Largest {
  double bytes = 0, rate = 0;
  void see(double b, double seconds) {
    if (b < bytes) return;
    rate = b == bytes ? std::max(rate, b / seconds) : b / seconds;
    bytes = b;
  }
};

void see_contention(const Outcome& outcome, const Samples& samples, DirectFigures& out) {
  Case what = outcome.what;
  what.op_class = what.op_class.substr(std::string(kContention).size());
  ContentionPoint point;
  point.sms = static_cast<double>(size_of(what.shape, "sms"));
  if (what.op_class == kCommunication) {
    // Alone or beside products: told apart by the sizes of the observation, the first of which is 0 alone.
    point.what.m = what.name == "alone" ? 0 : 1;
    point.what.bytes = static_cast<double>(size_of(what.shape, "bytes"));
    point.what.seconds = median_seconds(samples);
  } else {
    what.shape.erase("sms");
    const std::optional<Observation> o = observe(what, samples);
    if (!o) {
      ++out.unused[fmt::format("class {}: sizes are missing", outcome.what.op_class)];
      return;
    }
    point.what = *o;
  }
  out.contention[what.op_class].push_back(point);
}

}  // namespace

bool is_direct(const std::string& op_class) {
  return op_class == "launch" || starts(op_class, "copy.") || starts(op_class, "bandwidth.") ||
         starts(op_class, kContention) || without_place(op_class) != nullptr;
}

DirectFigures direct_figures(std::span<const SampleFile> files) {
  DirectFigures out;
  Largest up, down, memory;
  for (const SampleFile& file : files) {
    for (const Outcome& outcome : file.outcomes) {
      const auto* samples = std::get_if<Samples>(&outcome.answer);
      const std::string& cls = outcome.what.op_class;
      if (samples == nullptr || !is_direct(cls)) continue;
      const auto fact = [&](const char* key) {
        const auto it = file.about.find(key);
        return it == file.about.end() ? std::string() : it->second;
      };
      if (out.source.empty()) out.source = fact("source");
      if (out.date.empty()) out.date = fact("date");
      const double seconds = median_seconds(*samples);
      const auto bytes = static_cast<double>(size_of(outcome.what.shape, "bytes"));
      if (const char* why = without_place(cls)) {
        ++out.unused[fmt::format("class {}: {}", cls, why)];
      } else if (cls == "launch" && outcome.what.name == "stream") {
        out.launch_s = seconds;
      } else if (cls == "launch" && outcome.what.name == "host call") {
        out.host_launch_s = seconds;
      } else if (cls == "launch") {
        ++out.unused[fmt::format("class launch, {}: profiles launch kernel by kernel", outcome.what.name)];
      } else if (cls == "copy.host-to-device") {
        up.see(bytes, seconds);
      } else if (cls == "copy.device-to-host") {
        down.see(bytes, seconds);
      } else if (cls == "bandwidth.hbm" && outcome.what.name == "copy" && !outcome.what.sustained) {
        memory.see(bytes, seconds);
      } else if (starts(cls, kContention)) {
        see_contention(outcome, *samples, out);
      } else {
        ++out.unused[fmt::format("class {}, {}: only the copy is compared with the peak", cls,
                                 outcome.what.name)];
      }
    }
  }
  if (up.rate > 0 && down.rate > 0) out.host_link_bytes_per_s = std::min(up.rate, down.rate);
  if (memory.rate > 0) out.hbm_bytes_per_s = memory.rate;
  if ((up.rate > 0) != (down.rate > 0))
    ++out.unused["class copy.*: only one direction was measured; a cluster's link is the slower of two"];
  return out;
}

std::optional<ContentionFactor> contention_factor(const std::string& op_class,
                                                  std::span<const ContentionPoint> points,
                                                  const GpuProfile& profile) {
  const double sms = profile.sm_count.value;
  const bool communication = op_class == kCommunication;
  const OperatorCurve* curve = profile.find(op_class);
  if (!communication && curve == nullptr) return std::nullopt;
  const auto same = [&](const ContentionPoint& a, const ContentionPoint& b) {
    if (communication) return b.what.m == 0 && a.sms == b.sms && a.what.bytes == b.what.bytes;
    return b.sms == 0 && a.what.m == b.what.m && a.what.n == b.what.n && a.what.k == b.what.k &&
           a.what.groups == b.what.groups && a.what.heads == b.what.heads &&
           a.what.sequence == b.what.sequence && a.what.bytes == b.what.bytes;
  };
  std::vector<double> found;
  for (const ContentionPoint& beside : points) {
    if (communication ? beside.what.m == 0 : beside.sms == 0) continue;
    for (const ContentionPoint& alone : points) {
      if (!same(beside, alone)) continue;
      double lost = 1;
      if (!communication) {
        const double all = curve_seconds(*curve, profile, alone.what, true, sms);
        const double rest = curve_seconds(*curve, profile, alone.what, true, sms - beside.sms);
        if (!(all > 0) || !(rest > 0)) continue;
        lost = rest / all;
      }
      found.push_back(beside.what.seconds / alone.what.seconds / lost);
      break;
    }
  }
  if (found.empty()) return std::nullopt;
  const auto [low, high] = std::minmax_element(found.begin(), found.end());
  return ContentionFactor{.slowdown = std::max(1.0, median(found)),
                          .low = *low,
                          .high = *high,
                          .pairs = static_cast<std::int64_t>(found.size())};
}

}  // namespace orrery
