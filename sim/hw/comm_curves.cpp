#include "sim/hw/comm_curves.hpp"

#include <algorithm>

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

bool CollectiveCurves::has(const std::string& operation) const {
  return std::any_of(curves.begin(), curves.end(), [&](const auto& c) { return c.operation == operation; });
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
