#include "sim/base/fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <set>
#include <sstream>

#include "sim/base/suggest.hpp"
#include "sim/base/units_text.hpp"

namespace orrery {
namespace {

std::string position(std::string_view text, std::size_t byte) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (std::size_t i = 0; i + 1 < byte && i < text.size(); ++i) {
    if (text[i] == '\n') {
      ++line;
      column = 1;
    } else {
      ++column;
    }
  }
  return fmt::format(":{}:{}", line, column);
}

/// Deeper nesting is no file of ours, and would exhaust the stack when it is printed.
constexpr int kMaxDepth = 100;

/// Position (from 1, as parse errors count) of the opening quote of key number `count` of valid JSON.
std::size_t key_byte(std::string_view text, std::size_t count) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '"') continue;
    const std::size_t start = i;
    for (++i; i < text.size() && text[i] != '"'; ++i) i += text[i] == '\\' ? 1 : 0;
    const std::size_t next = text.find_first_not_of(" \t\r\n", i + 1);
    if (next != std::string_view::npos && text[next] == ':' && --count == 0) return start + 1;
  }
  return text.size();
}

/// " '1e999'" of the parser's "number overflow parsing '1e999'".
std::string number_in(std::string_view what) {
  const std::size_t quote = what.find('\'');
  return quote == std::string_view::npos ? std::string{} : " " + std::string(what.substr(quote));
}

std::string shown(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

std::string limits_text(Limits limits) {
  if (limits.open_low)
    return limits.low == 0 ? "a positive number" : fmt::format("a number above {:g}", limits.low);
  if (std::isfinite(limits.low) && std::isfinite(limits.high)) {
    return fmt::format("a number from {:g} to {:g}", limits.low, limits.high);
  }
  if (std::isfinite(limits.low)) return fmt::format("a number of at least {:g}", limits.low);
  return "a number";
}

void check_limits(const JsonNode& node, double value, Limits limits) {
  const bool low_ok = limits.open_low ? value > limits.low : value >= limits.low;
  if (!std::isfinite(value) || !low_ok || value > limits.high) node.fail(limits_text(limits));
}

template <class Q, class Parse>
void read_quantity(const JsonNode& node, Q& out, Limits limits, Parse parse, const char* example) {
  if (node.value.is_number()) {
    out = Q{node.value.get<double>()};
  } else if (node.value.is_string()) {
    out = parse(node.value.get<std::string>(), node.where());
  } else {
    node.fail(fmt::format("a number in the base unit or text such as \"{}\"", example));
  }
  check_limits(node, out.value, limits);
}

}  // namespace

Json parse_json(std::string_view text, const std::string& place) {
  std::vector<std::set<std::string>> keys;
  std::size_t seen = 0;
  const auto callback = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kMaxDepth)
      throw InputError(place, fmt::format("nested deeper than {} levels, expected a flat file", kMaxDepth));
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event != Json::parse_event_t::key) return true;
    ++seen;
    const auto key = parsed.get<std::string>();
    if (!keys.back().insert(key).second) {
      throw InputError(place + position(text, key_byte(text, seen)),
                       fmt::format("key '{}' is given twice; keep one", key));
    }
    return true;
  };
  try {
    return Json::parse(text, callback);
  } catch (const Json::out_of_range& error) {
    throw InputError(place, std::string("malformed JSON: number out of range") + number_in(error.what()));
  } catch (const Json::parse_error& error) {
    std::string what = error.what();
    const std::size_t colon = what.find("error while parsing");
    const std::size_t syntax = what.find("syntax error");
    if (syntax != std::string::npos) {
      what = what.substr(syntax);
    } else if (colon != std::string::npos) {
      what = what.substr(colon);
    }
    throw InputError(place + position(text, error.byte), "malformed JSON: " + what);
  }
}

