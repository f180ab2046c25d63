#pragma once

#include <QObject>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gui/core/plan_answers.hpp"
#include "gui/core/work_clock.hpp"
#include "gui/core/workbench.hpp"
#include "planner/sweep/sweep_spec.hpp"
#include "sim/base/work_control.hpp"

namespace orrery::gui {

/// A key of the scenario and the values to try, each as the command line takes it.
struct PlanAxis {
  std::string key;
  std::vector<std::string> values;
};
/// "4, 8, 16" as values; blanks around them are dropped.
[[nodiscard]] std::vector<std::string> split_values(const std::string& text);

/// Every combination of some axes around a scenario, simulated one after the other in a worker: what
/// `orrery sweep` computes of the same grid, without a journal. Signals come in the owner's thread.
class PlanSearch : public QObject {
  Q_OBJECT

 public:
  explicit PlanSearch(ProfileFolders profiles, QObject* parent = nullptr);
  ~PlanSearch() override;

  /// Begins anew. InputError for an axis without values, of no key of a scenario, or too many combinations.
  void start(const Scenario& base, const std::filesystem::path& folder, const std::vector<PlanAxis>& axes);
  /// Ends at once; what is done stays, the item that runs is dropped.
  void cancel();
  void pause();
  void resume();
  [[nodiscard]] bool paused() const { return control_.paused(); }
  /// Since it began, without pauses.
  [[nodiscard]] double seconds() const { return clock_.seconds(); }
  void wait();
  [[nodiscard]] bool running() const { return running_; }
  [[nodiscard]] std::size_t total() const { return total_; }
  [[nodiscard]] std::size_t done() const;
  /// Done so far, in the order of the grid; a copy, since the worker goes on.
  [[nodiscard]] PlanItems items() const;
  [[nodiscard]] const std::vector<PlanAxis>& axes() const { return axes_; }

 signals:
  void advanced(int done, int total);
  void finished();

 private:
  void work(const SweepSpec& spec);
  ProfileFolders profiles_;
  std::vector<PlanAxis> axes_;
  std::size_t total_ = 0;
  mutable std::mutex mutex_;
  PlanItems items_;
  std::thread worker_;
  WorkControl control_;
  WorkClock clock_;
  std::atomic<bool> running_{false};
};

/// Rows of a sweep's journal (docs/formats/sweep.md), for looking at; damaged lines are left out and counted.
/// InputError when the text is no journal.
struct JournalRows {
  PlanItems items;
  std::size_t damaged = 0;
};
[[nodiscard]] JournalRows read_journal(const std::string& text, const std::string& place);

}  // namespace orrery::gui
