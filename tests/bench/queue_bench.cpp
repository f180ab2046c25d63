// The measurement behind the choice of LaneQueue: time to take the next event and give its lane another one,
// for 8 to 8192 lanes, against an indexed 4-ary heap and a std::priority_queue.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <queue>
#include <random>
#include <utility>
#include <vector>

#include "sim/engine/event_queue.hpp"

namespace orrery::bench {

namespace {

struct Key {
  std::int64_t time = 0;
  std::uint32_t lane = 0;
  auto operator<=>(const Key&) const = default;
};

/// 4-ary heap of (time, lane) with the place of every lane, so that a key can change in place.
class IndexedHeap {
 public:
  explicit IndexedHeap(std::size_t lanes) : heap_(lanes), place_(lanes) {
    for (std::uint32_t lane = 0; lane < lanes; ++lane) put(lane, {kNever.ps, lane});
  }
  [[nodiscard]] Key next() const { return heap_[0]; }
  void set(std::uint32_t lane, std::int64_t time) {
    const Key key{time, lane};
    std::size_t i = place_[lane];
    for (; i > 0 && key < heap_[(i - 1) / 4]; i = (i - 1) / 4) put(i, heap_[(i - 1) / 4]);
    for (std::size_t first = 4 * i + 1; first < heap_.size(); first = 4 * i + 1) {
      std::size_t least = first;
      for (std::size_t k = first + 1; k < std::min(first + 4, heap_.size()); ++k) {
        if (heap_[k] < heap_[least]) least = k;
      }
      if (key <= heap_[least]) break;
      put(i, heap_[least]);
      i = least;
    }
    put(i, key);
  }

 private:
  void put(std::size_t i, Key key) {
    heap_[i] = key;
    place_[key.lane] = static_cast<std::uint32_t>(i);
  }
  std::vector<Key> heap_;
  std::vector<std::uint32_t> place_;
};

class WinnerTree {
 public:
  explicit WinnerTree(std::size_t lanes) : queue_(lanes) {}
  [[nodiscard]] Key next() const {
    return {queue_.time().ps, static_cast<std::uint32_t>(queue_.lane().value)};
  }
  void set(std::uint32_t lane, std::int64_t time) {
    queue_.set(ResourceId{std::size_t{lane}}, SimTime{time});
  }

 private:
  LaneQueue queue_;
};

/// Only ever changes the key of the next event, which a heap without places can do too.
class PriorityQueue {
 public:
  explicit PriorityQueue(std::size_t lanes) : lanes_(lanes) {}
  [[nodiscard]] Key next() const { return queue_.top(); }
  void set(std::uint32_t lane, std::int64_t time) {
    if (queue_.size() == lanes_) queue_.pop();
    queue_.push({time, lane});
  }

 private:
  std::size_t lanes_;
  std::priority_queue<Key, std::vector<Key>, std::greater<>> queue_;
};

template <class Queue>
void hold(benchmark::State& state) {
  const auto lanes = static_cast<std::size_t>(state.range(0));
  std::mt19937_64 random(1);
  std::vector<std::int64_t> durations(1U << 16);
  for (std::int64_t& ps : durations) ps = static_cast<std::int64_t>(50'000'000 + random() % 100'000'000);
  Queue queue(lanes);
  for (std::uint32_t lane = 0; lane < lanes; ++lane) queue.set(lane, durations[lane]);
  std::size_t i = 0;
  for (auto _ : state) {
    const Key key = queue.next();
    queue.set(key.lane, key.time + durations[i++ % durations.size()]);
  }
}
BENCHMARK(hold<WinnerTree>)->RangeMultiplier(8)->Range(8, 8192);
BENCHMARK(hold<IndexedHeap>)->RangeMultiplier(8)->Range(8, 8192);
BENCHMARK(hold<PriorityQueue>)->RangeMultiplier(8)->Range(8, 8192);

}  // namespace

}  // namespace orrery::bench
