#pragma once

#include <QObject>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gui/core/plan_answers.hpp"
#include "gui/core/work_clock.hpp"
#include "sim/base/work_control.hpp"

namespace orrery::gui {

/// What a search for the best layout is asked, as people write it.
struct PlanQuestion {
  /// Lists of the space by key (planner/search_space.hpp), values separated by commas; keys left out keep
  /// what the default space has.
  std::vector<std::pair<std::string, std::string>> space;
  std::string objective = "step";
  std::string limits;  ///< conditions separated by commas: "memory<=76GB, tp<=8"
  std::string front;   ///< two or three metrics separated by commas; empty: no front
  std::size_t top = 20;
};

/// The question as the façade takes it. InputErrors at "plan/KEY", with what would have been right.
[[nodiscard]] PlanRequest plan_request(const Scenario& scenario, const PlanQuestion& question);

/// Lists of a space around the present layout: pipeline, virtual stages, expert parallelism, schedule,
/// recomputation and placement are free, the rest is as the scenario has it. With `whole`, the default space.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> first_space(const Scenario& scenario,
                                                                           bool whole);

/// `orrery plan` in a worker: branch and bound with proof (planner/plan.hpp). Signals come in the owner's
/// thread.
class LayoutSearch : public QObject {
  Q_OBJECT

 public:
  explicit LayoutSearch(ProfileFolders profiles, QObject* parent = nullptr);
  ~LayoutSearch() override;

  /// Begins anew. InputErrors of `plan_request`.
  void start(const Scenario& scenario, const PlanQuestion& question);
  /// Ends within a tenth of a second, with the best so far.
  void cancel();
  void pause();
  void resume();
  [[nodiscard]] bool paused() const { return control_.paused(); }
  void wait();
  [[nodiscard]] bool running() const { return running_; }
  [[nodiscard]] SearchProgress progress() const;
  /// Searches that have ended: those of an objective's levels and of the points of a front follow one
  /// another.
  [[nodiscard]] int phase() const;
  /// Since the present one of them began, without pauses.
  [[nodiscard]] double seconds() const;
  /// Of the last search that ended; null before.
  [[nodiscard]] std::shared_ptr<const PlanAnswer> answer() const;
  /// What the last search was refused for, in words; empty: nothing.
  [[nodiscard]] std::string problem() const;

 signals:
  void advanced();
  void finished();

 private:
  void work(PlanRequest request);

  ProfileFolders profiles_;
  mutable std::mutex mutex_;
  SearchProgress progress_;
  int phase_ = 0;
  std::shared_ptr<const PlanAnswer> answer_;
  std::string problem_;
  std::thread worker_;
  WorkControl control_;
  WorkClock clock_;
  std::atomic<bool> running_{false};
};

}  // namespace orrery::gui
