#include <fmt/format.h>

#include <algorithm>

#include "planner/report/writers.hpp"

namespace orrery {
namespace {

/// What Markdown would take for markup, HTML among it, is escaped.
std::string plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      out += ' ';
      continue;
    }
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      if (std::string_view("\\`*_[]|#").find(c) != std::string_view::npos) out += '\\';
      out += c;
    }
  }
  return out;
}

std::string markdown_table(const Document& document, const DocTable& table) {
  std::string out = "\n**" + plain(table.caption) + "**\n\n|";
  for (const DocColumn& column : table.columns) out += " " + plain(column.title) + " |";
  out += "\n|";
  for (const DocColumn& column : table.columns) out += column.number ? "---:|" : "---|";
  out += "\n";
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    const bool sum = table.total && r + 1 == table.rows.size();
    out += "|";
    for (const DocCell& cell : table.rows[r]) {
      const std::string text = plain(document.text(cell));
      out += sum && !text.empty() ? " **" + text + "** |" : " " + text + " |";
    }
    out += "\n";
  }
  for (const std::string& note : table.notes) out += "\n" + plain(note) + "\n";
  return out;
}

std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\n\r") == std::string::npos) return field;
  std::string out = "\"";
  for (const char c : field) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

}  // namespace

std::string markdown_report(const Document& document) {
  std::string out = "# " + plain(document.title) + "\n\n" + plain(document.subtitle) + "\n";
  int number = 0;
  for (const Section& section : document.sections) {
    out += fmt::format("\n## {}. {}\n", ++number, plain(section.title));
    for (const std::string& paragraph : section.paragraphs) out += "\n" + plain(paragraph) + "\n";
    for (const DocTable& table : section.tables) out += markdown_table(document, table);
  }
  out += "\n---\n" + plain(document.program) + ", scenario " + plain(document.hash) + "\n";
  return out;
}

std::string csv_report(const Document& document) {
  std::string out = "section,table,row,column,text,value,unit\n";
  for (const Section& section : document.sections) {
    for (const DocTable& table : section.tables) {
      for (const auto& row : table.rows) {
        const std::string name = row.empty() ? std::string{} : document.text(row.front());
        for (std::size_t c = 1; c < row.size(); ++c) {
          std::string value;
          std::string unit;
          if (!row[c].figure.empty()) {
            const Figure& f = document.figures.at(row[c].figure);
            value = fmt::format("{}", f.value);
            unit = f.unit;
          }
          out +=
              fmt::format("{},{},{},{},{},{},{}\n", quoted(section.key), quoted(table.key), quoted(name),
                          quoted(table.columns[c].title), quoted(document.text(row[c])), value, quoted(unit));
        }
      }
    }
  }
  return out;
}

}  // namespace orrery
