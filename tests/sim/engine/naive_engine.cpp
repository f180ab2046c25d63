#include "tests/sim/engine/naive_engine.hpp"

#include <algorithm>
#include <cstdint>
#include <type_traits>

namespace orrery::test {

namespace {

constexpr std::int64_t kOne = 65536;

template <class Number>
Number stretched(Number work, Slowdown f) {
  if constexpr (std::is_integral_v<Number>) return (work * f + kOne - 1) / kOne;
  return work * static_cast<Number>(f) / static_cast<Number>(kOne);
}

template <class Number>
Number shrunk(Number elapsed, Slowdown f) {
  if constexpr (std::is_integral_v<Number>) return elapsed * kOne / f;
  return elapsed * static_cast<Number>(kOne) / static_cast<Number>(f);
}

enum class State { kWaiting, kRunning, kDone };

template <class Number>
class Naive {
 public:
  explicit Naive(const TaskGraph& graph) : graph_(graph), tasks_(graph.task_count()) {
    for (std::size_t t = 0; t < tasks_.size(); ++t) {
      tasks_[t].left = static_cast<Number>(graph.duration(TaskId{t}).ps);
    }
  }

  NaiveTimes<Number> run() {
    Number now = 0;
    while (true) {
      while (end_due(now) || start_free(now)) {
      }
      retime(now);
      bool any = false;
      Number next = 0;
      for (const Task& task : tasks_) {
        if (task.state != State::kRunning) continue;
        next = any ? std::min(next, task.end) : task.end;
        any = true;
      }
      if (!any) break;
      now = next;
    }
    NaiveTimes<Number> times;
    for (const Task& task : tasks_) {
      times.start.push_back(task.start);
      times.end.push_back(task.end);
    }
    return times;
  }

 private:
  struct Task {
    State state = State::kWaiting;
    Number start = 0;
    Number end = 0;
    Number left = 0;   ///< solo work at `since`
    Number since = 0;  ///< when `factor` was set
    Slowdown factor = kNoSlowdown;
  };

  bool end_due(Number now) {
    bool any = false;
    for (Task& task : tasks_) {
      if (task.state != State::kRunning || task.end > now) continue;
      task.state = State::kDone;
      any = true;
    }
    return any;
  }

  bool start_free(Number now) {
    bool any = false;
    for (std::size_t t = 0; t < tasks_.size(); ++t) {
      if (tasks_[t].state != State::kWaiting || !free(TaskId{t})) continue;
      tasks_[t].state = State::kRunning;
      tasks_[t].start = tasks_[t].since = now;
      tasks_[t].end = now + tasks_[t].left;
      any = true;
    }
    return any;
  }

  bool free(TaskId t) const {
    const auto done = [this](TaskId p) { return tasks_[p.at()].state == State::kDone; };
    const TaskId previous = graph_.previous_in_lane(t);
    return (previous == kNoTask || done(previous)) && std::ranges::all_of(graph_.predecessors(t), done);
  }

  Slowdown factor(TaskId t) const {
    const TaskGraphColumns& c = graph_.columns();
    const ResourceId lane = graph_.lane(t);
    if (graph_.lane_group(lane) == kNoGroup) return kNoSlowdown;
    std::size_t mask = 0;
    for (std::size_t u = 0; u < tasks_.size(); ++u) {
      const ResourceId other = graph_.lane(TaskId{u});
      const bool runs = tasks_[u].state == State::kRunning && graph_.duration(TaskId{u}).ps > 0;
      if (runs && other != lane && graph_.lane_group(other) == graph_.lane_group(lane)) {
        mask |= std::size_t{1} << c.lane_position[other.at()];
      }
    }
    return c.slowdowns.row(graph_.slowdown_row(t))[mask];
  }

  void retime(Number now) {
    for (std::size_t t = 0; t < tasks_.size(); ++t) {
      Task& task = tasks_[t];
      if (task.state != State::kRunning) continue;
      const Slowdown f = factor(TaskId{t});
      if (f == task.factor) continue;
      task.left -= shrunk(static_cast<Number>(now - task.since), task.factor);
      task.since = now;
      task.factor = f;
      task.end = now + stretched(task.left, f);
    }
  }

  const TaskGraph& graph_;
  std::vector<Task> tasks_;
};

}  // namespace

template <class Number>
NaiveTimes<Number> run_naive(const TaskGraph& graph) {
  return Naive<Number>(graph).run();
}

template NaiveTimes<std::int64_t> run_naive<std::int64_t>(const TaskGraph&);
template NaiveTimes<long double> run_naive<long double>(const TaskGraph&);

}  // namespace orrery::test