std::string read_file(const std::filesystem::path& path) {
  std::error_code code;
  if (std::filesystem::is_directory(path, code))
    throw InputError(path.string(), "is a folder, expected a file");
  std::ifstream in(path, std::ios::binary);
  if (!in) throw InputError(path.string(), "cannot be read (no such file, or no permission)");
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_file(const std::filesystem::path& name, std::string_view text) {
  std::error_code code;
  if (std::filesystem::is_directory(name, code))
    throw InputError(name.string(), "is a folder, expected a file name to write");
  if (std::filesystem::exists(name, code) && !std::filesystem::is_regular_file(name, code)) {
    // A device or pipe (/dev/null) must not be replaced by a file.
    std::ofstream out(name, std::ios::binary);
    out << text;
    out.flush();
    if (!out) throw InputError(name.string(), "cannot be written");
    return;
  }
  // A link stays a link: its target is what is replaced.
  const std::filesystem::path linked = std::filesystem::canonical(name, code);
  const std::filesystem::path path = code ? name : linked;
  std::filesystem::path temporary = path;
  temporary += ".part";
  {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out << text;
    out.flush();
    if (!out) {
      std::filesystem::remove(temporary, code);
      throw InputError(path.string(), "cannot be written (folder missing, read-only or full)");
    }
  }
  std::filesystem::rename(temporary, path, code);
  if (code) {
    std::filesystem::remove(temporary, code);
    throw InputError(path.string(), "cannot be written: " + code.message());
  }
}

namespace {

bool is_plain_list(const Json& value) {
  return value.is_array() && !value.empty() &&
         std::all_of(value.begin(), value.end(), [](const Json& element) { return element.is_number(); });
}

void append_plain_list(const Json& list, const std::string& indent, std::string& out) {
  constexpr std::size_t kColumns = 100;
  std::size_t line = out.rfind('\n') + 1;
  out += '[';
  bool first = true;
  for (const Json& number : list) {
    const std::string text = number.dump();
    if (!first) out += ',';
    if (out.size() - line + text.size() > kColumns) {
      out += "\n" + indent;
      line = out.size() - indent.size();
    } else if (!first) {
      out += ' ';
    }
    out += text;
    first = false;
  }
  out += ']';
}

void append_readable(const Json& value, const std::string& indent, std::string& out) {
  if (is_plain_list(value)) {
    append_plain_list(value, indent + "  ", out);
    return;
  }
  if (value.empty() || !(value.is_object() || value.is_array())) {
    out += value.dump();
    return;
  }
  out += value.is_object() ? '{' : '[';
  bool first = true;
  for (const auto& item : value.items()) {
    out += (first ? "\n" : ",\n") + indent + "  ";
    if (value.is_object()) out += Json(item.key()).dump() + ": ";
    append_readable(item.value(), indent + "  ", out);
    first = false;
  }
  out += "\n" + indent + (value.is_object() ? '}' : ']');
}

}  // namespace

std::string to_readable_text(const Json& value) {
  std::string out;
  append_readable(value, "", out);
  return out;
}

Json load_json(const std::filesystem::path& path) {
  return parse_json(read_file(path), path.string());
}

void JsonNode::fail(const std::string& expected) const {
  throw InputError(where(), fmt::format("found {}, expected {}", shown(value), expected));
}

void read_value(const JsonNode& node, bool& out, Limits) {
  if (!node.value.is_boolean()) node.fail("true or false");
  out = node.value.get<bool>();
}

void read_value(const JsonNode& node, std::int64_t& out, Limits limits) {
  if (!node.value.is_number()) node.fail("a whole number, " + limits_text(limits));
  const double number = node.value.get<double>();
  if (std::floor(number) != number || std::abs(number) > 9.0e15)
    node.fail("a whole number, " + limits_text(limits));
  check_limits(node, number, limits);
  out = static_cast<std::int64_t>(number);
}

void read_value(const JsonNode& node, double& out, Limits limits) {
  if (!node.value.is_number()) node.fail(limits_text(limits));
  out = node.value.get<double>();
  check_limits(node, out, limits);
}

void read_value(const JsonNode& node, std::string& out, Limits) {
  if (!node.value.is_string()) node.fail("text in quotes");
  out = node.value.get<std::string>();
}

void read_value(const JsonNode& node, Bytes& out, Limits limits) {
  read_quantity(node, out, limits, parse_bytes, "80GB");
}
void read_value(const JsonNode& node, Seconds& out, Limits limits) {
  read_quantity(node, out, limits, parse_seconds, "10us");
}
void read_value(const JsonNode& node, BytesPerSecond& out, Limits limits) {
  read_quantity(node, out, limits, parse_bytes_per_second, "400Gbit/s");
}
void read_value(const JsonNode& node, FlopsPerSecond& out, Limits limits) {
  read_quantity(node, out, limits, parse_flops_per_second, "990TFLOPS");
}
void read_value(const JsonNode& node, Watts& out, Limits limits) {
  read_quantity(node, out, limits, parse_watts, "700W");
}

JsonReader::JsonReader(JsonNode node) : node_(std::move(node)) {
  if (!node_.value.is_object()) node_.fail("an object { ... }");
}

const Json* JsonReader::find(const char* key) {
  known_.emplace_back(key);
  const auto it = node_.value.find(key);
  return it == node_.value.end() ? nullptr : &*it;
}

void JsonReader::missing(const char* key) const {
  std::vector<std::string> present;
  for (const auto& item : node_.value.items()) present.push_back(item.key());
  const std::string hit = nearest(key, present);
  throw InputError(node_.where(),
                   fmt::format("key '{}' is missing{}", key, hit.empty() ? "" : "; there is '" + hit + "'"));
}

void JsonReader::choice(const char* key, std::size_t& out, const std::vector<std::string>& choices,
                        bool must) {
  std::string text;
  if (must) {
    required(key, text);
  } else {
    if (!has(key) || node_.value.at(key).is_null()) {
      known_.emplace_back(key);
      return;
    }
    optional(key, text);
  }
  const auto it = std::find(choices.begin(), choices.end(), text);
  if (it == choices.end()) {
    throw InputError(node_.where(key), fmt::format("found '{}', expected one of {}{}", text, join(choices),
                                                   did_you_mean(text, choices)));
  }
  out = static_cast<std::size_t>(it - choices.begin());
}

void JsonReader::finish() const {
  for (const auto& item : node_.value.items()) {
    if (std::find(known_.begin(), known_.end(), item.key()) != known_.end()) continue;
    throw InputError(node_.where(item.key()), fmt::format("unknown key '{}'{}; known keys: {}", item.key(),
                                                          did_you_mean(item.key(), known_), join(known_)));
  }
}

}  // namespace orrery
