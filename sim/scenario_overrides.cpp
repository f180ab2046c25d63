#include "sim/scenario_overrides.hpp"

#include <fmt/format.h>

#include "sim/scenario_keys.hpp"

namespace orrery {
namespace {

std::vector<std::string> split_key(const Override& change) {
  std::vector<std::string> parts{""};
  for (const char c : change.key) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  for (const std::string& part : parts) {
    if (part.empty())
      throw InputError(change.place,
                       fmt::format("found key '{}', expected a dotted key such as layout.pp", change.key));
  }
  return parts;
}

Json value_of(const Override& change) {
  const ScenarioKey* key = find_scenario_key(change.key);
  const bool quoted = !change.value.empty() && change.value.front() == '"';
  const bool list = !change.value.empty() && change.value.front() == '[';
  if (key != nullptr && key->is_text && !quoted && !list) return change.value;
  if (!Json::accept(change.value)) return change.value;
  return Json::parse(change.value);
}

std::string pointer_of(const Override& change) {
  std::string pointer;
  for (const std::string& part : split_key(change)) pointer += "/" + part;
  return pointer;
}

}  // namespace

Json parse_scenario_text(const std::string& text, const std::string& place) {
  if (text.empty()) return Json{{"schema", "orrery.scenario/1"}};
  try {
    Json root = parse_json(text, place);
    if (!root.is_object()) throw InputError(place, "expected an object { ... }");
    return root;
  } catch (const Json::exception& error) {  // a number no double can hold
    throw InputError(place, fmt::format("malformed JSON: {}", error.what()));
  }
}

void apply_overrides(Json& root, const std::vector<Override>& overrides) {
  for (const Override& change : overrides) {
    const std::vector<std::string> parts = split_key(change);
    Json* node = &root;
    for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
      Json& child = (*node)[parts[i]];
      if (child.is_null()) child = Json::object();
      if (!child.is_object())
        throw InputError(change.place,
                         fmt::format("'{}' is a plain value and holds no key '{}'", parts[i], parts[i + 1]));
      node = &child;
    }
    (*node)[parts.back()] = value_of(change);
  }
}

std::string place_of(const std::string& pointer, const std::string& file,
                     const std::vector<Override>& overrides) {
  for (auto it = overrides.rbegin(); it != overrides.rend(); ++it) {
    const std::string own = pointer_of(*it);
    if (pointer == own || pointer.starts_with(own + "/")) return it->place;
  }
  return pointer.empty() ? file : file + "#" + pointer;
}

}  // namespace orrery
