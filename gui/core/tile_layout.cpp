#include "gui/core/tile_layout.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "gui/core/chart_parts.hpp"

namespace orrery::gui {
namespace {

constexpr double kSide = 7;       ///< left and right of a line
constexpr double kMargin = 4;     ///< around all tiles
constexpr double kBetween = 4;    ///< between neighbours
constexpr double kTopEms = 0.25;  ///< above the first line and below the last

bool is_number(const std::string& word) {
  return !word.empty() && (std::isdigit(static_cast<unsigned char>(word[0])) ||
                           ((word[0] == '-' || word[0] == '+') && word.size() > 1));
}

/// Numbers stay with their units, and a range in one piece: "4.50 to 9.32 M USD". With the blanks that may
/// not be broken written as kGlue.
constexpr char kGlue = '\x01';
std::string glued(const std::string& text) {
  std::string out;
  bool after_number = false;
  std::string last;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::string word = text.substr(at, end - at);
    const bool range_goes_on = last == "to" && after_number;
    const bool glue = after_number && (!is_number(word) || range_goes_on);
    if (at > 0) out += glue ? kGlue : ' ';
    out += word;
    after_number = word.back() != ',' && (is_number(word) || after_number);
    last = word;
    at = text.find_first_not_of(' ', end);
  }
  return out;
}

}  // namespace

std::vector<TileLine> tile_lines(const Tile& tile, double width, const TextMetrics& text,
                                 const BoldMetrics& bold) {
  std::vector<TileLine> out;
  const double room = std::max(1.0, width - 2 * kSide);
  double y = std::round(text.em * kTopEms);
  const auto put = [&](const std::string& words, bool muted, double size, const TextMetrics& metrics) {
    const TextMetrics whole{metrics.em, [&](std::string_view s) {
                              std::string shown(s);
                              std::replace(shown.begin(), shown.end(), kGlue, ' ');
                              return metrics.width(shown);
                            }};
    std::vector<std::string> parts = wrapped_text(glued(words), room, whole);
    const bool wide = std::any_of(parts.begin(), parts.end(),
                                  [&](const std::string& part) { return whole.width(part) > room; });
    if (wide) parts = wrapped_text(words, room, metrics);
    const double line = std::round(text.em * size);
    for (std::string& part : parts) {
      std::replace(part.begin(), part.end(), kGlue, ' ');
      out.push_back({{kSide, y, room, line}, std::move(part), muted, size});
      y += line;
    }
  };
  put(tile.title, true, 1, text);
  const auto fits = std::find_if(kValueSizes.begin(), kValueSizes.end() - 1,
                                 [&](double size) { return bold(size).width(tile.value) <= room; });
  put(tile.value, false, *fits, bold(*fits));
  for (const std::string* words : {&tile.range, &tile.published, &tile.against}) put(*words, false, 1, text);
  put(tile.badge, true, 1, text);
  return out;
}

std::vector<Box> tile_boxes(std::span<const Tile> tiles, double width, const TextMetrics& text,
                            const BoldMetrics& bold) {
  std::vector<Box> out;
  if (tiles.empty()) return out;
  const auto n = static_cast<double>(tiles.size());
  const double room = std::max(1.0, width - 2 * kMargin);
  // As many rows as are needed, with as many tiles in each as that makes.
  double rows = 1;
  while (rows < n && (room + kBetween) / std::ceil(n / rows) - kBetween < text.em * kLeastTileEms) ++rows;
  const double columns = std::ceil(n / rows);
  const double w = std::max(1.0, std::floor((room + kBetween) / columns - kBetween));
  double y = kMargin;
  for (std::size_t first = 0; first < tiles.size();) {
    const std::size_t last = std::min(tiles.size(), first + static_cast<std::size_t>(columns));
    double h = 0;
    for (std::size_t i = first; i < last; ++i) {
      const TileLine end = tile_lines(tiles[i], w, text, bold).back();
      h = std::max(h, end.box.y + end.box.h + std::round(text.em * kTopEms));
    }
    for (std::size_t i = first; i < last; ++i)
      out.push_back({kMargin + (w + kBetween) * static_cast<double>(i - first), y, w, h});
    y += h + kBetween;
    first = last;
  }
  return out;
}

}  // namespace orrery::gui
