#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "planner/candidate.hpp"
#include "sim/schedule/schedule_profile.hpp"

namespace orrery {

/// Schedules reduced to counts, each made once; safe for several threads.
class ProfileCache {
 public:
  struct Entry {
    bool exists = false;  ///< the schedule has this size
    std::shared_ptr<const ScheduleProfile> profile;
    std::shared_ptr<const Schedule> schedule;  ///< where it is small enough to keep
  };
  explicit ProfileCache(const std::vector<Variant>& variants) : variants_(variants) {}
  [[nodiscard]] bool exists(std::size_t variant, std::int64_t pp, std::int64_t microbatches);
  std::shared_ptr<const ScheduleProfile> profile(std::size_t variant, std::int64_t pp,
                                                 std::int64_t microbatches);
  std::shared_ptr<const Schedule> schedule(std::size_t variant, std::int64_t pp, std::int64_t microbatches);

 private:
  Entry& entry(std::size_t variant, std::int64_t pp, std::int64_t microbatches);
  const std::vector<Variant>& variants_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Entry> known_;  ///< looked up, never walked
};

}  // namespace orrery
