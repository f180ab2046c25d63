#pragma once

#include "sim/scenario.hpp"

namespace orrery::test {

/// docs/examples/deepseek-v3-2048-h800.json with the shipped profiles.
[[nodiscard]] inline Scenario v3_scenario() {
  return load_scenario(ORRERY_SOURCE_DIR "/docs/examples/deepseek-v3-2048-h800.json", {},
                       {.roots = {ORRERY_SOURCE_DIR "/hwprofiles"}});
}

}  // namespace orrery::test
