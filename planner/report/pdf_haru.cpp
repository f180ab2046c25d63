#include <fmt/format.h>
#include <hpdf.h>

#include <algorithm>
#include <vector>

#include "planner/report/chart_drawing.hpp"
#include "planner/report/writers.hpp"
#include "sim/base/check.hpp"

namespace orrery {
namespace {

constexpr float kWidth = 595.0F, kHeight = 842.0F, kMargin = 50.0F;
constexpr float kTop = kHeight - 64.0F, kBottom = 56.0F;
constexpr float kText = 9.0F, kSmall = 7.5F, kLead = 1.35F;

/// Keeps the first error; no exception may pass through C code.
void on_error(HPDF_STATUS error, HPDF_STATUS, void* kept) {
  auto* first = static_cast<HPDF_STATUS*>(kept);
  if (*first == 0) *first = error;
}

/// UTF-8 to WinAnsi: Latin-1 as it is, the rest as '?'.
std::string win_ansi(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      if (c >= 0x20) out += static_cast<char>(c);
      ++i;
      continue;
    }
    const std::size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : c >= 0xC0 ? 2 : 1;
    unsigned code = length == 2 ? c & 0x1FU : 0xFFFFU;
    if (length == 2 && i + 1 < text.size())
      code = (code << 6U) | (static_cast<unsigned char>(text[i + 1]) & 0x3FU);
    out += code >= 0xA0 && code <= 0xFF ? static_cast<char>(code) : '?';
    i += length;
  }
  return out;
}

struct Rgb {
  float r, g, b;
};
Rgb rgb_of(const std::string& role) {
  const std::string hex = colour_of(role).light;
  const auto part = [&](std::size_t at) {
    return static_cast<float>(std::stoi(hex.substr(at, 2), nullptr, 16)) / 255.0F;
  };
  return {part(1), part(3), part(5)};
}

class Pdf {
 public:
  explicit Pdf(const Document& document) : doc_(document), pdf_(HPDF_New(on_error, &error_)) {
    if (pdf_ == nullptr) throw InternalError("libharu cannot start");
    HPDF_SetCompressionMode(pdf_, HPDF_COMP_ALL);
    plain_ = HPDF_GetFont(pdf_, "Helvetica", "WinAnsiEncoding");
    bold_ = HPDF_GetFont(pdf_, "Helvetica-Bold", "WinAnsiEncoding");
    HPDF_SetInfoAttr(pdf_, HPDF_INFO_TITLE, win_ansi(document.title).c_str());
    HPDF_SetInfoAttr(pdf_, HPDF_INFO_CREATOR, win_ansi(document.program).c_str());
  }
  Pdf(const Pdf&) = delete;
  Pdf& operator=(const Pdf&) = delete;
  ~Pdf() { HPDF_Free(pdf_); }

  std::string write() {
    new_page();
    paragraph(doc_.title, bold_, 16.0F, 3.0F);
    paragraph(doc_.subtitle, plain_, kText, 6.0F);
    int number = 0;
    for (const Section& section : doc_.sections) {
      need(section_start(section));
      y_ -= 10.0F;
      paragraph(fmt::format("{}. {}", ++number, section.title), bold_, 12.0F, 3.0F);
      for (const std::string& text : section.paragraphs) paragraph(text, plain_, kText, 4.0F);
      for (const Chart& chart : section.charts) picture(chart);
      for (const DocTable& table : section.tables) this->table(table);
    }
    for (std::size_t i = 0; i < pages_.size(); ++i) furnish(i);
    HPDF_SaveToStream(pdf_);
    std::string out(HPDF_GetStreamSize(pdf_), '\0');
    HPDF_UINT32 size = static_cast<HPDF_UINT32>(out.size());
    HPDF_ReadFromStream(pdf_, reinterpret_cast<HPDF_BYTE*>(out.data()), &size);
    out.resize(size);
    if (error_ != 0)
      throw InternalError(fmt::format("libharu reports error {:#x}", static_cast<unsigned long>(error_)));
    return out;
  }

 private:
  void new_page() {
    page_ = HPDF_AddPage(pdf_);
    HPDF_Page_SetWidth(page_, kWidth);
    HPDF_Page_SetHeight(page_, kHeight);
    pages_.push_back(page_);
    y_ = kTop;
  }
  void need(float height) {
    if (y_ - height < kBottom) new_page();
  }

