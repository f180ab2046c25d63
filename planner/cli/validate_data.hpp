#pragma once

#include <string>
#include <vector>

#include "planner/validate_table.hpp"
#include "sim/report/table.hpp"

namespace orrery::cli {

/// Errors per source, GPU and precision, with the total and the counts below.
[[nodiscard]] Table summary_table(const TableValidation& found);
/// Rows without an error by reason; rows of the same cause on one line.
[[nodiscard]] Table skipped_table(const TableValidation& found);
/// Rows of measured power beside the computed one.
[[nodiscard]] Table power_table(const TableValidation& found);
/// Errors of peak memory by source, GPU and metric, and every row of it.
[[nodiscard]] Table memory_table(const TableValidation& found);
[[nodiscard]] Table memory_rows_table(const TableValidation& found);
/// Every row of the file: its error, or why it has none, and the inputs it ran with.
[[nodiscard]] Table row_table(const TableValidation& found);
/// The same for programs: source, model, GPU, reason, cause and inputs in columns of their own.
[[nodiscard]] Table record_table(const TableValidation& found);

/// The whole in one of the formats of --format. Table and Markdown: summary, power, memory and skipped rows,
/// with `every_row` each row besides. CSV: one line per row. JSON: all (schema orrery.validation/1).
[[nodiscard]] std::string data_text(const TableValidation& found, const std::string& format, bool every_row);

}  // namespace orrery::cli
