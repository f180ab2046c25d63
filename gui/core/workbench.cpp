#include "gui/core/workbench.hpp"

#include <QCoreApplication>
#include <QMetaObject>
#include <exception>
#include <new>

#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"

namespace orrery::gui {
namespace {

bool same(const Override& a, const Override& b) {
  return a.key == b.key && a.value == b.value;
}

Problem infeasible_problem(const Metrics& metrics) {
  return {"infeasible", std::string(to_text(metrics.infeasible->reason)) + ": " + metrics.infeasible->text,
          metrics.nearest};
}

}  // namespace

bool Input::operator==(const Input& other) const {
  return text == other.text && place == other.place &&
         std::equal(edits.begin(), edits.end(), other.edits.begin(), other.edits.end(), same);
}

std::string scenario_text(const std::string& text, std::string& place) {
  if (text.find_first_not_of(" \t\r\n") == std::string::npos)
    throw InputError(place, "is empty, expected a scenario in JSON");
  const Json json = parse_json(text, place);
  if (!json.is_object() || !json.contains("schema") || !json.at("schema").is_string()) return text;
  const std::string schema = json.at("schema").get<std::string>();
  if (schema.starts_with("orrery.result/") && schema != "orrery.result/1")
    throw InputError(place, "has schema '" + schema + "', this version reads orrery.result/1");
  if (schema != "orrery.result/1") return text;
  if (!json.contains("scenario")) throw InputError(place, "is a result without its scenario");
  place += "#/scenario";
  return json.at("scenario").dump();
}

Workbench::Workbench(ProfileFolders profiles, QObject* parent)
    : QObject(parent), profiles_(std::move(profiles)) {}

Workbench::~Workbench() {
  control_.stop();
  if (worker_.joinable()) worker_.join();
}

std::shared_ptr<const RunView> Workbench::make_run(const Input& input, const ProfileFolders& profiles) {
  const LoadContext context{.profiles = profiles, .base = input.base};
  Scenario scenario = parse_scenario(input.text, input.place, context, input.edits);
  std::vector<InputRow> inputs = resolved_inputs(scenario, input.place, input.edits);
  return std::make_shared<const RunView>(std::move(scenario), std::move(inputs), profiles);
}

std::optional<std::string> Workbench::refused(const std::string& key) const {
  if (!stale_ || problems_.empty()) return std::nullopt;
  for (auto it = input_.edits.rbegin(); it != input_.edits.rend(); ++it) {
    if (it->key == key) {
      for (const Problem& p : problems_) {
        if (p.text.find(key) != std::string::npos) return it->value;
      }
    }
  }
  return std::nullopt;
}

void Workbench::set_input(Input input) {
  input_ = std::move(input);
  emit input_changed();
  start();
}

void Workbench::set_edits(std::vector<Override> edits) {
  input_.edits = std::move(edits);
  emit input_changed();
  start();
}

void Workbench::edit(const std::string& key, const std::string& value) {
  std::vector<Override> edits;
  for (const Override& old : input_.edits) {
    if (old.key != key) edits.push_back(old);
  }
  if (!value.empty()) edits.push_back({.key = key, .value = value, .place = "edit of " + key});
  set_edits(std::move(edits));
}

void Workbench::rerun() {
  start();
}

void Workbench::report(Problem problem) {
  problems_.push_back(std::move(problem));
  emit problems_changed();
}

void Workbench::cancel() {
  if (!busy_) return;
  ++generation_;
  again_ = false;
  control_.stop();
  report({"note", "the simulation was cancelled; the result shown is the one before", {}});
}

void Workbench::start() {
  ++generation_;
  if (run_ != nullptr && !stale_) {
    stale_ = true;
    emit run_changed();
  }
  if (busy_) {
    again_ = true;
    control_.stop();
    return;
  }
  again_ = false;
  busy_ = true;
  emit busy_changed(true);
  if (worker_.joinable()) worker_.join();
  control_.reset();
  worker_ = std::thread([this, input = input_, generation = generation_] { work(input, generation); });
}

void Workbench::work(Input input, std::uint64_t generation) {
  const ControlScope scope(&control_);
  Outcome outcome;
  outcome.generation = generation;
  try {
    outcome.run = make_run(input, profiles_);
  } catch (const InputError& error) {
    outcome.problem = Problem{"input", error.what(), {}};
  } catch (const std::bad_alloc&) {
    outcome.problem = Problem{"input", "the scenario needs more memory than this machine has", {}};
  } catch (const std::exception& error) {
    outcome.problem = Problem{"internal", error.what(), {}};
  } catch (const Stopped&) {
    // Another generation is asked for, or none.
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    outcome_ = std::move(outcome);
  }
  QMetaObject::invokeMethod(this, "take", Qt::QueuedConnection);
}

void Workbench::take() {
  std::optional<Outcome> outcome;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    outcome.swap(outcome_);
  }
  if (!outcome) return;
  busy_ = false;
  const bool current = outcome->generation == generation_;
  if (current) {
    problems_.clear();
    if (outcome->problem) problems_.push_back(*outcome->problem);
    if (outcome->run) {
      run_ = outcome->run;
      stale_ = false;
      if (!run_->feasible()) problems_.push_back(infeasible_problem(run_->metrics()));
    }
    emit problems_changed();
    emit run_changed();
  }
  if (again_) {
    start();
    return;
  }
  emit busy_changed(false);
}

void Workbench::wait() {
  while (busy_) {
    if (worker_.joinable()) worker_.join();
    take();
  }
}

}  // namespace orrery::gui
