#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gui/core/slices.hpp"
#include "sim/lower/step_window.hpp"
#include "sim/report/bubble_causes.hpp"
#include "sim/report/metrics.hpp"
#include "sim/simulate.hpp"

namespace orrery::gui {

/// How far down a timeline looks.
enum class Level : std::uint8_t {
  kCluster,    ///< replicas and pipeline ranks as shares of busy GPUs
  kPipeline,   ///< the ranks of one pipeline: forwards, backwards, weight gradients
  kRank,       ///< one rank's streams: neighbouring operators of a kind as one slice
  kOperators,  ///< one rank's streams: every operator
};
inline constexpr int kLevelCount = 4;
[[nodiscard]] std::string_view level_name(Level level);

/// Why a rank waited. The last is waiting inside a step of the program, which has no cause of the schedule.
enum class Wait : std::uint8_t { kWarmUp, kDependency, kDrain, kMessage };
[[nodiscard]] std::string_view wait_name(Wait wait);

enum class RowKind : std::uint8_t {
  kHeat,          ///< share of busy GPUs; `slices` empty, `sources` names pipeline rows
  kCriticalPath,  ///< causes along the chain that sets the step; refs are tasks
  kPipelineRank,  ///< refs >= 0: step of the program; < 0: ~Wait of a gap; kTailRef: after the pipeline
  kStream,        ///< refs are tasks
  kCounter,       ///< `counter` holds a curve
  kTrace,         ///< of a file; refs are positions in `labels`
};
inline constexpr std::int32_t kTailRef = 0x7fffffff;

/// A quantity over time, constant from one point to the next.
struct Counter {
  std::vector<std::int64_t> t;  ///< picoseconds, ascending
  std::vector<double> value;
  std::string unit;
  double limit = 0;  ///< 0: none
  double scale = 1;  ///< shown is value * scale in `unit`
};

struct TimelineRow {
  std::string name;
  std::string note;  ///< small, below the name
  RowKind kind = RowKind::kStream;
  int rank = -1;
  SliceRow slices;
  RowIndex index;
  Counter counter;
  std::vector<std::string> labels;
  std::vector<std::size_t> sources;
  int folded = 1;  ///< how many alike stand behind the row
};

/// Rows of one level. Rows do not move once made: indices point into them.
struct LevelRows {
  Level level = Level::kPipeline;
  int rank = -1;
  std::vector<std::unique_ptr<TimelineRow>> rows;
  [[nodiscard]] std::size_t slice_count() const;
};

/// The category of a task, and of a step's action.
[[nodiscard]] Ink ink_of_task(const LoweredStep& step, const Timeline& timeline, TaskId task);
[[nodiscard]] Ink ink_of_action(ActionKind kind);

/// Start and end of something, picoseconds.
struct Stretch {
  std::int64_t begin = 0, end = 0;
};
/// A rank's own step: from its begin as long as the step time. With a barrier that is the whole timeline.
[[nodiscard]] Stretch window_of(const SimResult& result, const StepPeriod& period, int rank);

/// Ranks of the pipeline with their waiting as slices of kIdle, and work after the pipeline. A row covers the
/// rank's own step without a gap; its waiting is that of sim/report/bubble_causes.
[[nodiscard]] LevelRows pipeline_rows(const SimResult& result, const StepPeriod& period);
/// The critical path, neighbours of one cause merged; its slices sum to the step.
[[nodiscard]] std::unique_ptr<TimelineRow> critical_row(const SimResult& result);
/// Replicas folded into one row and the ranks below it, as shares of `pipeline`'s rows.
[[nodiscard]] LevelRows cluster_rows(const LevelRows& pipeline, std::int64_t replicas);
/// The streams of one rank; every operator, or neighbours of a kind inside a step merged.
[[nodiscard]] LevelRows stream_rows(const SimResult& result, int rank, bool every_operator);

/// Start and end of a step of the program.
[[nodiscard]] Stretch stretch_of(const SimResult& result, std::size_t step);
/// Steps whose output a step's actions need, and steps that need its output; each ascending, none twice.
[[nodiscard]] std::vector<std::size_t> steps_before(const SimResult& result, std::size_t step);
[[nodiscard]] std::vector<std::size_t> steps_after(const SimResult& result, std::size_t step);

}  // namespace orrery::gui
