#include "sim/model/config_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

bool contains(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string shown(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() > 60 ? text.substr(0, 57) + "..." : text;
}

Json parse_object(std::string_view text, const std::string& place) {
  Json root;
  try {
    root = parse_json(text, place);
  } catch (const Json::exception& error) {  // e.g. a number such as 1e999
    throw InputError(place, fmt::format("malformed JSON: {}", error.what()));
  }
  if (!root.is_object()) throw InputError(place, "expected a JSON object { ... }, found " + shown(root));
  return root;
}

}  // namespace

struct ConfigReader::State {
  std::string place;
  Json root;
  std::vector<std::string> used;
  std::vector<std::string> skipped;
  std::vector<std::string> assumed;
  std::vector<ConfigKey> missing;

  /// The value, or nullptr where the key is absent. Two names with two values are an error.
  const Json* find(const ConfigKey& key) {
    const Json* by_name = mark(key.name);
    const Json* by_alias = key.alias.empty() ? nullptr : mark(key.alias);
    if (by_name != nullptr && by_alias != nullptr && *by_name != *by_alias) {
      throw InputError(place + "#/" + key.alias,
                       fmt::format("found {}, but '{}' is another name of the same size and says {}",
                                   shown(*by_alias), key.name, shown(*by_name)));
    }
    return by_name != nullptr ? by_name : by_alias;
  }

  /// The name under which the key stands in the file.
  [[nodiscard]] std::string name_in_file(const ConfigKey& key) const {
    return !root.contains(key.name) && !key.alias.empty() && root.contains(key.alias) ? key.alias : key.name;
  }

  void assume(const ConfigKey& key, const std::string& value) { assumed.push_back(key.name + " = " + value); }

 private:
  const Json* mark(const std::string& name) {
    const auto it = root.find(name);
    if (it == root.end()) return nullptr;
    if (!contains(used, name)) used.push_back(name);
    return &*it;
  }
};

ConfigReader::ConfigReader(std::string_view text, std::string place) : state_(std::make_unique<State>()) {
  state_->root = parse_object(text, place);
  state_->place = std::move(place);
}

ConfigReader::~ConfigReader() = default;

void ConfigReader::fail(const ConfigKey& key, const std::string& problem) const {
  throw InputError(state_->place + "#/" + state_->name_in_file(key), problem);
}

namespace {

/// What is wrong with `value` as a whole number in `range`; empty when nothing is.
std::string integer_problem(const Json& value, IntegerRange range) {
  const std::string expected = fmt::format("a whole number from {} to {}", range.low, range.high);
  if (value.is_string())
    return fmt::format("found the text {}, expected {} (without quotes)", shown(value), expected);
  if (!value.is_number()) return fmt::format("found {}, expected {}", shown(value), expected);
  const double number = value.get<double>();
  if (!std::isfinite(number) || std::floor(number) != number || number < static_cast<double>(range.low) ||
      number > static_cast<double>(range.high)) {
    return fmt::format("found {}, expected {}", shown(value), expected);
  }
  return {};
}

}  // namespace

std::int64_t ConfigReader::integer(const ConfigKey& key, IntegerRange range) {
  const Json* value = state_->find(key);
  if (value == nullptr) {
    state_->missing.push_back(key);
    return range.low;
  }
  const std::string problem = integer_problem(*value, range);
  if (!problem.empty()) fail(key, problem);
  return static_cast<std::int64_t>(value->get<double>());
}

std::int64_t ConfigReader::integer_or_null(const ConfigKey& key, IntegerRange range, std::int64_t when_null) {
  const Json* value = state_->find(key);
  return value != nullptr && value->is_null() ? when_null : integer(key, range);
}

std::int64_t ConfigReader::integer_or(const ConfigKey& key, IntegerRange range, std::int64_t fallback) {
  const Json* value = state_->find(key);
  if (value != nullptr && !value->is_null()) return integer(key, range);
  state_->assume(key, std::to_string(fallback));
  return fallback;
}

