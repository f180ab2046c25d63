#pragma once

#include <cstdint>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/layout/layout.hpp"

namespace orrery {

enum class Axis { kTp, kCp, kDp, kPp, kEp, kEtp, kExpertDp };
[[nodiscard]] const char* to_text(Axis axis);

/// Place of one GPU on every axis of the dense part and of the expert part.
struct Coordinates {
  std::int64_t tp = 0, cp = 0, dp = 0, pp = 0;
  std::int64_t ep = 0, etp = 0, expert_dp = 0;
  bool operator==(const Coordinates&) const = default;
};

/// How a regular group lies on the nodes.
struct GroupSpan {
  std::int64_t size = 1;
  std::int64_t per_node = 1;  ///< members that share a node
  std::int64_t nodes = 1;
  bool operator==(const GroupSpan&) const = default;
};

/// Global rank <-> coordinates. Innermost first: tp, cp, dp, pp for the dense part and etp, ep, expert dp, pp
/// for the experts, the order "tp-cp-ep-dp-pp" of Megatron-LM; global ranks fill nodes in order.
class RankMap {
 public:
  RankMap(const Layout& layout, std::int64_t gpus, std::int64_t gpus_per_node);

  [[nodiscard]] Coordinates coordinates(GpuId gpu) const;
  [[nodiscard]] GpuId rank(std::int64_t tp, std::int64_t cp, std::int64_t dp, std::int64_t pp) const;
  [[nodiscard]] std::int64_t node_of(GpuId gpu) const { return gpu.value / gpus_per_node_; }
  [[nodiscard]] std::int64_t gpus() const { return gpus_; }

  /// Members of the group of `gpu` along `axis`, in order of their coordinate.
  [[nodiscard]] std::vector<GpuId> group(GpuId gpu, Axis axis) const;
  /// All groups of an axis; every GPU is in exactly one.
  [[nodiscard]] std::vector<std::vector<GpuId>> groups(Axis axis) const;
  /// Span of the group of `gpu`, counted from its members.
  [[nodiscard]] GroupSpan span(GpuId gpu, Axis axis) const;

 private:
  struct Stride {
    std::int64_t size;
    std::int64_t stride;
  };
  [[nodiscard]] Stride stride(Axis axis) const;

  std::int64_t tp_, cp_, dp_, pp_, ep_, etp_, expert_dp_;
  std::int64_t gpus_;
  std::int64_t gpus_per_node_;
};

}  // namespace orrery
