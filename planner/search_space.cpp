#include "planner/search_space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"
#include "sim/schedule/generators.hpp"

namespace orrery {
namespace {

std::vector<std::int64_t> powers_of_two(std::int64_t most) {
  std::vector<std::int64_t> all;
  for (std::int64_t x = 1; x <= most; x *= 2) all.push_back(x);
  return all;
}

std::vector<std::int64_t> divisors(std::int64_t n, std::int64_t most) {
  std::vector<std::int64_t> all;
  for (std::int64_t x = 1; x <= std::min(n, most); ++x) {
    if (n % x == 0) all.push_back(x);
  }
  return all;
}

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == by) {
      parts.emplace_back();
    } else if (c != ' ') {
      parts.back() += c;
    }
  }
  return parts;
}

std::int64_t parse_number(const std::string& text, const std::string& place, std::string_view all) {
  std::int64_t x = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (error != std::errc{} || end != text.data() + text.size() || x < -1 || x > 1'000'000) {
    throw InputError(place,
                     fmt::format("found '{}' in '{}', expected whole numbers such as 1,2,4..8", text, all));
  }
  return x;
}

std::vector<std::int64_t> parse_numbers(std::string_view text, const std::string& place, std::int64_t least) {
  std::vector<std::int64_t> all;
  for (const std::string& part : split(text, ',')) {
    const std::size_t dots = part.find("..");
    const std::int64_t from = parse_number(part.substr(0, dots), place, text);
    const std::int64_t to =
        dots == std::string::npos ? from : parse_number(part.substr(dots + 2), place, text);
    if (from > to || to - from > 4096)
      throw InputError(place,
                       fmt::format("found the range '{}', expected LOW..HIGH of at most 4,096 values", part));
    for (std::int64_t x = from; x <= to; ++x) {
      if (x < least) throw InputError(place, fmt::format("found {}, expected at least {}", x, least));
      all.push_back(x);
    }
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

[[noreturn]] void unknown(const std::string& word, const char* what, const std::vector<std::string>& known,
                          const std::string& place) {
  throw InputError(place, fmt::format("found '{}', expected {}: {}{}", word, what, join(known),
                                      did_you_mean(word, known)));
}

std::vector<std::string> parse_schedules(std::string_view text, const std::string& place) {
  std::vector<std::string> known;
  std::vector<std::string> all;
  for (const GeneratorInfo& info : generators()) {
    known.push_back(info.name);
    if (info.name != kSearchedSchedule) all.push_back(info.name);
  }
  std::vector<std::string> out;
  for (const std::string& name : split(text, ',')) {
    if (name == "all") {
      out.insert(out.end(), all.begin(), all.end());
      continue;
    }
    if (std::find(known.begin(), known.end(), name) == known.end()) unknown(name, "a schedule", known, place);
    out.push_back(name);
  }
  return out;
}

std::vector<LayerPlacement> parse_placements(std::string_view text, const std::string& place) {
  static const std::vector<std::string> kNames{"balanced", "even", "light-ends"};
  std::vector<LayerPlacement> all;
  for (const std::string& name : split(text, ',')) {
    const auto at = std::find(kNames.begin(), kNames.end(), name);
    if (at == kNames.end()) unknown(name, "a placement of layers", kNames, place);
    all.push_back(static_cast<LayerPlacement>(at - kNames.begin()));
  }
  return all;
}

std::vector<Precision> parse_precisions(std::string_view text, const std::string& place) {
  std::vector<Precision> all;
  for (const std::string& name : split(text, ',')) {
    const auto& known = precision_names();
    const auto at = std::find(known.begin(), known.end(), name);
    if (at == known.end()) unknown(name, "a precision", known, place);
    all.push_back(static_cast<Precision>(at - known.begin()));
  }
  return all;
}

/// Every set of operators that may be computed again, and whole layers.
std::vector<Recompute> all_recompute(const ModelSpec& model) {
  std::vector<std::string> operators{"norms", "activation", "attention-core"};
  if (model.mla) operators.emplace_back("mla-up");
  std::vector<Recompute> all;
  for (std::size_t set = 0; set < std::size_t{1} << operators.size(); ++set) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < operators.size(); ++i) {
      if ((set >> i & 1U) != 0) names.push_back(operators[i]);
    }
    if (names.empty()) names = {"none"};
    if (names == std::vector<std::string>{"attention-core"}) names = {"selective"};
    if (names == std::vector<std::string>{"norms", "activation", "mla-up"}) names = {"deepseek-v3"};
    all.push_back(make_recompute(names, "space"));
  }
  all.push_back(make_recompute({"full"}, "space"));
  return all;
}

