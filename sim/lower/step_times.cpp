#include "sim/lower/step_times.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace orrery {
namespace {

constexpr std::size_t kLanes = 3;  // compute, communication, NIC: the host slows nothing
constexpr auto kNicLane = static_cast<std::size_t>(Lane::kNic);

struct Task {
  SimTime duration;
  const Slowdown* row = nullptr;
  std::int32_t after = -1, also = -1;  ///< tasks it waits for
  SimTime end = kNever;
};

class LoneStep {
 public:
  LoneStep(const StepTemplates& templates, const StepTemplate& step, const StepMessages& messages) {
    tasks_.reserve(step.tasks.size() + 2);
    for (const TemplateTask& t : step.tasks) add(templates, t.item, t.after, t.also);
    if (messages.output != kNoMessage) output_ = add(templates, messages.output, step.forward_end);
    if (messages.gradient != kNoMessage) gradient_ = add(templates, messages.gradient, step.gradient_end);
  }

  /// Each lane runs its tasks in order, each when the one it waits for has ended.
  void relax() {
    std::array<SimTime, kLanes> free{};
    // A task waits for earlier ones only, so one pass in the order of creation is enough.
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      Task& t = tasks_[i];
      if (lane_[i] >= kLanes) {
        t.end = {};  // data-parallel traffic beside the steps: nothing here waits for it
        continue;
      }
      SimTime& lane = free[lane_[i]];
      t.end = std::max({lane, end_of(t.after), end_of(t.also)}) + t.duration;
      lane = t.end;
    }
  }

  void contend() {
    std::size_t left = tasks_.size();
    SimTime now;
    start(now, left);
    while (left > 0) {
      SimTime next = kNever;
      for (const Running& r : running_) next = std::min(next, r.end);
      now = next;
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        if (running_[lane].end == now) finish(lane, now, left);
      }
      start(now, left);
      if (work_left_ == 0 && !measured_) measure_messages(now);
    }
  }

  [[nodiscard]] SimTime message_left() const { return message_left_; }
  [[nodiscard]] SimTime end_of(std::int32_t task) const {
    return task < 0 ? SimTime{} : tasks_[static_cast<std::size_t>(task)].end;
  }
  [[nodiscard]] SimTime work_end() const {
    SimTime end;
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      if (lane_[i] < 2) end = std::max(end, tasks_[i].end);
    }
    return end;
  }
  [[nodiscard]] std::int32_t output() const { return output_; }
  [[nodiscard]] std::int32_t gradient() const { return gradient_; }

 private:
  struct Running {
    std::size_t task = 0;
    SimTime end = kNever;
    SimTime since;
    SimTime work;
    Slowdown factor = kNoSlowdown;
  };

  /// Whether a task need not be waited for, or no more.
  [[nodiscard]] bool over(std::int32_t task) const {
    if (task < 0) return true;
    const auto t = static_cast<std::size_t>(task);
    return lane_[t] >= kLanes || tasks_[t].end != kNever;
  }

  std::int32_t add(const StepTemplates& templates, std::uint32_t item, std::int32_t after,
                   std::int32_t also = -1) {
    const CostedItem& c = templates.items()[item];
    const auto lane = static_cast<std::size_t>(c.lane);
    if (lane < kLanes) queue_[lane].push_back(tasks_.size());
    tasks_.push_back({.duration = c.duration,
                      .row = templates.slowdowns().row(c.slowdown_row).data(),
                      .after = after,
                      .also = also});
    lane_.push_back(lane);
    if (lane != kNicLane) ++work_left_;
    return static_cast<std::int32_t>(tasks_.size() - 1);
  }

  void finish(std::size_t lane, SimTime now, std::size_t& left) {
    tasks_[running_[lane].task].end = now;
    running_[lane].end = kNever;
    busy_ &= ~(1U << lane);
    --left;
    if (lane != kNicLane) --work_left_;
  }

  /// What the NIC lane still has to do once all other work is done.
  void measure_messages(SimTime now) {
    measured_ = true;
    if ((busy_ >> kNicLane & 1U) != 0)
      message_left_ =
          running_[kNicLane].work - work_done(now - running_[kNicLane].since, running_[kNicLane].factor);
    for (std::size_t i = next_[kNicLane]; i < queue_[kNicLane].size(); ++i)
      message_left_ += tasks_[queue_[kNicLane][i]].duration;
    // The engine rounds once less where the message's slowdown goes on unchanged: stay below it.
    message_left_.ps = std::max<std::int64_t>(0, message_left_.ps - 2);
  }

  /// Starts what can start, then sets the slowdowns that hold after this instant.
  void start(SimTime now, std::size_t& left) {
    for (bool more = true; more;) {
      more = false;
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        while ((busy_ >> lane & 1U) == 0 && next_[lane] < queue_[lane].size()) {
          const std::size_t id = queue_[lane][next_[lane]];
          Task& t = tasks_[id];
          if (!over(t.after) || !over(t.also)) break;
          ++next_[lane];
          more = true;
          if (t.duration.ps == 0) {
            t.end = now;
            --left;
            if (lane != kNicLane) --work_left_;
            continue;
          }
          busy_ |= 1U << lane;
          running_[lane] = {.task = id, .end = kNever, .since = now, .work = t.duration, .factor = 0};
        }
      }
    }
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      if ((busy_ >> lane & 1U) == 0) continue;
      Running& r = running_[lane];
      const Slowdown factor = tasks_[r.task].row[busy_ & ~(1U << lane)];
      if (factor == r.factor) continue;
      if (r.factor != 0) r.work = r.work - work_done(now - r.since, r.factor);
      r.since = now;
      r.factor = factor;
      r.end = now + time_left(r.work, factor);
    }
  }

  std::vector<Task> tasks_;
  std::vector<std::size_t> lane_;
  std::array<std::vector<std::size_t>, kLanes> queue_;
  std::array<std::size_t, kLanes> next_{};
  std::array<Running, kLanes> running_{};
  unsigned busy_ = 0;
  std::size_t work_left_ = 0;  ///< tasks of the other lanes that have not ended
  SimTime message_left_;
  bool measured_ = false;
  std::int32_t output_ = -1, gradient_ = -1;
};

}  // namespace

StepTimes step_times(const StepTemplates& templates, const StepTemplate& step, const StepMessages& messages,
                     bool contended) {
  LoneStep run(templates, step, messages);
  if (contended) {
    run.contend();
  } else {
    run.relax();
  }
  StepTimes times;
  times.work = run.work_end();
  times.duration = std::max(times.work, step.host);
  times.output = run.end_of(run.output() >= 0 ? run.output() : step.forward_end);
  times.gradient = run.end_of(run.gradient() >= 0 ? run.gradient() : step.gradient_end);
  times.message_left = run.message_left();
  times.free = times.duration;
  if (run.output() >= 0) times.free = std::max(times.free, times.output);
  if (run.gradient() >= 0) times.free = std::max(times.free, times.gradient);
  return times;
}

}  // namespace orrery
