#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "sim/scenario.hpp"

namespace orrery::test {

inline ProfileFolders profiles() {
  return {.roots = {std::filesystem::path(ORRERY_SOURCE_DIR) / "hwprofiles"}};
}

/// The least a scenario needs.
inline const char* least() {
  return R"({"schema": "orrery.scenario/1", "model": "llama-3-8b",
             "cluster": {"profile": "h100-sxm-ib400", "gpus": 16},
             "training": {"global_batch_size": 64}})";
}

inline Scenario parse(const std::string& text, const std::vector<Override>& overrides = {},
                      const std::filesystem::path& base = {}) {
  return parse_scenario(text, "test.json", {.profiles = profiles(), .base = base}, overrides);
}

/// `least()` with one value set as --set would.
inline Scenario with(const std::string& key, const std::string& value) {
  return parse(least(), {{key, value, "--set " + key}});
}

}  // namespace orrery::test
