#pragma once

#include <functional>
#include <vector>

#include "planner/cli/command.hpp"
#include "planner/search_space.hpp"

namespace orrery::cli {

/// Options of `orrery plan` that ask for a cluster instead of a layout on a given one.
[[nodiscard]] std::vector<OptionInfo> buying_options();
/// Whether one of them is there.
[[nodiscard]] bool asks_for_clusters(const Invocation& call);
/// Answers it. `layouts`: the space of a scenario by the other options; `stop` and the number of threads as
/// in a plan. Returns an exit code.
int run_buying(const Invocation& call, const std::function<SearchSpace(const Scenario&)>& layouts,
               const std::function<bool()>& stop, std::size_t threads);

}  // namespace orrery::cli
