#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "calibrate/probe/sample.hpp"
#include "sim/base/check.hpp"
#include "sim/base/csv.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

constexpr std::string_view kFormat = "orrery.samples-csv/1";

enum Column : std::size_t {
  kClass,
  kName,
  kDtype,
  kShape,
  kConditions,
  kStatus,
  kSeconds,
  kOutliers,
  kSmClock,
  kMemoryClock,
  kWatts,
  kThrottle,
  kExecutions,
  kFlops,
  kBytes,
  kError,
  kErrorLimit,
  kNote,
  kColumns
};
const std::vector<std::string> kColumnNames{
    "class",      "name",     "dtype",       "shape",           "conditions",  "status",
    "seconds",    "outliers", "sm_clock_hz", "memory_clock_hz", "watts",       "throttle",
    "executions", "flops",    "bytes",       "error",           "error_limit", "note"};

std::string quoted(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out +=
        c == '\n' || c == '\r' ? ' ' : c;  // one outcome is one line, so that a journal can be cut at lines
  }
  return out + "\"";
}

template <class T>
std::string number(T value) {
  std::array<char, 40> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  return {digits.data(), end};
}

template <class T>
std::string optional_number(const std::optional<T>& value) {
  return value ? number(*value) : "";
}

/// One word per sample, "-" where absent; nothing at all if all are absent.
template <class T>
std::string list(const std::vector<Sample>& values, std::optional<T> Sample::*member) {
  std::string out;
  bool any = false;
  for (const Sample& sample : values) {
    if (!out.empty()) out += ' ';
    out += (sample.*member) ? number(*(sample.*member)) : "-";
    any = any || (sample.*member).has_value();
  }
  return any ? out : "";
}

std::string seconds_list(const std::vector<Sample>& values) {
  std::string out;
  for (const Sample& sample : values) out += (out.empty() ? "" : " ") + number(sample.seconds);
  return out;
}

/// Positions of outliers, from 0.
std::string outlier_list(const std::vector<Sample>& values) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i].outlier) out += (out.empty() ? "" : " ") + number(i);
  }
  return out;
}

std::string conditions_text(const Case& c) {
  std::string out = c.cold_l2 ? "cold-l2" : "";
  if (c.sustained) out += out.empty() ? "sustained" : " sustained";
  return out;
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (!word.empty()) out.push_back(word);
  }
  return out;
}

/// Reads the cells of one row.
class RowReader {
 public:
  RowReader(const CsvRecord& record, const std::vector<std::size_t>& place_of, const std::string& place)
      : record_(record), place_of_(place_of), place_(place) {}

  [[nodiscard]] const CsvCell& cell(Column column) const { return record_[place_of_[column]]; }
  [[nodiscard]] const std::string& text(Column column) const { return cell(column).text; }
  [[nodiscard]] std::string where(Column column) const { return place_of_cell(place_, cell(column)); }

  [[noreturn]] void fail(Column column, std::string_view found, const std::string& expected) const {
    throw InputError(where(column),
                     kColumnNames[column] + ": found '" + std::string(found) + "', expected " + expected);
  }

