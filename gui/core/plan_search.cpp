#include "gui/core/plan_search.hpp"

#include <QMetaObject>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "planner/sweep/sweep_item.hpp"
#include "planner/sweep/sweep_points.hpp"
#include "sim/base/check.hpp"
#include "sim/base/suggest.hpp"
#include "sim/scenario_keys.hpp"

namespace orrery::gui {
namespace {

constexpr std::uint64_t kMostItems = 100'000;

/// A value of the command line as the JSON text a sweep holds.
std::string json_value(const std::string& key, const std::string& text) {
  const ScenarioKey* known = find_scenario_key(key);
  const nlohmann::json parsed = nlohmann::json::parse(text, nullptr, false);
  if (parsed.is_discarded() || (known != nullptr && known->is_text)) return nlohmann::json(text).dump();
  return parsed.dump();
}

SweepSpec make_spec(const Scenario& base, const std::filesystem::path& folder,
                    const std::vector<PlanAxis>& axes) {
  SweepSpec spec;
  spec.place = "plan";
  spec.folder = folder;
  spec.base = to_json_text(base);
  spec.base_place = "present scenario";
  std::vector<std::string> names;
  for (const ScenarioKey& key : scenario_keys()) names.emplace_back(key.key);
  for (const PlanAxis& axis : axes) {
    if (find_scenario_key(axis.key) == nullptr)
      throw InputError(
          "plan", "found '" + axis.key + "', expected a key of the scenario" + did_you_mean(axis.key, names));
    if (axis.values.empty())
      throw InputError("plan/" + axis.key, "has no values, expected some separated by commas");
    SweepAxis made;
    made.keys = {axis.key};
    made.place = "plan/" + axis.key;
    for (const std::string& value : axis.values) made.points.push_back({json_value(axis.key, value)});
    spec.axes.push_back(std::move(made));
  }
  if (spec.axes.empty()) throw InputError("plan", "has no axes, expected at least one key with values");
  return spec;
}

}  // namespace

std::vector<std::string> split_values(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string value; std::getline(in, value, ',');) {
    const std::size_t a = value.find_first_not_of(" \t");
    if (a != std::string::npos) out.push_back(value.substr(a, value.find_last_not_of(" \t") - a + 1));
  }
  return out;
}

PlanSearch::PlanSearch(ProfileFolders profiles, QObject* parent)
    : QObject(parent), profiles_(std::move(profiles)) {}

PlanSearch::~PlanSearch() {
  control_.stop();
  if (worker_.joinable()) worker_.join();
}

void PlanSearch::start(const Scenario& base, const std::filesystem::path& folder,
                       const std::vector<PlanAxis>& axes) {
  SweepSpec spec = make_spec(base, folder, axes);
  const std::uint64_t count = SweepPoints(spec).count();
  if (count > kMostItems)
    throw InputError("plan", "has " + std::to_string(count) + " combinations, expected at most " +
                                 std::to_string(kMostItems) + "; 'orrery sweep' does more");
  cancel();
  wait();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    items_.clear();
  }
  axes_ = axes;
  total_ = count;
  control_.reset();
  clock_.start();
  running_ = true;
  worker_ = std::thread([this, spec = std::move(spec)] { work(spec); });
}

void PlanSearch::work(const SweepSpec& spec) {
  const SweepPoints points(spec);
  SweepItems items(SweepMode::kSimulate, spec.folder, profiles_, {});
  const ControlScope scope(&control_);
  for (std::uint64_t i = 0; i < points.count(); ++i) {
    PlanItem item{points.overrides(i), {}, {}};
    try {
      check_control();
      const Scenario scenario = items.resolve(spec, item.overrides);
      item.row = parse_row(items.work(SweepItems::job(items.key(scenario), scenario)));
    } catch (const InputError& error) {
      item.row = unresolved_row(item.overrides, error);
    } catch (const Stopped&) {
      break;
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      items_.push_back(std::move(item));
    }
    QMetaObject::invokeMethod(
        this, [this, i] { emit advanced(static_cast<int>(i) + 1, static_cast<int>(total_)); },
        Qt::QueuedConnection);
  }
  running_ = false;
  QMetaObject::invokeMethod(
      this, [this] { emit finished(); }, Qt::QueuedConnection);
}

void PlanSearch::cancel() {
  control_.stop();
}

void PlanSearch::pause() {
  control_.pause();
  clock_.pause();
}

void PlanSearch::resume() {
  control_.resume();
  clock_.resume();
}

void PlanSearch::wait() {
  if (worker_.joinable()) worker_.join();
}

std::size_t PlanSearch::done() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return items_.size();
}

PlanItems PlanSearch::items() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return items_;
}

JournalRows read_journal(const std::string& text, const std::string& place) {
  JournalRows out;
  std::istringstream in(text);
  bool first = true;
  for (std::string line; std::getline(in, line);) {
    // "<checksum> <key> <JSON>"
    const std::size_t json = line.find(" {");
    if (first && (json == std::string::npos || line.find("orrery.journal/1") == std::string::npos))
      throw InputError(place, "is no sweep journal: its first line does not name orrery.journal/1");
    if (first) {
      first = false;
      continue;
    }
    try {
      if (json == std::string::npos) throw InternalError("no row");
      PlanItem item{{}, parse_row(line.substr(json + 1)), {}};
      for (const auto& [key, value] : item.row.inputs)
        item.overrides.push_back({.key = key, .value = value, .place = place});
      out.items.push_back(std::move(item));
    } catch (const std::exception&) {
      ++out.damaged;
    }
  }
  return out;
}

}  // namespace orrery::gui
