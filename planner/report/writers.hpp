#pragma once

#include <string>

#include "planner/report/document.hpp"

namespace orrery {

/// One HTML file: no script, no network, inline SVG, light and dark by the reader's preference, a print
/// style, every number also as JSON inside. All text is escaped.
[[nodiscard]] std::string html_report(const Document& document);

/// Headings, paragraphs and tables; charts are left out, their numbers stand in tables.
[[nodiscard]] std::string markdown_report(const Document& document);

/// Tidy: one row per cell, "section,table,row,column,text,value,unit"; value and unit where it is a figure.
[[nodiscard]] std::string csv_report(const Document& document);

/// A4 pages of a PDF file with vector charts and the standard Helvetica fonts; characters those lack are
/// shown as '?'. InputError naming libharu in a build without it.
[[nodiscard]] std::string pdf_report(const Document& document);
/// Whether this build writes PDF.
[[nodiscard]] bool can_write_pdf();

}  // namespace orrery
