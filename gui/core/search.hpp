#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gui/core/timeline_scene.hpp"

namespace orrery::gui {

/// A search in the timeline. Words of the form `key:value` or `dur>5ms`, `dur<1us`; every other word must
/// stand in the slice's label, whatever the case. Keys: mb (microbatch), stage, rank, op (name), kind
/// (forward, backward, weight, waiting), wait (cause).
struct Query {
  std::optional<std::int64_t> microbatch, stage, rank;
  std::string op, kind, wait;
  std::optional<double> longer_ps, shorter_ps;
  std::vector<std::string> words;
};

/// InputError at "search" naming the word, what was expected and the nearest key.
[[nodiscard]] Query parse_query(const std::string& text);
/// Hits in the rows the state shows, by row and time, at most `most`.
[[nodiscard]] std::vector<SliceId> find_slices(const RunView& run, const TimelineState& state,
                                               const Query& query, std::size_t most = 100000);

}  // namespace orrery::gui