std::vector<std::int64_t>* numbers_of(SearchSpace& s, const std::string& key) {
  if (key == "tp") return &s.tp;
  if (key == "cp") return &s.cp;
  if (key == "pp") return &s.pp;
  if (key == "vpp") return &s.vpp;
  if (key == "ep") return &s.ep;
  if (key == "etp") return &s.etp;
  if (key == "zero") return &s.zero;
  if (key == "mbs") return &s.microbatch;
  if (key == "sms") return &s.communication_sms;
  if (key == "sp") return &s.sequence_parallel;
  return nullptr;
}

std::string numbers_text(const std::vector<std::int64_t>& all) {
  std::vector<std::string> words;
  for (const std::int64_t x : all) words.push_back(x < 0 ? "auto" : std::to_string(x));
  return join(words, " ");
}

}  // namespace

const std::vector<std::string>& space_keys() {
  static const std::vector<std::string> kKeys{"tp",      "cp",        "pp",  "vpp",      "ep",
                                              "etp",     "zero",      "mbs", "schedule", "recompute",
                                              "offload", "precision", "sp",  "sms",      "placement"};
  return kKeys;
}

SearchSpace default_space(const Scenario& s) {
  SearchSpace space;
  const std::int64_t in_node = s.cluster.gpus_per_node;
  space.tp = powers_of_two(std::min<std::int64_t>(in_node, 8));
  for (const std::int64_t cp : powers_of_two(8)) {
    // Pieces of less than 1,024 tokens leave kernels idle.
    if (cp == 1 || s.training.sequence_length / cp >= 1024) space.cp.push_back(cp);
  }
  space.pp = divisors(s.gpus, std::min<std::int64_t>(64, s.model.layers));
  space.vpp = {1, 2, 3, 4, 5, 6, 7, 8};
  space.ep = space.etp = {1};
  space.communication_sms = {-1};
  if (s.model.moe) {
    space.ep = divisors(s.model.moe->experts, s.model.moe->experts);
    space.etp = space.tp;
    for (const std::int64_t sms : {8, 16, 24}) {
      if (sms != s.cluster.expert_all_to_all.sm_count &&
          2.0 * static_cast<double>(sms) < s.cluster.gpu.sm_count.value)
        space.communication_sms.push_back(sms);
    }
  }
  space.zero = {0, 1, 2, 3};
  space.microbatch = {1, 2, 4, 8};
  space.schedules = parse_schedules("all", "space");
  // Programs pair forwards with backwards to hide the exchange of experts, and only there.
  if (!s.model.moe) std::erase(space.schedules, "combined-1f1b");
  space.recompute = all_recompute(s.model);
  // What profiles say of hosts is assumed, so nothing goes there unasked.
  space.offload = {{}};
  space.precision = {s.training.precision};
  space.sequence_parallel = {0, 1};
  space.placement = {LayerPlacement::kBalanced, LayerPlacement::kEven, LayerPlacement::kLightEnds};
  return space;
}

void restrict_space(SearchSpace& space, const std::string& key, std::string_view values,
                    const std::string& place) {
  if (values.find_first_not_of(" ,") == std::string_view::npos)
    throw InputError(place, "is empty, expected values separated by commas");
  if (std::vector<std::int64_t>* list = numbers_of(space, key)) {
    std::int64_t least = 1;
    if (key == "zero" || key == "sp") least = 0;
    if (key == "sms") least = -1;
    *list = parse_numbers(key == "sms" && values == "auto" ? "-1" : values, place, least);
    const std::int64_t most = key == "zero" ? 3 : key == "sp" ? 1 : 1'000'000;
    if (list->back() > most)
      throw InputError(place, fmt::format("found {}, expected at most {}", list->back(), most));
  } else if (key == "schedule") {
    space.schedules = parse_schedules(values, place);
  } else if (key == "placement") {
    space.placement = parse_placements(values, place);
  } else if (key == "precision") {
    space.precision = parse_precisions(values, place);
  } else if (key == "offload") {
    space.offload.clear();
    if (values == "all") values = "none,optimizer,activations,optimizer+activations";
    for (const std::string& set : split(values, ','))
      space.offload.push_back(make_offload(split(set, '+'), place));
  } else if (key == "recompute") {
    space.recompute.clear();
    for (const std::string& policy : split(values, ','))
      space.recompute.push_back(make_recompute(split(policy, '+'), place));
  } else {
    unknown(key, "a key of the space", space_keys(), place);
  }
}

void read_space(SearchSpace& space, std::string_view json, const std::string& place) {
  const Json root = parse_json(json, place);
  if (!root.is_object()) throw InputError(place, "expected an object { ... }");
  if (root.value("schema", Json()) != "orrery.space/1")
    throw InputError(place + "#/schema", "expected \"schema\": \"orrery.space/1\"");
  for (const auto& [key, value] : root.items()) {
    if (key == "schema") continue;
    const std::string where = place + "#/" + key;
    std::vector<std::string> words;
    for (const Json& v : value.is_array() ? value : Json::array({value})) {
      if (v.is_string()) {
        words.push_back(v.get<std::string>());
      } else if (v.is_number_integer()) {
        words.push_back(std::to_string(v.get<std::int64_t>()));
      } else if (v.is_boolean()) {
        words.emplace_back(v.get<bool>() ? "1" : "0");
      } else {
        throw InputError(where, fmt::format("found {}, expected numbers, names or a list of them", v.dump()));
      }
    }
    if (key != "forbid") {
      restrict_space(space, key, join(words, ","), where);
      continue;
    }
    for (const std::string& rule : words) {
      std::vector<LayoutCondition>& conditions = space.forbidden.emplace_back();
      for (const std::string& part : split(rule, ',')) conditions.push_back(parse_condition(part, where));
    }
  }
}

