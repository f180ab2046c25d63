#include "gui/widgets/scene_painter.hpp"

#include <QFile>
#include <QFileInfo>
#include <QFont>
#include <QFontMetricsF>
#include <QImage>
#include <QPageSize>
#include <QPainter>
#include <QPainterPath>
#include <QPdfWriter>
#include <QSvgGenerator>
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "sim/base/check.hpp"

namespace orrery::gui {
namespace {

QColor to_qcolor(std::uint32_t rgb) {
  return QColor(QRgb(0xFF000000U | rgb));
}

constexpr double kArrowHead = 11;  ///< pixels

class ScenePainter {
 public:
  ScenePainter(QPainter& painter, Theme theme, const QFont& font, bool vectors)
      : p_(painter), theme_(theme), font_(font), vectors_(vectors) {
    small_ = font_;
    if (font_.pointSizeF() > 0)
      small_.setPointSizeF(font_.pointSizeF() * 0.88);
    else
      small_.setPixelSize(std::max(6, font_.pixelSize() * 88 / 100));
    bold_ = font_;
    bold_.setBold(true);
  }

  void layer(const SceneLayer& layer) {
    p_.save();
    if (layer.clip.w > 0) p_.setClipRect(rect(layer.clip));
    p_.setRenderHint(QPainter::Antialiasing, false);
    for (const SceneRect& r : layer.rects) box(r);
    for (const SceneStrip& s : layer.strips) strip(s);
    p_.setRenderHint(QPainter::Antialiasing, true);
    for (const SceneCurve& c : layer.curves) curve(c);
    for (const SceneLine& l : layer.lines) line(l);
    for (const SceneDot& d : layer.dots) dot(d);
    for (const SceneText& t : layer.texts) text(t);
    p_.restore();
  }

 private:
  static QRectF rect(const Box& b) { return {b.x, b.y, b.w, b.h}; }
  [[nodiscard]] QColor ink(Ink i) const { return to_qcolor(colour(theme_, i)); }

  void box(const SceneRect& r) {
    const QRectF at = rect(r.box);
    if (r.fill != Ink::kNone) {
      const std::uint32_t full = colour(theme_, r.fill);
      p_.fillRect(
          at, to_qcolor(r.dim == 0 ? full : mixed(full, colour(theme_, Ink::kBackground), r.dim / 255.0)));
    }
    if (r.pattern != Pattern::kPlain) pattern(r, at);
    if (r.frame == Ink::kNone) return;
    QPen pen(ink(r.frame), static_cast<qreal>(r.frame_width));
    pen.setJoinStyle(Qt::MiterJoin);
    p_.setPen(pen);
    p_.setBrush(Qt::NoBrush);
    const double inset = static_cast<double>(r.frame_width) / 2;
    p_.drawRect(at.adjusted(inset, inset, -inset, -inset));
  }

  void pattern(const SceneRect& r, const QRectF& at) {
    const bool empty = r.fill == Ink::kNone;
    QColor over = empty ? ink(Ink::kIdle) : to_qcolor(text_on(colour(theme_, r.fill)));
    if (!empty) over.setAlpha(110);
    if (!vectors_) {
      Qt::BrushStyle style = Qt::BDiagPattern;
      if (r.pattern == Pattern::kDots) style = Qt::Dense6Pattern;
      if (r.pattern == Pattern::kBar) style = Qt::HorPattern;
      if (r.pattern == Pattern::kCross) style = Qt::DiagCrossPattern;
      p_.fillRect(at, QBrush(over, style));
      return;
    }
    // Diagonal lines cut to the box by hand: clip paths make vector files large.
    p_.setPen(QPen(over, 0.5));
    for (double d = 0; d < at.width() + at.height(); d += 5) {
      const double x0 = std::max(0.0, d - at.height());
      const double x1 = std::min(d, at.width());
      p_.drawLine(QPointF(at.x() + x0, at.y() + d - x0), QPointF(at.x() + x1, at.y() + d - x1));
    }
  }

  void strip(const SceneStrip& s) {
    if (s.columns.empty()) return;
    const auto at = [&](const StripColumn& c) {
      // There are few different ones, and very many columns.
      std::uint32_t& known = column_colours_[static_cast<std::size_t>(c.ink) * 256 + c.busy];
      if (known == kUnknownColour) {
        const Ink top = c.ink == Ink::kIdle ? Ink::kBackground : c.ink;
        known = mixed(colour(theme_, Ink::kBackground), colour(theme_, top), c.busy / 255.0);
      }
      return known;
    };
    if (!vectors_) {
      QImage image(static_cast<int>(s.columns.size()), 1, QImage::Format_RGB32);
      auto* pixels = reinterpret_cast<QRgb*>(image.scanLine(0));
      StripColumn last{Ink::kIdle, 0};
      QRgb value = 0xFF000000U | at(last);
      for (std::size_t i = 0; i < s.columns.size(); ++i) {
        if (!(s.columns[i] == last)) {
          last = s.columns[i];
          value = 0xFF000000U | at(last);
        }
        pixels[i] = value;
      }
      p_.drawImage(QRectF(s.x, s.y, static_cast<double>(s.columns.size()), s.h), image);
      return;
    }
    for (std::size_t i = 0; i < s.columns.size();) {
      std::size_t j = i + 1;
      while (j < s.columns.size() && s.columns[j] == s.columns[i]) ++j;
      if (s.columns[i].busy > 0)
        p_.fillRect(QRectF(s.x + static_cast<double>(i), s.y, static_cast<double>(j - i), s.h),
                    to_qcolor(at(s.columns[i])));
      i = j;
    }
  }

