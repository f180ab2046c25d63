#include "planner/sweep/sweep_item.hpp"

#include <fmt/format.h>

#include "planner/stable_hash.hpp"
#include "sim/base/fields.hpp"
#include "sim/model/zoo.hpp"
#include "sim/scenario_keys.hpp"
#include "sim/simulate.hpp"

namespace orrery {
namespace {

/// Text of the file behind a model that is not built in.
std::string model_text(const std::string& ref, const std::filesystem::path& folder) {
  if (find_in_zoo(ref) != nullptr) return {};
  std::error_code code;
  std::filesystem::path path = folder / ref;
  if (!std::filesystem::exists(path, code)) path = ref;
  if (std::filesystem::is_directory(path, code)) path /= "config.json";
  return read_file(path);
}

/// What is computed of an item: the place where a mode becomes numbers.
Metrics evaluate_item(SweepMode mode, const Scenario& scenario) {
  switch (mode) {
    case SweepMode::kSimulate: return simulate(scenario).metrics;
  }
  throw InternalError("a mode of a sweep without its evaluation");
}

}  // namespace

ClusterProfile ClusterCache::load(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = clusters_.find(name);
  if (found != clusters_.end()) return found->second;
  return clusters_.emplace(name, load_cluster(name, profiles_)).first->second;
}

std::string ClusterCache::fingerprint(const Scenario& scenario) {
  const std::lock_guard lock(mutex_);
  std::string& hash = fingerprints_[scenario.cluster_ref];
  if (hash.empty()) hash = stable_hash(to_json_text(scenario.cluster) + to_json_text(scenario.cluster.gpu));
  return hash;
}

SweepItems::SweepItems(SweepMode mode, std::filesystem::path folder, const ProfileFolders& profiles,
                       ProgramInfo program)
    : mode_(mode), folder_(std::move(folder)), program_(std::move(program)), clusters_(profiles) {}

LoadContext SweepItems::context() {
  return {.profiles = clusters_.profiles(), .base = folder_, .load_cluster = [this](const std::string& name) {
            return clusters_.load(name);
          }};
}

Scenario SweepItems::resolve(const SweepSpec& spec, const std::vector<Override>& overrides) {
  return parse_scenario(spec.base, spec.base_place, context(), overrides);
}

std::string SweepItems::key(const Scenario& scenario) {
  nlohmann::json all;  // keys are sorted in this one
  all["scenario"] = nlohmann::json::parse(to_json_text(scenario));
  all["cluster"] = clusters_.fingerprint(scenario);
  all["model"] = model_text(scenario.model_ref, folder_);
  if (scenario.layout.schedule.ends_with(".csv")) all["schedule"] = read_file(scenario.layout.schedule);
  all["mode"] = sweep_mode_names()[static_cast<std::size_t>(mode_)];
  all["program"] = {program_.version, program_.commit};
  return stable_hash(all.dump());
}

std::string SweepItems::job(const std::string& key, const Scenario& scenario) {
  return Json{{"key", key}, {"scenario", Json::parse(to_json_text(scenario))}}.dump();
}

std::string SweepItems::work(const std::string& job) {
  SweepRow row;
  const auto fail = [&](const char* status, const char* code, std::string text) {
    row.status = status;
    row.reason_code = code;
    row.reason = std::move(text);
    row.metrics.clear();
  };
  try {
    const Json json = Json::parse(job);
    row.key = json.at("key").get<std::string>();
    const Scenario scenario = parse_scenario(json.at("scenario").dump(), "item", context(), {});
    row.inputs = row_inputs(scenario);
    if (key(scenario) != row.key)
      throw InputError("this process",
                       "reads other profiles, models or schedules than the one that gives out the work");
    fill_row(evaluate_item(mode_, scenario), row);
    return to_json_line(row);
  } catch (const InputError& error) {
    fail("error", "input", error.what());
  } catch (const std::exception& error) {
    fail("failed", "internal", error.what());
  }
  return to_json_line(row);
}

std::string SweepItems::setup() const {
  return Json{{"mode", static_cast<int>(mode_)},
              {"folder", folder_.string()},
              {"version", program_.version},
              {"commit", program_.commit}}
      .dump();
}

std::unique_ptr<SweepItems> SweepItems::from_setup(const std::string& setup, const ProfileFolders& profiles) {
  const Json json = Json::parse(setup);
  return std::make_unique<SweepItems>(static_cast<SweepMode>(json.at("mode").get<int>()),
                                      json.at("folder").get<std::string>(), profiles,
                                      ProgramInfo{.version = json.at("version").get<std::string>(),
                                                  .commit = json.at("commit").get<std::string>()});
}

SweepRow unresolved_row(const std::vector<Override>& overrides, const InputError& error) {
  SweepRow row;
  row.status = "error";
  row.reason_code = "input";
  row.reason = error.what();
  for (const ScenarioKey& key : scenario_keys()) {
    if (key.key == "layout.pipeline_layout") continue;
    std::string text = "null";
    for (const Override& change : overrides) {
      if (change.key == key.key) text = Json::accept(change.value) ? change.value : Json(change.value).dump();
    }
    row.inputs.emplace_back(key.key, std::move(text));
  }
  return row;
}

}  // namespace orrery
