#include "calibrate/sample_input.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <map>

#include "calibrate/import/measured_table.hpp"
#include "sim/base/check.hpp"

namespace orrery {

std::string SampleInput::about(const std::string& key, const std::string& otherwise) const {
  for (const SampleFile& file : files) {
    const auto it = file.about.find(key);
    if (it != file.about.end()) return it->second;
  }
  return otherwise;
}

SampleInput load_samples(const std::vector<std::string>& paths) {
  if (paths.empty()) throw InputError("", "no file of samples was given; name at least one");
  SampleInput input;
  std::map<std::string, std::int64_t> skipped;
  uLong hash = crc32(0, nullptr, 0);
  for (const std::string& path : paths) {
    const std::string text = read_maybe_gzip(path);
    hash = crc32_z(hash, reinterpret_cast<const Bytef*>(text.data()), text.size());
    if (looks_like_table(text)) {
      const Imported imported = import_table(text, path);
      for (const auto& [reason, count] : imported.skipped) skipped[reason] += count;
      SampleFile file = to_samples(imported);
      // The name of a file is not a citation.
      const auto cited = imported.about.find("source");
      if (cited == imported.about.end()) {
        file.about.erase("source");
      } else {
        file.about["source"] = cited->second;
      }
      input.files.push_back(std::move(file));
    } else if (text.find("orrery.samples-csv") == std::string::npos) {
      if (text[0] == '{' || text[0] == '[')
        throw InputError(path,
                         "is JSON, expected a measured table or samples (CSV); `orrery calibrate import` "
                         "with --kineto or --nccl-tests and --format csv makes samples of it");
      (void)import_table(text, path);  // says which table is nearest
    } else {
      input.files.push_back(parse_samples(text, path));
    }
  }
  input.hash = fmt::format("crc32 {:08x}", hash);
  input.skipped.assign(skipped.begin(), skipped.end());
  return input;
}

}  // namespace orrery
