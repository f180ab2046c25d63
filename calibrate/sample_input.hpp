#pragma once

#include <string>
#include <vector>

#include "calibrate/probe/sample.hpp"

namespace orrery {

/// Files of samples (docs/formats/samples.md) or measured tables, packed or not, in the order given.
struct SampleInput {
  std::vector<SampleFile> files;
  std::string hash;  ///< "crc32 0123abcd" over the unpacked text of all
  std::vector<std::pair<std::string, std::int64_t>> skipped;  ///< rows of tables not used: reason, count
  /// The entry `key` of the first file that has it, else `otherwise`.
  [[nodiscard]] std::string about(const std::string& key, const std::string& otherwise) const;
};
[[nodiscard]] SampleInput load_samples(const std::vector<std::string>& paths);

}  // namespace orrery
