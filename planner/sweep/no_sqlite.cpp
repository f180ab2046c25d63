#include "planner/sweep/sweep_store.hpp"
#include "sim/base/check.hpp"

namespace orrery {

std::string sweep_store_missing() {
  return "this orrery was built without SQLite (package libsqlite3-dev); take csv, json or ndjson";
}

std::unique_ptr<SweepStore> make_sweep_store(const std::string& path,
                                             const std::vector<std::pair<std::string, std::string>>&) {
  throw InputError(path, sweep_store_missing());
}

}  // namespace orrery
