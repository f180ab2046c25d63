#include "planner/report/document_json.hpp"

#include <cmath>

#include "sim/base/fields.hpp"

namespace orrery {

template <class V>
void fields(V& v, Figure& f) {
  v.required("value", f.value);
  v.required("unit", f.unit);
  v.required("text", f.text);
}

template <class V>
void fields(V& v, DocCell& c) {
  if (V::reading || !c.figure.empty()) v.optional("figure", c.figure);
  if (V::reading || c.figure.empty()) v.optional("words", c.words);
}

template <class V>
void fields(V& v, DocColumn& c) {
  v.required("title", c.title);
  v.required("number", c.number);
}

template <class V>
void fields(V& v, DocTable& t) {
  v.required("key", t.key);
  v.required("caption", t.caption);
  v.required("columns", t.columns);
  v.required("rows", t.rows);
  v.required("total", t.total);
  v.required("notes", t.notes);
  if constexpr (V::reading) {
    for (const auto& row : t.rows) {
      if (row.size() != t.columns.size())
        throw InputError(v.node().where("rows"), "a row has not as many cells as there are columns");
    }
  }
}

template <class V>
void fields(V& v, ChartSegment& s) {
  v.required("from", s.from);
  v.required("to", s.to);
  v.required("role", s.role);
}

template <class V>
void fields(V& v, ChartRow& r) {
  v.required("label", r.label);
  v.required("text", r.text);
  v.required("segments", r.segments);
}

namespace {

struct Point {
  double x = 0, y = 0;
};
struct Pair {
  double value = 0;
  std::string first, second;
};

}  // namespace

template <class V>
void fields(V& v, Point& p) {
  v.required("x", p.x);
  v.required("y", p.y);
}

template <class V>
void fields(V& v, ChartSeries& s) {
  v.required("label", s.label);
  v.required("role", s.role);
  std::vector<Point> points;
  for (const auto& [x, y] : s.points) points.push_back({x, y});
  v.required("points", points);
  s.points.clear();
  for (const Point& p : points) s.points.emplace_back(p.x, p.y);
  if (V::reading || !s.line) v.optional("line", s.line);
}

struct Marker {
  double value = 0;
  std::string label;
};
struct LegendEntry {
  std::string role, words;
};

template <class V>
void fields(V& v, Marker& m) {
  v.required("value", m.value);
  v.required("label", m.label);
}

template <class V>
void fields(V& v, LegendEntry& e) {
  v.required("role", e.role);
  v.required("words", e.words);
}

template <class V>
void fields(V& v, Chart& c) {
  v.required("key", c.key);
  v.required("title", c.title);
  v.required("x_label", c.x_label);
  v.required("y_label", c.y_label);
  v.required("rows", c.rows);
  v.required("series", c.series);
  std::vector<Marker> markers;
  for (const auto& [value, label] : c.markers) markers.push_back({value, label});
  v.required("markers", markers);
  c.markers.clear();
  for (const Marker& m : markers) c.markers.emplace_back(m.value, m.label);
  std::vector<LegendEntry> legend;
  for (const auto& [role, text] : c.legend) legend.push_back({role, text});
  v.required("legend", legend);
  c.legend.clear();
  for (const LegendEntry& e : legend) c.legend.emplace_back(e.role, e.words);
}

template <class V>
void fields(V& v, Section& s) {
  v.required("key", s.key);
  v.required("title", s.title);
  v.required("paragraphs", s.paragraphs);
  v.required("tables", s.tables);
  v.required("charts", s.charts);
}

namespace {

/// The document with its figures as a list of named ones.
struct NamedFigure {
  std::string id;
  Figure figure;
};
struct DocumentFile {
  Document document;
};

}  // namespace

template <class V>
void fields(V& v, NamedFigure& f) {
  v.required("id", f.id);
  fields(v, f.figure);
}

template <class V>
void fields(V& v, DocumentFile& file) {
  Document& d = file.document;
  schema_field(v, "orrery.report/1");
  v.required("title", d.title);
  v.required("subtitle", d.subtitle);
  v.required("program", d.program);
  v.required("hash", d.hash);
  std::vector<NamedFigure> figures;
  for (const auto& [id, f] : d.figures) figures.push_back({id, f});
  v.required("figures", figures);
  d.figures.clear();
  for (const NamedFigure& f : figures) d.figures.emplace(f.id, f.figure);
  v.required("sections", d.sections);
}

const std::string& Document::text(const DocCell& cell) const {
  if (cell.figure.empty()) return cell.words;
  const auto it = figures.find(cell.figure);
  SIM_CHECK(it != figures.end(), "a cell of the report names a figure that is not there");
  return it->second.text;
}

std::string to_json_text(const Document& document) {
  for (const auto& [id, f] : document.figures) SIM_CHECK(std::isfinite(f.value), "a figure is not finite");
  DocumentFile file{document};
  const Json json = JsonWriter::to_json_value(file);
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Document parse_document(const std::string& text, const std::string& place) {
  const Json json = parse_json(text, place);
  DocumentFile file;
  read_value(JsonNode{json, place, ""}, file);
  for (const Section& section : file.document.sections) {
    for (const DocTable& table : section.tables) {
      for (const auto& row : table.rows) {
        for (const DocCell& cell : row) {
          if (!cell.figure.empty() && !file.document.figures.contains(cell.figure))
            throw InputError(place, "table '" + table.key + "' names the figure '" + cell.figure +
                                        "', which is not among the figures");
        }
      }
    }
  }
  return std::move(file.document);
}

}  // namespace orrery
