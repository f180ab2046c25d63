#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace orrery {

/// A cell of a CSV file with where it starts; lines and columns (in characters) count from 1.
struct CsvCell {
  std::string text;
  std::size_t line = 0;
  std::size_t column = 0;
};
using CsvRecord = std::vector<CsvCell>;

/// Records of a CSV text as RFC 4180 has them: cells in quotes may hold commas, line ends and doubled quotes.
/// Lines end in LF or CRLF, a byte order mark and empty lines are passed over. InputError with
/// `place`:line:column for a stray or missing quote.
[[nodiscard]] std::vector<CsvRecord> parse_csv_records(std::string_view text, const std::string& place);

/// "file:line:column" of a cell.
[[nodiscard]] std::string place_of_cell(const std::string& place, const CsvCell& cell);

}  // namespace orrery
