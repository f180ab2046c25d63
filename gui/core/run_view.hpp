#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gui/core/step_rows.hpp"
#include "planner/inputs.hpp"
#include "planner/memory_over_time.hpp"
#include "sim/lower/step_window.hpp"
#include "sim/report/published.hpp"
#include "sim/scenario.hpp"
#include "sim/simulate.hpp"

namespace orrery::gui {

/// One run as the views show it: what was asked, what came out, and what is drawn of it. Made in a worker,
/// constant afterwards, except for the rows of a rank's streams, which are made when first asked for.
class RunView {
 public:
  /// Simulates; InputError for what the façade refuses, `Stopped` under a control that is stopped.
  RunView(Scenario scenario, std::vector<InputRow> inputs, const ProfileFolders& profiles);

  [[nodiscard]] const Scenario& scenario() const { return scenario_; }
  [[nodiscard]] const SimResult& result() const { return result_; }
  [[nodiscard]] const Metrics& metrics() const { return result_.metrics; }
  [[nodiscard]] bool feasible() const { return !result_.metrics.infeasible; }
  [[nodiscard]] const std::vector<InputRow>& inputs() const { return inputs_; }
  /// Published runs about this scenario, each beside what was computed.
  struct Comparison {
    PublishedRun run;
    std::vector<ComparisonRow> rows;
  };
  [[nodiscard]] const std::vector<Comparison>& comparisons() const { return comparisons_; }
  /// The published figure with this key ("step.time_s"); nullptr when there is none.
  [[nodiscard]] const ComparisonRow* published(const std::string& key,
                                               const PublishedRun** run = nullptr) const;

  /// Where the time axis ends, picoseconds: the end of the last task or, where steps overlap, of the last
  /// rank's own step. 0 when infeasible.
  [[nodiscard]] std::int64_t makespan() const { return extent_; }
  /// Whether a rank begins its next step before all ranks have ended this one: then every rank has a step of
  /// its own, as long as the step time, and rows show that and no more.
  [[nodiscard]] bool steps_overlap() const { return feasible() && !result_.step->barrier; }
  /// Begin and end of a rank's own step. Only when feasible.
  [[nodiscard]] Stretch window(int rank) const { return window_of(result_, period_, rank); }
  [[nodiscard]] std::int64_t replicas() const { return replicas_; }
  [[nodiscard]] int ranks() const;
  [[nodiscard]] const std::vector<RankBubble>& bubbles() const { return bubbles_; }
  [[nodiscard]] const std::vector<MemoryOverTime>& memory() const { return memory_; }

  [[nodiscard]] const TimelineRow* critical() const { return critical_.get(); }
  [[nodiscard]] const LevelRows& pipeline() const { return *pipeline_; }
  /// Rows of a level; `rank` counts for streams only. Not for threads at the same time; what is returned
  /// stays as long as somebody holds it or until another rank is asked for.
  [[nodiscard]] std::shared_ptr<const LevelRows> shared_rows(Level level, int rank) const;
  [[nodiscard]] const LevelRows& rows(Level level, int rank) const { return *shared_rows(level, rank); }
  /// Memory, power, NIC and NVLink load of a rank as counter rows.
  [[nodiscard]] const LevelRows& counters(int rank) const;
  [[nodiscard]] double seconds_to_make() const { return seconds_; }

 private:
  Scenario scenario_;
  SimResult result_;
  std::vector<InputRow> inputs_;
  std::vector<Comparison> comparisons_;
  std::vector<RankBubble> bubbles_;
  std::vector<MemoryOverTime> memory_;
  std::unique_ptr<TimelineRow> critical_;
  StepPeriod period_;
  std::int64_t extent_ = 0;
  std::shared_ptr<const LevelRows> pipeline_ = std::make_shared<LevelRows>(), cluster_ = pipeline_;
  mutable std::shared_ptr<const LevelRows> streams_, operators_;
  mutable LevelRows counters_;
  std::int64_t replicas_ = 1;
  double seconds_ = 0;  ///< wall time of making it; shown, never part of a result
};

/// What a transfer goes through.
enum class Link : std::uint8_t { kNic, kNvlink };
/// Share of the link's nominal rate that a rank's transfers use, mean over `bins` equal parts of the axis,
/// which ends at `extent_ps`. What does not leave by the NIC takes NVLink, as the power model counts it.
[[nodiscard]] Counter link_load(const SimResult& result, const Scenario& scenario, int rank, Link link,
                                int bins, std::int64_t extent_ps);
/// Board power of one GPU of a rank, by the bins of the result's power trace; empty where there is none.
[[nodiscard]] Counter power_counter(const Metrics& metrics, const Scenario& scenario, int rank);

}  // namespace orrery::gui
