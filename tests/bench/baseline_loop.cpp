#include "tests/bench/baseline_loop.hpp"

#include <cstdint>
#include <queue>
#include <utility>

namespace orrery::bench {

namespace {

struct Event {
  std::int64_t time;
  std::uint32_t sequence;
  std::uint32_t task;
  bool operator>(const Event& o) const { return time != o.time ? time > o.time : sequence > o.sequence; }
};

class Baseline {
 public:
  explicit Baseline(const TaskGraph& graph)
      : c_(graph.columns()), open_(graph.task_count()), idle_(graph.lane_count(), 1) {
    out_.start.resize(graph.task_count());
    out_.end.resize(graph.task_count());
    for (std::size_t t = 0; t < open_.size(); ++t) {
      open_[t] = c_.predecessor_begin[t + 1] - c_.predecessor_begin[t];
    }
    for (std::size_t lane = 0; lane < graph.lane_count(); ++lane) {
      const auto tasks = graph.lane_tasks(ResourceId{lane});
      head_.push_back(tasks.empty() ? kNoTask : tasks[0]);
    }
    std::vector<Event> storage;
    storage.reserve(graph.lane_count() + 1);
    queue_ = Queue(std::greater<>(), std::move(storage));
  }

  BaselineTimes run() {
    for (std::size_t lane = 0; lane < head_.size(); ++lane) try_start(lane, 0);
    while (!queue_.empty()) {
      const Event event = queue_.top();
      queue_.pop();
      out_.makespan.ps = event.time;
      const std::size_t lane = c_.core[event.task].lane.at();
      idle_[lane] = 1;
      for (auto i = c_.core[event.task].successor_begin; i < c_.core[event.task + 1].successor_begin; ++i) {
        const TaskId next = c_.successor[i];
        if (--open_[next.at()] != 0) continue;
        const std::size_t next_lane = c_.core[next.at()].lane.at();
        if (next_lane != lane && head_[next_lane] == next) try_start(next_lane, event.time);
      }
      try_start(lane, event.time);
    }
    return std::move(out_);
  }

 private:
  void try_start(std::size_t lane, std::int64_t now) {
    const TaskId task = head_[lane];
    if (!idle_[lane] || task == kNoTask || open_[task.at()] != 0) return;
    idle_[lane] = 0;
    head_[lane] = c_.core[task.at()].next_in_lane;
    out_.start[task.at()] = SimTime{now};
    out_.end[task.at()] = SimTime{now + c_.core[task.at()].duration.ps};
    queue_.push({out_.end[task.at()].ps, sequence_++, static_cast<std::uint32_t>(task.value)});
  }

  using Queue = std::priority_queue<Event, std::vector<Event>, std::greater<>>;
  const TaskGraphColumns& c_;
  std::vector<std::uint32_t> open_;
  std::vector<char> idle_;
  std::vector<TaskId> head_;
  Queue queue_;
  std::uint32_t sequence_ = 0;
  BaselineTimes out_;
};

}  // namespace

BaselineTimes run_baseline(const TaskGraph& graph) {
  return Baseline(graph).run();
}

}  // namespace orrery::bench
