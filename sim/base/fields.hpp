#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/check.hpp"
#include "sim/base/units.hpp"

/// Strict JSON on top of nlohmann/json: one `template <class V> void fields(V& v, Struct& s)` per struct
/// serves reading (JsonReader) and writing (JsonWriter). Unknown keys, missing keys, wrong types, NaN,
/// duplicates and numbers out of range are InputErrors with file, JSON pointer and the nearest known key.
namespace orrery {

using Json = nlohmann::ordered_json;

/// Inclusive limits of a number.
struct Limits {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool open_low = false;  ///< `low` itself is not allowed
};
inline constexpr Limits kAnyNumber{};
inline constexpr Limits kPositive{.low = 0, .open_low = true};
inline constexpr Limits kNonNegative{.low = 0};
[[nodiscard]] constexpr Limits at_least(double low) {
  return Limits{.low = low};
}
[[nodiscard]] constexpr Limits between(double low, double high) {
  return Limits{.low = low, .high = high};
}

/// Parses JSON text; duplicate keys and syntax errors are InputErrors with file:line:column.
[[nodiscard]] Json parse_json(std::string_view text, const std::string& place);
/// Reads a whole file; a missing or unreadable file is an InputError.
[[nodiscard]] std::string read_file(const std::filesystem::path& path);
/// Writes `text` to a temporary neighbour of `name` and renames it: never half a file. Devices and pipes are
/// written directly, a link keeps pointing where it does.
void write_file(const std::filesystem::path& name, std::string_view text);
[[nodiscard]] Json load_json(const std::filesystem::path& path);
/// As `dump(2)`, but lists of plain numbers stand in one line, or in several of some 100 columns.
[[nodiscard]] std::string to_readable_text(const Json& value);

/// One JSON value with the place it stands at.
struct JsonNode {
  const Json& value;
  std::string place;    ///< file name or option
  std::string pointer;  ///< JSON pointer inside it

  [[nodiscard]] std::string where() const { return pointer.empty() ? place : place + "#" + pointer; }
  /// Place of the member `key` of this object.
  [[nodiscard]] std::string where(const std::string& key) const { return place + "#" + pointer + "/" + key; }
  /// Throws InputError "found <value>, expected <expected>".
  [[noreturn]] void fail(const std::string& expected) const;
};

void read_value(const JsonNode& node, bool& out, Limits limits = kAnyNumber);
void read_value(const JsonNode& node, std::int64_t& out, Limits limits = kAnyNumber);
void read_value(const JsonNode& node, double& out, Limits limits = kAnyNumber);
void read_value(const JsonNode& node, std::string& out, Limits limits = kAnyNumber);
/// Quantities are numbers in the base unit or text with a unit.
void read_value(const JsonNode& node, Bytes& out, Limits limits = kAnyNumber);
void read_value(const JsonNode& node, Seconds& out, Limits limits = kAnyNumber);
void read_value(const JsonNode& node, BytesPerSecond& out, Limits limits = kAnyNumber);
void read_value(const JsonNode& node, FlopsPerSecond& out, Limits limits = kAnyNumber);
void read_value(const JsonNode& node, Watts& out, Limits limits = kAnyNumber);

class JsonReader;
template <class T>
concept HasFields = requires(JsonReader& reader, T& value) {
  fields(reader, value);
};

/// Reads one JSON object key by key and refuses what it was not asked for.
class JsonReader {
 public:
  static constexpr bool reading = true;
  explicit JsonReader(JsonNode node);

  template <class T>
  void required(const char* key, T& out, Limits limits = kAnyNumber) {
    const Json* child = find(key);
    if (child == nullptr) missing(key);
    read_value(JsonNode{*child, node_.place, node_.pointer + "/" + key}, out, limits);
  }
  /// Absent or null leaves `out` as it is.
  template <class T>
  void optional(const char* key, T& out, Limits limits = kAnyNumber) {
    const Json* child = find(key);
    if (child == nullptr || child->is_null()) return;
    read_value(JsonNode{*child, node_.place, node_.pointer + "/" + key}, out, limits);
  }
  /// A key whose value must be one of `choices`; the position in `choices` is stored.
  void choice(const char* key, std::size_t& out, const std::vector<std::string>& choices, bool must = true);
  /// Throws for the first key that nobody asked for.
  void finish() const;
  [[nodiscard]] const JsonNode& node() const { return node_; }
  [[nodiscard]] bool has(const char* key) const { return node_.value.contains(key); }

 private:
  const Json* find(const char* key);
  [[noreturn]] void missing(const char* key) const;
  JsonNode node_;
  std::vector<std::string> known_;
};

template <HasFields T>
void read_value(const JsonNode& node, T& out, Limits = kAnyNumber) {
  JsonReader reader(node);
  fields(reader, out);
  reader.finish();
}
template <class T>
void read_value(const JsonNode& node, std::optional<T>& out, Limits limits = kAnyNumber) {
  if (node.value.is_null()) {
    out.reset();
    return;
  }
  T value{};
  read_value(node, value, limits);
  out = std::move(value);
}
template <class T>
void read_value(const JsonNode& node, std::vector<T>& out, Limits limits = kAnyNumber) {
  if (!node.value.is_array()) node.fail("a list");
  out.clear();
  std::size_t i = 0;
  for (const Json& element : node.value) {
    T value{};
    read_value(JsonNode{element, node.place, node.pointer + "/" + std::to_string(i++)}, value, limits);
    out.push_back(std::move(value));
  }
}

/// Writes one JSON object; keys in the order `fields` names them.
class JsonWriter {
 public:
  static constexpr bool reading = false;
  Json out = Json::object();

  template <class T>
  void required(const char* key, const T& value, Limits = kAnyNumber) {
    out[key] = to_json_value(value);
  }
  template <class T>
  void optional(const char* key, const T& value, Limits = kAnyNumber) {
    out[key] = to_json_value(value);
  }
  void choice(const char* key, std::size_t& value, const std::vector<std::string>& choices, bool = true) {
    out[key] = choices.at(value);
  }

  template <class T>
  static Json to_json_value(const T& value) {
    if constexpr (requires(JsonWriter & w, T & v) { fields(w, v); }) {
      JsonWriter inner;
      T copy = value;
      fields(inner, copy);
      return std::move(inner.out);
    } else {
      return Json(value);
    }
  }
  template <class Tag>
  static Json to_json_value(const Quantity<Tag>& value) {
    return Json(value.value);
  }
  template <class T>
  static Json to_json_value(const std::optional<T>& value) {
    return value ? to_json_value(*value) : Json(nullptr);
  }
  template <class T>
  static Json to_json_value(const std::vector<T>& values) {
    Json list = Json::array();
    for (const T& value : values) list.push_back(to_json_value(value));
    return list;
  }
};

/// The `schema` key: written as `expected`, refused on reading when it says anything else.
template <class V>
void schema_field(V& v, const char* expected) {
  std::string schema = expected;
  v.required("schema", schema);
  if constexpr (V::reading) {
    if (schema != expected) {
      throw InputError(v.node().where("schema"), "found '" + schema + "', expected '" + expected + "'");
    }
  }
}

}  // namespace orrery
