#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "calibrate/probe/sample.hpp"

namespace orrery {

/// Plain CSV, row by row: a header line, no quotes, "# name: value" lines before it.
class TableReader {
 public:
  /// Reads comments and header. InputError when there is no header line or a column is named twice.
  TableReader(std::string_view text, std::string place);

  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }
  [[nodiscard]] const About& about() const { return about_; }
  /// Place of a column; InputError naming the nearest when there is none.
  [[nodiscard]] std::size_t column(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const;
  /// Moves to the next row; false at the end. Empty lines are passed over. InputError for a row of another
  /// length than the header, or with a quote.
  bool next();
  [[nodiscard]] std::string_view cell(std::size_t column) const { return cells_[column]; }
  /// A finite number; InputError with line and column.
  [[nodiscard]] double number(std::size_t column) const;
  /// A number above 0.
  [[nodiscard]] double positive(std::size_t column) const;
  /// A time in units of `unit_s` seconds, as seconds, within reason (`execution_seconds`).
  [[nodiscard]] double seconds(std::size_t column, double unit_s) const;
  /// A whole number of at least 1 (or `least`).
  [[nodiscard]] std::int64_t count(std::size_t column, std::int64_t least = 1) const;
  [[nodiscard]] std::string where(std::size_t column) const;  ///< "file:line:column"
  [[nodiscard]] std::string where_line() const;               ///< "file:line" of the line read last

 private:
  std::string_view line();
  std::string_view text_;
  std::string place_;
  std::size_t at_ = 0, line_ = 0;
  About about_;
  std::vector<std::string> columns_;
  std::vector<std::string_view> cells_;
  std::string_view row_;
};

}  // namespace orrery
