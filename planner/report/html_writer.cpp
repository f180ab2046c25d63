#include <fmt/format.h>

#include <cctype>

#include "planner/report/chart_drawing.hpp"
#include "planner/report/document_json.hpp"
#include "planner/report/writers.hpp"

namespace orrery {
namespace {

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default:
        // Control characters are not allowed in HTML.
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\n' || c == '\t') out += c;
    }
  }
  return out;
}

/// Words of a table: long names may break after their joints, and a number stays with its per cent sign.
std::string breakable(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ' ' && i + 1 < text.size() && text[i + 1] == '%') {
      out += "&nbsp;";
      continue;
    }
    out += escaped(std::string(1, c));
    const bool joint = c == '_' || c == '.' || c == '/';
    if (joint && i + 1 < text.size() && std::isalpha(static_cast<unsigned char>(text[i + 1])) != 0)
      out += "<wbr>";
  }
  return out;
}

/// JSON inside a script element: the one sequence that could end it is written otherwise.
std::string script_safe(const std::string& json) {
  std::string out;
  for (const char c : json) {
    if (c == '<') {
      out += "\\u003c";
    } else if (c == '&') {
      out += "\\u0026";
    } else {
      out += c;
    }
  }
  return out;
}

std::string style() {
  std::string light;
  std::string dark;
  std::string classes;
  for (const std::string& role : known_roles()) {
    const RoleColour colour = colour_of(role);
    light += fmt::format("--{}:{};", role, colour.light);
    dark += fmt::format("--{}:{};", role, colour.dark);
    classes += fmt::format(".f-{0}{{fill:var(--{0})}}.s-{0}{{stroke:var(--{0})}}", role);
  }
  return ":root{color-scheme:light dark;--page:#fff;--soft:#f3f4f6;--rule:#c9ccd1;" + light +
         "}\n@media (prefers-color-scheme:dark){:root{--page:#16181b;--soft:#22252a;--rule:#4a4f57;" + dark +
         "}}\n"
         "body{font:15px/1.5 system-ui,sans-serif;background:var(--page);color:var(--ink);margin:0 auto;"
         "max-width:72rem;padding:1.5rem}\n"
         "h1{font-size:1.6rem;line-height:1.25;margin:0 0 .25rem;overflow-wrap:anywhere}"
         "h2{font-size:1.2rem;margin:2.2rem 0 .5rem;border-bottom:1px solid "
         "var(--rule);padding-bottom:.2rem}\n"
         ".sub{color:var(--faint);margin:0 0 1rem}nav ol{columns:2 13rem;padding-left:1.9rem;margin:.3rem 0}"
         "a{color:inherit}p{margin:.5rem 0;max-width:46rem}\n"
         ".wide{overflow-x:auto}table{border-collapse:collapse;margin:.8rem 0;font-size:.87rem}"
         "caption{text-align:left;font-weight:600;padding:.2rem 0}\n"
         ".many td:last-child:not(.n){min-width:9rem}td,tbody th{overflow-wrap:break-word}"
         "th,td{padding:.22rem .6rem;border-bottom:1px solid var(--rule);text-align:left;vertical-align:top}"
         "th{background:var(--soft);font-weight:600}td.n,th.n{text-align:right;"
         "font-variant-numeric:tabular-nums}td.n{white-space:nowrap}\n"
         "tr.sum td,tr.sum th{border-top:2px solid var(--faint);font-weight:600}tbody th{background:none;"
         "font-weight:400}.note{color:var(--faint);font-size:.85rem}\n"
         "figure{margin:1rem 0}figcaption{font-weight:600;font-size:.87rem}svg{width:100%;height:auto;"
         "max-width:46rem;font-family:inherit}footer{color:var(--faint);font-size:.8rem;margin-top:3rem;"
         "overflow-wrap:anywhere}\n" +
         classes +
         "\n@media print{body{max-width:none;padding:0;font-size:10pt}nav{display:none}"
         ".wide{overflow:visible}figure,tr{break-inside:avoid}h2,caption,figcaption{break-after:avoid}}\n"
         "@media (max-width:40rem){body{padding:1rem}figure{overflow-x:auto}svg{min-width:36rem}}\n";
}