  template <class T>
  [[nodiscard]] T read(Column column, std::string_view word, const std::string& expected) const {
    T value{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    bool good = error == std::errc{} && end == word.data() + word.size();
    if constexpr (std::is_floating_point_v<T>) good = good && std::isfinite(value) && value >= 0;
    if (!good) fail(column, word, expected);
    return value;
  }

  [[nodiscard]] std::optional<double> optional_double(Column column) const {
    if (text(column).empty()) return std::nullopt;
    return read<double>(column, text(column), "a number of at least 0, or nothing");
  }

  template <class T>
  void read_list(Column column, std::vector<Sample>& values, std::optional<T> Sample::*member) const {
    const std::vector<std::string_view> found = words(text(column));
    if (found.empty()) return;
    if (found.size() != values.size()) {
      fail(column, std::to_string(found.size()) + " values",
           std::to_string(values.size()) + ", one for each of 'seconds'");
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (found[i] != "-") values[i].*member = read<T>(column, found[i], "a number of at least 0, or '-'");
    }
  }

  [[nodiscard]] Samples samples() const {
    Samples out;
    for (const std::string_view word : words(text(kSeconds))) {
      Sample sample;
      sample.seconds = read<double>(kSeconds, word, "a time above 0 in seconds");
      if (sample.seconds <= 0) fail(kSeconds, word, "a time above 0 in seconds");
      out.values.push_back(sample);
    }
    if (out.values.empty()) fail(kSeconds, "", "at least one time, since 'status' says samples");
    for (const std::string_view word : words(text(kOutliers))) {
      const std::string expected = "positions from 0 to " + std::to_string(out.values.size() - 1);
      const auto position = read<std::size_t>(kOutliers, word, expected);
      if (position >= out.values.size()) fail(kOutliers, word, expected);
      out.values[position].outlier = true;
    }
    read_list(kSmClock, out.values, &Sample::sm_clock_hz);
    read_list(kMemoryClock, out.values, &Sample::memory_clock_hz);
    read_list(kWatts, out.values, &Sample::watts);
    read_list(kThrottle, out.values, &Sample::throttle);
    out.executions = read<std::int64_t>(kExecutions, text(kExecutions), "a whole number above 0");
    if (out.executions <= 0) fail(kExecutions, text(kExecutions), "a whole number above 0");
    out.flops = read<double>(kFlops, text(kFlops), "a number of at least 0");
    out.bytes = read<double>(kBytes, text(kBytes), "a number of at least 0");
    out.error = optional_double(kError);
    out.error_limit = optional_double(kErrorLimit);
    out.note = text(kNote);
    return out;
  }

  [[nodiscard]] Failure failure() const {
    std::vector<std::string> names{"samples"};
    for (int i = 0; i <= static_cast<int>(FailureClass::kOther); ++i) {
      const auto kind = static_cast<FailureClass>(i);
      if (text(kStatus) == to_text(kind)) return {.kind = kind, .message = text(kNote)};
      names.emplace_back(to_text(kind));
    }
    fail(kStatus, text(kStatus), "one of " + join(names) + did_you_mean(text(kStatus), names));
  }

  [[nodiscard]] Outcome outcome() const {
    Outcome out;
    out.what.op_class = text(kClass);
    if (out.what.op_class.empty()) fail(kClass, "", "the class of the operator");
    out.what.name = text(kName);
    out.what.dtype = text(kDtype);
    out.what.shape = parse_shape(text(kShape), where(kShape));
    for (const std::string_view word : words(text(kConditions))) {
      if (word == "cold-l2") {
        out.what.cold_l2 = true;
      } else if (word == "sustained") {
        out.what.sustained = true;
      } else {
        fail(kConditions, word, "'cold-l2' and 'sustained', either or both, or nothing");
      }
    }
    out.answer = text(kStatus) == "samples" ? Answer(samples()) : Answer(failure());
    return out;
  }

 private:
  const CsvRecord& record_;
  const std::vector<std::size_t>& place_of_;
  const std::string& place_;
};

/// Takes the lines "# name: value" off `text`; lines keep their numbers, since empty ones take their place.
About take_about(std::string& text, const std::string& place) {
  About about;
  std::size_t at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  int line = 1;
  while (at < text.size() && text[at] == '#') {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view content = std::string_view(text).substr(at + 1, end - at - 1);
    if (content.ends_with('\r')) content.remove_suffix(1);
    const std::size_t colon = content.find(": ");
    if (!content.starts_with(' ') || colon == std::string_view::npos)
      throw InputError(place + ":" + std::to_string(line), "expected '# name: value'");
    about.insert_or_assign(std::string(content.substr(1, colon - 1)), std::string(content.substr(colon + 2)));
    for (std::size_t i = at; i < end; ++i) text[i] = ' ';
    text.erase(at, end - at);
    at = std::min(at + 1, text.size());
    ++line;
  }
  return about;
}

/// Position of every column in the header.
std::vector<std::size_t> find_columns(const CsvRecord& header, const std::string& place) {
  std::vector<std::size_t> place_of(kColumns, header.size());
  for (std::size_t i = 0; i < header.size(); ++i) {
    const auto found = std::find(kColumnNames.begin(), kColumnNames.end(), header[i].text);
    if (found == kColumnNames.end()) {
      throw InputError(place_of_cell(place, header[i]), "unknown column '" + header[i].text + "'" +
                                                            did_you_mean(header[i].text, kColumnNames) +
                                                            "; expected " + join(kColumnNames));
    }
    std::size_t& position = place_of[static_cast<std::size_t>(found - kColumnNames.begin())];
    if (position != header.size())
      throw InputError(place_of_cell(place, header[i]), "column '" + header[i].text + "' is there twice");
    position = i;
  }
  for (std::size_t column = 0; column < kColumns; ++column) {
    if (place_of[column] == header.size())
      throw InputError(place_of_cell(place, header.front()),
                       "column '" + kColumnNames[column] + "' is missing");
  }
  return place_of;
}

}  // namespace

