#include "sim/report/link_load.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace orrery {

std::vector<LinkRow> link_load(const LoweredStep& step) {
  std::vector<double> runs(step.items.size(), 0);
  for (const std::int32_t item : step.item_by_task) {
    if (item >= 0) runs[static_cast<std::size_t>(item)] += 1;
  }
  static constexpr std::array<std::pair<TaskKind, const char*>, 5> kAxes{{{TaskKind::kTp, "tp"},
                                                                          {TaskKind::kCp, "cp"},
                                                                          {TaskKind::kEp, "ep"},
                                                                          {TaskKind::kPp, "pp"},
                                                                          {TaskKind::kDp, "dp"}}};
  std::vector<LinkRow> rows;
  for (const auto& [kind, axis] : kAxes) {
    LinkRow row{.axis = axis};
    for (std::size_t i = 0; i < step.items.size(); ++i) {
      const CostedItem& item = step.items[i];
      if (item.kind != kind) continue;
      row.scale_out_bytes += runs[i] * item.scale_out_bytes / step.ranks;
      row.scale_up_bytes += runs[i] * std::max(0.0, item.bytes - item.scale_out_bytes) / step.ranks;
    }
    if (row.scale_up_bytes + row.scale_out_bytes > 0) rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace orrery
