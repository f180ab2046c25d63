#include "sim/schedule/validate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

// A step of the schedule; rank -1 where there is none.
struct Position {
  std::int32_t rank = -1;
  std::uint32_t step = 0;

  [[nodiscard]] bool found() const { return rank >= 0; }
};

// The three things that happen to a microbatch on a stage; B fills the place of I.
enum Part : std::size_t { kForwardPart, kBackwardPart, kWeightPart };

Part part_of(ActionKind kind) {
  if (kind == ActionKind::kForward) return kForwardPart;
  return kind == ActionKind::kWeightGrad ? kWeightPart : kBackwardPart;
}

struct Seen {
  std::array<Position, 3> at;
  bool split = false;  // the backward is an I, so a W must follow
};

class Validator {
 public:
  explicit Validator(const Schedule& schedule) : schedule_(schedule) {
    const auto slots =
        static_cast<std::size_t>(schedule.stages) * static_cast<std::size_t>(schedule.microbatches);
    SIM_CHECK(schedule.owner.size() == slots, "one owner per stage and microbatch");
    for (const RankId rank : schedule.owner) {
      SIM_CHECK(rank.value >= 0 && rank.at() < schedule.ranks.size(), "an owner is a rank of the schedule");
    }
    seen_.resize(slots);
    done_.resize(slots);
  }

  std::optional<ScheduleFault> run() {
    if (auto fault = place_actions()) return fault;
    for (std::size_t slot = 0; slot < seen_.size(); ++slot) {
      if (auto fault = check_parts(slot)) return fault;
    }
    return check_deadlock();
  }

 private:
  [[nodiscard]] ScheduleFault fault(Position at, const std::string& problem,
                                    const std::string& more = {}) const {
    const RankId rank{at.rank};
    return {.rank = rank,
            .step = at.step,
            .problem = problem,
            .text = problem + "\n" + more + grid_around(schedule_, rank, at.step)};
  }

  [[nodiscard]] Action action_of(std::size_t slot, ActionKind kind) const {
    const auto width = static_cast<std::size_t>(schedule_.microbatches);
    return {.kind = kind, .stage = StageId{slot / width}, .microbatch = MicrobatchId{slot % width}};
  }

  [[nodiscard]] static std::string where(Position at) {
    return fmt::format("rank {} step {}", at.rank, at.step);
  }

  std::optional<ScheduleFault> place_actions() {
    for (std::size_t rank = 0; rank < schedule_.ranks.size(); ++rank) {
      const auto& steps = schedule_.ranks[rank];
      for (std::size_t step = 0; step < steps.size(); ++step) {
        const Position here{.rank = static_cast<std::int32_t>(rank),
                            .step = static_cast<std::uint32_t>(step)};
        for (int i = 0; i < steps[step].count(); ++i) {
          if (auto fault = place_action(steps[step].action(i), here)) return fault;
        }
      }
    }
    return std::nullopt;
  }

  std::optional<ScheduleFault> place_action(const Action& action, Position here) {
    const auto outside = [&](std::int32_t found, int count, const char* noun) {
      return fault(here, fmt::format("{} names the unknown {} {}; expected 0 to {}", to_text(action), noun,
                                     found, count - 1));
    };
    if (action.stage.value < 0 || action.stage.value >= schedule_.stages) {
      return outside(action.stage.value, schedule_.stages, "stage");
    }
    if (action.microbatch.value < 0 || action.microbatch.value >= schedule_.microbatches) {
      return outside(action.microbatch.value, schedule_.microbatches, "microbatch");
    }
    const std::size_t slot = schedule_.slot(action.stage, action.microbatch);
    Position& at = seen_[slot].at[part_of(action.kind)];
    if (at.found()) {
      return fault(here,
                   fmt::format("{} does what {} did already; expected one F and one B, or one I and one W",
                               to_text(action), where(at)));
    }
    const RankId owner = schedule_.owner[slot];
    if (owner.value != here.rank) {
      return fault(here, fmt::format("{} stands on rank {}, but rank {} runs microbatch {} of stage {}",
                                     to_text(action), here.rank, owner.value, action.microbatch.value,
                                     action.stage.value));
    }
    at = here;
    if (action.kind == ActionKind::kInputGrad) seen_[slot].split = true;
    return std::nullopt;
  }

  std::optional<ScheduleFault> check_parts(std::size_t slot) const {
    const Seen& seen = seen_[slot];
    const auto [forward, backward, weight] = seen.at;
    const auto text = [&](ActionKind kind) { return to_text(action_of(slot, kind)); };
    if (!forward.found()) return missing(slot, text(ActionKind::kForward));
    if (!backward.found()) {
      return missing(slot, weight.found()
                               ? text(ActionKind::kInputGrad)
                               : text(ActionKind::kBackward) + " (or " + text(ActionKind::kInputGrad) +
                                     " and " + text(ActionKind::kWeightGrad) + ")");
    }
    if (seen.split && !weight.found()) return missing(slot, text(ActionKind::kWeightGrad));
    const std::string back = text(seen.split ? ActionKind::kInputGrad : ActionKind::kBackward);
    if (!seen.split && weight.found()) {
      return fault(weight, fmt::format("{} repeats the weight gradient of {} at {}",
                                       text(ActionKind::kWeightGrad), back, where(backward)));
    }
    if (backward.step <= forward.step) {
      return fault(backward, fmt::format("{} does not come after its forward {} at {}", back,
                                         text(ActionKind::kForward), where(forward)));
    }
    if (seen.split && weight.step <= backward.step) {
      return fault(weight, fmt::format("{} does not come after its {} at {}", text(ActionKind::kWeightGrad),
                                       back, where(backward)));
    }
    return std::nullopt;
  }

