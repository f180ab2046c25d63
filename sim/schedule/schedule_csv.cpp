#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "sim/base/check.hpp"
#include "sim/schedule/schedule.hpp"
#include "sim/schedule/validate.hpp"

namespace orrery {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kBlanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// Cuts the text up to `separator` (or all of it) off the front of `rest`.
std::string_view take(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return part;
}

// One row of the file and where it stands, kept to name the line and column of a fault found later.
struct Row {
  std::string_view text;
  std::size_t line = 1;
};

class CsvReader {
 public:
  CsvReader(std::string_view text, const std::string& place) : text_(text), place_(place) {}

  Schedule read() {
    split_rows();
    schedule_.name = place_;
    for (const Row& row : rows_) read_row(row);
    check_forwards();
    set_owners();
    if (const auto fault = validate(schedule_)) fail_at(fault->rank, fault->step, fault->text);
    return std::move(schedule_);
  }

 private:
  [[noreturn]] void fail(std::size_t line, std::size_t column, const std::string& problem) const {
    throw InputError(fmt::format("{}:{}:{}", place_, line, column), problem);
  }

  // Fails at the cell of a step, found by walking its row once more.
  [[noreturn]] void fail_at(RankId rank, std::size_t step, const std::string& problem) const {
    const Row& row = rows_[rank.at()];
    std::string_view rest = row.text;
    while (!rest.empty()) {
      const std::string_view cell = trimmed(take(rest, ','));
      if (cell.empty() || step-- > 0) continue;
      fail(row.line, static_cast<std::size_t>(cell.data() - row.text.data()) + 1, problem);
    }
    fail(row.line, row.text.size() + 1, problem);
  }

  void split_rows() {
    std::string_view rest = text_;
    if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());
    std::size_t line = 0;
    std::size_t empty_line = 0;  // the first of a run of empty lines; an error once text follows
    while (!rest.empty()) {
      ++line;
      std::string_view text = take(rest, '\n');
      if (text.ends_with('\r')) text.remove_suffix(1);
      if (trimmed(text).empty()) {
        if (empty_line == 0) empty_line = line;
        continue;
      }
      if (empty_line != 0) fail(empty_line, 1, "empty line; expected one row of actions per pipeline rank");
      if (rows_.size() == kMaxScheduleRanks) {
        fail(line, 1, fmt::format("more rows than the {} pipeline ranks read", kMaxScheduleRanks));
      }
      rows_.push_back({.text = text, .line = line});
    }
    if (rows_.empty()) fail(1, 1, "no actions found; expected one row of actions per pipeline rank");
  }

  void read_row(const Row& row) {
    std::vector<Step> steps;
    std::string_view rest = row.text;
    while (!rest.empty()) {
      const std::string_view raw = take(rest, ',');
      const std::string_view cell = trimmed(raw);
      if (cell.empty()) continue;
      const std::size_t column = static_cast<std::size_t>(cell.data() - row.text.data()) + 1;
      const auto step = parse_step(cell);
      if (!step) fail(row.line, column, explain_bad_step(cell));
      if (++steps_read_ > kMaxScheduleSteps) {
        fail(row.line, column, fmt::format("more than the {} steps read", kMaxScheduleSteps));
      }
      steps.push_back(*step);
    }
    if (steps.empty()) {
      fail(row.line, 1, "row without an action; expected one row of actions per pipeline rank");
    }
    schedule_.ranks.push_back(std::move(steps));
  }

  // Stages and microbatches must be 0, 1, 2, ... and every pair of them must have a forward. Sorted lists
  // rather than a table: a table's size would come from numbers of the file not yet known to be sane.
  void check_forwards() {
    std::vector<std::int32_t> stages;
    std::vector<std::int32_t> microbatches;
    for_each_forward([&](const Action& forward, RankId, std::size_t) {
      stages.push_back(forward.stage.value);
      microbatches.push_back(forward.microbatch.value);
    });
    if (stages.empty()) fail(1, 1, "no forward found; expected one F per stage and microbatch");
    schedule_.stages = count_without_gap(stages, "stage", &Action::stage);
    schedule_.microbatches = count_without_gap(microbatches, "microbatch", &Action::microbatch);

    std::vector<std::int64_t> slots;
    for_each_forward(
        [&](const Action& forward, RankId, std::size_t) { slots.push_back(wide_slot(forward)); });
    std::sort(slots.begin(), slots.end());
    slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
    const auto expected = static_cast<std::int64_t>(schedule_.stages) * schedule_.microbatches;
    if (static_cast<std::int64_t>(slots.size()) == expected) return;
    std::int64_t missing = 0;
    while (missing < static_cast<std::int64_t>(slots.size()) &&
           slots[static_cast<std::size_t>(missing)] == missing) {
      ++missing;
    }
    fail_missing_forward(
        Action{.kind = ActionKind::kForward,
               .stage = StageId{static_cast<std::int32_t>(missing / schedule_.microbatches)},
               .microbatch = MicrobatchId{static_cast<std::int32_t>(missing % schedule_.microbatches)}});
  }

