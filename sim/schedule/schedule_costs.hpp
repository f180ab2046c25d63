#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/schedule/schedule.hpp"

namespace orrery {

/// What one step takes, in whole ticks of any length.
struct StepTicks {
  std::int64_t duration = 0;  ///< from its start until its rank is free; negative: there is no such step
  std::int64_t output = 0;    ///< from its start until the forward's output can leave
  std::int64_t gradient = 0;  ///< from its start until the gradient of the stage's input can leave
};

/// A step whose results leave when it ends.
[[nodiscard]] constexpr StepTicks whole_step(std::int64_t duration) {
  return {.duration = duration, .output = duration, .gradient = duration};
}

/// What a stage takes for one microbatch. Activations are counted in units of any size.
struct StageCost {
  StepTicks forward;
  StepTicks backward;  ///< both halves as one step
  StepTicks input_grad;
  StepTicks weight_grad;
  std::int64_t kept = 0;      ///< units held from the forward to the backward or input gradient
  std::int64_t deferred = 0;  ///< units held from the input gradient to the weight gradient
};

/// What the steps of one pipeline cost and what its ranks may hold.
struct ScheduleCosts {
  std::vector<StageCost> stages;  ///< [stage]
  /// [forward's stage * stages + backward's stage]: overlapped pairs. Empty: there are none.
  std::vector<StepTicks> pairs;
  std::int64_t message = 0;                ///< between two ranks; a rank sends one at a time
  bool blocking = false;                   ///< a rank goes on only when its messages have left
  std::vector<std::int64_t> memory_limit;  ///< [rank] most units held; empty: no limit
  std::vector<std::int64_t> tail;          ///< [rank] ticks after its last step; empty: none

  /// Of an overlapped pair; negative duration where it does not exist.
  [[nodiscard]] StepTicks pair(StageId forward, StageId backward) const {
    if (pairs.empty()) return {.duration = -1};
    return pairs[forward.at() * stages.size() + backward.at()];
  }
  [[nodiscard]] StepTicks ticks(const Step& step) const;
  [[nodiscard]] bool within_limit(std::size_t rank, std::int64_t units) const {
    return memory_limit.empty() || units <= memory_limit[rank];
  }
  [[nodiscard]] std::int64_t tail_of(std::size_t rank) const { return tail.empty() ? 0 : tail[rank]; }
};

/// Why a step began when it did.
enum class StepCause : std::uint8_t { kRank, kFirstInput, kSecondInput };

struct StepTime {
  std::int64_t begin = 0;
  std::int64_t end = 0;  ///< the rank is free for the next step
  StepCause cause = StepCause::kRank;
};

struct Evaluation {
  bool runs = false;          ///< nothing deadlocks, no action stands before what it needs, every pair exists
  bool fits = false;          ///< no rank holds more than its limit
  std::int64_t makespan = 0;  ///< latest end with tail over the ranks
  std::vector<std::int64_t>
      peak_units;  ///< [rank]; where a pair counts its forward in before its backward out

  [[nodiscard]] bool usable() const { return runs && fits; }
};

/// Times of schedules of one size; keeps its tables between calls. Every rank runs its steps in order, each
/// as soon as the one before has ended and its inputs have arrived: one pass over the steps, no event queue.
/// Does not find missing or doubled actions: that is what `validate` is for.
class ScheduleTimer {
 public:
  explicit ScheduleTimer(const ScheduleCosts& costs) : costs_(costs) {}

  /// `times` [rank][step], filled where given and the schedule runs.
  const Evaluation& run(const Schedule& schedule, std::vector<std::vector<StepTime>>* times = nullptr);

 private:
  struct Slot {
    std::int64_t forward_input = -1;  ///< when it is there; -1: not yet
    std::int64_t backward_input = -1;
    bool weight_input = false;
  };
  struct Rank {
    std::int64_t free = 0;
    std::int64_t nic_free = 0;
    std::int64_t units = 0;
    std::size_t next = 0;
    std::size_t waits_for = 0;  ///< 2 * slot, one more for its backward
  };

  bool inputs_of(const Schedule& schedule, const Step& step, Rank& rank, StepTime& time) const;
  void finish(const Schedule& schedule, const Step& step, std::size_t rank, StepTime& time);
  void hold(const Action& action, std::size_t rank);
  void deliver(const Schedule& schedule, const Action& action, StageId to, std::size_t rank,
               std::int64_t ready, StepTime& time);

  const ScheduleCosts& costs_;
  std::vector<Slot> slots_;
  std::vector<Rank> ranks_;
  std::vector<std::size_t> runnable_;
  Evaluation result_;
};

/// One call of a `ScheduleTimer`. Takes time in proportion to the number of steps.
[[nodiscard]] Evaluation evaluate(const Schedule& schedule, const ScheduleCosts& costs);

}  // namespace orrery
