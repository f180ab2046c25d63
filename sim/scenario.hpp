#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/hw/cluster.hpp"
#include "sim/hw/cluster_options.hpp"
#include "sim/hw/software_stack.hpp"
#include "sim/layout/layout.hpp"
#include "sim/model/model_spec.hpp"
#include "sim/scenario_run.hpp"
#include "sim/workload/routing.hpp"

namespace orrery {

/// The whole input of a simulation.
struct Scenario {
  std::string model_ref;  ///< as the user wrote it: zoo name or path
  ModelSpec model;
  std::string cluster_ref;
  ClusterProfile cluster;          ///< with `cluster_options` in it
  ClusterOptions cluster_options;  ///< what differs from the profile
  std::int64_t gpus = 0;
  std::string stack_ref;  ///< as the user wrote it; empty: none
  SoftwareStack stack;    ///< already in `cluster` and `training`; without a name: none
  Layout layout;
  Training training;
  Routing routing;
  Economics economics;
  Reliability reliability;
  /// Values nobody gave, filled by a written rule: ("layout.zero_stage", "1", "why").
  struct Assumed {
    std::string name, value, why;
  };
  std::vector<Assumed> assumed;
};

/// One `--set key=value` or option of the command line; `key` is dotted ("layout.pp"), `value` is JSON or
/// plain text, `place` names the option in errors.
struct Override {
  std::string key;
  std::string value;
  std::string place;
};

/// Where profiles are looked up and relative paths start.
struct LoadContext {
  ProfileFolders profiles;
  std::filesystem::path base;  ///< folder of the scenario file; current folder without one
  /// In place of `orrery::load_cluster` with `profiles`, for who loads many scenarios; may be empty.
  std::function<ClusterProfile(const std::string&)> load_cluster = {};
};

/// Reads a scenario (schema orrery.scenario/1), applies overrides, resolves model and cluster. Every error is
/// an InputError with file, pointer or option, value found and nearest valid choice.
[[nodiscard]] Scenario load_scenario(const std::filesystem::path& path,
                                     const std::vector<Override>& overrides, const ProfileFolders& profiles);
/// The same from text; `place` stands for the file in errors. An empty text starts from an empty scenario, so
/// that
/// `--model` and `--cluster` alone are enough.
[[nodiscard]] Scenario parse_scenario(const std::string& text, const std::string& place,
                                      const LoadContext& context, const std::vector<Override>& overrides);
/// The scenario as `parse_scenario` reads it, every value resolved.
[[nodiscard]] std::string to_json_text(const Scenario& scenario);

}  // namespace orrery
