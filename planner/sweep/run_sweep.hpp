#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "planner/sweep/journal.hpp"
#include "planner/sweep/sweep_item.hpp"
#include "planner/sweep/sweep_points.hpp"
#include "planner/work_pool.hpp"

namespace orrery {

/// Every item of a sweep with its key, or with the row that says why it has none.
struct SweepList {
  struct Item {
    std::string key;  ///< empty: see `failed`
    std::unique_ptr<const SweepRow> failed;
  };
  std::vector<Item> items;
  std::uint64_t errors = 0;
};

/// Resolves every item, on `threads` threads. What is left when `stop` says so stays empty.
[[nodiscard]] SweepList list_items(const SweepSpec& spec, const SweepPoints& points, SweepItems& items,
                                   int threads, const std::function<bool()>& stop = {});

/// Hash that names a sweep: everything that decides about its items.
[[nodiscard]] std::string sweep_hash(const SweepSpec& spec);

/// Where a sweep stands.
struct SweepProgress {
  std::uint64_t total = 0;
  std::uint64_t remembered = 0;  ///< of the journal
  std::uint64_t done = 0;        ///< remembered ones included
  std::uint64_t initial = 0;     ///< done before the first item was given out: remembered and wrong ones
  std::uint64_t ok = 0, infeasible = 0, errors = 0, failed = 0, lost = 0;
  std::optional<std::uint64_t> best;  ///< item; of equal ones the first
  double best_value = 0;
};

/// Whom a running sweep talks to, and who may end it.
class SweepObserver {
 public:
  SweepObserver() = default;
  SweepObserver(const SweepObserver&) = delete;
  SweepObserver& operator=(const SweepObserver&) = delete;
  virtual ~SweepObserver() = default;
  virtual void progress(const SweepProgress& now) = 0;
  virtual void notice(const std::string& line) = 0;
  /// No more items are given out.
  [[nodiscard]] virtual bool stop() const = 0;
  /// Nor is anything waited for.
  [[nodiscard]] virtual bool abandon() const = 0;
};

/// A sweep in progress: gives items to a pool and keeps the results in the journal.
class SweepRun final : public JobStream {
 public:
  SweepRun(const SweepSpec& spec, const SweepPoints& points, const SweepList& list, SweepItems& items,
           Journal& journal, std::size_t objective, SweepObserver& observer);

  bool next(std::string& job) override;
  void done(const std::string& result) override;
  void lost(const std::string& job, const std::string& why) override;
  void notice(const std::string& line) override { observer_.notice(line); }
  void tick() override { observer_.progress(progress_); }
  [[nodiscard]] bool abandon() const override { return observer_.abandon(); }

  [[nodiscard]] const SweepProgress& progress() const { return progress_; }
  /// Rows in the order of the items; what is not done yet is left out.
  void for_each_row(const std::function<void(std::uint64_t item, const SweepRow& row)>& use) const;

 private:
  void count(std::uint64_t item, const SweepRow& row);
  [[nodiscard]] std::optional<SweepRow> row(std::uint64_t item) const;

  const SweepSpec& spec_;
  const SweepPoints& points_;
  const SweepList& list_;
  SweepItems& items_;
  Journal& journal_;
  std::size_t objective_;
  SweepObserver& observer_;
  SweepProgress progress_;
  std::uint64_t at_ = 0;  ///< next item to look at
  std::unordered_map<std::string, std::vector<std::uint64_t>>
      items_of_;  ///< by key: equal items are computed once
  std::unordered_map<std::string, SweepRow> lost_;
};

}  // namespace orrery
