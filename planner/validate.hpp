#pragma once

#include <string>
#include <vector>

#include "sim/hw/cluster.hpp"

namespace orrery {

/// One published figure beside the computed one, in `unit`.
struct ValidationRow {
  std::string name;
  std::string quantity;
  std::string unit;
  double computed = 0;
  double published = 0;
  std::string source;
  std::string note;
};

/// Runs every published case and compares. Rows in a fixed order.
[[nodiscard]] std::vector<ValidationRow> validate_published(const ProfileFolders& folders);

}  // namespace orrery