std::string csv_head(const About& about) {
  std::string out = "# format: " + std::string(kFormat) + "\n";
  for (const auto& [name, value] : about) {
    if (name == "format") continue;
    std::string line = "# " + name + ": " + value;
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    out += line + "\n";
  }
  return out + join(kColumnNames, ",") + "\n";
}

std::string csv_row(const Outcome& outcome) {
  std::array<std::string, kColumns> cells;
  cells[kClass] = outcome.what.op_class;
  cells[kName] = outcome.what.name;
  cells[kDtype] = outcome.what.dtype;
  cells[kShape] = to_text(outcome.what.shape);
  cells[kConditions] = conditions_text(outcome.what);
  if (const auto* samples = std::get_if<Samples>(&outcome.answer)) {
    cells[kStatus] = "samples";
    cells[kSeconds] = seconds_list(samples->values);
    cells[kOutliers] = outlier_list(samples->values);
    cells[kSmClock] = list(samples->values, &Sample::sm_clock_hz);
    cells[kMemoryClock] = list(samples->values, &Sample::memory_clock_hz);
    cells[kWatts] = list(samples->values, &Sample::watts);
    cells[kThrottle] = list(samples->values, &Sample::throttle);
    cells[kExecutions] = number(samples->executions);
    cells[kFlops] = number(samples->flops);
    cells[kBytes] = number(samples->bytes);
    cells[kError] = optional_number(samples->error);
    cells[kErrorLimit] = optional_number(samples->error_limit);
    cells[kNote] = samples->note;
  } else {
    const Failure& failure = std::get<Failure>(outcome.answer);
    cells[kStatus] = to_text(failure.kind);
    cells[kNote] = failure.message;
  }
  std::string row;
  for (std::size_t i = 0; i < kColumns; ++i) row += (i == 0 ? "" : ",") + quoted(cells[i]);
  return row + "\n";
}

std::string to_csv(const SampleFile& file) {
  std::string out = csv_head(file.about);
  for (const Outcome& outcome : file.outcomes) out += csv_row(outcome);
  return out;
}

SampleFile parse_samples(std::string_view text, const std::string& place) {
  SampleFile file;
  std::string rest(text);
  file.about = take_about(rest, place);
  const auto format = file.about.find("format");
  if (format == file.about.end())
    throw InputError(place + ":1", "expected '# format: " + std::string(kFormat) + "' in the first lines");
  if (format->second != kFormat)
    throw InputError(place + ":1",
                     "format: found '" + format->second + "', expected '" + std::string(kFormat) + "'");
  file.about.erase(format);

  const std::vector<CsvRecord> records = parse_csv_records(rest, place);
  if (records.empty()) throw InputError(place, "the file ends before the line with the names of the columns");
  const std::vector<std::size_t> place_of = find_columns(records.front(), place);
  for (std::size_t i = 1; i < records.size(); ++i) {
    if (records[i].size() != records.front().size()) {
      throw InputError(place_of_cell(place, records[i].front()),
                       "found " + std::to_string(records[i].size()) + " cells, expected " +
                           std::to_string(records.front().size()) + " as in the header");
    }
    file.outcomes.push_back(RowReader(records[i], place_of, place).outcome());
  }
  return file;
}

}  // namespace orrery
