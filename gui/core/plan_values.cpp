#include "gui/core/plan_values.hpp"

#include <algorithm>
#include <cstdlib>

namespace orrery::gui {
namespace {

/// Numbers in their order, words after them by name.
bool before(const std::string& a, const std::string& b) {
  char* end_a = nullptr;
  char* end_b = nullptr;
  const double x = std::strtod(a.c_str(), &end_a);
  const double y = std::strtod(b.c_str(), &end_b);
  const bool number_a = end_a != a.c_str() && *end_a == 0;
  const bool number_b = end_b != b.c_str() && *end_b == 0;
  if (number_a && number_b) return x < y;
  return number_a != number_b ? number_a : a < b;
}

}  // namespace

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

std::string metric_label(std::size_t metric) {
  // The name without its base unit: that is not the one shown.
  std::string name(sweep_metrics()[metric].name);
  if (name == "step_j") name = "energy of a step";
  if (name == "peak_bytes") name = "peak memory";
  if (name == "usd") name = "rent";
  for (const std::string_view end : {"_bytes", "_s", "_w", "_t", "_mwh"}) {
    if (name.ends_with(end) && !name.ends_with("_per_s")) name.resize(name.size() - end.size());
  }
  std::replace(name.begin(), name.end(), '_', ' ');
  return name + ", " + std::string(shown_unit(metric).unit);
}

std::vector<std::string> distinct_values(const PlanItems& items, const std::string& key) {
  std::vector<std::string> out;
  for (const auto& item : items) {
    const std::string v = shown_input(item.row, key);
    if (!v.empty() && std::find(out.begin(), out.end(), v) == out.end()) out.push_back(v);
  }
  std::sort(out.begin(), out.end(), before);
  return out;
}

std::string item_tip(const PlanItem& item) {
  std::string tip = item.found_as;
  for (const Override& o : item.overrides) tip += (tip.empty() ? "" : "\n") + o.key + " = " + o.value;
  return tip;
}

}  // namespace orrery::gui
