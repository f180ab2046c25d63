#include "sim/report/table.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

Table small() {
  return {.key = "small",
          .title = "Small",
          .columns = {{"item", "item", false}, {"time", "time, ms"}, {"why", "why", false}},
          .rows = {{"first", Cell{"1.50", 0.0015, "s"}, "short"}, {"a|b, c", Cell{"20.00", 0.02, "s"}, ""}},
          .notes = {"A note."}};
}

TEST(Table, PlainTextAlignsNumbersRight) {
  EXPECT_EQ(to_plain(small()),
            "Small\n-----\n"
            "item    time, ms  why\n"
            "first       1.50  short\n"
            "a|b, c     20.00\n"
            "A note.\n");
}

TEST(Table, LastColumnOfWordsIsWrapped) {
  Table t = small();
  t.rows[0][2] = Cell{"one two three four five six seven"};
  // The columns before take 6 + 2 + 8 + 2 = 18 of 40 characters; 22 are left.
  const std::string text = to_plain(t, 40);
  EXPECT_NE(text.find("first       1.50  one two three four\n                  five six seven\n"),
            std::string::npos)
      << text;
}

TEST(Table, MarkdownEscapesBars) {
  EXPECT_NE(to_markdown(small()).find("| a\\|b, c | 20.00 |  |"), std::string::npos);
}

TEST(Table, CsvHoldsExactValuesAndQuotesCommas) {
  EXPECT_EQ(to_csv(small()), "item,time,why\nfirst,0.0015,short\n\"a|b, c\",0.02,\n");
}

TEST(Table, TidyCsvHasOneLinePerValue) {
  const std::vector<Table> tables{small()};
  EXPECT_EQ(to_tidy_csv(tables),
            "section,item,quantity,value,unit\n"
            "small,first,time,0.0015,s\nsmall,first,why,short,\nsmall,\"a|b, c\",time,0.02,s\n");
}

TEST(Table, JsonHoldsNumbersAsNumbersAndEmptyAsNull) {
  const std::string text = to_json_text(small());
  EXPECT_NE(text.find("\"time\": 0.0015"), std::string::npos);
  EXPECT_NE(text.find("\"why\": null"), std::string::npos);
}

TEST(Table, RefusesNumbersThatAreNotFinite) {
  Table t = small();
  t.rows[0][1] = Cell{"nan", std::numeric_limits<double>::quiet_NaN(), "s"};
  EXPECT_THROW((void)to_csv(t), InternalError);
  EXPECT_THROW((void)to_json_text(t), InternalError);
}

TEST(DigitsText, KeepsFourDigitsAndGroupsThousands) {
  EXPECT_EQ(digits_text(19.926), "19.93");
  EXPECT_EQ(digits_text(0.48), "0.4800");
  EXPECT_EQ(digits_text(1234567), "1,234,567");
  EXPECT_EQ(digits_text(-12345.6), "-12,346");
  EXPECT_EQ(digits_text(999), "999.0");
  EXPECT_EQ(digits_text(0), "0");
  EXPECT_EQ(digits_text(2.5e-6), "2.5e-06");
}

TEST(Wrapped, BreaksAtBlanksAndIndents) {
  EXPECT_EQ(wrapped("aa bb cc dd", 5), "aa bb\ncc dd");
  EXPECT_EQ(wrapped("a: bb cc", 6, 3), "a: bb\n   cc");
  EXPECT_EQ(wrapped("longerthanall x", 4), "longerthanall\nx");
}

}  // namespace
}  // namespace orrery
