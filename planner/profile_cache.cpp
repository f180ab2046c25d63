#include "planner/profile_cache.hpp"

#include <utility>

#include "sim/schedule/generators.hpp"

namespace orrery {
namespace {

/// Schedules of up to so many steps are kept: some 200 KB each.
constexpr std::size_t kStepsKept = 8000;

}  // namespace

ProfileCache::Entry& ProfileCache::entry(std::size_t variant, std::int64_t pp, std::int64_t microbatches) {
  const std::uint64_t key = static_cast<std::uint64_t>(variant) << 56 | static_cast<std::uint64_t>(pp) << 32 |
                            static_cast<std::uint64_t>(microbatches);
  const auto [found, made] = known_.try_emplace(key);
  if (made) {
    const Variant& v = variants_[variant];
    found->second.exists = !check_schedule(v.schedule, static_cast<int>(pp), static_cast<int>(v.vpp),
                                           static_cast<int>(microbatches));
  }
  return found->second;
}

bool ProfileCache::exists(std::size_t variant, std::int64_t pp, std::int64_t microbatches) {
  if (microbatches > INT32_MAX) return false;
  const std::lock_guard lock(mutex_);
  return entry(variant, pp, microbatches).exists;
}

std::shared_ptr<const ScheduleProfile> ProfileCache::profile(std::size_t variant, std::int64_t pp,
                                                             std::int64_t microbatches) {
  {
    const std::lock_guard lock(mutex_);
    Entry& e = entry(variant, pp, microbatches);
    if (e.profile) return e.profile;
  }
  auto made = std::make_shared<const ScheduleProfile>(profile_of(*schedule(variant, pp, microbatches)));
  const std::lock_guard lock(mutex_);
  Entry& e = entry(variant, pp, microbatches);
  if (!e.profile) e.profile = std::move(made);
  return e.profile;
}

std::shared_ptr<const Schedule> ProfileCache::schedule(std::size_t variant, std::int64_t pp,
                                                       std::int64_t microbatches) {
  {
    const std::lock_guard lock(mutex_);
    Entry& e = entry(variant, pp, microbatches);
    if (e.schedule) return e.schedule;
  }
  const Variant& v = variants_[variant];
  auto made = std::make_shared<const Schedule>(make_schedule(
      v.schedule, static_cast<int>(pp), static_cast<int>(v.vpp), static_cast<int>(microbatches)));
  std::size_t steps = 0;
  for (const std::vector<Step>& rank : made->ranks) steps += rank.size();
  if (steps > kStepsKept) return made;
  const std::lock_guard lock(mutex_);
  Entry& e = entry(variant, pp, microbatches);
  if (!e.schedule) e.schedule = std::move(made);
  return e.schedule;
}

}  // namespace orrery