  /// Header with the scenario's hash and a page number, once the number of pages is known.
  void furnish(std::size_t index) {
    page_ = pages_[index];
    put(kMargin, kHeight - 36.0F, doc_.program, plain_, kSmall, "faint");
    right(kWidth - kMargin, kHeight - 36.0F, "scenario " + doc_.hash, plain_, kSmall, "faint");
    right(kWidth - kMargin, 32.0F, fmt::format("{} of {}", index + 1, pages_.size()), plain_, kSmall,
          "faint");
  }

  float width_of(const std::string& ansi, HPDF_Font font, float size) const {
    const HPDF_TextWidth w = HPDF_Font_TextWidth(font, reinterpret_cast<const HPDF_BYTE*>(ansi.data()),
                                                 static_cast<HPDF_UINT>(ansi.size()));
    return static_cast<float>(w.width) * size / 1000.0F;
  }
  void put_ansi(float x, float y, const std::string& ansi, HPDF_Font font, float size,
                const std::string& role) {
    if (ansi.empty()) return;
    const Rgb c = rgb_of(role);
    HPDF_Page_SetRGBFill(page_, c.r, c.g, c.b);
    HPDF_Page_BeginText(page_);
    HPDF_Page_SetFontAndSize(page_, font, size);
    HPDF_Page_TextOut(page_, x, y, ansi.c_str());
    HPDF_Page_EndText(page_);
  }
  void put(float x, float y, const std::string& text, HPDF_Font font, float size, const std::string& role) {
    put_ansi(x, y, win_ansi(text), font, size, role);
  }
  void right(float x, float y, const std::string& text, HPDF_Font font, float size, const std::string& role) {
    const std::string ansi = win_ansi(text);
    put_ansi(x - width_of(ansi, font, size), y, ansi, font, size, role);
  }

  /// Letters of a word that fit into a line, up to the last of its joints (_ . / -) where there is one; at
  /// least one.
  std::size_t part_that_fits(const std::string& word, HPDF_Font font, float size, float width) const {
    std::size_t n = 1;
    while (n < word.size() && width_of(word.substr(0, n + 1), font, size) <= width) ++n;
    const std::size_t joint = word.find_last_of("_./-", n - 1);
    return joint == std::string::npos ? n : joint + 1;
  }

  /// Breaks at blanks; a word longer than the line at its joints.
  std::vector<std::string> lines_of(const std::string& text, HPDF_Font font, float size, float width) const {
    std::vector<std::string> lines{""};
    std::string word;
    const auto flush = [&] {
      const std::string joined = lines.back().empty() ? word : lines.back() + " " + word;
      if (width_of(joined, font, size) <= width) {
        lines.back() = joined;
      } else {
        if (!lines.back().empty()) lines.emplace_back();
        while (width_of(word, font, size) > width) {
          const std::size_t n = part_that_fits(word, font, size, width);
          lines.back() = word.substr(0, n);
          lines.emplace_back();
          word.erase(0, n);
        }
        lines.back() += word;
      }
      word.clear();
    };
    for (const char c : win_ansi(text)) {
      if (c == ' ') {
        if (!word.empty()) flush();
      } else {
        word += c;
      }
    }
    if (!word.empty()) flush();
    return lines;
  }

  void paragraph(const std::string& text, HPDF_Font font, float size, float after,
                 const std::string& role = "ink") {
    for (const std::string& line : lines_of(text, font, size, kWidth - 2 * kMargin)) {
      need(size * kLead);
      y_ -= size * kLead;
      put_ansi(kMargin, y_, line, font, size, role);
    }
    y_ -= after;
  }

  /// Height of a section's heading, its paragraphs and its first chart, which stay on one page.
  float section_start(const Section& section) const {
    float height = 40.0F;
    for (const std::string& text : section.paragraphs)
      height +=
          kText * kLead * static_cast<float>(lines_of(text, plain_, kText, kWidth - 2 * kMargin).size()) +
          4.0F;
    if (section.charts.empty()) return height + 70.0F;
    const Drawing first = draw(section.charts.front(), static_cast<double>(kWidth - 2 * kMargin));
    return height + static_cast<float>(first.height) + 24.0F;
  }

