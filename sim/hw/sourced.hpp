#pragma once

#include <string>
#include <vector>

namespace orrery {

/// Where a number comes from.
enum class Origin { kMeasured, kPublished, kDatasheet, kFitted, kAssumed };

/// "measured", "published", "datasheet", "fitted", "assumed".
[[nodiscard]] const char* to_text(Origin origin);
[[nodiscard]] const std::vector<std::string>& origin_names();

/// A number of a profile with its provenance. The unit stands in the key that holds it.
struct Sourced {
  double value = 0;
  Origin origin = Origin::kAssumed;
  std::string source;  ///< document, table or commit
  std::string date;    ///< of the source, YYYY or YYYY-MM or YYYY-MM-DD
  std::string note;
};

}  // namespace orrery
