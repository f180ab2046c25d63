#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
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
  std::string op, op_class, kind, wait;
  std::optional<double> longer_ps, shorter_ps;
  std::vector<std::string> words;
};

/// InputError at "search" naming the word, what was expected and the nearest key.
[[nodiscard]] Query parse_query(const std::string& text);
inline constexpr std::size_t kMostHits = 100'000;

/// The rows a state shows, held so that another thread can read them while the view goes elsewhere.
struct HeldRows {
  std::vector<const TimelineRow*> rows;
  std::vector<std::shared_ptr<const LevelRows>> owners;
};
[[nodiscard]] HeldRows held_rows(const RunView& run, const TimelineState& state);

/// Hits by row and time, at most `most`; `stop` is asked now and then and ends the search with what it has.
/// For any thread, as long as run and rows are held.
[[nodiscard]] std::vector<SliceId> find_slices(const RunView& run,
                                               const std::vector<const TimelineRow*>& rows,
                                               const Query& query, std::size_t most = kMostHits,
                                               const std::function<bool()>& stop = {});
/// The same in the rows the state shows.
[[nodiscard]] std::vector<SliceId> find_slices(const RunView& run, const TimelineState& state,
                                               const Query& query, std::size_t most = kMostHits);

}  // namespace orrery::gui
