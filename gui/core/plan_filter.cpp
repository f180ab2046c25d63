#include "gui/core/plan_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <sstream>

#include "gui/core/plan_search.hpp"
#include "gui/core/plan_values.hpp"
#include "sim/base/check.hpp"
#include "sim/base/suggest.hpp"
#include "sim/scenario_keys.hpp"

namespace orrery::gui {
namespace {

constexpr const char* kPlace = "filter";

struct Figure {
  const char* word;
  const char* metric;
  const char* unit;
};
constexpr std::array kFigures{Figure{"step", "step_time_s", "s"},
                              Figure{"gb", "peak_bytes", "GB of the fullest GPU"},
                              Figure{"headroom", "headroom_bytes", "GB left on it"},
                              Figure{"days", "days", "of the run"},
                              Figure{"usd", "usd", "million of rent"},
                              Figure{"mfu", "mfu_causal", "%, causal"},
                              Figure{"tokens", "tokens_per_s_per_gpu", "per second and GPU"},
                              Figure{"w", "gpu_mean_w", "mean draw of a GPU"}};

/// Short names that the search itself uses.
constexpr std::array<std::pair<const char*, const char*>, 7> kShort{{{"mbs", "layout.microbatch_size"},
                                                                     {"zero", "layout.zero_stage"},
                                                                     {"sms", "layout.communication_sms"},
                                                                     {"sp", "layout.sequence_parallel"},
                                                                     {"as", "found_as"},
                                                                     {"status", "status"},
                                                                     {"why", "status"}}};

std::string last_part(std::string_view key) {
  const std::size_t dot = key.rfind('.');
  return std::string(dot == std::string_view::npos ? key : key.substr(dot + 1));
}

std::string whole_key(const std::string& word) {
  for (const auto& [name, key] : kShort) {
    if (word == name) return key;
  }
  // Layouts first: another group may have a key with the same last part.
  for (const bool layout : {true, false}) {
    for (const ScenarioKey& key : scenario_keys()) {
      const std::string name(key.key);
      if (name.starts_with("layout.") == layout && (word == name || word == last_part(name))) return name;
    }
  }
  std::vector<std::string> known;
  for (const auto& [name, key] : kShort) known.emplace_back(name);
  for (const ScenarioKey& key : scenario_keys()) {
    if (std::string_view(key.key).starts_with("layout.")) known.push_back(last_part(key.key));
  }
  throw InputError(kPlace, fmt::format("found '{}:', expected a key of the scenario such as tp{}", word,
                                       did_you_mean(word, known)));
}

double number(const std::string& word, std::string text, const std::string& figure) {
  double scale = 1;
  if (text.ends_with('%')) text.pop_back();
  if (figure == "usd" && !text.empty()) {
    // Shown in millions; with a letter as people write it.
    if (text.ends_with('k')) scale = 1e-3;
    if (text.ends_with('B')) scale = 1e3;
    if (scale != 1 || text.ends_with('M')) text.pop_back();
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw InputError(kPlace, fmt::format("found '{}', expected a number such as {}<80", word, figure));
  return value * scale;
}

PlanFilter::Limit limit_of(const std::string& word, std::size_t at) {
  const std::string name = word.substr(0, at);
  PlanFilter::Limit limit;
  limit.at_most = word[at] == '<';
  limit.equal = at + 1 < word.size() && word[at + 1] == '=';
  std::vector<std::string> known;
  for (const Figure& figure : kFigures) {
    known.emplace_back(figure.word);
    if (name != figure.word && name != figure.metric) continue;
    limit.metric = static_cast<std::size_t>(metric_index(figure.metric));
    limit.value = number(word, word.substr(at + (limit.equal ? 2 : 1)), figure.word);
    return limit;
  }
  throw InputError(kPlace, fmt::format("found '{}', expected a figure: {}{}", word, join(known),
                                       did_you_mean(name, known)));
}

bool same_word(const std::string& wanted, const std::string& found) {
  if (wanted == found) return true;
  // Of "norms+activation" each part counts; of "best 3, front 1" each kind.
  std::istringstream parts(found);
  for (std::string part; std::getline(parts, part, found.find('+') == std::string::npos ? ',' : '+');) {
    part.erase(0, part.find_first_not_of(' '));
    if (part == wanted || part.starts_with(wanted + " ")) return true;
  }
  return false;
}

std::string value_of(const PlanItem& item, const std::string& key) {
  if (key == "found_as") return item.found_as;
  if (key == "status") return item.row.status == "ok" ? "ok" : item.row.reason_code;
  return shown_input(item.row, key);
}

}  // namespace

PlanFilter parse_filter(const std::string& text) {
  PlanFilter filter;
  std::istringstream in(text);
  for (std::string word; in >> word;) {
    const std::size_t at = word.find_first_of("<>:");
    if (at == std::string::npos || at == 0)
      throw InputError(kPlace, fmt::format("found '{}', expected words such as tp:1 or gb<80", word));
    if (word[at] != ':') {
      filter.limits.push_back(limit_of(word, at));
      continue;
    }
    PlanFilter::Values values{whole_key(word.substr(0, at)), split_values(word.substr(at + 1))};
    if (values.any_of.empty())
      throw InputError(kPlace, fmt::format("found '{}', expected a value behind the colon", word));
    filter.values.push_back(std::move(values));
  }
  return filter;
}

bool passes(const PlanFilter& filter, const PlanItem& item) {
  for (const PlanFilter::Values& v : filter.values) {
    const std::string found = value_of(item, v.key);
    if (std::none_of(v.any_of.begin(), v.any_of.end(),
                     [&](const std::string& wanted) { return same_word(wanted, found); }))
      return false;
  }
  for (const PlanFilter::Limit& l : filter.limits) {
    const std::optional<double> value = shown_value(item.row, l.metric);
    if (!value) return false;
    const bool inside = l.at_most ? *value < l.value : *value > l.value;
    if (!inside && !(l.equal && *value == l.value)) return false;
  }
  return true;
}

PlanItems filtered(const PlanItems& items, const PlanFilter& filter, bool passing) {
  PlanItems out;
  std::copy_if(items.begin(), items.end(), std::back_inserter(out),
               [&](const PlanItem& item) { return passes(filter, item) == passing; });
  return out;
}

std::vector<std::pair<std::string, std::string>> filter_words() {
  std::vector<std::pair<std::string, std::string>> out{
      {"tp:1", "a key of the layout with this value"},
      {"schedule:dualpipe,zb-v", "or with one of these"},
      {"as:front", "points of the front; as:best"},
      {"why:memory", "layouts of a grid that do not run, by reason; why:ok"}};
  for (const Figure& f : kFigures) out.emplace_back(fmt::format("{}<80", f.word), f.unit);
  return out;
}

}  // namespace orrery::gui
