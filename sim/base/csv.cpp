#include "sim/base/csv.hpp"

#include "sim/base/check.hpp"

namespace orrery {
namespace {

/// Walks the text and knows line and column of where it is.
class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& place) : text_(text), place_(place) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);
  }

  std::vector<CsvRecord> records() {
    std::vector<CsvRecord> out;
    while (!at_end()) {
      if (skip_line_end()) continue;  // an empty line
      CsvRecord record{cell()};
      while (!at_end() && peek() == ',') {
        advance();
        record.push_back(cell());
      }
      skip_line_end();
      out.push_back(std::move(record));
    }
    return out;
  }

 private:
  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char peek() const { return text_[at_]; }
  [[nodiscard]] bool at_line_end() const { return peek() == '\n' || text_.substr(at_, 2) == "\r\n"; }

  void advance() {
    const char c = text_[at_++];
    if (c == '\n') {
      ++line_;
      column_ = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {  // the first byte of a UTF-8 character
      ++column_;
    }
  }

  bool skip_line_end() {
    if (at_end() || !at_line_end()) return false;
    if (peek() == '\r') advance();
    advance();
    return true;
  }

  CsvCell cell() {
    CsvCell out{.text = {}, .line = line_, .column = column_};
    if (!at_end() && peek() == '"') {
      quoted(out);
      if (!at_end() && peek() != ',' && !at_line_end())
        fail("expected a comma or the end of the line after the closing quote");
      return out;
    }
    while (!at_end() && peek() != ',' && !at_line_end()) {
      if (peek() == '"')
        fail("found a quote inside a cell without quotes; put the cell in quotes, double it");
      out.text += peek();
      advance();
    }
    return out;
  }

  void quoted(CsvCell& out) {
    advance();
    while (!at_end()) {
      const char c = peek();
      advance();
      if (c != '"') {
        out.text += c;
      } else if (!at_end() && peek() == '"') {
        out.text += '"';
        advance();
      } else {
        return;
      }
    }
    throw InputError(place_of_cell(place_, out), "the quote that opens here is never closed");
  }

  [[noreturn]] void fail(const char* problem) const {
    throw InputError(place_of_cell(place_, {.text = {}, .line = line_, .column = column_}), problem);
  }

  std::string_view text_;
  const std::string& place_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t column_ = 1;
};

}  // namespace

std::vector<CsvRecord> parse_csv_records(std::string_view text, const std::string& place) {
  return CsvReader(text, place).records();
}

std::string place_of_cell(const std::string& place, const CsvCell& cell) {
  return place + ":" + std::to_string(cell.line) + ":" + std::to_string(cell.column);
}

}  // namespace orrery