  // Shown at the last action there is of the same stage and microbatch, else at the end of the owner's row.
  [[nodiscard]] ScheduleFault missing(std::size_t slot, const std::string& what) const {
    const auto owner = schedule_.owner[slot];
    Position at{.rank = owner.value, .step = static_cast<std::uint32_t>(schedule_.ranks[owner.at()].size())};
    for (const Position& part : seen_[slot].at) {
      if (part.found()) at = part;
    }
    return fault(at, fmt::format("{} is missing on rank {}", what, owner.value));
  }

  // The action of another stage that `action` cannot start without and that has not run yet.
  [[nodiscard]] std::optional<Action> awaited(const Action& action) const {
    if (action.kind == ActionKind::kWeightGrad) return std::nullopt;
    const bool forward = action.kind == ActionKind::kForward;
    const StageId source{action.stage.value + (forward ? -1 : 1)};
    if (source.value < 0 || source.value >= schedule_.stages) return std::nullopt;
    const std::size_t slot = schedule_.slot(source, action.microbatch);
    if (done_[slot][forward ? kForwardPart : kBackwardPart]) return std::nullopt;
    if (forward) return action_of(slot, ActionKind::kForward);
    return action_of(slot, seen_[slot].split ? ActionKind::kInputGrad : ActionKind::kBackward);
  }

  [[nodiscard]] std::optional<Action> awaited(const Step& step) const {
    for (int i = 0; i < step.count(); ++i) {
      if (const auto action = awaited(step.action(i))) return action;
    }
    return std::nullopt;
  }

  [[nodiscard]] Position position_of(const Action& action) const {
    return seen_[schedule_.slot(action.stage, action.microbatch)].at[part_of(action.kind)];
  }

  // Runs every rank as far as its inputs allow. Only the rank of the next stage can wait for an action, so a
  // rank is looked at again only when what it waits for has run.
  std::optional<ScheduleFault> check_deadlock() {
    next_.assign(schedule_.ranks.size(), 0);
    std::vector<std::size_t> runnable;
    for (std::size_t rank = schedule_.ranks.size(); rank-- > 0;) runnable.push_back(rank);
    while (!runnable.empty()) {
      const std::size_t rank = runnable.back();
      runnable.pop_back();
      const auto& steps = schedule_.ranks[rank];
      while (next_[rank] < steps.size() && !awaited(steps[next_[rank]])) {
        const Step& step = steps[next_[rank]++];
        for (int i = 0; i < step.count(); ++i) finish(step.action(i), runnable);
      }
    }
    for (std::size_t rank = 0; rank < schedule_.ranks.size(); ++rank) {
      if (next_[rank] < schedule_.ranks[rank].size()) return circle_from(rank);
    }
    return std::nullopt;
  }

  void finish(const Action& action, std::vector<std::size_t>& runnable) {
    if (action.kind == ActionKind::kWeightGrad) return;
    const bool forward = action.kind == ActionKind::kForward;
    done_[schedule_.slot(action.stage, action.microbatch)][part_of(action.kind)] = true;
    const StageId target{action.stage.value + (forward ? 1 : -1)};
    if (target.value < 0 || target.value >= schedule_.stages) return;
    const Position user = seen_[schedule_.slot(target, action.microbatch)].at[part_of(action.kind)];
    const auto rank = static_cast<std::size_t>(user.rank);
    if (next_[rank] == user.step) runnable.push_back(rank);
  }

  // Every stuck rank waits for an action of a stuck rank, so following the waits must close a circle.
  [[nodiscard]] ScheduleFault circle_from(std::size_t rank) const {
    constexpr std::size_t kMostShown = 16;
    const auto waits_for = [&](std::size_t at) { return *awaited(schedule_.ranks[at][next_[at]]); };
    std::vector<bool> visited(schedule_.ranks.size(), false);
    while (!visited[rank]) {
      visited[rank] = true;
      rank = static_cast<std::size_t>(position_of(waits_for(rank)).rank);
    }
    std::string circle;
    std::size_t length = 0;
    std::size_t at = rank;
    do {
      const Action source = waits_for(at);
      if (length++ < kMostShown) {
        circle +=
            fmt::format("  rank {} step {}: {} waits for {} at {}\n", at, next_[at],
                        to_text(schedule_.ranks[at][next_[at]]), to_text(source), where(position_of(source)));
      }
      at = static_cast<std::size_t>(position_of(source).rank);
    } while (at != rank);
    if (length > kMostShown) circle += fmt::format("  ... and {} more\n", length - kMostShown);
    const Position stuck{.rank = static_cast<std::int32_t>(rank),
                         .step = static_cast<std::uint32_t>(next_[rank])};
    return fault(
        stuck,
        fmt::format("deadlock: {} at {} waits in a circle of {}", to_text(schedule_.ranks[rank][next_[rank]]),
                    where(stuck), length == 1 ? "its own rank" : fmt::format("{} ranks", length)),
        circle);
  }

  const Schedule& schedule_;
  std::vector<Seen> seen_;                 // [slot]
  std::vector<std::array<bool, 2>> done_;  // [slot]: forward, backward
  std::vector<std::size_t> next_;          // [rank]: first step that has not run
};

}  // namespace

std::optional<ScheduleFault> validate(const Schedule& schedule) {
  return Validator(schedule).run();
}

}  // namespace orrery
