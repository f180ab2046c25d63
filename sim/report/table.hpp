#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orrery {

/// A value as people read it and, where it is a number, as programs do.
struct Cell {
  std::string text;
  std::optional<double> value;  ///< in `unit`, or in the column's unit when that is empty
  std::string unit;             ///< of `value`, base SI

  Cell() = default;
  Cell(std::string words) : text(std::move(words)) {}
  Cell(const char* words) : text(words) {}
  Cell(std::string words, double number, std::string base_unit)
      : text(std::move(words)), value(number), unit(std::move(base_unit)) {}
};

struct Column {
  std::string key;     ///< for programs: "peak_bytes"
  std::string title;   ///< for people, unit in it
  bool number = true;  ///< right-aligned
};

/// One table of a report. The same value is written as text, Markdown, CSV or JSON.
struct Table {
  std::string key;    ///< for programs: "memory"
  std::string title;  ///< for people
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;
  std::vector<std::string> notes;  ///< lines below it
};

/// Fixed-width ASCII, titles underlined, no line longer than `width`: a last column of words is wrapped.
[[nodiscard]] std::string to_plain(const Table& table, std::size_t width = 100);
[[nodiscard]] std::string to_markdown(const Table& table);
/// One line per row, columns named by key.
[[nodiscard]] std::string to_csv(const Table& table);
/// One line per value, "section,item,quantity,value,unit", so that tables of any shape stand in one file.
[[nodiscard]] std::string to_tidy_csv(std::span<const Table> tables);
/// {"schema": "orrery.table/1", "table": key, "rows": [{column: value}]}; a cell with a number is that
/// number.
[[nodiscard]] std::string to_json_text(const Table& table);

/// `value` with `digits` significant digits, never in exponent form for 1e-4 .. 1e15, thousands grouped by
/// commas.
[[nodiscard]] std::string digits_text(double value, int digits = 4);
/// Lines of at most `width` characters; lines after the first are indented by `indent`.
[[nodiscard]] std::string wrapped(std::string_view text, std::size_t width, std::size_t indent = 0);

/// Every line after the first moved right by `indent` blanks.
[[nodiscard]] std::string indented(std::string_view lines, std::size_t indent);

}  // namespace orrery
