#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "planner/sweep/sweep_row.hpp"

namespace orrery {

/// A SQLite file of rows: table `results` with the columns of `sweep_columns`, table `columns` with their
/// units, table `about` with what was swept.
class SweepStore {
 public:
  SweepStore() = default;
  SweepStore(const SweepStore&) = delete;
  SweepStore& operator=(const SweepStore&) = delete;
  virtual ~SweepStore() = default;
  /// Errors: InputError naming the file and what SQLite says.
  virtual void add(std::uint64_t item, const SweepRow& row) = 0;
  /// Puts the file in its place; without this nothing is left behind.
  virtual void finish() = 0;
};

/// Empty where this program can write SQLite files, else the reason why not.
[[nodiscard]] std::string sweep_store_missing();
/// Writes `path` anew: a neighbour first, renamed by `finish`. InputError where it cannot be written.
[[nodiscard]] std::unique_ptr<SweepStore> make_sweep_store(
    const std::string& path, const std::vector<std::pair<std::string, std::string>>& about);

}  // namespace orrery
