#include "sim/report/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/base/fields.hpp"

namespace orrery {
namespace {

constexpr std::size_t kGap = 2;

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

std::string csv_value(const Cell& cell) {
  if (!cell.value) return csv_field(cell.text);
  SIM_CHECK(std::isfinite(*cell.value), "a number of a table is not finite: " + cell.text);
  return Json(*cell.value).dump();  // shortest text that reads back to the same double
}

std::vector<std::size_t> widths(const Table& table) {
  std::vector<std::size_t> out;
  for (const Column& column : table.columns) out.push_back(column.title.size());
  for (const auto& row : table.rows) {
    SIM_CHECK(row.size() == table.columns.size(), "a row has not as many cells as columns: " + table.key);
    for (std::size_t i = 0; i < row.size(); ++i) out[i] = std::max(out[i], row[i].text.size());
  }
  return out;
}

/// One line; `room[i]` characters for column i, the last one of words is not padded.
std::string line_of(const std::vector<std::string>& words, const std::vector<Column>& columns,
                    const std::vector<std::size_t>& room) {
  std::string line;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) line.append(kGap, ' ');
    const std::size_t pad = room[i] > words[i].size() ? room[i] - words[i].size() : 0;
    if (columns[i].number) line.append(pad, ' ');
    line += words[i];
    if (!columns[i].number && i + 1 < words.size()) line.append(pad, ' ');
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line + "\n";
}

std::string escaped(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2))
    text.insert(at, "\\");
  return text;
}

}  // namespace

std::string digits_text(double value, int digits) {
  SIM_CHECK(std::isfinite(value), "a number for people is not finite");
  if (value == 0) return "0";
  const double magnitude = std::abs(value);
  if (magnitude < 1e-4 || magnitude >= 1e15) return fmt::format("{:.{}g}", value, digits);
  const int before = static_cast<int>(std::floor(std::log10(magnitude))) + 1;
  std::string text = fmt::format("{:.{}f}", value, std::max(0, digits - before));
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t at = point; at > first + 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string wrapped(std::string_view text, std::size_t width, std::size_t indent) {
  std::string out;
  std::size_t used = 0;
  bool fresh = true;  // no word on this line yet
  while (!text.empty()) {
    const std::size_t blank = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, blank);
    text.remove_prefix(std::min(blank + 1, text.size()));
    if (!fresh && used + 1 + word.size() > width) {
      out += "\n" + std::string(indent, ' ');
      used = indent;
    } else if (!fresh) {
      out += ' ';
      ++used;
    }
    out += word;
    used += word.size();
    fresh = false;
  }
  return out;
}

std::string indented(std::string_view lines, std::size_t indent) {
  std::string out;
  for (const char c : lines) {
    out += c;
    if (c == '\n') out.append(indent, ' ');
  }
  return out;
}

std::string to_plain(const Table& table, std::size_t width) {
  std::vector<std::size_t> room = widths(table);
  std::size_t before_last = 0;
  for (std::size_t i = 0; i + 1 < room.size(); ++i) before_last += room[i] + kGap;
  const bool words_last = !table.columns.empty() && !table.columns.back().number;
  const std::size_t last_room = before_last + 20 < width ? width - before_last : 20;
  std::string out;
  if (!table.title.empty()) out += table.title + "\n" + std::string(table.title.size(), '-') + "\n";
  std::vector<std::string> words;
  for (const Column& column : table.columns) words.push_back(column.title);
  const bool headed = std::any_of(words.begin(), words.end(), [](const auto& word) { return !word.empty(); });
  if (headed) out += line_of(words, table.columns, room);
  for (const auto& row : table.rows) {
    words.clear();
    for (const Cell& cell : row) words.push_back(cell.text);
    if (words_last && words.back().size() > last_room) {
      words.back() = indented(wrapped(words.back(), last_room), before_last);
    }
    out += line_of(words, table.columns, room);
  }
  for (const std::string& note : table.notes) out += wrapped(note, width) + "\n";
  return out;
}

std::string to_markdown(const Table& table) {
  std::string out;
  if (!table.title.empty()) out += "### " + table.title + "\n\n";
  std::string head = "|";
  std::string rule = "|";
  for (const Column& column : table.columns) {
    head += " " + escaped(column.title) + " |";
    rule += column.number ? "---:|" : "---|";
  }
  out += head + "\n" + rule + "\n";
  for (const auto& row : table.rows) {
    out += "|";
    for (const Cell& cell : row) out += " " + escaped(cell.text) + " |";
    out += "\n";
  }
  for (const std::string& note : table.notes) out += "\n" + note + "\n";
  return out;
}

std::string to_csv(const Table& table) {
  std::string out;
  for (std::size_t i = 0; i < table.columns.size(); ++i)
    out += (i > 0 ? "," : "") + csv_field(table.columns[i].key);
  out += "\n";
  for (const auto& row : table.rows) {
    for (std::size_t i = 0; i < row.size(); ++i) out += (i > 0 ? "," : "") + csv_value(row[i]);
    out += "\n";
  }
  return out;
}

std::string to_tidy_csv(std::span<const Table> tables) {
  std::string out = "section,item,quantity,value,unit\n";
  for (const Table& table : tables) {
    for (const auto& row : table.rows) {
      for (std::size_t i = 1; i < row.size(); ++i) {
        if (row[i].text.empty() || table.columns[i].key == "unit") continue;
        out += fmt::format("{},{},{},{},{}\n", csv_field(table.key), csv_field(row[0].text),
                           csv_field(table.columns[i].key), csv_value(row[i]), csv_field(row[i].unit));
      }
    }
  }
  return out;
}

std::string to_json_text(const Table& table) {
  Json rows = Json::array();
  for (const auto& row : table.rows) {
    Json object = Json::object();
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i].value) {
        SIM_CHECK(std::isfinite(*row[i].value), "a number of a table is not finite: " + row[i].text);
        object[table.columns[i].key] = *row[i].value;
      } else {
        object[table.columns[i].key] = row[i].text.empty() ? Json(nullptr) : Json(row[i].text);
      }
    }
    rows.push_back(std::move(object));
  }
  const Json out{{"schema", "orrery.table/1"}, {"table", table.key}, {"rows", std::move(rows)}};
  return out.dump(2) + "\n";
}

}  // namespace orrery
