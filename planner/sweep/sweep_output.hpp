#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "planner/sweep/sweep_row.hpp"
#include "planner/sweep/sweep_spec.hpp"
#include "sim/report/table.hpp"

namespace orrery {

/// A column of a flat table of rows.
struct SweepColumn {
  std::string name;   ///< "layout_pp", "step_time_s"
  std::string unit;   ///< empty where there is none
  bool text = false;  ///< holds words, not numbers
};
/// The columns of CSV and SQLite, always the same: item, key, status, one per scenario key (dots as
/// underscores), one per metric, reason_code, reason, nearest.
[[nodiscard]] std::vector<SweepColumn> sweep_columns();
/// The cells of a row under them, empty where there is no value; texts without quotes.
[[nodiscard]] std::vector<std::string> sweep_cells(std::uint64_t item, const SweepRow& row);

/// One line of CSV with its end.
[[nodiscard]] std::string sweep_csv_head();
[[nodiscard]] std::string sweep_csv_line(std::uint64_t item, const SweepRow& row);
/// The row as one line of JSON with its item in front, and its end.
[[nodiscard]] std::string sweep_json_line(std::uint64_t item, const SweepRow& row);

/// An item as people see it among the best.
struct RankedRow {
  std::uint64_t item = 0;
  SweepRow row;
};
/// The best rows: axes and chief figures.
[[nodiscard]] Table best_table(const SweepSpec& spec, const std::vector<RankedRow>& best,
                               std::size_t objective);
/// How many items there are of each status and reason.
[[nodiscard]] Table status_table(const std::vector<std::pair<std::string, std::uint64_t>>& counts);

}  // namespace orrery
