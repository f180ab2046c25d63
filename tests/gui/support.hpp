#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "gui/core/examples.hpp"
#include "gui/core/timeline_scene.hpp"
#include "gui/core/workbench.hpp"

namespace orrery::gui {

inline ProfileFolders test_profiles() {
  return {{std::filesystem::path(ORRERY_SOURCE_DIR) / "hwprofiles"}};
}

inline Input example_input(std::size_t which = 0) {
  return {std::string(examples()[which].text), "built-in example", {}, {}};
}

/// A font whose every letter is 7 pixels wide.
inline TextMetrics plain_text() {
  return {13, [](std::string_view s) { return 7.0 * static_cast<double>(s.size()); }};
}

/// DeepSeek-V3, simulated once for all tests of a program.
inline std::shared_ptr<const RunView> deepseek() {
  static const std::shared_ptr<const RunView> run = Workbench::make_run(example_input(), test_profiles());
  return run;
}

/// Two ranks, a few microbatches: small enough to check by eye.
inline Input small_input() {
  Input in;
  in.place = "test";
  const auto set = [&](const char* key, const char* value) { in.edits.push_back({key, value, key}); };
  set("model", "llama-3-8b");
  set("cluster.profile", "h100-sxm-ib400");
  set("cluster.gpus", "8");
  set("layout.tp", "2");
  set("layout.pp", "2");
  set("training.global_batch_size", "8");
  return in;
}

}  // namespace orrery::gui
