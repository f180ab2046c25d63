#include "gui/core/plan_cart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "gui/core/plan_values.hpp"

namespace orrery::gui {

bool PlanCart::add(const PlanItem& item) {
  const bool known = std::any_of(items_.begin(), items_.end(),
                                 [&](const PlanItem& i) { return i.row.inputs == item.row.inputs; });
  if (full() || known) return false;
  items_.push_back(item);
  return true;
}

void PlanCart::remove(std::size_t index) {
  if (index < items_.size()) items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(index));
}

Table PlanCart::table() const {
  Table t{"kept", "Kept layouts side by side", {{"what", "figure or input", false}}, {}, {}};
  for (std::size_t i = 0; i < items_.size(); ++i)
    t.columns.push_back({fmt::format("layout_{}", i + 1), fmt::format("layout {}", i + 1), false});
  static constexpr std::array<const char*, 8> kShown{
      "step_time_s", "tokens_per_s_per_gpu", "mfu_causal", "peak_bytes", "headroom_bytes", "days", "usd",
      "gpu_mean_w"};
  for (const char* name : kShown) {
    const int at = metric_index(name);
    if (at < 0) continue;
    std::vector<Cell> row{metric_label(static_cast<std::size_t>(at))};
    std::optional<double> first;
    bool any = false;
    for (std::size_t i = 0; i < items_.size(); ++i) {
      const std::optional<double> v = shown_value(items_[i].row, static_cast<std::size_t>(at));
      any = any || v.has_value();
      if (i == 0) first = v;
      std::string text = v ? digits_text(*v) : "";
      if (i > 0 && v && first && *first != 0) text += fmt::format(" ({:+.1f} %)", 100 * (*v / *first - 1));
      row.push_back(v ? Cell(std::move(text), *v, "") : Cell(""));
    }
    if (any) t.rows.push_back(std::move(row));
  }
  for (const std::string& key : varying_keys(items_)) {
    std::vector<Cell> row{key};
    for (const PlanItem& item : items_) row.emplace_back(shown_input(item.row, key));
    t.rows.push_back(std::move(row));
  }
  return t;
}

}  // namespace orrery::gui