std::string svg_shape(const Shape& s) {
  switch (s.kind) {
    case Shape::Kind::kRect:
      return fmt::format(
          "<rect class=\"f-{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>", s.role, s.x,
          s.y, s.width, s.height);
    case Shape::Kind::kLine:
      return fmt::format("<line class=\"s-{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>",
                         s.role, s.x, s.y, s.x + s.width, s.y + s.height);
    case Shape::Kind::kPolyline: {
      std::string points;
      for (const auto& [x, y] : s.points) points += fmt::format("{:.1f},{:.1f} ", x, y);
      if (!points.empty()) points.pop_back();
      return fmt::format("<polyline class=\"s-{}\" fill=\"none\" stroke-width=\"1.5\" points=\"{}\"/>",
                         s.role, points);
    }
    case Shape::Kind::kText: {
      const char* anchor = s.anchor == Shape::Anchor::kStart    ? "start"
                           : s.anchor == Shape::Anchor::kMiddle ? "middle"
                                                                : "end";
      return fmt::format(
          "<text class=\"f-{}\" x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"{:g}\" text-anchor=\"{}\">{}</text>",
          s.role, s.x, s.y, s.size, anchor, escaped(s.text));
    }
  }
  return {};
}

std::string html_chart(const Chart& chart) {
  const Drawing drawing = draw(chart);
  if (drawing.shapes.empty()) return {};
  std::string out = fmt::format(
      "<figure><figcaption>{0}</figcaption>\n<svg viewBox=\"0 0 {1:.0f} {2:.0f}\" role=\"img\" "
      "aria-label=\"{0}\">\n",
      escaped(chart.title), drawing.width, drawing.height);
  for (const Shape& shape : drawing.shapes) out += svg_shape(shape) + "\n";
  return out + "</svg></figure>\n";
}

std::string html_table(const Document& document, const DocTable& table) {
  std::string out = fmt::format("<div class=\"wide\"><table{}>\n<caption>{}</caption>\n<thead><tr>",
                                table.columns.size() > 4 ? " class=\"many\"" : "", escaped(table.caption));
  for (const DocColumn& column : table.columns)
    out += fmt::format("<th scope=\"col\"{}>{}</th>", column.number ? " class=\"n\"" : "",
                       escaped(column.title));
  out += "</tr></thead>\n<tbody>\n";
  for (std::size_t r = 0; r < table.rows.size(); ++r) {
    out += table.total && r + 1 == table.rows.size() ? "<tr class=\"sum\">" : "<tr>";
    for (std::size_t c = 0; c < table.rows[r].size(); ++c) {
      const DocCell& cell = table.rows[r][c];
      const std::string text = breakable(document.text(cell));
      const char* number = table.columns[c].number ? " class=\"n\"" : "";
      out += c == 0 ? fmt::format("<th scope=\"row\"{}>{}</th>", number, text)
                    : fmt::format("<td{}>{}</td>", number, text);
    }
    out += "</tr>\n";
  }
  out += "</tbody></table></div>\n";
  for (const std::string& note : table.notes) out += fmt::format("<p class=\"note\">{}</p>\n", escaped(note));
  return out;
}

}  // namespace

std::string html_report(const Document& document) {
  std::string out = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"generator\" content=\"{}\">\n<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n"
      "<header><h1>{}</h1>\n<p class=\"sub\">{}</p></header>\n<nav aria-label=\"Sections\"><ol>\n",
      escaped(document.program), escaped(document.title), style(), escaped(document.title),
      escaped(document.subtitle));
  for (const Section& section : document.sections)
    out += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", escaped(section.key), escaped(section.title));
  out += "</ol></nav>\n<main>\n";
  int number = 0;
  for (const Section& section : document.sections) {
    out += fmt::format("<section id=\"{}\"><h2>{}. {}</h2>\n", escaped(section.key), ++number,
                       escaped(section.title));
    for (const std::string& paragraph : section.paragraphs)
      out += fmt::format("<p>{}</p>\n", breakable(paragraph));
    for (const Chart& chart : section.charts) out += html_chart(chart);
    for (const DocTable& table : section.tables) out += html_table(document, table);
    out += "</section>\n";
  }
  out += fmt::format("</main>\n<footer>{} | scenario {}</footer>\n", escaped(document.program),
                     escaped(document.hash));
  out += "<script type=\"application/json\" id=\"report\">\n" + script_safe(to_json_text(document)) +
         "</script>\n</body>\n</html>\n";
  return out;
}

}  // namespace orrery
