#pragma once

#include <string>

#include "sim/hw/sourced.hpp"

namespace orrery {

/// A number with the range in which its source, or a written assumption, puts it: low <= value <= high.
struct Ranged {
  double low = 0;
  double value = 0;
  double high = 0;
  Origin origin = Origin::kAssumed;
  std::string source;
  std::string date;
  std::string note;

  bool operator==(const Ranged&) const = default;
};

/// What a user states outright: a range of one point.
[[nodiscard]] inline Ranged given(double value, std::string where) {
  return {.low = value,
          .value = value,
          .high = value,
          .origin = Origin::kAssumed,
          .source = std::move(where),
          .date = {},
          .note = "given"};
}

}  // namespace orrery
