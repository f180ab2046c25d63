#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/curve.hpp"
#include "sim/hw/comm_curves.hpp"
#include "sim/hw/gpu_profile.hpp"
#include "sim/hw/sourced.hpp"

namespace orrery {

/// One tier of the network, per GPU and direction.
struct Tier {
  Sourced bytes_per_s;  ///< nominal, per GPU and direction
  Sourced efficiency;   ///< share of it that large transfers reach
  Sourced latency_s;    ///< end to end, small message
};

/// Expert-parallel all-to-all kernels: rates by number of ranks, measured alone.
struct ExpertAllToAll {
  std::string kernel;          ///< e.g. "DeepEP normal, February 2025"
  std::int64_t sm_count = 0;   ///< SMs the kernels hold
  Curve dispatch_bytes_per_s;  ///< by expert-parallel size; bytes = tokens x target nodes (own node counted)
                               ///< x payload
  Curve combine_bytes_per_s;
  double nvlink_dispatch_bytes_per_s = 0;  ///< inside one node
  double nvlink_combine_bytes_per_s = 0;
  std::optional<ExchangeCurve> in_node_dispatch;  ///< measured by tokens, row and SMs; empty: the rates above
  std::optional<ExchangeCurve> in_node_combine;
  Sourced notify_dispatch_s;  ///< layout, counts and barrier before a first dispatch, in every call
  Sourced notify_cached_s;    ///< the same before a dispatch with a known layout
  Sourced notify_combine_s;   ///< the same before a combine
  Origin origin = Origin::kAssumed;
  std::string source;
  std::string date;
  std::string note;
};

/// GPUs, nodes and network of a cluster. Loaded from hwprofiles/cluster/<name>.json (schema
/// orrery.cluster/1).
struct ClusterProfile {
  std::string name;
  std::string gpu_name;
  GpuProfile gpu;
  std::int64_t gpus_per_node = 8;
  Tier scale_up;   ///< inside a node: NVLink
  Tier scale_out;  ///< between nodes: the NIC of the GPU
  /// Measured inside a node; operations without a curve are computed from `scale_up`.
  std::optional<CollectiveCurves> collectives;
  std::string topology;  ///< "multi-plane-fat-tree", "fat-tree", ...
  Sourced switch_radix;
  Sourced oversubscription;  ///< of scale-out, 1 = full bisection
  double nics_per_gpu = 1;   ///< scale-out NICs of a GPU: ports of the fabric; rates count all of them
  ExpertAllToAll expert_all_to_all;
  Sourced node_overhead_w;               ///< host, NICs, fans of one node without its GPUs
  std::optional<Sourced> switch_w;       ///< one switch of `switch_radix` ports
  std::optional<Sourced> transceiver_w;  ///< one end of a link
  Sourced host_link_bytes_per_s;         ///< PCIe, per GPU and direction
  /// A GPU's share of its host's memory; empty: not known, so nothing can be kept there.
  std::optional<Sourced> host_memory_bytes;
  std::optional<Sourced> host_memory_bytes_per_s;  ///< of the same share
};

/// Whether copies to and from the host and the NIC's traffic use one PCIe port of the GPU: not where the host
/// has a link of its own (NVLink-C2C), much wider than the NIC.
[[nodiscard]] bool copies_share_port(const ClusterProfile& cluster);

/// How much faster than when they were measured the links of the node are now: 1 unless a scenario, a sweep
/// or an edit of the file changed `scale_up` (or the nvlink rates) and not the curves.
[[nodiscard]] LinkScale link_scale(const ClusterProfile& cluster, const CollectiveCurves& curves);
[[nodiscard]] LinkScale link_scale(const ClusterProfile& cluster, const ExchangeCurve& curve, double rate);

/// Folders that hold gpu/ and cluster/: the first that exists wins for each look-up.
struct ProfileFolders {
  std::vector<std::filesystem::path> roots;
};

/// A cluster file alone: `gpu` stays empty.
[[nodiscard]] ClusterProfile read_cluster_file(const std::filesystem::path& path);
/// `name` of a file under cluster/ (without .json) or a path to a cluster file; its GPU is looked up
/// in ../gpu of its folder, beside it, and under gpu/. Errors: InputError naming the nearest known profile.
[[nodiscard]] ClusterProfile load_cluster(const std::string& name_or_path, const ProfileFolders& folders);
/// Names of the profiles under <root>/<kind>, sorted; kind is "gpu" or "cluster".
[[nodiscard]] std::vector<std::string> list_profiles(const std::string& kind, const ProfileFolders& folders);
[[nodiscard]] std::string to_json_text(const ClusterProfile& cluster);

}  // namespace orrery
