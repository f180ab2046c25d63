#include "sim/hw/comm_curves.hpp"

#include <algorithm>
#include <cmath>

#include "sim/base/check.hpp"
#include "sim/hw/power_sum.hpp"

namespace orrery {
namespace {

double protocol_seconds(const CollectiveProtocol& p, double sent, LinkScale scale) {
  return power_sum(p.latency_s * scale.latency, sent / (p.bytes_per_s * scale.rate), p.overlap);
}

}  // namespace

double collective_seconds(std::span<const CollectiveProtocol> protocols, double sent, LinkScale scale) {
  SIM_CHECK(!protocols.empty(), "a collective's curve has a protocol");
  double time = protocol_seconds(protocols.front(), sent, scale);
  for (std::size_t i = 1; i < protocols.size() && sent >= protocols[i].from_bytes; ++i) {
    const double before = protocol_seconds(protocols[i - 1], protocols[i].from_bytes, scale);
    time = std::max({i > 1 ? time : 0.0, before, protocol_seconds(protocols[i], sent, scale)});
  }
  return time;
}

double sent_bytes(const std::string& operation, double bytes, double n) {
  if (operation == "send-recv") return bytes;
  return bytes * (n - 1) / n * (operation == "all-reduce" ? 2 : 1);
}

std::vector<const CollectiveCurve*> CollectiveCurves::of(const std::string& operation) const {
  std::vector<const CollectiveCurve*> out;
  for (const CollectiveCurve& c : curves)
    if (c.operation == operation) out.push_back(&c);
  std::sort(out.begin(), out.end(),
            [](const CollectiveCurve* a, const CollectiveCurve* b) { return a->gpus < b->gpus; });
  return out;
}

std::optional<double> measured_seconds(const CollectiveCurves& curves, const std::string& operation,
                                       double sent, double n, LinkScale scale) {
  const CollectiveCurve *below = nullptr, *above = nullptr;
  for (const CollectiveCurve& c : curves.curves) {
    if (c.operation != operation) continue;
    const auto gpus = static_cast<double>(c.gpus);
    if (gpus <= n && (below == nullptr || c.gpus > below->gpus)) below = &c;
    if (gpus >= n && (above == nullptr || c.gpus < above->gpus)) above = &c;
  }
  if (below == nullptr && above == nullptr) return std::nullopt;
  if (below == nullptr) return collective_seconds(above->protocols, sent, scale);
  const auto least = static_cast<double>(below->gpus);
  if (above == nullptr) {
    scale.latency *= std::log(n) / std::log(least);
    return collective_seconds(below->protocols, sent, scale);
  }
  const double low = collective_seconds(below->protocols, sent, scale);
  if (above == below) return low;
  const double share = std::log(n / least) / std::log(static_cast<double>(above->gpus) / least);
  const double high = collective_seconds(above->protocols, sent, scale);
  if (!(low > 0) || !(high > 0)) return low + share * (high - low);
  return low * std::pow(high / low, share);
}

const std::vector<std::string>& collective_names() {
  static const std::vector<std::string> kNames{"all-gather", "all-reduce", "all-to-all", "reduce-scatter",
                                               "send-recv"};
  return kNames;
}

double exchange_seconds(const ExchangeCurve& c, const ExchangeSize& x, LinkScale scale) {
  const double rows = x.tokens * x.row_bytes;
  const double handled = x.tokens * (x.targets + c.own_rows) * (x.row_bytes + c.row_bytes);
  const double moving = power_sum(rows * x.targets / (c.bytes_per_s * scale.rate),
                                  handled / (c.sm_bytes_per_s * x.sms), c.sm_overlap);
  return power_sum((c.latency_s + x.row_bytes * c.row_s) * scale.latency, moving, c.overlap);
}

}  // namespace orrery