  void picture(const Chart& chart) {
    const Drawing drawing = draw(chart, static_cast<double>(kWidth - 2 * kMargin));
    if (drawing.shapes.empty()) return;
    const auto height = static_cast<float>(drawing.height);
    need(height + 18.0F);
    paragraph(chart.title, bold_, kText, 4.0F);
    for (const Shape& s : drawing.shapes) shape(s, kMargin, y_);
    y_ -= height + 6.0F;
  }

  void shape(const Shape& s, float left, float top) {
    const Rgb c = rgb_of(s.role);
    const auto x = left + static_cast<float>(s.x);
    const auto y = top - static_cast<float>(s.y);
    switch (s.kind) {
      case Shape::Kind::kRect:
        HPDF_Page_SetRGBFill(page_, c.r, c.g, c.b);
        HPDF_Page_Rectangle(page_, x, y - static_cast<float>(s.height), static_cast<float>(s.width),
                            static_cast<float>(s.height));
        HPDF_Page_Fill(page_);
        break;
      case Shape::Kind::kLine:
        HPDF_Page_SetRGBStroke(page_, c.r, c.g, c.b);
        HPDF_Page_SetLineWidth(page_, 0.5F);
        HPDF_Page_MoveTo(page_, x, y);
        HPDF_Page_LineTo(page_, x + static_cast<float>(s.width), y - static_cast<float>(s.height));
        HPDF_Page_Stroke(page_);
        break;
      case Shape::Kind::kPolyline:
        HPDF_Page_SetRGBStroke(page_, c.r, c.g, c.b);
        HPDF_Page_SetLineWidth(page_, 1.2F);
        for (std::size_t i = 0; i < s.points.size(); ++i) {
          const float px = left + static_cast<float>(s.points[i].first);
          const float py = top - static_cast<float>(s.points[i].second);
          if (i == 0) {
            HPDF_Page_MoveTo(page_, px, py);
          } else {
            HPDF_Page_LineTo(page_, px, py);
          }
        }
        if (!s.points.empty()) HPDF_Page_Stroke(page_);
        break;
      case Shape::Kind::kText: {
        const std::string ansi = win_ansi(s.text);
        const auto size = static_cast<float>(s.size);
        const float width = width_of(ansi, plain_, size);
        const float shift = s.anchor == Shape::Anchor::kStart    ? 0.0F
                            : s.anchor == Shape::Anchor::kMiddle ? width / 2.0F
                                                                 : width;
        put_ansi(x - shift, y, ansi, plain_, size, s.role);
        break;
      }
    }
  }

  /// Width of the longest word, what a column of words cannot go below.
  float longest_word(const std::string& text, HPDF_Font font) const {
    float most = 0;
    std::string word;
    for (const char c : win_ansi(text) + " ") {
      if (c != ' ') {
        word += c;
      } else {
        most = std::max(most, width_of(word, font, kSmall));
        word.clear();
      }
    }
    return most;
  }

  /// Columns get the width of their widest cell. Where that is too much for the page, each keeps its longest
  /// word and the rest is shared out by what each lacks.
  std::vector<float> column_widths(const DocTable& t) const {
    constexpr float kGap = 10.0F;
    constexpr float kMostOfAWord = 110.0F;
    std::vector<float> least;
    std::vector<float> widest;
    float least_sum = 0;
    float widest_sum = 0;
    for (std::size_t c = 0; c < t.columns.size(); ++c) {
      float low = longest_word(t.columns[c].title, bold_);
      float high = width_of(win_ansi(t.columns[c].title), bold_, kSmall);
      for (const auto& row : t.rows) {
        const float cell = width_of(win_ansi(doc_.text(row[c])), bold_, kSmall);
        low = std::max(low, longest_word(doc_.text(row[c]), bold_));
        high = std::max(high, cell);
      }
      least.push_back(std::min(low, kMostOfAWord) + kGap);
      widest.push_back(std::max(high, low) + kGap);
      least_sum += least.back();
      widest_sum += widest.back();
    }
    const float room = kWidth - 2 * kMargin;
    if (widest_sum <= room) return widest;
    if (least_sum >= room) {
      for (float& w : least) w *= room / least_sum;
      return least;
    }
    // By what the cells of a column lack on average: a column of long sources gets more than one that has a
    // single long name.
    std::vector<float> wishes(least.size(), 0.0F);
    float wished = 0;
    for (std::size_t c = 0; c < least.size(); ++c) {
      for (const auto& row : t.rows) {
        const float cell = width_of(win_ansi(doc_.text(row[c])), plain_, kSmall) + kGap;
        wishes[c] += std::max(0.0F, cell - least[c]);
      }
      wished += wishes[c];
    }
    const float share = wished > 0 ? (room - least_sum) / wished : 0.0F;
    for (std::size_t c = 0; c < least.size(); ++c) least[c] += wishes[c] * share;
    return least;
  }

