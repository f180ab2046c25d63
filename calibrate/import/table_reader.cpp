#include "calibrate/import/table_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "calibrate/import/imported.hpp"
#include "sim/base/check.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

void split(std::string_view row, std::vector<std::string_view>& out) {
  out.clear();
  while (true) {
    const std::size_t comma = row.find(',');
    out.push_back(row.substr(0, comma));
    if (comma == std::string_view::npos) return;
    row.remove_prefix(comma + 1);
  }
}

}  // namespace

std::string_view TableReader::line() {
  const std::size_t end = std::min(text_.find('\n', at_), text_.size());
  std::string_view row = text_.substr(at_, end - at_);
  at_ = end + 1;
  ++line_;
  if (!row.empty() && row.back() == '\r') row.remove_suffix(1);
  return row;
}

TableReader::TableReader(std::string_view text, std::string place) : text_(text), place_(std::move(place)) {
  if (text_.rfind("\xEF\xBB\xBF", 0) == 0) at_ = 3;
  while (at_ < text_.size()) {
    const std::string_view row = line();
    if (row.empty()) continue;
    if (row[0] == '#') {
      const std::size_t colon = row.find(": ");
      if (colon == std::string_view::npos || colon < 2) continue;
      about_[std::string(row.substr(2, colon - 2))] = std::string(row.substr(colon + 2));
      continue;
    }
    const auto control = std::find_if(
        row.begin(), row.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' && c != '\t'; });
    if (control != row.end())
      throw InputError(fmt::format("{}:{}:{}", place_, line_, control - row.begin() + 1),
                       fmt::format("found the byte 0x{:02x}, expected a header as text: is this a CSV?",
                                   static_cast<unsigned char>(*control)));
    std::vector<std::string_view> names;
    split(row, names);
    for (const std::string_view name : names) {
      if (std::find(columns_.begin(), columns_.end(), name) != columns_.end())
        throw InputError(fmt::format("{}:{}", place_, line_),
                         fmt::format("column '{}' is named twice", name));
      columns_.emplace_back(name);
    }
    return;
  }
  throw InputError(place_, "holds no header line");
}

bool TableReader::has(std::string_view name) const {
  return std::find(columns_.begin(), columns_.end(), name) != columns_.end();
}

std::size_t TableReader::column(std::string_view name) const {
  const auto it = std::find(columns_.begin(), columns_.end(), name);
  if (it == columns_.end())
    throw InputError(place_, fmt::format("column '{}' is missing{}; columns are {}", name,
                                         did_you_mean(name, columns_), join(columns_)));
  return static_cast<std::size_t>(it - columns_.begin());
}

bool TableReader::next() {
  while (at_ < text_.size()) {
    row_ = line();
    if (row_.empty()) continue;
    if (row_.find('"') != std::string_view::npos)
      throw InputError(fmt::format("{}:{}:{}", place_, line_, row_.find('"') + 1),
                       "found a quote; cells of these tables are plain");
    split(row_, cells_);
    if (cells_.size() != columns_.size())
      throw InputError(fmt::format("{}:{}", place_, line_),
                       fmt::format("found {} cells, expected {} as in the header; was the file cut off?",
                                   cells_.size(), columns_.size()));
    return true;
  }
  return false;
}

std::string TableReader::where(std::size_t column) const {
  return fmt::format("{}:{}:{}", place_, line_, cells_[column].data() - row_.data() + 1);
}

std::string TableReader::where_line() const {
  return fmt::format("{}:{}", place_, line_);
}

double TableReader::seconds(std::size_t column, double unit_s) const {
  return execution_seconds(positive(column), unit_s, unit_s < 1e-4 ? "us" : "ms", where(column));
}

double TableReader::number(std::size_t column) const {
  const std::string_view cell = cells_[column];
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error != std::errc{} || end != cell.data() + cell.size() || !std::isfinite(value))
    throw InputError(where(column),
                     fmt::format("found '{}' in column '{}', expected a number", cell, columns_[column]));
  return value;
}

double TableReader::positive(std::size_t column) const {
  const double value = number(column);
  if (!(value > 0))
    throw InputError(where(column), fmt::format("found '{}' in column '{}', expected a number above 0",
                                                cells_[column], columns_[column]));
  return value;
}

std::int64_t TableReader::count(std::size_t column, std::int64_t least) const {
  const double value = number(column);
  if (value != std::floor(value) || value < static_cast<double>(least) || value > 9e15)
    throw InputError(where(column), fmt::format("found '{}' in column '{}', expected a whole number of at "
                                                "least {}",
                                                cells_[column], columns_[column], least));
  return static_cast<std::int64_t>(value);
}

}  // namespace orrery
