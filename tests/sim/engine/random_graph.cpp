#include "tests/sim/engine/random_graph.hpp"

#include <random>
#include <string>
#include <vector>

namespace orrery::test {

namespace {

SlowdownTable random_table(std::mt19937_64& random) {
  SlowdownTable table;
  for (int i = 0; i < 5; ++i) {
    SlowdownRow row;
    for (Slowdown& entry : row) entry = kNoSlowdown + static_cast<Slowdown>(random() % (2 * kNoSlowdown));
    row[0] = kNoSlowdown;
    table.add(row);
  }
  return table;
}

}  // namespace

TaskGraph make_random_graph(const RandomGraph& spec) {
  std::mt19937_64 random(spec.seed);
  const auto below = [&random](int n) { return static_cast<int>(random() % static_cast<std::uint64_t>(n)); };
  TaskGraphBuilder builder;
  std::vector<ResourceId> lanes = {builder.add_lane("alone")};
  for (int g = 0; g < spec.groups; ++g) {
    const GroupId group = builder.add_group();
    for (int i = 0; i < spec.lanes_per_group; ++i) {
      lanes.push_back(builder.add_lane("lane " + std::to_string(lanes.size()), group));
    }
  }
  builder.set_slowdowns(random_table(random));
  const auto lane_count = static_cast<int>(lanes.size());

  const auto count = static_cast<std::size_t>(spec.tasks);
  std::vector<TaskSpec> specs(count);
  for (TaskSpec& task : specs) {
    task.lane = lanes[static_cast<std::size_t>(below(lane_count))];
    task.duration = SimTime{below(8) == 0 ? 0 : 1000 * (1 + below(5)) + (below(4) == 0 ? below(1000) : 0)};
    const auto row = static_cast<std::uint16_t>(below(6));
    task.slowdown_row = spec.coupled ? row : std::uint16_t{0};
  }
  std::vector<TaskId> id(count);
  for (const ResourceId lane : lanes) {
    for (std::size_t i = 0; i < count; ++i) {
      if (specs[i].lane == lane) id[i] = builder.add_task(specs[i]);
    }
  }
  for (int i = 0; i < spec.tasks + spec.extra_dependencies; ++i) {
    const int after = 1 + below(spec.tasks - 1);
    const int before = after - 1 - below(std::min(after, 30));
    builder.add_dependency(id[static_cast<std::size_t>(before)], id[static_cast<std::size_t>(after)]);
  }
  return std::move(builder).freeze();
}

}  // namespace orrery::test
