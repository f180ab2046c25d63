#include "planner/published_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "sim/base/check.hpp"
#include "sim/base/csv.hpp"
#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

struct TextColumn {
  const char* name;
  std::string PublishedRow::*cell;
};

constexpr std::array<TextColumn, 12> kTexts{{
    {"id", &PublishedRow::id},
    {"source", &PublishedRow::source},
    {"model", &PublishedRow::model},
    {"precision", &PublishedRow::precision},
    {"gpu", &PublishedRow::gpu},
    {"interconnect", &PublishedRow::interconnect},
    {"zero_stage", &PublishedRow::zero_stage},
    {"schedule", &PublishedRow::schedule},
    {"recompute", &PublishedRow::recompute},
    {"measured_metric", &PublishedRow::metric},
    {"unit", &PublishedRow::unit},
    {"notes", &PublishedRow::notes},
}};

/// The limits are those of a scenario or of a model's configuration; no product of them overflows.
struct CountColumn {
  const char* name;
  std::optional<std::int64_t> PublishedRow::*cell;
  std::int64_t low, high;
};

constexpr std::int64_t kDegree = 1'000'000;
constexpr std::array<CountColumn, 18> kCounts{{
    {"layers", &PublishedRow::layers, 1, 10'000},
    {"hidden", &PublishedRow::hidden, 1, 1 << 20},
    {"heads", &PublishedRow::heads, 1, 1 << 14},
    {"kv_heads", &PublishedRow::kv_heads, 1, 1 << 14},
    {"ffn", &PublishedRow::ffn, 1, 1 << 24},
    {"vocab", &PublishedRow::vocab, 1, 1 << 24},
    {"experts", &PublishedRow::experts, 0, 1 << 16},
    {"seq_len", &PublishedRow::seq_len, 1, 100'000'000},
    {"n_gpus", &PublishedRow::gpus, 1, 10'000'000},
    {"tp", &PublishedRow::tp, 1, kDegree},
    {"cp", &PublishedRow::cp, 1, kDegree},
    {"pp", &PublishedRow::pp, 1, kDegree},
    {"vpp", &PublishedRow::vpp, 1, kDegree},
    {"ep", &PublishedRow::ep, 1, kDegree},
    {"etp", &PublishedRow::etp, 1, kDegree},
    {"dp", &PublishedRow::dp, 1, 10'000'000},
    {"mbs", &PublishedRow::mbs, 1, kDegree},
    {"gbs_sequences", &PublishedRow::gbs, 1, 1'000'000'000},
}};

constexpr const char* kValue = "measured_value";

std::vector<std::string> needed_columns() {
  std::vector<std::string> names;
  for (const TextColumn& column : kTexts) names.emplace_back(column.name);
  for (const CountColumn& column : kCounts) names.emplace_back(column.name);
  names.emplace_back(kValue);
  return names;
}

/// Where each needed column stands; the header holds all of them once.
class Header {
 public:
  Header(const CsvRecord& cells, const std::string& place) {
    for (const CsvCell& cell : cells) {
      if (!cell.text.empty() && std::find(names_.begin(), names_.end(), cell.text) != names_.end())
        throw InputError(place_of_cell(place, cell), fmt::format("column '{}' stands twice", cell.text));
      names_.push_back(cell.text);
    }
    for (const std::string& needed : needed_columns()) {
      if (std::find(names_.begin(), names_.end(), needed) != names_.end()) continue;
      const std::string near = nearest(needed, names_);
      throw InputError(place_of_cell(place, cells.front()),
                       fmt::format("column '{}' is missing{}", needed,
                                   near.empty() ? "" : fmt::format("; there is '{}'", near)));
    }
  }

  [[nodiscard]] std::size_t size() const { return names_.size(); }
  [[nodiscard]] std::size_t at(const char* name) const {
    const auto it = std::find(names_.begin(), names_.end(), name);
    SIM_CHECK(it != names_.end(), name);
    return static_cast<std::size_t>(it - names_.begin());
  }

 private:
  std::vector<std::string> names_;
};

template <class T>
bool whole_text_is(const std::string& text, T& number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stop == end;
}

std::int64_t read_count(const CsvCell& cell, const CountColumn& column, const std::string& place) {
  std::int64_t number = 0;
  if (whole_text_is(cell.text, number) && number >= column.low && number <= column.high) return number;
  throw InputError(place_of_cell(place, cell),
                   fmt::format("found '{}' in column '{}', expected a whole number from {} to {}, or nothing",
                               cell.text, column.name, column.low, column.high));
}

double read_measured(const CsvCell& cell, const std::string& place) {
  double number = 0;
  if (whole_text_is(cell.text, number) && std::isfinite(number) && number > 0) return number;
  throw InputError(
      place_of_cell(place, cell),
      fmt::format("found '{}' in column '{}', expected a positive number, or nothing", cell.text, kValue));
}

PublishedRow read_row(const CsvRecord& cells, const Header& header, const std::string& place) {
  if (cells.size() != header.size()) {
    throw InputError(place_of_cell(place, cells.back()),
                     fmt::format("the row that starts in line {} has {} cells, the header has {}",
                                 cells.front().line, cells.size(), header.size()));
  }
  PublishedRow row;
  row.line = cells.front().line;
  for (const TextColumn& column : kTexts) row.*column.cell = cells[header.at(column.name)].text;
  for (const CountColumn& column : kCounts) {
    const CsvCell& cell = cells[header.at(column.name)];
    if (!cell.text.empty()) row.*column.cell = read_count(cell, column, place);
  }
  const CsvCell& value = cells[header.at(kValue)];
  if (!value.text.empty()) row.value = read_measured(value, place);
  return row;
}

}  // namespace

std::vector<PublishedRow> parse_published_table(std::string_view text, const std::string& place) {
  const std::vector<CsvRecord> records = parse_csv_records(text, place);
  if (records.empty()) throw InputError(place, "is empty, expected a table of published runs in CSV");
  const Header header(records.front(), place);
  if (records.size() < 2) throw InputError(place, "has a header and no rows");
  std::vector<PublishedRow> rows;
  rows.reserve(records.size() - 1);
  for (std::size_t i = 1; i < records.size(); ++i) rows.push_back(read_row(records[i], header, place));
  return rows;
}

std::vector<PublishedRow> load_published_table(const std::filesystem::path& path) {
  return parse_published_table(read_file(path), path.string());
}

}  // namespace orrery