  void table_row(const std::vector<std::string>& cells, const DocTable& t, const std::vector<float>& widths,
                 HPDF_Font font) {
    std::vector<std::vector<std::string>> lines;
    std::size_t most = 1;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      lines.push_back(lines_of(cells[c], font, kSmall, widths[c] - 8.0F));
      most = std::max(most, lines.back().size());
    }
    const float step = kSmall * 1.25F;
    const float top = y_;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      float left = kMargin;
      for (std::size_t i = 0; i < c; ++i) left += widths[i];
      float y = top - kSmall - 2.0F;
      for (const std::string& line : lines[c]) {
        if (t.columns[c].number) {
          put_ansi(left + widths[c] - 8.0F - width_of(line, font, kSmall), y, line, font, kSmall, "ink");
        } else {
          put_ansi(left, y, line, font, kSmall, "ink");
        }
        y -= step;
      }
    }
    y_ = top - step * static_cast<float>(most) - 3.0F;
    rule("grid", widths);
  }

  float row_height(const std::vector<std::string>& cells, const std::vector<float>& widths) const {
    std::size_t most = 1;
    for (std::size_t c = 0; c < cells.size(); ++c)
      most = std::max(most, lines_of(cells[c], plain_, kSmall, widths[c] - 8.0F).size());
    return kSmall * 1.25F * static_cast<float>(most) + 4.0F;
  }

  void rule(const std::string& role, const std::vector<float>& widths) {
    float right = kMargin;
    for (const float w : widths) right += w;
    const Rgb c = rgb_of(role);
    HPDF_Page_SetRGBStroke(page_, c.r, c.g, c.b);
    HPDF_Page_SetLineWidth(page_, 0.5F);
    HPDF_Page_MoveTo(page_, kMargin, y_);
    HPDF_Page_LineTo(page_, std::min(right, kWidth - kMargin), y_);
    HPDF_Page_Stroke(page_);
  }

  void table(const DocTable& t) {
    const std::vector<float> widths = column_widths(t);
    std::vector<std::string> head;
    for (const DocColumn& column : t.columns) head.push_back(column.title);
    std::vector<std::vector<std::string>> rows;
    float height = kText * kLead + 2.0F + row_height(head, widths);
    for (const auto& row : t.rows) {
      std::vector<std::string>& cells = rows.emplace_back();
      for (const DocCell& cell : row) cells.push_back(doc_.text(cell));
      height += row_height(cells, widths);
    }
    for (const std::string& note : t.notes)
      height +=
          kSmall * kLead * static_cast<float>(lines_of(note, plain_, kSmall, kWidth - 2 * kMargin).size()) +
          1.0F;
    // A table of up to half a page stays in one piece with its notes.
    need(height < (kTop - kBottom) / 2.0F ? height : 60.0F);
    paragraph(t.caption, bold_, kText, 2.0F);
    table_row(head, t, widths, bold_);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const std::size_t before = pages_.size();
      need(row_height(rows[r], widths));
      if (pages_.size() > before) table_row(head, t, widths, bold_);
      const bool sum = t.total && r + 1 == rows.size();
      if (sum) rule("ink", widths);
      table_row(rows[r], t, widths, sum ? bold_ : plain_);
    }
    for (const std::string& note : t.notes) paragraph(note, plain_, kSmall, 1.0F, "faint");
    y_ -= 8.0F;
  }

  const Document& doc_;
  HPDF_STATUS error_ = 0;
  HPDF_Doc pdf_;
  HPDF_Font plain_ = nullptr, bold_ = nullptr;
  HPDF_Page page_ = nullptr;
  std::vector<HPDF_Page> pages_;
  float y_ = kTop;
};

}  // namespace

bool can_write_pdf() {
  return true;
}

std::string pdf_report(const Document& document) {
  return Pdf(document).write();
}

}  // namespace orrery
