#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace orrery {

/// A number of a report, shown wherever its id stands: one value, one text.
struct Figure {
  double value = 0;  ///< in `unit`
  std::string unit;
  std::string text;  ///< as people read it, without the unit

  bool operator==(const Figure&) const = default;
};

/// A cell of a table: a figure by its id, or words.
struct DocCell {
  std::string figure = {};  ///< id; empty for words
  std::string words = {};

  bool operator==(const DocCell&) const = default;
};
[[nodiscard]] inline DocCell words(std::string text) {
  return {.figure = {}, .words = std::move(text)};
}
[[nodiscard]] inline DocCell figure(std::string id) {
  return {.figure = std::move(id), .words = {}};
}

struct DocColumn {
  std::string title;  ///< with the unit of the column, if it has one
  bool number = false;

  bool operator==(const DocColumn&) const = default;
};

struct DocTable {
  std::string key;
  std::string caption;
  std::vector<DocColumn> columns;
  std::vector<std::vector<DocCell>> rows;
  bool total = false;  ///< the last row is the sum of the others
  std::vector<std::string> notes = {};

  bool operator==(const DocTable&) const = default;
};

/// One bar of a bar chart: segments from `from` to `to` on the common axis. `role` names a colour.
struct ChartSegment {
  double from = 0, to = 0;
  std::string role;

  bool operator==(const ChartSegment&) const = default;
};
struct ChartRow {
  std::string label, text;
  std::vector<ChartSegment> segments;

  bool operator==(const ChartRow&) const = default;
};
struct ChartSeries {
  std::string label, role;
  std::vector<std::pair<double, double>> points;
  bool line = true;  ///< joined by a line; else points alone

  bool operator==(const ChartSeries&) const = default;
};

/// A picture of numbers that also stand in a table: bars where `rows` is filled, else lines.
struct Chart {
  std::string key, title;
  std::string x_label, y_label;
  std::vector<ChartRow> rows = {};
  std::vector<ChartSeries> series = {};
  std::vector<std::pair<double, std::string>> markers = {};  ///< lines across: value on the bars' or y axis
  std::vector<std::pair<std::string, std::string>> legend = {};  ///< role, words

  bool operator==(const Chart&) const = default;
};

struct Section {
  std::string key, title;
  std::vector<std::string> paragraphs;
  std::vector<DocTable> tables;
  std::vector<Chart> charts;

  bool operator==(const Section&) const = default;
};

/// A report without any format: what the writers print, and what schema orrery.report/1 holds.
struct Document {
  std::string title, subtitle;
  std::string program;  ///< version and commit
  std::string hash;     ///< of the scenario
  std::map<std::string, Figure> figures;
  std::vector<Section> sections;

  bool operator==(const Document&) const = default;

  /// Text of a cell. A figure that is not there is an InternalError.
  [[nodiscard]] const std::string& text(const DocCell& cell) const;
};

}  // namespace orrery
