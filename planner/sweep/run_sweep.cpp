#include "planner/sweep/run_sweep.hpp"

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

#include "planner/stable_hash.hpp"
#include "sim/base/fields.hpp"

namespace orrery {
namespace {

SweepList::Item list_item(const SweepSpec& spec, const SweepPoints& points, SweepItems& items,
                          std::uint64_t number) {
  const std::vector<Override> overrides = points.overrides(number);
  try {
    return {.key = items.key(items.resolve(spec, overrides)), .failed = {}};
  } catch (const InputError& error) {
    return {.key = {}, .failed = std::make_unique<const SweepRow>(unresolved_row(overrides, error))};
  }
}

}  // namespace

SweepList list_items(const SweepSpec& spec, const SweepPoints& points, SweepItems& items, int threads,
                     const std::function<bool()>& stop) {
  SweepList list;
  list.items.resize(points.count());
  std::atomic<std::uint64_t> next{0};
  std::mutex mutex;
  std::exception_ptr fault;
  const auto serve = [&] {
    try {
      for (std::uint64_t i = next++; i < points.count() && !(stop && stop()); i = next++)
        list.items[i] = list_item(spec, points, items, i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      fault = std::current_exception();
    }
  };
  std::vector<std::thread> crew;
  for (int i = 1; i < threads; ++i) crew.emplace_back(serve);
  serve();
  for (std::thread& thread : crew) thread.join();
  if (fault) std::rethrow_exception(fault);
  for (const SweepList::Item& item : list.items) list.errors += item.failed ? 1 : 0;
  return list;
}

std::string sweep_hash(const SweepSpec& spec) {
  return stable_hash(canonical_text(spec));
}

SweepRun::SweepRun(const SweepSpec& spec, const SweepPoints& points, const SweepList& list, SweepItems& items,
                   Journal& journal, std::size_t objective, SweepObserver& observer)
    : spec_(spec),
      points_(points),
      list_(list),
      items_(items),
      journal_(journal),
      objective_(objective),
      observer_(observer) {
  progress_.total = list.items.size();
  for (std::uint64_t i = 0; i < list.items.size(); ++i) {
    const SweepList::Item& item = list.items[i];
    if (item.failed) {
      count(i, *item.failed);
      continue;
    }
    items_of_[item.key].push_back(i);
    if (!journal.has(item.key)) continue;
    ++progress_.remembered;
    count(i, parse_row(journal.row(item.key)));
  }
  progress_.initial = progress_.done;
}

void SweepRun::count(std::uint64_t item, const SweepRow& row) {
  ++progress_.done;
  if (row.status == "ok") ++progress_.ok;
  if (row.status == "infeasible") ++progress_.infeasible;
  if (row.status == "error") ++progress_.errors;
  if (row.status == "failed") ++progress_.failed;
  if (row.status == "lost") ++progress_.lost;
  if (objective_ >= row.metrics.size() || !row.metrics[objective_]) return;
  const double value = *row.metrics[objective_];
  const double gain = (value - progress_.best_value) * sweep_metrics()[objective_].better;
  const bool better = !progress_.best || gain > 0 || (gain == 0 && item < *progress_.best);
  if (!better) return;
  progress_.best = item;
  progress_.best_value = value;
}

bool SweepRun::next(std::string& job) {
  if (observer_.stop()) return false;
  for (; at_ < list_.items.size(); ++at_) {
    const SweepList::Item& item = list_.items[at_];
    if (item.failed || journal_.has(item.key) || items_of_.at(item.key).front() != at_) continue;
    job = SweepItems::job(item.key, items_.resolve(spec_, points_.overrides(at_)));
    ++at_;
    return true;
  }
  return false;
}

void SweepRun::done(const std::string& result) {
  const SweepRow row = parse_row(result);
  if (journal_.has(row.key)) return;  // a process that was given up answered after all
  const auto found = items_of_.find(row.key);
  SIM_CHECK(found != items_of_.end(), "a result of no item");
  journal_.append(row.key, result);
  for (const std::uint64_t item : found->second) count(item, row);
}

void SweepRun::lost(const std::string& job, const std::string& why) {
  const Json json = Json::parse(job);
  SweepRow row;
  row.key = json.at("key").get<std::string>();
  row.status = "lost";
  row.reason_code = "lost";
  row.reason = why;
  const auto& mine = items_of_.at(row.key);
  row.inputs = row_inputs(items_.resolve(spec_, points_.overrides(mine.front())));
  for (const std::uint64_t item : mine) count(item, row);
  lost_.emplace(row.key, std::move(row));
}

std::optional<SweepRow> SweepRun::row(std::uint64_t item) const {
  const SweepList::Item& entry = list_.items[item];
  if (entry.failed) return *entry.failed;
  if (journal_.has(entry.key)) return parse_row(journal_.row(entry.key));
  const auto found = lost_.find(entry.key);
  if (found != lost_.end()) return found->second;
  return {};
}

void SweepRun::for_each_row(const std::function<void(std::uint64_t item, const SweepRow& row)>& use) const {
  for (std::uint64_t i = 0; i < list_.items.size(); ++i) {
    if (const std::optional<SweepRow> found = row(i)) use(i, *found);
  }
}

}  // namespace orrery
