#include "gui/core/tile_layout.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "gui/core/chart_parts.hpp"
#include "tests/gui/support.hpp"

// Headline tiles in a font whose letters are 7 pixels wide, bold ones 8, lines 13 pixels high.

namespace orrery::gui {
namespace {

TextMetrics bold_text(double size) {
  return {13 * size, [size](std::string_view s) { return 8 * size * static_cast<double>(s.size()); }};
}

Tile money() {
  Tile t;
  t.title = "rent";
  t.value = "5.22 M USD";
  t.range = "P10 to P90 4.50 to 9.32 M USD";
  t.published = "published 5.33 M USD";
  t.badge = "ideal run -4.6 %, price given";
  return t;
}

std::vector<std::string> texts(const std::vector<TileLine>& lines) {
  std::vector<std::string> out;
  for (const TileLine& line : lines) out.push_back(line.text);
  return out;
}

TEST(TileLayout, WideTilesHaveALineForEachSentence) {
  // The longest has 29 letters: 203 pixels, and 7 on either side.
  EXPECT_EQ(texts(tile_lines(money(), 217, plain_text(), bold_text)),
            (std::vector<std::string>{"rent", "5.22 M USD", "P10 to P90 4.50 to 9.32 M USD",
                                      "published 5.33 M USD", "ideal run -4.6 %, price given"}));
}

TEST(TileLayout, NarrowOnesBreakBetweenWordsAndKeepNumbersWithTheirUnits) {
  // 126 pixels, 18 letters: "4.50 to 9.32 M USD" has exactly 18.
  const std::vector<TileLine> lines = tile_lines(money(), 140, plain_text(), bold_text);
  EXPECT_EQ(texts(lines),
            (std::vector<std::string>{"rent", "5.22 M USD", "P10 to P90", "4.50 to 9.32 M USD", "published",
                                      "5.33 M USD", "ideal run -4.6 %,", "price given"}));
  // The value is as large as fits: ten letters of 8 pixels, 126 / 80 = 1.57.
  EXPECT_EQ(lines[1].size, 1.5);
  // In 100 - 14 = 86 pixels that is 1.07, so the smallest.
  EXPECT_EQ(tile_lines(money(), 100, plain_text(), bold_text)[1].size, 1.1);
}

TEST(TileLayout, NothingIsLostOrOutsideWhateverTheWidth) {
  const std::vector<Tile> tiles = headline(*deepseek(), deepseek().get());
  for (double width = 300; width <= 2000; width += 25) {
    const std::vector<Box> boxes = tile_boxes(tiles, width, plain_text(), bold_text);
    ASSERT_EQ(boxes.size(), tiles.size());
    for (std::size_t i = 0; i < tiles.size(); ++i) {
      EXPECT_GE(boxes[i].x, 0);
      EXPECT_LE(boxes[i].x + boxes[i].w, width);
      EXPECT_GE(boxes[i].y, boxes[i > 0 ? i - 1 : 0].y);
      std::string all;
      for (const TileLine& line : tile_lines(tiles[i], boxes[i].w, plain_text(), bold_text)) {
        EXPECT_LE(line.box.y + line.box.h, boxes[i].h) << width << " " << line.text;
        const double w =
            line.size > 1 ? bold_text(line.size).width(line.text) : plain_text().width(line.text);
        EXPECT_LE(w, line.box.w) << width << " " << line.text;
        all += line.text;
      }
      std::string wanted;
      for (const std::string* words : {&tiles[i].title, &tiles[i].value, &tiles[i].range, &tiles[i].published,
                                       &tiles[i].against, &tiles[i].badge})
        wanted += *words;
      const auto blank = [](char c) { return c == ' '; };
      std::erase_if(all, blank);
      std::erase_if(wanted, blank);
      EXPECT_EQ(all, wanted);
    }
  }
}

TEST(TileLayout, SevenTilesTakeOneRowWhereEachHasRoomAndTwoWhereNot) {
  const std::vector<Tile> tiles(7, money());
  // 9.2 lines of 13 pixels are 119.6; seven with 4 between them and 4 outside: 7 * 119.6 + 8 * 4 = 869.2.
  const auto rows = [&](double width) {
    const std::vector<Box> boxes = tile_boxes(tiles, width, plain_text(), bold_text);
    return std::count_if(boxes.begin(), boxes.end(), [&](const Box& b) { return b.x == boxes[0].x; });
  };
  EXPECT_EQ(rows(870), 1);
  EXPECT_EQ(rows(868), 2);
  EXPECT_TRUE(tile_boxes({}, 900, plain_text(), bold_text).empty());
}

TEST(WrappedText, BreaksBetweenWordsOnly) {
  EXPECT_EQ(wrapped_text("one two  three", 7 * 7, plain_text()),
            (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrapped_text("unbreakable x", 7 * 4, plain_text()),
            (std::vector<std::string>{"unbreakable", "x"}));
  EXPECT_TRUE(wrapped_text("  ", 50, plain_text()).empty());
}

}  // namespace
}  // namespace orrery::gui