  void curve(const SceneCurve& c) {
    if (c.points.empty()) return;
    QPolygonF points;
    points.reserve(static_cast<qsizetype>(c.points.size()));
    for (const ScenePoint& q : c.points) points << QPointF(q.x, q.y);
    p_.setPen(QPen(ink(c.ink), static_cast<qreal>(c.width)));
    p_.drawPolyline(points);
  }

  void line(const SceneLine& l) {
    const QPointF begin(l.x1, l.y1);
    const QPointF end(l.x2, l.y2);
    QPen pen(ink(l.ink), static_cast<qreal>(l.width));
    if (l.dashed) pen.setStyle(Qt::DashLine);
    if (!l.arrow) {
      p_.setPen(pen);
      p_.drawLine(begin, end);
      return;
    }
    // Arrows lie over slices of any colour: an edge in the background's colour keeps them apart.
    QPolygonF head;
    const double angle = std::atan2(l.y2 - l.y1, l.x2 - l.x1);
    head << end;
    for (const double side : {2.7, -2.7})
      head << QPointF(l.x2 + kArrowHead * std::cos(angle + side), l.y2 + kArrowHead * std::sin(angle + side));
    const QPen edge(ink(Ink::kBackground), static_cast<qreal>(l.width) + 3);
    p_.setPen(edge);
    p_.drawLine(begin, end);
    p_.setPen(QPen(ink(Ink::kBackground), 3));
    p_.drawPolygon(head);
    p_.setPen(pen);
    p_.drawLine(begin, end);
    p_.setPen(Qt::NoPen);
    p_.setBrush(ink(l.ink));
    p_.drawPolygon(head);
  }

  void dot(const SceneDot& d) {
    p_.setPen(d.frame == Ink::kNone ? QPen(Qt::NoPen) : QPen(ink(d.frame), 1.2));
    p_.setBrush(ink(d.ink));
    p_.drawEllipse(QPointF(d.x, d.y), d.radius, d.radius);
  }

  void text(const SceneText& t) {
    p_.setFont(t.bold ? bold_ : t.small ? small_ : font_);
    p_.setPen(t.on == Ink::kNone ? ink(t.ink) : to_qcolor(text_on(colour(theme_, t.on))));
    const int align = t.align == Align::kLeft    ? Qt::AlignLeft
                      : t.align == Align::kRight ? Qt::AlignRight
                                                 : Qt::AlignHCenter;
    p_.drawText(rect(t.box), align | Qt::AlignVCenter | Qt::TextSingleLine, QString::fromStdString(t.text));
  }

  static constexpr std::uint32_t kUnknownColour = 0xFFFFFFFF;
  QPainter& p_;
  Theme theme_;
  std::vector<std::uint32_t> column_colours_ =
      std::vector<std::uint32_t>((static_cast<std::size_t>(Ink::kNone) + 1) * 256, kUnknownColour);
  QFont font_, small_, bold_;
  bool vectors_;
};

[[noreturn]] void refuse(const QString& path, const std::string& why) {
  throw InputError(path.toStdString(), why);
}

}  // namespace

TextMetrics text_metrics(const QFont& font) {
  const QFontMetricsF metrics(font);
  return {metrics.height(), [metrics](std::string_view s) {
            return metrics.horizontalAdvance(QString::fromUtf8(s.data(), static_cast<qsizetype>(s.size())));
          }};
}

void paint(QPainter& painter, const Scene& scene, Theme theme, const QFont& font, bool vectors) {
  ScenePainter p(painter, theme, font, vectors);
  for (const SceneLayer& layer : scene.layers) p.layer(layer);
}

void save_picture(const QString& path, const SceneMaker& maker, double width, double height, Theme theme,
                  const QFont& font, const QString& title) {
  const QString ending = QFileInfo(path).suffix().toLower();
  const Scene scene = maker(width, height, text_metrics(font));
  const QString part = path + ".part";
  bool written = false;
  if (ending == "png") {
    QImage image(static_cast<int>(width), static_cast<int>(height), QImage::Format_RGB32);
    if (image.isNull()) refuse(path, "the picture is too large");
    image.fill(to_qcolor(colour(theme, Ink::kBackground)));
    QPainter painter(&image);
    paint(painter, scene, theme, font);
    painter.end();
    written = image.save(part, "PNG");
  } else if (ending == "svg") {
    QSvgGenerator svg;
    svg.setFileName(part);
    svg.setSize(QSize(static_cast<int>(width), static_cast<int>(height)));
    svg.setViewBox(QRectF(0, 0, width, height));
    svg.setTitle(title);
    svg.setDescription("Simulated by orrery, not measured.");
    QPainter painter;
    written = painter.begin(&svg);
    if (written) paint(painter, scene, theme, font, true);
    painter.end();
  } else if (ending == "pdf") {
    QPdfWriter pdf(part);
    pdf.setTitle(title);
    pdf.setCreator("orrery-gui");
    pdf.setPageSize(QPageSize(QSizeF(width * 0.75, height * 0.75), QPageSize::Point));
    pdf.setPageMargins(QMarginsF(0, 0, 0, 0));
    pdf.setResolution(96);
    QPainter painter;
    written = painter.begin(&pdf);
    if (written) paint(painter, scene, theme, font, true);
    painter.end();
  } else {
    refuse(path, "found the ending '" + ending.toStdString() + "', expected .png, .svg or .pdf");
  }
  if (written) {
    QFile::remove(path);
    written = QFile::rename(part, path);
  }
  if (!written) {
    QFile::remove(part);
    refuse(path, "cannot be written");
  }
}

}  // namespace orrery::gui
