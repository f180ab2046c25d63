#include "gui/core/search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <sstream>

#include "sim/base/check.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/units_text.hpp"
#include "sim/engine/sim_time.hpp"
#include "sim/lower/lower.hpp"

namespace orrery::gui {
namespace {

constexpr const char* kPlace = "search";

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::int64_t number(const std::string& key, const std::string& value) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
  if (error != std::errc{} || end != value.data() + value.size() || out < 0)
    throw InputError(kPlace,
                     fmt::format("found '{}:{}', expected a whole number such as {}:12", key, value, key));
  return out;
}

bool has(const std::string& where, const std::string& what) {
  return lower_case(where).find(lower_case(what)) != std::string::npos;
}

void set_key(Query& q, const std::string& key, const std::string& value) {
  if (key == "mb")
    q.microbatch = number(key, value);
  else if (key == "stage")
    q.stage = number(key, value);
  else if (key == "rank")
    q.rank = number(key, value);
  else if (key == "op")
    q.op = value;
  else if (key == "class")
    q.op_class = value;
  else if (key == "kind")
    q.kind = value;
  else if (key == "wait")
    q.wait = value;
  else {
    static const std::vector<std::string> kKeys{"mb",   "stage", "rank", "op",  "class",
                                                "kind", "wait",  "dur>", "dur<"};
    throw InputError(
        kPlace, fmt::format("unknown key '{}'{}; keys are {}", key, did_you_mean(key, kKeys), join(kKeys)));
  }
}

bool action_matches(const Query& q, const Step& step) {
  for (int i = 0; i < step.count(); ++i) {
    const Action& a = step.action(i);
    if (q.microbatch && a.microbatch.value != *q.microbatch) continue;
    if (q.stage && a.stage.value != *q.stage) continue;
    return true;
  }
  return false;
}

bool matches(const Query& q, const RunView& run, const TimelineRow& row, std::size_t i) {
  const SliceRow& s = row.slices;
  const auto length = static_cast<double>(s.end[i] - s.begin[i]);
  if (q.longer_ps && length <= *q.longer_ps) return false;
  if (q.shorter_ps && length >= *q.shorter_ps) return false;
  if (q.rank && row.rank != *q.rank) return false;
  if (!q.kind.empty() && !has(std::string(category(s.ink[i]).name), q.kind) &&
      (s.second[i] == Ink::kNone || !has(std::string(category(s.second[i]).name), q.kind)))
    return false;
  const std::int32_t ref = s.ref[i];
  if (q.microbatch || q.stage) {
    std::int32_t step = ref;
    if (row.kind == RowKind::kStream || row.kind == RowKind::kCriticalPath)
      step = run.result().step->graph.tag(TaskId{ref});
    if (row.kind == RowKind::kTrace || step < 0 || step == kTailRef) return false;
    if (!action_matches(q, run.result().step->steps[static_cast<std::size_t>(step)].step)) return false;
  }
  if (!q.wait.empty()) {
    const bool gap = row.kind == RowKind::kPipelineRank && ref < 0;
    if (!gap || !has(std::string(wait_name(static_cast<Wait>(~ref))), q.wait)) return false;
  }
  if (!q.op_class.empty()) {
    const CostedItem* item = row.kind == RowKind::kStream ? run.result().step->item_of(TaskId{ref}) : nullptr;
    if (item == nullptr || !has(item->op_class, q.op_class)) return false;
  }
  if (q.op.empty() && q.words.empty()) return true;
  const std::string label = slice_label(run, row, i);
  if (!q.op.empty() && !has(label, q.op)) return false;
  return std::all_of(q.words.begin(), q.words.end(), [&](const std::string& w) { return has(label, w); });
}

}  // namespace

Query parse_query(const std::string& text) {
  Query q;
  std::istringstream in(text);
  for (std::string word; in >> word;) {
    if (word.starts_with("dur>") || word.starts_with("dur<")) {
      const double ps = parse_seconds(word.substr(4), kPlace).value * kPicosecondsPerSecond;
      (word[3] == '>' ? q.longer_ps : q.shorter_ps) = ps;
      continue;
    }
    const std::size_t colon = word.find(':');
    if (colon == std::string::npos || colon == 0)
      q.words.push_back(word);
    else
      set_key(q, word.substr(0, colon), word.substr(colon + 1));
  }
  return q;
}

HeldRows held_rows(const RunView& run, const TimelineState& state) {
  HeldRows out{{}, {run.shared_rows(state.level, state.rank), state.overlay}};
  for (const TimelineRow* row : visible_rows(run, state)) {
    // Counters have no slices, and are not held.
    if (row->kind != RowKind::kCounter) out.rows.push_back(row);
  }
  return out;
}

std::vector<SliceId> find_slices(const RunView& run, const std::vector<const TimelineRow*>& rows,
                                 const Query& query, std::size_t most, const std::function<bool()>& stop) {
  constexpr std::size_t kBetweenAsking = 4096;
  std::vector<SliceId> hits;
  for (const TimelineRow* row : rows) {
    if (query.rank && row->rank != *query.rank) continue;
    for (std::size_t i = 0; i < row->slices.size() && hits.size() < most; ++i) {
      if (stop && i % kBetweenAsking == 0 && stop()) return hits;
      if (matches(query, run, *row, i)) hits.push_back({row->name, i});
    }
  }
  return hits;
}

std::vector<SliceId> find_slices(const RunView& run, const TimelineState& state, const Query& query,
                                 std::size_t most) {
  return find_slices(run, held_rows(run, state).rows, query, most);
}

}  // namespace orrery::gui
