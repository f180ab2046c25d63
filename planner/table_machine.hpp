#pragma once

#include "planner/published_table.hpp"
#include "planner/table_skip.hpp"
#include "sim/scenario.hpp"

namespace orrery {

/// Sets the cluster of a row: the shipped profile of its GPU, its ports between nodes, and what sets a
/// variant apart from the shipped form (noted in `scenario.assumed`).
[[nodiscard]] MaybeSkip set_cluster(const PublishedRow& row, const ProfileFolders& folders,
                                    Scenario& scenario);
/// Sets the training program by the source of a row: its kernels and its host. Sources that are not listed
/// run today's kernels. The cluster is set before.
void set_stack(const PublishedRow& row, const ProfileFolders& folders, Scenario& scenario);

}  // namespace orrery