void pin(SearchSpace& space, const std::string& key, const Scenario& s, const std::string& place) {
  const Layout& l = s.layout;
  const std::vector<std::pair<std::string, std::int64_t>> numbers{{"tp", l.tp},
                                                                  {"cp", l.cp},
                                                                  {"pp", l.pp},
                                                                  {"vpp", l.vpp},
                                                                  {"ep", l.ep},
                                                                  {"etp", l.etp},
                                                                  {"zero", l.zero_stage},
                                                                  {"mbs", l.microbatch_size},
                                                                  {"sms", l.communication_sms},
                                                                  {"sp", l.sequence_parallel ? 1 : 0}};
  for (const auto& [name, value] : numbers) {
    if (name == key) {
      *numbers_of(space, key) = {value};
      return;
    }
  }
  if (key == "offload") {
    space.offload = {l.offload};
  } else if (key == "recompute") {
    space.recompute = {l.recompute};
  } else if (key == "precision") {
    space.precision = {s.training.precision};
  } else if (key == "schedule") {
    restrict_space(space, key, l.schedule, place);
  } else if (key == "placement") {
    space.placement = {LayerPlacement::kBalanced};
  } else {
    unknown(key, "a key of the space", space_keys(), place);
  }
}

LayoutCondition parse_condition(std::string_view text, const std::string& place) {
  const std::size_t at = text.find_first_of("<>=!");
  LayoutCondition c;
  c.text = std::string(text);
  const auto bad = [&] {
    throw InputError(
        place, fmt::format("found '{}', expected KEY OP VALUE such as tp<=8 or schedule=dualpipe", text));
  };
  if (at == std::string_view::npos || at == 0) bad();
  c.key = split(text.substr(0, at), '\n').front();
  const std::size_t length = at + 1 < text.size() && text[at + 1] == '=' ? 2 : 1;
  c.op = std::string(text.substr(at, length));
  c.value = split(text.substr(at + length), '\n').front();
  if (c.op == "!" || c.value.empty()) bad();
  if (c.op == "==") c.op = "=";
  std::vector<std::string> known = space_keys();
  known.emplace_back("dp");
  known.emplace_back("microbatches");
  if (std::find(known.begin(), known.end(), c.key) == known.end())
    unknown(c.key, "a key of a layout", known, place);
  const bool name = c.key == "schedule" || c.key == "recompute" || c.key == "offload" ||
                    c.key == "precision" || c.key == "placement";
  if (name && c.op != "=" && c.op != "!=")
    throw InputError(place, fmt::format("found '{}', but {} is a name: use = or !=", text, c.key));
  if (!name) c.value = std::to_string(parse_number(c.value, place, text));
  return c;
}

std::vector<std::int64_t> vpp_of(const std::string& schedule, const std::vector<std::int64_t>& vpp) {
  const auto has = [&](std::int64_t x) { return std::find(vpp.begin(), vpp.end(), x) != vpp.end(); };
  if (schedule == "interleaved-1f1b" || schedule == "combined-1f1b") {
    std::vector<std::int64_t> all;
    for (const std::int64_t x : vpp) {
      if (x > 1) all.push_back(x);
    }
    return all;
  }
  const std::int64_t only = find_generator(schedule).default_vpp;
  return has(only) ? std::vector<std::int64_t>{only} : std::vector<std::int64_t>{};
}

std::vector<std::pair<std::string, std::string>> describe(const SearchSpace& space) {
  SearchSpace copy = space;
  std::vector<std::pair<std::string, std::string>> rows;
  for (const std::string& key : space_keys()) {
    if (const std::vector<std::int64_t>* list = numbers_of(copy, key)) {
      rows.emplace_back(key, numbers_text(*list));
      continue;
    }
    std::vector<std::string> words;
    if (key == "schedule") words = space.schedules;
    if (key == "recompute") {
      for (const Recompute& r : space.recompute) words.push_back(r.policy);
    }
    if (key == "offload") {
      for (const Offload& o : space.offload) words.push_back(to_text(o));
    }
    if (key == "precision") {
      for (const Precision p : space.precision) words.emplace_back(to_text(p));
    }
    if (key == "placement") {
      for (const LayerPlacement p : space.placement) words.emplace_back(to_text(p));
    }
    rows.emplace_back(key, join(words, " "));
  }
  return rows;
}

}  // namespace orrery