bool ConfigReader::flag(const ConfigKey& key, bool fallback) {
  const Json* value = state_->find(key);
  if (value == nullptr || value->is_null()) {
    state_->assume(key, fallback ? "true" : "false");
    return fallback;
  }
  if (!value->is_boolean()) fail(key, fmt::format("found {}, expected true or false", shown(*value)));
  return value->get<bool>();
}

std::string ConfigReader::text(const ConfigKey& key, const std::string& fallback) {
  const Json* value = state_->find(key);
  if (value == nullptr || value->is_null()) {
    state_->assume(key, fallback);
    return fallback;
  }
  if (!value->is_string()) fail(key, fmt::format("found {}, expected text in quotes", shown(*value)));
  return value->get<std::string>();
}

std::string ConfigReader::first_text(const ConfigKey& key) {
  const Json* value = state_->find(key);
  if (value == nullptr) {
    state_->missing.push_back(key);
    finish();
  }
  if (!value->is_array() || value->empty() || !value->front().is_string())
    fail(key, fmt::format("found {}, expected a list such as [\"LlamaForCausalLM\"]", shown(*value)));
  return value->front().get<std::string>();
}

std::vector<std::int64_t> ConfigReader::integers(const ConfigKey& key, IntegerRange range) {
  std::vector<std::int64_t> out;
  const Json* value = state_->find(key);
  if (value == nullptr || value->is_null()) return out;
  if (!value->is_array()) fail(key, fmt::format("found {}, expected a list of numbers", shown(*value)));
  for (const Json& entry : *value) {
    const std::string problem = integer_problem(entry, range);
    if (!problem.empty()) fail(key, problem);
    out.push_back(static_cast<std::int64_t>(entry.get<double>()));
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

std::vector<std::string> ConfigReader::texts(const ConfigKey& key, const std::vector<std::string>& choices) {
  std::vector<std::string> out;
  const Json* value = state_->find(key);
  if (value == nullptr) {
    state_->missing.push_back(key);
    return out;
  }
  if (!value->is_array()) fail(key, fmt::format("found {}, expected a list of texts", shown(*value)));
  for (const Json& entry : *value) {
    const std::string word = entry.is_string() ? entry.get<std::string>() : std::string();
    if (!contains(choices, word))
      fail(key, fmt::format("found {}, expected one of {}{}", shown(entry), join(choices),
                            did_you_mean(word, choices)));
    out.push_back(word);
  }
  return out;
}

bool ConfigReader::has_value(const ConfigKey& key) const {
  const auto it = state_->root.find(state_->name_in_file(key));
  return it != state_->root.end() && !it->is_null();
}

void ConfigReader::skip(const ConfigKey& key) {
  state_->skipped.push_back(key.name);
}

void ConfigReader::finish() const {
  if (state_->missing.empty()) return;
  const std::vector<std::string> candidates = ignored_keys();
  std::vector<std::string> parts;
  for (const ConfigKey& key : state_->missing) {
    std::string part = "'" + key.name + "'";
    if (!key.alias.empty()) part += " (or '" + key.alias + "')";
    const std::string near = nearest(key.name, candidates);
    if (!near.empty()) part += fmt::format(" (there is '{}')", near);
    parts.push_back(part);
  }
  throw InputError(state_->place,
                   fmt::format("missing {}: {}", parts.size() == 1 ? "key" : "keys", join(parts)));
}

std::vector<std::string> ConfigReader::used_keys() const {
  return state_->used;
}

std::vector<std::string> ConfigReader::ignored_keys() const {
  std::vector<std::string> out;
  for (const auto& item : state_->root.items()) {
    if (!contains(state_->used, item.key()) && !contains(state_->skipped, item.key()))
      out.push_back(item.key());
  }
  return out;
}

std::vector<std::string> ConfigReader::assumed() const {
  return state_->assumed;
}

}  // namespace orrery
