#include "planner/sweep/sweep_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "planner/sweep/sweep_row.hpp"
#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"
#include "sim/scenario_keys.hpp"

namespace orrery {
namespace {

/// More values of one axis are a typing error in a range.
constexpr std::size_t kMostValues = 1'000'000;

void check_key(const std::string& key, const std::string& place) {
  if (find_scenario_key(key) != nullptr) return;
  std::vector<std::string> known;
  for (const ScenarioKey& candidate : scenario_keys()) known.emplace_back(candidate.key);
  throw InputError(place, fmt::format("'{}' is no key of a scenario{}; keys are dotted, such as layout.pp "
                                      "('orrery config show' lists them)",
                                      key, did_you_mean(key, known)));
}

/// {"from": 1, "to": 8, "step": 1}, {"from": 1, "to": 64, "factor": 2} or {"low": 1, "high": 3, "scale":
/// "log"}.
struct Range {
  std::optional<double> from, to, step, factor, low, high;
  std::size_t scale = 0;
};

template <class V>
void fields(V& v, Range& r) {
  static const std::vector<std::string> kScales{"linear", "log"};
  v.optional("from", r.from);
  v.optional("to", r.to);
  v.optional("step", r.step, kPositive);
  v.optional("factor", r.factor);
  v.optional("low", r.low);
  v.optional("high", r.high);
  v.choice("scale", r.scale, kScales, false);
}

/// Twelve digits: 1.05 + 8 * 0.01 is 1.13.
std::string number_text(double value) {
  return fmt::format("{:.12g}", value);
}

void add_range(const Range& r, const std::string& place, SweepAxis& axis) {
  const auto wrong = [&](const std::string& problem) { throw InputError(place, problem); };
  if (r.step.has_value() == r.factor.has_value()) wrong("expected one of step and factor beside from and to");
  if (*r.to < *r.from) wrong(fmt::format("found to {:g} below from {:g}", *r.to, *r.from));
  if (r.factor && (*r.factor <= 1 || *r.from <= 0)) wrong("a factor must be above 1 and start above 0");
  for (std::size_t i = 0;; ++i) {
    const double n = static_cast<double>(i);
    const double value = r.step ? *r.from + n * *r.step : *r.from * std::pow(*r.factor, n);
    // The end counts although steps such as 0.1 have no exact form.
    if (value > *r.to * (1 + 1e-12) + 1e-300) break;
    if (i >= kMostValues) wrong(fmt::format("has more than {} values", kMostValues));
    axis.points.push_back({number_text(value)});
  }
}

void read_range(const JsonNode& node, SweepAxis& axis) {
  Range r;
  read_value(node, r);
  const bool interval = r.low.has_value() && r.high.has_value();
  const bool range = r.from.has_value() && r.to.has_value();
  if (interval == range) node.fail("a list, {from, to, step}, {from, to, factor} or {low, high, scale}");
  if (range) return add_range(r, node.where(), axis);
  if (*r.high <= *r.low || (r.scale == 1 && *r.low <= 0))
    node.fail("low below high, and above 0 where the scale is log");
  axis.interval = SweepInterval{.low = *r.low, .high = *r.high, .logarithmic = r.scale == 1};
}

SweepAxis read_axis(const JsonNode& node, const std::string& key) {
  check_key(key, node.where());
  SweepAxis axis{.keys = {key}, .points = {}, .interval = {}, .place = node.where()};
  if (node.value.is_object()) {
    read_range(node, axis);
    return axis;
  }
  if (!node.value.is_array())
    node.fail("a list of values, {from, to, step}, {from, to, factor} or {low, high}");
  for (const Json& value : node.value) axis.points.push_back({value.dump()});
  return axis;
}

struct Axes {
  std::vector<SweepAxis> list;
};

void read_value(const JsonNode& node, Axes& out, Limits = kAnyNumber) {
  if (!node.value.is_object()) node.fail("an object of scenario keys and their values");
  for (const auto& item : node.value.items())
    out.list.push_back(read_axis({item.value(), node.place, node.pointer + "/" + item.key()}, item.key()));
}

struct Zips {
  std::vector<SweepAxis> list;
};

SweepAxis read_zip(const JsonNode& node) {
  Axes parts;
  read_value(node, parts);
  SweepAxis axis{.keys = {}, .points = {}, .interval = {}, .place = node.where()};
  for (const SweepAxis& part : parts.list) {
    if (part.interval) throw InputError(part.place, "an interval cannot be zipped; expected a list");
    if (axis.keys.empty()) axis.points.resize(part.points.size());
    if (part.points.size() != axis.points.size())
      throw InputError(part.place,
                       fmt::format("has {} values, '{}' beside it has {}: zipped lists are equally long",
                                   part.points.size(), axis.keys.front(), axis.points.size()));
    axis.keys.push_back(part.keys.front());
    for (std::size_t i = 0; i < axis.points.size(); ++i) axis.points[i].push_back(part.points[i].front());
  }
  if (axis.keys.empty()) node.fail("an object of scenario keys and their values");
  return axis;
}

void read_value(const JsonNode& node, Zips& out, Limits = kAnyNumber) {
  if (!node.value.is_array()) node.fail("a list of objects, each of scenario keys that change together");
  std::size_t i = 0;
  for (const Json& element : node.value)
    out.list.push_back(read_zip({element, node.place, node.pointer + "/" + std::to_string(i++)}));
}

struct Sample {
  std::int64_t count = 0;
  std::int64_t seed = 1;
};

template <class V>
void fields(V& v, Sample& s) {
  v.required("count", s.count, between(1, 1e9));
  v.optional("seed", s.seed, between(0, 9e15));
}

/// A scenario inline, or the path of one.
struct Base {
  Json value;
};

void read_value(const JsonNode& node, Base& out, Limits = kAnyNumber) {
  if (!node.value.is_object() && !node.value.is_string()) node.fail("a scenario { ... } or the path of one");
  out.value = node.value;
}

struct Document {
  Base base;
  std::size_t mode = 0;
  Axes axes;
  Zips zips;
  std::optional<Sample> sample;
  std::string objective;
};

template <class V>
void fields(V& v, Document& d) {
  schema_field(v, "orrery.sweep/1");
  v.optional("base", d.base);
  v.choice("mode", d.mode, sweep_mode_names(), false);
  v.optional("axes", d.axes);
  v.optional("zip", d.zips);
  v.optional("sample", d.sample);
  v.optional("objective", d.objective);
}

void take_base(const Base& base, SweepSpec& spec) {
  spec.base_place = spec.place + "#/base";
  if (base.value.is_null()) return;
  if (base.value.is_object()) {
    spec.base = base.value.dump();
    return;
  }
  const auto name = base.value.get<std::string>();
  std::error_code code;
  const std::filesystem::path beside = spec.folder / name;
  const std::filesystem::path path =
      std::filesystem::exists(beside, code) ? beside : std::filesystem::path(name);
  try {
    spec.base = read_file(path);
  } catch (const InputError& error) {
    throw InputError(spec.base_place, fmt::format("{}: {}", name, error.problem()));
  }
  const Json json = parse_json(spec.base, path.string());
  spec.base_place = path.string();
  if (json.is_object() && json.value("schema", Json()) == "orrery.result/1" && json.contains("scenario")) {
    spec.base = json.at("scenario").dump();
    spec.base_place += "#/scenario";
  }
  spec.folder = path.parent_path();
}

void check_axes(const SweepSpec& spec) {
  std::vector<std::string> seen;
  for (const SweepAxis& axis : spec.axes) {
    if (axis.points.empty() && !axis.interval) throw InputError(axis.place, "has no values");
    if (axis.interval && !spec.sample)
      throw InputError(axis.place,
                       "an interval has no end of values: add \"sample\": {\"count\": N}, or give a list");
    for (const std::string& key : axis.keys) {
      if (std::find(seen.begin(), seen.end(), key) != seen.end())
        throw InputError(axis.place, fmt::format("'{}' is an axis twice; keep one", key));
      seen.push_back(key);
    }
  }
}

}  // namespace

const std::vector<std::string>& sweep_mode_names() {
  static const std::vector<std::string> kNames{"simulate"};
  return kNames;
}

SweepSpec parse_sweep(const std::string& text, const std::string& place,
                      const std::filesystem::path& folder) {
  const Json root = parse_json(text, place);
  if (!root.is_object()) throw InputError(place, "expected an object { ... }");
  Document document;
  read_value(JsonNode{root, place, ""}, document);
  SweepSpec spec{.place = place,
                 .folder = folder,
                 .base = {},
                 .base_place = {},
                 .base_overrides = {},
                 .mode = static_cast<SweepMode>(document.mode),
                 .axes = std::move(document.axes.list),
                 .sample = {},
                 .objective = std::move(document.objective)};
  if (document.sample) {
    spec.sample = SweepSample{.count = static_cast<std::uint64_t>(document.sample->count),
                              .seed = static_cast<std::uint64_t>(document.sample->seed)};
  }
  for (SweepAxis& zipped : document.zips.list) spec.axes.push_back(std::move(zipped));
  if (spec.axes.empty())
    throw InputError(place, "has no axis: expected \"axes\": {\"layout.pp\": [4, 8]} or \"zip\"");
  check_axes(spec);
  if (!spec.objective.empty()) (void)find_objective(spec.objective, place + "#/objective");
  take_base(document.base, spec);
  return spec;
}

void add_base_overrides(SweepSpec& spec, const std::vector<Override>& overrides) {
  for (const Override& change : overrides) {
    for (const SweepAxis& axis : spec.axes) {
      if (std::find(axis.keys.begin(), axis.keys.end(), change.key) != axis.keys.end())
        throw InputError(change.place,
                         fmt::format("'{}' is an axis of {}; change it there", change.key, spec.place));
    }
    spec.base_overrides.push_back(change);
  }
}

std::string canonical_text(const SweepSpec& spec) {
  nlohmann::json out;  // keys are sorted in this one
  out["base"] = spec.base.empty() ? nlohmann::json() : nlohmann::json::parse(spec.base);
  out["mode"] = sweep_mode_names()[static_cast<std::size_t>(spec.mode)];
  for (const Override& change : spec.base_overrides) out["overrides"].push_back({change.key, change.value});
  for (const SweepAxis& axis : spec.axes) {
    nlohmann::json one{{"keys", axis.keys}, {"points", axis.points}};
    if (axis.interval)
      one["interval"] = {axis.interval->low, axis.interval->high, axis.interval->logarithmic};
    out["axes"].push_back(std::move(one));
  }
  if (spec.sample) out["sample"] = {spec.sample->count, spec.sample->seed};
  return out.dump();
}

}  // namespace orrery
