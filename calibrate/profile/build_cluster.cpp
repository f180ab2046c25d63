#include "calibrate/profile/build_cluster.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "calibrate/fit/kernel_models.hpp"
#include "sim/hw/power_sum.hpp"

namespace orrery {
namespace {

constexpr const char* kCollective = "collective.";
constexpr const char* kExchange = "communication.";

bool starts(const std::string& text, const char* prefix) {
  return text.rfind(prefix, 0) == 0;
}

double round4(double value) {
  return std::strtod(fmt::format("{:.4g}", value).c_str(), nullptr);
}

SampleSource source_of(const ClassFit& f, const SampleSource& all) {
  return {.source = f.data.source.empty() ? all.source : f.data.source,
          .date = f.data.date.empty() ? all.date : f.data.date,
          .hash = all.hash};
}

template <class Curve>
void tell(Curve& c, const ClassFit& f, const SampleSource& source) {
  c.origin = Origin::kFitted;
  c.source = source.source;
  c.date = source.date;
  c.note = describe(f, source);
  c.median_error = round4(f.fit.cross_validated.median);
  c.p90_error = round4(f.fit.cross_validated.p90);
  c.points = static_cast<std::int64_t>(f.data.points.size());
}

double link_rate(const ClusterProfile& c) {
  return c.scale_up.bytes_per_s.value * c.scale_up.efficiency.value;
}

/// The curves that the new ones join; old ones of other links are brought to those of the file, so that one
/// rate belongs to all.
CollectiveCurves& curves_of(ClusterProfile& c) {
  if (!c.collectives)
    c.collectives = CollectiveCurves{
        .link_bytes_per_s = link_rate(c), .link_latency_s = c.scale_up.latency_s.value, .curves = {}};
  CollectiveCurves& all = *c.collectives;
  const LinkScale scale = link_scale(c, all);
  if (scale.rate != 1 || scale.latency != 1) {
    for (CollectiveCurve& curve : all.curves) {
      curve.origin = Origin::kAssumed;
      curve.note +=
          fmt::format(" Rates x {:.4g}, latencies x {:.4g}: links changed since.", scale.rate, scale.latency);
      for (CollectiveProtocol& p : curve.protocols) {
        p.bytes_per_s *= scale.rate;
        p.latency_s *= scale.latency;
      }
    }
    all.link_bytes_per_s = link_rate(c);
    all.link_latency_s = c.scale_up.latency_s.value;
  }
  return all;
}

void place_collective(ClusterProfile& cluster, const ClassFit& f, const SampleSource& source) {
  CollectiveCurve c;
  c.operation = f.data.op_class.substr(std::string(kCollective).size());
  c.gpus = f.data.gpus;
  c.protocols = collective_protocols(f.fit.values());
  for (CollectiveProtocol& p : c.protocols)
    for (double* v : {&p.from_bytes, &p.latency_s, &p.bytes_per_s, &p.overlap}) *v = round4(*v);
  tell(c, f, source);
  std::vector<CollectiveCurve>& curves = curves_of(cluster).curves;
  const auto same = std::find_if(curves.begin(), curves.end(), [&](const CollectiveCurve& known) {
    return known.operation == c.operation && known.gpus == c.gpus;
  });
  if (same == curves.end()) {
    curves.push_back(std::move(c));
  } else {
    *same = std::move(c);
  }
}

/// Bytes a second of a large exchange by the curve, on the cluster's number of SMs: 4,096 tokens of 7,168
/// elements to 8 of 256 experts in a node of 8, the case that DeepEP publishes.
double large_rate(const ExchangeCurve& c, bool dispatch, double sms) {
  const double on = std::clamp(sms, static_cast<double>(c.least_sms), static_cast<double>(c.most_sms));
  const ExchangeSize size{.tokens = 4096,
                          .row_bytes = dispatch ? 7168 + 224.0 : 2 * 7168.0,
                          .targets = exchange_targets(8, 8, 256),
                          .sms = on};
  return size.tokens * size.targets * size.row_bytes / exchange_seconds(c, size);
}

void place_exchange(ClusterProfile& cluster, const ClassFit& f, const SampleSource& source) {
  const bool dispatch = f.data.op_class == std::string(kExchange) + "dispatch";
  ExpertAllToAll& a = cluster.expert_all_to_all;
  ExchangeCurve c = exchange_curve(f.fit.values());
  for (double* v : {&c.latency_s, &c.row_s, &c.overlap, &c.bytes_per_s, &c.sm_bytes_per_s, &c.sm_overlap,
                    &c.own_rows, &c.row_bytes})
    *v = round4(*v);
  const auto [least, most] =
      std::minmax_element(f.data.points.begin(), f.data.points.end(),
                          [](const Observation& x, const Observation& y) { return x.sms < y.sms; });
  c.least_sms = static_cast<std::int64_t>(least->sms);
  c.most_sms = static_cast<std::int64_t>(most->sms);
  double& rate = dispatch ? a.nvlink_dispatch_bytes_per_s : a.nvlink_combine_bytes_per_s;
  rate = round4(large_rate(c, dispatch, static_cast<double>(a.sm_count)));
  c.link_bytes_per_s = rate;
  c.link_latency_s = cluster.scale_up.latency_s.value;
  tell(c, f, source);
  (dispatch ? a.in_node_dispatch : a.in_node_combine) = std::move(c);
}

}  // namespace

bool is_of_cluster(const std::string& op_class) {
  return starts(op_class, kCollective) || starts(op_class, "communication");
}

ClusterProfile build_cluster(const ClusterProfile& base, std::span<const ClassFit> fits,
                             const DirectFigures& direct, const SampleSource& all,
                             std::vector<std::string>& unplaced) {
  ClusterProfile cluster = base;
  for (const ClassFit& f : fits) {
    const std::string& c = f.data.op_class;
    if (!is_of_cluster(c)) continue;
    const SampleSource source = source_of(f, all);
    const std::vector<std::string>& names = collective_names();
    if (starts(c, kCollective)) {
      const bool known =
          std::find(names.begin(), names.end(), c.substr(std::string(kCollective).size())) != names.end();
      if (!known) {
        unplaced.push_back(fmt::format("{} on {} GPUs: no step of a training run has it", c, f.data.gpus));
      } else if (f.data.gpus > base.gpus_per_node) {
        unplaced.push_back(fmt::format("{} on {} GPUs: nodes of {} have {} GPUs, and curves are of one node",
                                       c, f.data.gpus, base.name, base.gpus_per_node));
      } else {
        place_collective(cluster, f, source);
      }
    } else if (c == "communication.dispatch" || c == "communication.combine") {
      place_exchange(cluster, f, source);
    } else {
      unplaced.push_back(c + ": kernels of low latency serve decoding, not training");
    }
  }
  if (direct.host_link_bytes_per_s)
    cluster.host_link_bytes_per_s = {
        .value = round4(*direct.host_link_bytes_per_s),
        .origin = Origin::kMeasured,
        .source = direct.source.empty() ? all.source : direct.source,
        .date = direct.date.empty() ? all.date : direct.date,
        .note = "Largest copy of pinned memory, the slower direction; " + all.hash + "."};
  return cluster;
}

}  // namespace orrery
