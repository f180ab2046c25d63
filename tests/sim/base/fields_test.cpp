#include "sim/base/fields.hpp"

#include <gtest/gtest.h>

#include <string>

namespace orrery {

struct Part {
  double share = 0;
};
struct Thing {
  std::int64_t count = 0;
  std::string name = "none";
  bool on = false;
  Bytes memory;
  std::vector<Part> parts;
  std::optional<double> price;
  std::size_t colour = 0;
};

template <class V>
void fields(V& v, Part& p) {
  v.required("share", p.share, between(0, 1));
}
template <class V>
void fields(V& v, Thing& t) {
  schema_field(v, "orrery.thing/1");
  v.required("count", t.count, at_least(1));
  v.optional("name", t.name);
  v.optional("on", t.on);
  v.optional("memory", t.memory, kPositive);
  v.optional("parts", t.parts);
  v.optional("price", t.price, kNonNegative);
  v.choice("colour", t.colour, {"red", "green", "blue"}, false);
}

namespace {

Thing read(const std::string& body) {
  const Json json = parse_json(R"({"schema": "orrery.thing/1", )" + body + "}", "thing.json");
  Thing thing;
  read_value(JsonNode{json, "thing.json", ""}, thing);
  return thing;
}

std::string error_of(const std::string& body) {
  try {
    (void)read(body);
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

std::string parse_error_of(const std::string& text) {
  try {
    (void)parse_json(text, "f.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

void expect_has(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text << "\n  lacks: " << part;
}

TEST(Fields, AWholeObjectIsRead) {
  const Thing t = read(R"("count": 3, "name": "x", "on": true, "memory": "80GB", "parts": [{"share": 0.25}],
                         "price": 2.5, "colour": "blue")");
  EXPECT_EQ(t.count, 3);
  EXPECT_EQ(t.name, "x");
  EXPECT_TRUE(t.on);
  EXPECT_EQ(t.memory, Bytes{80e9});
  ASSERT_EQ(t.parts.size(), 1U);
  EXPECT_EQ(t.parts[0].share, 0.25);
  EXPECT_EQ(t.price, 2.5);
  EXPECT_EQ(t.colour, 2U);
}

TEST(Fields, WhatIsAbsentOrNullKeepsItsValue) {
  const Thing t = read(R"("count": 3, "name": null, "price": null, "colour": null)");
  EXPECT_EQ(t.name, "none");
  EXPECT_FALSE(t.price.has_value());
  EXPECT_EQ(t.colour, 0U);
}

TEST(Fields, AnUnknownKeyIsNamedWithTheNearestKnownOne) {
  const std::string error = error_of(R"("count": 3, "coulor": "red")");
  expect_has(error, "thing.json#/coulor: unknown key 'coulor'; did you mean 'colour'?");
  expect_has(error, "known keys: schema, count, name");
  expect_has(error_of(R"("count": 1, "parts": [{"share": 1, "sahre": 1}])"),
             "thing.json#/parts/0/sahre: unknown key 'sahre'; did you mean 'share'?");
}

TEST(Fields, AMissingKeyIsNamedWithTheKeyThatLooksLikeIt) {
  expect_has(error_of(R"("cuont": 3)"), "key 'count' is missing; there is 'cuont'");
  expect_has(error_of(R"("name": "x")"), "thing.json: key 'count' is missing");
  expect_has(error_of(R"("count": 1, "parts": [{}])"), "thing.json#/parts/0: key 'share' is missing");
}

TEST(Fields, NumbersAsTextAreRefusedWhereTheKeyHasNoUnit) {
  expect_has(error_of(R"("count": "3")"), R"(thing.json#/count: found "3", expected a whole number)");
  expect_has(error_of(R"("count": 1, "price": "2")"), R"(found "2", expected a number of at least 0)");
}

TEST(Fields, WrongTypesAreRefusedWithWhatWasExpected) {
  expect_has(error_of(R"("count": true)"), "found true, expected a whole number");
  expect_has(error_of(R"("count": 2.5)"), "found 2.5, expected a whole number");
  expect_has(error_of(R"("count": 1e300)"), "expected a whole number");
  expect_has(error_of(R"("count": null)"), "found null, expected a whole number");
  expect_has(error_of(R"("count": 1, "on": 1)"), "found 1, expected true or false");
  expect_has(error_of(R"("count": 1, "name": 5)"), "found 5, expected text in quotes");
  expect_has(error_of(R"("count": 1, "parts": {})"), "found {}, expected a list");
  expect_has(error_of(R"("count": 1, "parts": [7])"), "#/parts/0: found 7, expected an object");
  expect_has(error_of(R"("count": 1, "memory": [])"), R"(or text such as "80GB")");
  EXPECT_EQ(read(R"("count": 3.0)").count, 3);
}

TEST(Fields, LimitsHoldAndAreNamed) {
  expect_has(error_of(R"("count": 0)"), "found 0, expected a number of at least 1");
  expect_has(error_of(R"("count": 1, "parts": [{"share": 1.5}])"),
             "found 1.5, expected a number from 0 to 1");
  expect_has(error_of(R"("count": 1, "memory": 0)"), "found 0, expected a positive number");
  expect_has(error_of(R"("count": 1, "memory": "-5GB")"), R"(found "-5GB", expected a positive number)");
  EXPECT_EQ(read(R"("count": 1, "parts": [{"share": 1}, {"share": 0}])").parts.size(), 2U);
}

TEST(Fields, AWrongUnitPointsAtTheKey) {
  expect_has(error_of(R"("count": 1, "memory": "80GX")"), "thing.json#/memory: found unit 'GX' in '80GX'");
}

TEST(Fields, AChoiceNamesTheNearestOfAll) {
  expect_has(error_of(R"("count": 1, "colour": "gren")"),
             "thing.json#/colour: found 'gren', expected one of red, green, blue; did you mean 'green'?");
  expect_has(error_of(R"("count": 1, "colour": "")"), "found '', expected one of red, green, blue");
}

TEST(Fields, AnotherSchemaIsRefused) {
  const Json json = parse_json(R"({"schema": "orrery.thing/2", "count": 1})", "thing.json");
  Thing thing;
  try {
    read_value(JsonNode{json, "thing.json", ""}, thing);
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    expect_has(error.what(), "thing.json#/schema: found 'orrery.thing/2', expected 'orrery.thing/1'");
  }
}

TEST(Fields, WrittenThenReadIsTheSame) {
  Thing t = read(R"("count": 3, "name": "x", "memory": 5, "parts": [{"share": 0.1}], "colour": "green")");
  const Json written = JsonWriter::to_json_value(t);
  EXPECT_EQ(written.dump(), R"({"schema":"orrery.thing/1","count":3,"name":"x","on":false,"memory":5.0,)"
                            R"("parts":[{"share":0.1}],"price":null,"colour":"green"})");
  Thing again;
  read_value(JsonNode{written, "again", ""}, again);
  EXPECT_EQ(JsonWriter::to_json_value(again), written);
}

TEST(ParseJson, SyntaxErrorsComeWithLineAndColumn) {
  // The comma after 1 stands in line 2, the brace that surprises in line 3, column 1.
  expect_has(parse_error_of("{\n  \"a\": 1,\n}"), "f.json:3:1: malformed JSON");
  expect_has(parse_error_of(R"({"a" 1})"), "f.json:1:6: malformed JSON");
  expect_has(parse_error_of(""), "f.json:1:1: malformed JSON");
  expect_has(parse_error_of("{} x"), "malformed JSON");
}

TEST(ParseJson, NumbersThatAreNoneAreMalformed) {
  for (const char* text : {R"({"a": NaN})", R"({"a": Infinity})", R"({"a": 01})", R"({"a": .5})"}) {
    expect_has(parse_error_of(text), "f.json:1:");
  }
  expect_has(parse_error_of(R"({"a": 1e999})"), "number out of range '1e999'");
}

TEST(ParseJson, AKeyGivenTwiceIsRefusedWhereItStands) {
  expect_has(parse_error_of("{\"a\": \"x:\\\"y\",\n \"b\": 2,\n  \"a\": 3}"),
             "f.json:3:3: key 'a' is given twice");
  expect_has(parse_error_of(R"([{"a": 1}, {"b": {"c": 1, "c": 1}}])"), "f.json:1:27: key 'c' is given twice");
  EXPECT_EQ(parse_error_of(R"({"a": {"a": 1}, "b": {"a": 2}})"), "accepted");
}

TEST(ParseJson, ExtremeNestingIsRefusedInsteadOfExhaustingTheStack) {
  const std::string deep(200000, '[');
  expect_has(parse_error_of(deep), "nested deeper than");
  EXPECT_EQ(parse_error_of("[[[[[[[[[[]]]]]]]]]]"), "accepted");
}

TEST(ParseJson, LongValuesAreCutInErrors) {
  const std::string error = error_of("\"count\": \"" + std::string(500, 'x') + "\"");
  expect_has(error, "xxx...");
  EXPECT_LT(error.size(), 200U);
}

TEST(ReadableText, PutsListsOfNumbersIntoOneLine) {
  const Json json = parse_json(
      R"({"a": {"b": [1, 2.5, -3e-9], "c": []}, "d": [[1, 2], [3, 4]], "e": "x\"y", "f": {}})", "test");
  EXPECT_EQ(to_readable_text(json),
            "{\n  \"a\": {\n    \"b\": [1, 2.5, -3e-09],\n    \"c\": []\n  },\n  \"d\": [\n    [1, 2],\n    "
            "[3, 4]\n  ],"
            "\n  \"e\": \"x\\\"y\",\n  \"f\": {}\n}");
  // Long lists break, every line at most 100 columns, and what is read again is the same.
  Json list = Json::array();
  for (int i = 0; i < 200; ++i) list.push_back(0.001 * i);
  const std::string text = to_readable_text(Json{{"numbers", list}});
  std::size_t longest = 0, from = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos;
       from = end + 1, end = text.find('\n', from))
    longest = std::max(longest, end - from);
  EXPECT_LE(longest, 102U);
  EXPECT_GT(longest, 80U);
  EXPECT_EQ(parse_json(text, "test")["numbers"], list);
}

}  // namespace
}  // namespace orrery
