#include "sim/model/zoo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"
#include "sim/model/zoo_files.hpp"

namespace orrery {

/// The `_orrery` object of a zoo file.
template <class V>
void fields(V& v, ZooEntry& entry) {
  v.required("source", entry.source);
  v.required("published_parameters", entry.published_parameters, kPositive);
  v.required("published_precision", entry.published_precision, between(0, 0.1));
  v.required("published_active_parameters", entry.published_active);
  v.optional("published_active_precision", entry.published_active_precision, between(0, 0.1));
  v.optional("published_active_without_lookup", entry.active_without_lookup);
  v.optional("note", entry.note);
}

namespace {

ZooEntry read_entry(const ZooFile& file) {
  const std::string place = fmt::format("zoo/{}.json", file.name);
  const Json root = parse_json(file.text, place);
  SIM_CHECK(root.contains("_orrery"), place);
  ZooEntry entry;
  read_value(JsonNode{root.at("_orrery"), place, "/_orrery"}, entry);
  entry.name = std::string(file.name);
  entry.text = std::string(file.text);
  return entry;
}

std::vector<ZooEntry> read_zoo() {
  std::vector<ZooEntry> entries;
  for (const ZooFile& file : zoo_files()) entries.push_back(read_entry(file));
  std::sort(entries.begin(), entries.end(),
            [](const ZooEntry& a, const ZooEntry& b) { return a.name < b.name; });
  return entries;
}

/// Nearest built-in name to a name or to the last part of "maker/Name".
std::string suggestion(const std::string& word) {
  std::vector<std::string> names;
  for (const ZooEntry& entry : zoo()) names.push_back(entry.name);
  const std::string whole = did_you_mean(word, names);
  if (!whole.empty()) return whole;
  return did_you_mean(std::filesystem::path(word).filename().string(), names);
}

}  // namespace

std::span<const ZooEntry> zoo() {
  static const std::vector<ZooEntry> kEntries = read_zoo();
  return kEntries;
}

const ZooEntry* find_in_zoo(std::string_view name) {
  const std::span<const ZooEntry> entries = zoo();
  const auto it = std::lower_bound(entries.begin(), entries.end(), name,
                                   [](const ZooEntry& entry, std::string_view n) { return entry.name < n; });
  return it != entries.end() && it->name == name ? &*it : nullptr;
}

LoadedModel load_model(const std::string& name_or_path, const std::filesystem::path& relative_to) {
  if (name_or_path.empty())
    throw InputError("model",
                     "found an empty name, expected a built-in model or a path; see 'orrery list models'");
  if (const ZooEntry* entry = find_in_zoo(name_or_path))
    return parse_hf_config(entry->text, "zoo/" + entry->name + ".json", entry->name);
  const std::filesystem::path path = relative_to / name_or_path;  // an absolute path replaces relative_to
  std::error_code code;
  if (std::filesystem::exists(path, code)) return load_hf_config(path);
  throw InputError(
      "model",
      fmt::format("found '{}', expected a built-in model, a config.json or a folder that holds one{} "
                  "('orrery list models' shows the built-in ones)",
                  name_or_path, suggestion(name_or_path)));
}

}  // namespace orrery
