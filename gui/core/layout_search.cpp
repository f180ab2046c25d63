#include "gui/core/layout_search.hpp"

#include <QMetaObject>
#include <chrono>

#include "gui/core/plan_search.hpp"
#include "planner/parallel_for.hpp"
#include "sim/base/check.hpp"

namespace orrery::gui {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

/// "auto" is written -1 in lists of numbers.
std::string values_text(const std::string& key, const std::string& text) {
  std::vector<std::string> values = split_values(text);
  if (key == "sms") {
    for (std::string& value : values) {
      if (value == "auto") value = "-1";
    }
  }
  return joined(values);
}

}  // namespace

PlanRequest plan_request(const Scenario& scenario, const PlanQuestion& question) {
  PlanRequest r;
  r.scenario = scenario;
  r.space = default_space(scenario);
  for (const auto& [key, values] : question.space)
    restrict_space(r.space, key, values_text(key, values), "plan/" + key);
  if (variants_of(r.space).empty())
    throw InputError("plan/vpp", "the space is empty: none of the schedules has so many stages per rank");
  r.objective = parse_objective(question.objective, "plan/objective");
  for (const std::string& text : split_values(question.limits)) {
    if (const auto constraint = parse_constraint(text, "plan/limits"))
      r.constraints.push_back(*constraint);
    else
      r.space.demanded.push_back(parse_condition(text, "plan/limits"));
  }
  for (const std::string& name : split_values(question.front))
    r.front.push_back(parse_metric(name, "plan/front"));
  if (r.front.size() == 1 || r.front.size() > 3)
    throw InputError("plan/front",
                     "found '" + question.front +
                         "', expected two or three metrics separated by commas, such as step,memory");
  r.top = std::max<std::size_t>(1, question.top);
  r.threads = available_threads();
  r.auto_schedule = false;
  return r;
}

std::vector<std::pair<std::string, std::string>> first_space(const Scenario& scenario, bool whole) {
  SearchSpace space = default_space(scenario);
  if (!whole) {
    for (const char* key : {"tp", "cp", "etp", "zero", "mbs", "offload", "sms", "sp"})
      pin(space, key, scenario, "plan");
  }
  std::vector<std::pair<std::string, std::string>> rows = describe(space);
  for (auto& [key, values] : rows) {
    std::string commas;
    for (char c : values) commas += c == ' ' ? std::string(", ") : std::string(1, c);
    values = commas;
  }
  return rows;
}

LayoutSearch::LayoutSearch(ProfileFolders profiles, QObject* parent)
    : QObject(parent), profiles_(std::move(profiles)) {}

LayoutSearch::~LayoutSearch() {
  control_.stop();
  if (worker_.joinable()) worker_.join();
}

void LayoutSearch::start(const Scenario& scenario, const PlanQuestion& question) {
  PlanRequest request = plan_request(scenario, question);
  cancel();
  wait();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    progress_ = {};
    phase_ = 0;
    problem_.clear();
    clock_.start();
  }
  control_.reset();
  running_ = true;
  worker_ = std::thread([this, request = std::move(request)]() mutable { work(std::move(request)); });
}

void LayoutSearch::work(PlanRequest request) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point next = Clock::now();
  const ControlScope scope(&control_);
  request.stop = [this] { return control_.stopped(); };
  request.progress = [&](const SearchProgress& now) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (now.decided < progress_.decided) {
        ++phase_;
        clock_.start();
      }
      progress_ = now;
    }
    if (Clock::now() < next) return;
    next = Clock::now() + std::chrono::milliseconds(100);
    QMetaObject::invokeMethod(
        this, [this] { emit advanced(); }, Qt::QueuedConnection);
  };
  std::shared_ptr<const PlanAnswer> answer;
  std::string problem;
  try {
    request.run_data = find_run_data(profiles_);
    answer = std::make_shared<const PlanAnswer>(plan_answer(plan_layouts(request), *request.run_data));
  } catch (const std::exception& error) {
    problem = error.what();
  } catch (const Stopped&) {
    // Before there was anything to keep.
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (answer) answer_ = std::move(answer);
    problem_ = std::move(problem);
  }
  running_ = false;
  QMetaObject::invokeMethod(
      this, [this] { emit finished(); }, Qt::QueuedConnection);
}

void LayoutSearch::cancel() {
  control_.stop();
}

void LayoutSearch::pause() {
  control_.pause();
  const std::lock_guard<std::mutex> lock(mutex_);
  clock_.pause();
}

void LayoutSearch::resume() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    clock_.resume();
  }
  control_.resume();
}

void LayoutSearch::wait() {
  if (worker_.joinable()) worker_.join();
}

SearchProgress LayoutSearch::progress() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return progress_;
}

int LayoutSearch::phase() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return phase_;
}

double LayoutSearch::seconds() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return clock_.seconds();
}

std::shared_ptr<const PlanAnswer> LayoutSearch::answer() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return answer_;
}

std::string LayoutSearch::problem() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return problem_;
}

}  // namespace orrery::gui
