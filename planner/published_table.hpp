#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orrery {

/// One measurement of a published training run: a row of the table. An empty cell was not published and stays
/// empty here; texts are as written.
struct PublishedRow {
  std::size_t line = 0;  ///< where the row starts in its file
  std::string id, source, model, precision, gpu, interconnect, zero_stage, schedule, recompute, notes;
  std::string metric;  ///< "step_time", "throughput_per_gpu", ...
  std::string unit;    ///< of `value`
  std::optional<double> value;

  std::optional<std::int64_t> layers, hidden, heads, kv_heads, ffn, vocab, experts, seq_len;
  std::optional<std::int64_t> gpus, tp, cp, pp, vpp, ep, etp, dp, mbs;
  std::optional<std::int64_t> gbs;  ///< sequences of one step
};

/// Reads a table with a header line; the order of its columns is free and columns that nothing here uses are
/// passed over. InputError with `place`:line:column: no rows, a column that is missing (with the nearest that
/// is there) or stands twice, a row of another length than the header, a number that is none or out of range.
[[nodiscard]] std::vector<PublishedRow> parse_published_table(std::string_view text,
                                                              const std::string& place);
/// The same from a file.
[[nodiscard]] std::vector<PublishedRow> load_published_table(const std::filesystem::path& path);

}  // namespace orrery