  [[noreturn]] void fail_missing_forward(const Action& missing) const {
    const std::string problem =
        fmt::format("{} is missing; expected one forward for each of stages 0 to {} and microbatches 0 to {}",
                    to_text(missing), schedule_.stages - 1, schedule_.microbatches - 1);
    // Best shown where another action of the same stage and microbatch waits for it in vain.
    for_each_action([&](const Action& action, RankId rank, std::size_t step) {
      if (action.stage == missing.stage && action.microbatch == missing.microbatch) {
        fail_at(rank, step, problem);
      }
    });
    for_each_forward([&](const Action& action, RankId rank, std::size_t) {
      if (action.stage == missing.stage) fail_at(rank, schedule_.ranks[rank.at()].size(), problem);
    });
    fail(1, 1, problem);
  }

  // The count of distinct numbers, which must be 0 .. count-1.
  template <class Id>
  int count_without_gap(std::vector<std::int32_t>& numbers, std::string_view noun, Id Action::*member) const {
    std::sort(numbers.begin(), numbers.end());
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    std::int32_t next = 0;
    while (next < static_cast<std::int32_t>(numbers.size()) &&
           numbers[static_cast<std::size_t>(next)] == next) {
      ++next;
    }
    if (next < static_cast<std::int32_t>(numbers.size())) {
      for_each_forward([&](const Action& forward, RankId rank, std::size_t step) {
        if ((forward.*member).value <= next) return;
        fail_at(rank, step,
                fmt::format("{} names {} {}, but no forward of {} {} stands in the file; expected {} numbers "
                            "0, 1, 2, ... without a gap",
                            to_text(forward), noun, (forward.*member).value, noun, next, noun));
      });
    }
    return next;
  }

  void set_owners() {
    schedule_.owner.assign(
        static_cast<std::size_t>(schedule_.stages) * static_cast<std::size_t>(schedule_.microbatches),
        RankId{-1});
    for_each_forward([&](const Action& forward, RankId rank, std::size_t) {
      RankId& owner = schedule_.owner[schedule_.slot(forward.stage, forward.microbatch)];
      if (owner.value < 0) owner = rank;  // a second forward is left for `validate` to name
    });
  }

  [[nodiscard]] std::int64_t wide_slot(const Action& action) const {
    return static_cast<std::int64_t>(action.stage.value) * schedule_.microbatches + action.microbatch.value;
  }

  template <class Visit>
  void for_each_action(Visit visit) const {
    for (std::size_t rank = 0; rank < schedule_.ranks.size(); ++rank) {
      const auto& steps = schedule_.ranks[rank];
      for (std::size_t step = 0; step < steps.size(); ++step) {
        for (int i = 0; i < steps[step].count(); ++i) visit(steps[step].action(i), RankId{rank}, step);
      }
    }
  }

  template <class Visit>
  void for_each_forward(Visit visit) const {
    for_each_action([&](const Action& action, RankId rank, std::size_t step) {
      if (action.kind == ActionKind::kForward) visit(action, rank, step);
    });
  }

  std::string_view text_;
  const std::string& place_;
  std::vector<Row> rows_;
  std::size_t steps_read_ = 0;
  Schedule schedule_;
};

}  // namespace

std::string to_csv(const Schedule& schedule) {
  std::string out;
  for (const auto& steps : schedule.ranks) {
    for (std::size_t step = 0; step < steps.size(); ++step) {
      if (step > 0) out += ',';
      append_text(out, steps[step]);
    }
    out += '\n';
  }
  return out;
}

Schedule parse_csv(std::string_view text, const std::string& place) {
  return CsvReader(text, place).read();
}

}  // namespace orrery
