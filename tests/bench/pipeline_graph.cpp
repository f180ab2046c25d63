#include "tests/bench/pipeline_graph.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <random>
#include <string>

#include "sim/engine/task_graph_builder.hpp"

namespace orrery::bench {

namespace {

/// Every other busy lane costs 20 %.
std::uint16_t add_row(SlowdownTable& table) {
  SlowdownRow row;
  for (unsigned mask = 0; mask < row.size(); ++mask) {
    row[mask] = kNoSlowdown + static_cast<Slowdown>(std::popcount(mask)) * (kNoSlowdown / 5);
  }
  return table.add(row);
}

}  // namespace

TaskGraph pipeline_graph(int ranks, int steps, bool coupled) {
  constexpr std::size_t kLanes = 4;
  const std::array<const char*, kLanes> lane_names = {"compute", "dispatch", "combine", "send"};
  TaskGraphBuilder builder;
  SlowdownTable table;
  const std::uint16_t row = coupled ? add_row(table) : std::uint16_t{0};
  builder.set_slowdowns(table);
  const auto tasks = static_cast<std::size_t>(ranks) * static_cast<std::size_t>(steps) * kLanes;
  builder.reserve(tasks, tasks + tasks / 3);
  std::mt19937_64 random(1);
  std::array<NameId, kLanes> names{};
  for (std::size_t i = 0; i < kLanes; ++i) names[i] = builder.intern(lane_names[i]);

  const auto task_at = [&](int rank, int step, std::size_t lane) {
    return TaskId{static_cast<std::size_t>(rank * steps + step) * kLanes + lane};
  };
  for (int rank = 0; rank < ranks; ++rank) {
    const GroupId group = builder.add_group();
    std::array<ResourceId, kLanes> lanes{};
    for (std::size_t i = 0; i < kLanes; ++i) {
      lanes[i] = builder.add_lane("rank " + std::to_string(rank) + " " + lane_names[i], group);
    }
    for (int step = 0; step < steps; ++step) {
      for (std::size_t i = 0; i < kLanes; ++i) {
        const auto ps = static_cast<std::int64_t>(50'000'000 + random() % 100'000'000);
        const bool join = i == 3 && step % 16 == 15;
        builder.add_task({.lane = lanes[i],
                          .duration = SimTime{join ? 0 : ps},
                          .kind = static_cast<std::uint8_t>(i),
                          .name = names[i],
                          .tag = step,
                          .slowdown_row = row});
      }
    }
  }
  // compute -> dispatch -> combine -> the compute after the next (two microbatches in turn);
  // compute -> send -> compute of the next rank.
  for (int rank = 0; rank < ranks; ++rank) {
    for (int step = 0; step < steps; ++step) {
      builder.add_dependency(task_at(rank, step, 0), task_at(rank, step, 1));
      builder.add_dependency(task_at(rank, step, 1), task_at(rank, step, 2));
      builder.add_dependency(task_at(rank, step, 0), task_at(rank, step, 3));
      if (step + 2 < steps) builder.add_dependency(task_at(rank, step, 2), task_at(rank, step + 2, 0));
      if (rank + 1 < ranks) builder.add_dependency(task_at(rank, step, 3), task_at(rank + 1, step, 0));
    }
  }
  return std::move(builder).freeze();
}

}  // namespace orrery::bench
