#include "sim/report/published.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "sim/base/fields.hpp"
#include "sim/report/report_json.hpp"

namespace orrery {

template <class V>
void fields(V& v, PublishedValue& p) {
  v.required("key", p.key);
  v.required("label", p.label);
  v.required("value", p.value);
  v.required("unit", p.unit);
  v.optional("scale", p.scale, kPositive);
  v.optional("note", p.note);
}

template <class V>
void fields(V& v, PublishedMatch& m) {
  v.required("model", m.model);
  v.required("cluster", m.cluster);
  v.required("gpus", m.gpus, at_least(1));
  v.optional("tp", m.tp);
  v.optional("cp", m.cp);
  v.optional("pp", m.pp);
  v.optional("ep", m.ep);
  v.optional("zero_stage", m.zero_stage);
  v.optional("mtp", m.mtp);
  v.optional("global_batch_size", m.global_batch_size);
  v.optional("sequence_length", m.sequence_length);
  v.optional("schedule", m.schedule);
  v.optional("precision", m.precision);
  v.optional("tokens", m.tokens);
  v.optional("usd_per_gpu_hour", m.usd_per_gpu_hour);
}

template <class V>
void fields(V& v, PublishedRun& r) {
  schema_field(v, "orrery.published/1");
  v.required("name", r.name);
  v.required("source", r.source);
  v.required("date", r.date);
  v.optional("note", r.note);
  v.required("match", r.match);
  v.required("values", r.values);
}

namespace {

constexpr const char* kBreakdown = "/step/breakdown_s/";
constexpr const char* kMeanBreakdown = "/step/mean_breakdown_s/";

PublishedRun load_run(const std::filesystem::path& path) {
  const Json json = load_json(path);
  PublishedRun run;
  read_value(JsonNode{json, path.string(), ""}, run);
  for (const PublishedValue& value : run.values) {
    if (value.value == 0)
      throw InputError(path.string(),
                       fmt::format("the value of '{}' is 0, which no error can be relative to", value.key));
  }
  return run;
}

template <class T, class U>
bool agrees(const std::optional<T>& wanted, const U& found) {
  return !wanted || *wanted == found;
}

bool near(const std::optional<double>& wanted, const std::optional<double>& found) {
  return !wanted || (found && std::abs(*found - *wanted) <= 1e-9 * std::abs(*wanted));
}

std::optional<double> at(const Json& result, const std::string& pointer) {
  const Json& value = result.at(Json::json_pointer(pointer));
  return value.is_number() ? std::optional<double>(value.get<double>()) : std::nullopt;
}

}  // namespace

std::vector<PublishedRun> load_published(const ProfileFolders& folders) {
  std::vector<PublishedRun> runs;
  for (const std::string& name : list_profiles("published", folders)) {
    for (const std::filesystem::path& root : folders.roots) {
      const std::filesystem::path path = root / "published" / (name + ".json");
      if (!std::filesystem::is_regular_file(path)) continue;
      runs.push_back(load_run(path));
      break;
    }
  }
  return runs;
}

namespace {

/// What no published run sets otherwise: a what-if of these is no longer about it.
bool as_published(const Layout& l) {
  return l.messages == MessageRule::kBlocking && l.communication_sms < 0 && l.stage_layers.empty();
}

}  // namespace

bool is_about(const PublishedRun& run, const Scenario& s) {
  const PublishedMatch& m = run.match;
  return m.model == s.model.name && m.cluster == s.cluster.name && m.gpus == s.gpus &&
         agrees(m.tp, s.layout.tp) && agrees(m.cp, s.layout.cp) && agrees(m.pp, s.layout.pp) &&
         agrees(m.ep, s.layout.ep) && agrees(m.global_batch_size, s.training.global_batch_size) &&
         agrees(m.sequence_length, s.training.sequence_length) && agrees(m.schedule, s.layout.schedule) &&
         agrees(m.precision, to_text(s.training.precision)) && near(m.tokens, s.training.tokens) &&
         near(m.usd_per_gpu_hour, s.economics.usd_per_gpu_hour) &&
         agrees(m.zero_stage, s.layout.zero_stage) && (!m.mtp || *m.mtp == s.training.mtp) &&
         (!m.schedule || as_published(s.layout));
}

std::vector<ComparisonRow> compare(const PublishedRun& run, const Metrics& metrics,
                                   const Scenario& scenario) {
  const Json result = Json::parse(result_json(metrics, scenario, {}));
  std::vector<ComparisonRow> rows;
  for (const PublishedValue& value : run.values) {
    std::string pointer = "/" + value.key;
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    if (!result.contains(Json::json_pointer(pointer)))
      throw InputError(run.name, fmt::format("'{}' is not a key of a result", value.key));
    const std::optional<double> computed = at(result, pointer);
    if (!computed) continue;
    ComparisonRow row{.published = value, .computed = *computed * value.scale, .mean = {}};
    if (pointer.starts_with(kBreakdown)) {
      const std::string rest = pointer.substr(std::string(kBreakdown).size());
      row.mean = at(result, kMeanBreakdown + rest).value_or(0) * value.scale;
    }
    rows.push_back(row);
  }
  return rows;
}

}  // namespace orrery
