#pragma once

#include <cstddef>
#include <string>

#include "gui/core/plan_answers.hpp"
#include "sim/report/table.hpp"

namespace orrery::gui {

/// Layouts put aside to be looked at side by side, from one search or several.
class PlanCart {
 public:
  static constexpr std::size_t kMost = 4;

  /// False, and nothing changes, when it is full or has the layout already.
  bool add(const PlanItem& item);
  void remove(std::size_t index);
  void clear() { items_.clear(); }
  [[nodiscard]] const PlanItems& items() const { return items_; }
  [[nodiscard]] bool full() const { return items_.size() >= kMost; }
  /// A line for each figure and each input that differs, a column for each layout; from the second on with
  /// the change to the first in percent.
  [[nodiscard]] Table table() const;

 private:
  PlanItems items_;
};

}  // namespace orrery::gui
