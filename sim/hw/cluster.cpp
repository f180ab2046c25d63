#include "sim/hw/cluster.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"
#include "sim/hw/comm_curve_fields.hpp"
#include "sim/hw/hw_fields.hpp"

namespace orrery {

template <class V>
void fields(V& v, Tier& t) {
  v.required("bytes_per_s", t.bytes_per_s);
  v.required("efficiency", t.efficiency);
  v.required("latency_s", t.latency_s);
}

template <class V>
void fields(V& v, ExpertAllToAll& a) {
  v.required("kernel", a.kernel);
  v.required("sm_count", a.sm_count, at_least(1));
  curve_field(v, "dispatch_bytes_per_s", a.dispatch_bytes_per_s);
  curve_field(v, "combine_bytes_per_s", a.combine_bytes_per_s);
  v.required("nvlink_dispatch_bytes_per_s", a.nvlink_dispatch_bytes_per_s, kPositive);
  v.required("nvlink_combine_bytes_per_s", a.nvlink_combine_bytes_per_s, kPositive);
  if (V::reading || a.in_node_dispatch) v.optional("in_node_dispatch", a.in_node_dispatch);
  if (V::reading || a.in_node_combine) v.optional("in_node_combine", a.in_node_combine);
  v.required("notify_dispatch_s", a.notify_dispatch_s);
  v.required("notify_cached_s", a.notify_cached_s);
  v.required("notify_combine_s", a.notify_combine_s);
  provenance_fields(v, a.origin, a.source, a.date, a.note);
}

template <class V>
void fields(V& v, ClusterProfile& c) {
  schema_field(v, "orrery.cluster/1");
  v.required("name", c.name);
  v.required("gpu", c.gpu_name);
  v.required("gpus_per_node", c.gpus_per_node, at_least(1));
  v.required("scale_up", c.scale_up);
  v.required("scale_out", c.scale_out);
  if (V::reading || c.collectives) v.optional("collectives", c.collectives);
  v.required("topology", c.topology);
  v.required("switch_radix", c.switch_radix);
  v.required("oversubscription", c.oversubscription);
  v.required("expert_all_to_all", c.expert_all_to_all);
  v.required("node_overhead_w", c.node_overhead_w);
  if (V::reading || c.switch_w) v.optional("switch_w", c.switch_w);
  if (V::reading || c.transceiver_w) v.optional("transceiver_w", c.transceiver_w);
  v.required("host_link_bytes_per_s", c.host_link_bytes_per_s);
  if (V::reading || c.host_memory_bytes) v.optional("host_memory_bytes", c.host_memory_bytes);
  if (V::reading || c.host_memory_bytes_per_s)
    v.optional("host_memory_bytes_per_s", c.host_memory_bytes_per_s);
}

namespace {

void check_cluster(const ClusterProfile& c, const std::string& place) {
  const auto demand = [&](bool ok, const char* key, double found, const char* expected) {
    if (!ok) throw InputError(place + "#/" + key, fmt::format("found {:g}, expected {}", found, expected));
  };
  const auto tier = [&](const Tier& t, const std::string& key) {
    demand(t.bytes_per_s.value >= 1 && t.bytes_per_s.value <= 1e18, (key + "/bytes_per_s/value").c_str(),
           t.bytes_per_s.value, "1 to 1e18 B/s");
    demand(t.efficiency.value >= 1e-6 && t.efficiency.value <= 1, (key + "/efficiency/value").c_str(),
           t.efficiency.value, "a share above 0, at most 1");
    demand(t.latency_s.value >= 0 && t.latency_s.value <= 10, (key + "/latency_s/value").c_str(),
           t.latency_s.value, "0 to 10 s");
  };
  tier(c.scale_up, "scale_up");
  tier(c.scale_out, "scale_out");
  demand(c.oversubscription.value >= 1 && c.oversubscription.value <= 1e6, "oversubscription/value",
         c.oversubscription.value, "a ratio of at least 1, at most 1e6");
  demand(c.switch_radix.value >= 2, "switch_radix/value", c.switch_radix.value, "a number of at least 2");
  demand(c.node_overhead_w.value >= 0 && c.node_overhead_w.value <= 1e9, "node_overhead_w/value",
         c.node_overhead_w.value, "a number of at least 0, at most 1e9");
  demand(c.host_link_bytes_per_s.value > 0, "host_link_bytes_per_s/value", c.host_link_bytes_per_s.value,
         "a positive number");
  if (c.host_memory_bytes)
    demand(c.host_memory_bytes->value > 0, "host_memory_bytes/value", c.host_memory_bytes->value,
           "a positive number");
  if (c.host_memory_bytes_per_s)
    demand(c.host_memory_bytes_per_s->value > 0, "host_memory_bytes_per_s/value",
           c.host_memory_bytes_per_s->value, "a positive number");
  const ExpertAllToAll& a = c.expert_all_to_all;
  for (const Sourced* s : {&a.notify_dispatch_s, &a.notify_cached_s, &a.notify_combine_s}) {
    demand(s->value >= 0 && s->value <= 10, "expert_all_to_all/notify", s->value, "0 to 10 s");
  }
}

[[noreturn]] void unknown_profile(const std::string& kind, const std::string& name, const std::string& place,
                                  const ProfileFolders& folders) {
  const std::vector<std::string> known = list_profiles(kind, folders);
  std::string roots;
  for (const std::filesystem::path& root : folders.roots)
    roots += (roots.empty() ? "" : ", ") + (root / kind).string();
  throw InputError(
      place, fmt::format("found {} profile '{}', expected a file or one of: {} (searched {}){}", kind, name,
                         known.empty() ? "none found" : join(known), roots, did_you_mean(name, known)));
}

}  // namespace

std::filesystem::path find_profile(const std::string& kind, const std::string& name,
                                   const ProfileFolders& folders) {
  for (const std::filesystem::path& root : folders.roots) {
    const std::filesystem::path path = root / kind / (name + ".json");
    if (std::filesystem::is_regular_file(path)) return path;
  }
  return {};
}

bool copies_share_port(const ClusterProfile& cluster) {
  return cluster.host_link_bytes_per_s.value < 2 * cluster.scale_out.bytes_per_s.value;
}

LinkScale link_scale(const ClusterProfile& cluster, const CollectiveCurves& curves) {
  return {
      .rate =
          cluster.scale_up.bytes_per_s.value * cluster.scale_up.efficiency.value / curves.link_bytes_per_s,
      .latency = curves.link_latency_s > 0 ? cluster.scale_up.latency_s.value / curves.link_latency_s : 1};
}

LinkScale link_scale(const ClusterProfile& cluster, const ExchangeCurve& curve, double rate) {
  return {.rate = rate / curve.link_bytes_per_s,
          .latency = curve.link_latency_s > 0 ? cluster.scale_up.latency_s.value / curve.link_latency_s : 1};
}

ClusterProfile read_cluster_file(const std::filesystem::path& path) {
  const Json json = load_json(path);
  ClusterProfile cluster;
  read_value(JsonNode{json, path.string(), ""}, cluster);
  check_cluster(cluster, path.string());
  return cluster;
}

ClusterProfile load_cluster(const std::string& name_or_path, const ProfileFolders& folders) {
  std::filesystem::path path = find_profile("cluster", name_or_path, folders);
  if (path.empty() && std::filesystem::is_regular_file(name_or_path)) path = name_or_path;
  if (path.empty()) unknown_profile("cluster", name_or_path, "cluster.profile", folders);
  ClusterProfile cluster = read_cluster_file(path);
  std::filesystem::path gpu = path.parent_path() / ".." / "gpu" / (cluster.gpu_name + ".json");
  // `orrery calibrate fit` writes the two side by side.
  const std::filesystem::path beside = path.parent_path() / (cluster.gpu_name + ".json");
  if (!std::filesystem::is_regular_file(gpu) && beside.filename() != path.filename() &&
      std::filesystem::is_regular_file(beside))
    gpu = beside;
  if (!std::filesystem::is_regular_file(gpu)) gpu = find_profile("gpu", cluster.gpu_name, folders);
  if (gpu.empty()) unknown_profile("gpu", cluster.gpu_name, path.string() + "#/gpu", folders);
  cluster.gpu = load_gpu_profile(gpu.lexically_normal());
  return cluster;
}

std::vector<std::string> list_profiles(const std::string& kind, const ProfileFolders& folders) {
  std::vector<std::string> names;
  for (const std::filesystem::path& root : folders.roots) {
    std::error_code code;
    for (const auto& entry : std::filesystem::directory_iterator(root / kind, code)) {
      if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string to_json_text(const ClusterProfile& cluster) {
  return JsonWriter::to_json_value(cluster).dump(2) + "\n";
}

}  // namespace orrery
