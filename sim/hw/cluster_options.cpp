#include "sim/hw/cluster_options.hpp"

#include <fmt/format.h>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

void change(Sourced& number, double value, const std::string& where, std::string note) {
  number = {.value = value,
            .origin = Origin::kAssumed,
            .source = where + " of the scenario",
            .date = number.date,
            .note = std::move(note)};
}

void scale(Curve& curve, double factor) {
  std::vector<std::vector<double>> points = curve.points();
  for (std::vector<double>& point : points) point[1] *= factor;
  curve = Curve(std::move(points));
}

void scale_between_nodes(ClusterProfile& c, double factor) {
  scale(c.expert_all_to_all.dispatch_bytes_per_s, factor);
  scale(c.expert_all_to_all.combine_bytes_per_s, factor);
}

void cap_power(ClusterProfile& c, double cap_w, const std::string& place) {
  PowerFigures& p = c.gpu.power;
  const double board = p.cap_w.value;
  const double floor = p.communication_floor_w.value;
  if (!(cap_w > floor) || cap_w > board)
    throw InputError(
        place + "/power_cap_w",
        fmt::format("found {:g} W, expected more than {:g} W, what a {} draws while it waits, and "
                    "at most {:g} W, its own limit",
                    cap_w, floor, c.gpu.name, board));
  if (cap_w == board) return;
  p.board_cap_w = board;
  change(p.cap_w, cap_w, "cluster.power_cap_w", fmt::format("The board's own limit is {:g} W.", board));
}

}  // namespace

void apply_options(ClusterProfile& c, const ClusterOptions& o, const std::string& place) {
  if (o.gpus_per_node && *o.gpus_per_node != c.gpus_per_node) {
    const double ratio = static_cast<double>(*o.gpus_per_node) / static_cast<double>(c.gpus_per_node);
    change(c.node_overhead_w, c.node_overhead_w.value * ratio, "cluster.gpus_per_node",
           fmt::format("{:g} W for {} GPUs, in proportion. {}", c.node_overhead_w.value, c.gpus_per_node,
                       c.node_overhead_w.note));
    c.gpus_per_node = *o.gpus_per_node;
  }
  if (o.nics_per_gpu && *o.nics_per_gpu != 1) {
    change(c.scale_out.bytes_per_s, c.scale_out.bytes_per_s.value * *o.nics_per_gpu, "cluster.nics_per_gpu",
           fmt::format("{:g} times one NIC of {:g} B/s.", *o.nics_per_gpu, c.scale_out.bytes_per_s.value));
    scale_between_nodes(c, *o.nics_per_gpu);
    c.nics_per_gpu = *o.nics_per_gpu;
  }
  if (o.oversubscription && *o.oversubscription != c.oversubscription.value) {
    scale_between_nodes(c, c.oversubscription.value / *o.oversubscription);
    change(c.oversubscription, *o.oversubscription, "cluster.oversubscription",
           fmt::format("The profile has {:g}.", c.oversubscription.value));
  }
  if (o.power_cap_w) cap_power(c, *o.power_cap_w, place);
}

std::string to_text(const ClusterOptions& o) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (o.gpus_per_node) add(fmt::format("{} GPUs per node", *o.gpus_per_node));
  if (o.nics_per_gpu) add(fmt::format("{:g} NICs per GPU", *o.nics_per_gpu));
  if (o.oversubscription) add(fmt::format("{:g}:1 oversubscribed", *o.oversubscription));
  if (o.power_cap_w) add(fmt::format("capped at {:g} W", *o.power_cap_w));
  return text;
}

}  // namespace orrery
