#pragma once

#include <algorithm>

#include "sim/base/suggest.hpp"
#include "sim/hw/comm_curves.hpp"
#include "sim/hw/hw_fields.hpp"

/// Fields of measured communication in cluster files; meant for sim/hw/cluster.cpp.
namespace orrery {

inline constexpr Limits kSecondsOfACall = between(0, 10);
inline constexpr Limits kLinkRate = between(1, 1e18);
inline constexpr Limits kOverlapPower = between(0.1, 100);

/// A value inside `node`; numbers in `path` are places of a list.
inline JsonNode member(const JsonNode& node, const std::vector<std::string>& path) {
  const Json* value = &node.value;
  std::string pointer = node.pointer;
  for (const std::string& key : path) {
    value = value->is_array() ? &value->at(std::stoul(key)) : &value->at(key);
    pointer += "/" + key;
  }
  return {*value, node.place, pointer};
}

template <class V>
void fields(V& v, CollectiveProtocol& p) {
  v.required("from_bytes", p.from_bytes, between(0, 1e18));
  v.required("latency_s", p.latency_s, kSecondsOfACall);
  v.required("bytes_per_s", p.bytes_per_s, kLinkRate);
  v.required("overlap", p.overlap, kOverlapPower);
}

template <class V, class Curve>
void fit_fields(V& v, Curve& c) {
  provenance_fields(v, c.origin, c.source, c.date, c.note);
  if (V::reading || c.median_error) v.optional("median_error", c.median_error, kNonNegative);
  if (V::reading || c.p90_error) v.optional("p90_error", c.p90_error, kNonNegative);
  if (V::reading || c.points > 0) v.optional("points", c.points, kNonNegative);
}

template <class V>
void fields(V& v, CollectiveCurve& c) {
  const std::vector<std::string>& names = collective_names();
  const auto at = std::find(names.begin(), names.end(), c.operation);
  auto index = static_cast<std::size_t>(at == names.end() ? 0 : at - names.begin());
  v.choice("operation", index, names);
  c.operation = names[index];
  v.required("gpus", c.gpus, between(2, 1e6));
  v.required("protocols", c.protocols);
  fit_fields(v, c);
  if constexpr (V::reading) {
    if (c.protocols.empty()) throw InputError(v.node().where("protocols"), "expected at least one protocol");
    for (std::size_t i = 0; i < c.protocols.size(); ++i) {
      const double from = c.protocols[i].from_bytes;
      if (i == 0 ? from != 0 : from <= c.protocols[i - 1].from_bytes)
        member(v.node(), {"protocols", std::to_string(i), "from_bytes"})
            .fail(i == 0 ? "0: the first protocol begins with the smallest message"
                         : "more than in the protocol before");
    }
  }
}

template <class V>
void fields(V& v, CollectiveCurves& c) {
  v.required("link_bytes_per_s", c.link_bytes_per_s, kLinkRate);
  v.required("link_latency_s", c.link_latency_s, kSecondsOfACall);
  v.required("curves", c.curves);
  if constexpr (V::reading) {
    for (std::size_t i = 0; i < c.curves.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        if (c.curves[i].operation == c.curves[j].operation && c.curves[i].gpus == c.curves[j].gpus)
          member(v.node(), {"curves", std::to_string(i), "gpus"})
              .fail("a number of GPUs for which " + c.curves[i].operation + " has no curve yet");
  }
}

template <class V>
void fields(V& v, ExchangeCurve& c) {
  v.required("link_bytes_per_s", c.link_bytes_per_s, kLinkRate);
  v.required("link_latency_s", c.link_latency_s, kSecondsOfACall);
  v.required("latency_s", c.latency_s, kSecondsOfACall);
  v.required("row_s_per_byte", c.row_s, between(0, 1e-3));
  v.required("overlap", c.overlap, kOverlapPower);
  v.required("bytes_per_s", c.bytes_per_s, kLinkRate);
  v.required("sm_bytes_per_s", c.sm_bytes_per_s, kLinkRate);
  v.required("sm_overlap", c.sm_overlap, kOverlapPower);
  v.required("own_rows", c.own_rows, between(0, 1e6));
  v.required("row_bytes", c.row_bytes, between(0, 1e9));
  v.required("least_sms", c.least_sms, between(1, 1e6));
  v.required("most_sms", c.most_sms, between(1, 1e6));
  fit_fields(v, c);
  if constexpr (V::reading) {
    if (c.most_sms < c.least_sms)
      member(v.node(), {"most_sms"}).fail("at least least_sms, " + std::to_string(c.least_sms));
  }
}

}  // namespace orrery
