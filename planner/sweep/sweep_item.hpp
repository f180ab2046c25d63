#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "planner/sweep/sweep_row.hpp"
#include "planner/sweep/sweep_spec.hpp"
#include "sim/base/check.hpp"
#include "sim/report/report_json.hpp"

namespace orrery {

/// Cluster profiles by name, each read once; for many threads.
class ClusterCache {
 public:
  explicit ClusterCache(ProfileFolders profiles) : profiles_(std::move(profiles)) {}
  /// As `load_cluster`.
  [[nodiscard]] ClusterProfile load(const std::string& name);
  /// Hash of all figures of the scenario's cluster and GPU; the scenario comes from this cache.
  [[nodiscard]] std::string fingerprint(const Scenario& scenario);
  [[nodiscard]] const ProfileFolders& profiles() const { return profiles_; }

 private:
  ProfileFolders profiles_;
  std::mutex mutex_;
  std::map<std::string, ClusterProfile> clusters_;
  std::map<std::string, std::string> fingerprints_;  ///< by the scenario's name of the cluster
};

/// Turns items into scenarios and scenarios into rows; for many threads. A key is the hash of everything that
/// decides about a row: the scenario with every default filled in, the figures of its profiles, a model or
/// schedule file's text, the mode and the version of the program. Order of keys, blanks and defaults written
/// out do not change it.
class SweepItems {
 public:
  SweepItems(SweepMode mode, std::filesystem::path folder, const ProfileFolders& profiles,
             ProgramInfo program);

  /// The scenario of an item. InputErrors as `parse_scenario`.
  [[nodiscard]] Scenario resolve(const SweepSpec& spec, const std::vector<Override>& overrides);
  [[nodiscard]] std::string key(const Scenario& scenario);

  /// A job for `work`: key and resolved scenario.
  [[nodiscard]] static std::string job(const std::string& key, const Scenario& scenario);
  /// Does a job; the result is a row as one line. Whatever goes wrong is told in the row.
  [[nodiscard]] std::string work(const std::string& job);

  /// What another process needs to do the same: the argument of `from_setup`.
  [[nodiscard]] std::string setup() const;
  [[nodiscard]] static std::unique_ptr<SweepItems> from_setup(const std::string& setup,
                                                              const ProfileFolders& profiles);

 private:
  [[nodiscard]] LoadContext context();

  SweepMode mode_;
  std::filesystem::path folder_;
  ProgramInfo program_;
  ClusterCache clusters_;
};

/// A row for an item whose scenario could not be resolved: `overrides` stand as its inputs.
[[nodiscard]] SweepRow unresolved_row(const std::vector<Override>& overrides, const InputError& error);

}  // namespace orrery
