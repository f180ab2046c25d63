#include "sim/layout/rank_map.hpp"

#include <algorithm>

#include "sim/base/check.hpp"

namespace orrery {

const char* to_text(Axis axis) {
  switch (axis) {
    case Axis::kTp: return "tp";
    case Axis::kCp: return "cp";
    case Axis::kDp: return "dp";
    case Axis::kPp: return "pp";
    case Axis::kEp: return "ep";
    case Axis::kEtp: return "etp";
    case Axis::kExpertDp: return "expert-dp";
  }
  return "";
}

RankMap::RankMap(const Layout& layout, std::int64_t gpus, std::int64_t gpus_per_node)
    : tp_(layout.tp),
      cp_(layout.cp),
      dp_(gpus / (layout.tp * layout.cp * layout.pp)),
      pp_(layout.pp),
      ep_(layout.ep),
      etp_(layout.etp),
      expert_dp_(gpus / (layout.etp * layout.ep * layout.pp)),
      gpus_(gpus),
      gpus_per_node_(gpus_per_node) {
  SIM_CHECK(tp_ * cp_ * dp_ * pp_ == gpus, "layout does not fill the GPUs");
  SIM_CHECK(etp_ * ep_ * expert_dp_ * pp_ == gpus, "expert layout does not fill the GPUs");
}

Coordinates RankMap::coordinates(GpuId gpu) const {
  SIM_CHECK(gpu.value >= 0 && gpu.value < gpus_, "rank outside the cluster");
  const std::int64_t r = gpu.value;
  const std::int64_t in_stage = r % (gpus_ / pp_);
  return {.tp = r % tp_,
          .cp = r / tp_ % cp_,
          .dp = r / (tp_ * cp_) % dp_,
          .pp = r / (tp_ * cp_ * dp_),
          .ep = in_stage / etp_ % ep_,
          .etp = in_stage % etp_,
          .expert_dp = in_stage / (etp_ * ep_)};
}

GpuId RankMap::rank(std::int64_t tp, std::int64_t cp, std::int64_t dp, std::int64_t pp) const {
  return GpuId{static_cast<std::int32_t>(((pp * dp_ + dp) * cp_ + cp) * tp_ + tp)};
}

RankMap::Stride RankMap::stride(Axis axis) const {
  switch (axis) {
    case Axis::kTp: return {tp_, 1};
    case Axis::kCp: return {cp_, tp_};
    case Axis::kDp: return {dp_, tp_ * cp_};
    case Axis::kPp: return {pp_, gpus_ / pp_};
    case Axis::kEtp: return {etp_, 1};
    case Axis::kEp: return {ep_, etp_};
    case Axis::kExpertDp: return {expert_dp_, etp_ * ep_};
  }
  return {1, 1};
}

std::vector<GpuId> RankMap::group(GpuId gpu, Axis axis) const {
  const Stride s = stride(axis);
  const std::int64_t base = gpu.value - gpu.value / s.stride % s.size * s.stride;
  std::vector<GpuId> members;
  members.reserve(static_cast<std::size_t>(s.size));
  for (std::int64_t i = 0; i < s.size; ++i)
    members.emplace_back(static_cast<std::int32_t>(base + i * s.stride));
  return members;
}

std::vector<std::vector<GpuId>> RankMap::groups(Axis axis) const {
  std::vector<std::vector<GpuId>> all;
  for (std::int32_t r = 0; r < gpus_; ++r) {
    std::vector<GpuId> members = group(GpuId{r}, axis);
    if (members.front().value == r) all.push_back(std::move(members));
  }
  return all;
}

GroupSpan RankMap::span(GpuId gpu, Axis axis) const {
  const std::vector<GpuId> members = group(gpu, axis);
  std::int64_t nodes = 0;
  std::int64_t last = -1;
  std::int64_t here = 0;
  std::int64_t most = 0;
  for (GpuId member : members) {
    if (node_of(member) != last) {
      last = node_of(member);
      ++nodes;
      here = 0;
    }
    most = std::max(most, ++here);
  }
  return {.size = static_cast<std::int64_t>(members.size()), .per_node = most, .nodes = nodes};
}

}  // namespace orrery
