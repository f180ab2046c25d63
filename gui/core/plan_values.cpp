#include "gui/core/plan_values.hpp"

namespace orrery::gui {

int metric_index(const std::string& name) {
  for (std::size_t i = 0; i < sweep_metrics().size(); ++i) {
    if (sweep_metrics()[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

ShownUnit shown_unit(std::size_t metric) {
  const SweepMetric& m = sweep_metrics()[metric];
  if (m.unit == "B") return {1e-9, "GB"};
  if (m.unit == "USD") return {1e-6, "M USD"};
  if (m.unit == "J") return {1e-6, "MJ"};
  if (m.unit.empty()) return {100, "%"};
  if (m.name == "cluster_mean_w") return {1e-6, "MW"};
  return {1, m.unit};
}

std::optional<double> shown_value(const SweepRow& row, std::size_t metric) {
  if (row.status != "ok" || metric >= row.metrics.size() || !row.metrics[metric]) return std::nullopt;
  return *row.metrics[metric] * shown_unit(metric).scale;
}

std::string shown_input(const SweepRow& row, const std::string& key) {
  for (const auto& [name, value] : row.inputs) {
    if (name != key) continue;
    if (value.size() > 1 && value.front() == '"') return value.substr(1, value.size() - 2);
    if (value.size() < 2 || value.front() != '[') return value == "null" ? "" : value;
    std::string list;
    for (const char c : value.substr(1, value.size() - 2)) {
      if (c == ',')
        list += value[1] == '"' ? '+' : ' ';
      else if (c != '"')
        list += c;
    }
    return list;
  }
  return "";
}

}  // namespace orrery::gui
