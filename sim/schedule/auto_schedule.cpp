#include "sim/schedule/auto_schedule.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "sim/base/check.hpp"
#include "sim/base/work_control.hpp"
#include "sim/schedule/list_schedule.hpp"
#include "sim/schedule/schedule_search.hpp"
#include "sim/schedule/validate.hpp"

namespace orrery {
namespace {

constexpr const char* kOwnName = "auto";
constexpr std::size_t kImproved = 3;  // candidates

struct Candidate {
  Schedule schedule;
  std::string how;
  std::int64_t makespan = 0;
};

std::int64_t steps_of(const Schedule& schedule) {
  std::int64_t steps = 0;
  for (const std::vector<Step>& rank : schedule.ranks) steps += static_cast<std::int64_t>(rank.size());
  return steps;
}

PipelineShape shape_of(const Placement& p) {
  return {.pp = p.ranks, .vpp = std::max(1, p.stages / std::max(1, p.ranks)), .microbatches = p.microbatches};
}

/// Every fixed schedule that can be made for the size.
std::vector<Schedule> fixed_schedules(const PipelineShape& shape) {
  std::vector<Schedule> all;
  for (const GeneratorInfo& info : generators()) {
    if (info.name == kOwnName || check_schedule(info.name, shape.pp, shape.vpp, shape.microbatches)) continue;
    all.push_back(info.make(shape));
  }
  return all;
}

/// Keeps the best few different makespans, the first found of equals.
class Best {
 public:
  explicit Best(const ScheduleCosts& costs) : timer_(costs) {}

  /// The makespan of a schedule that can be used.
  std::optional<std::int64_t> offer(Schedule schedule, const std::string& how) {
    const Evaluation& e = timer_.run(schedule);
    if (!e.usable()) return std::nullopt;
    const auto at = std::ranges::lower_bound(kept_, e.makespan, {}, &Candidate::makespan);
    if (at != kept_.end() && at->makespan == e.makespan) return e.makespan;
    kept_.insert(at, {std::move(schedule), how, e.makespan});
    if (kept_.size() > kImproved) kept_.pop_back();
    return e.makespan;
  }
  [[nodiscard]] std::vector<Candidate>& kept() { return kept_; }

 private:
  ScheduleTimer timer_;
  std::vector<Candidate> kept_;
};

/// Tries list schedules under many policies with up to two thirds of the effort.
class Lists {
 public:
  Lists(const AutoInput& input, Best& best)
      : input_(input),
        best_(best),
        each_(kListWeight * 3 * std::max<std::int64_t>(1, std::ssize(input.placement.owner))) {}

  /// Returns the effort used. All combinations of choices first, then other percentages of the best three.
  std::int64_t run() {
    std::vector<std::pair<std::int64_t, ListPolicy>> tried;
    for (const ListPolicy& policy : list_policies(input_.placement, input_.costs)) {
      if (const auto makespan = attempt(policy)) tried.emplace_back(*makespan, policy);
    }
    const auto shorter = [](const auto& a, const auto& b) { return a.first < b.first; };
    std::ranges::stable_sort(tried, shorter);
    if (tried.size() > 3) tried.resize(3);
    for (const auto& [makespan, policy] : tried) {
      for (const ListPolicy& variant : variants_of(policy)) (void)attempt(variant);
    }
    finish_differently();
    return used_;
  }

 private:
  /// A list schedule takes about as long as so many evaluations.
  static constexpr std::int64_t kListWeight = 12;

  /// Keeps the beginning of the best two and looks for another end: fixed schedules drain for equal stages.
  void finish_differently() {
    const std::vector<Candidate> starts(
        best_.kept().begin(), best_.kept().begin() + std::min<std::ptrdiff_t>(2, std::ssize(best_.kept())));
    ScheduleTimer timer(input_.costs);
    std::vector<std::vector<StepTime>> times;
    for (const int percent : {90, 80, 95, 85, 60, 70, 97}) {
      for (const Candidate& start : starts) {
        (void)timer.run(start.schedule, &times);
        const SchedulePrefix prefix = prefix_until(start.schedule, times, start.makespan / 100 * percent);
        const std::string how = start.how + ", from " + std::to_string(percent) + " % of its time on ";
        for (const ListPolicy& policy : list_policies(input_.placement, input_.costs))
          (void)attempt(policy, &prefix, how);
      }
    }
  }

  std::optional<std::int64_t> attempt(const ListPolicy& policy, const SchedulePrefix* prefix = nullptr,
                                      const std::string& how = {}) {
    if (used_ > 0 && used_ + each_ > input_.effort / 3 * 2) return std::nullopt;
    check_control();
    used_ += each_;
    auto schedule = list_schedule(input_.placement, input_.costs, policy, prefix);
    if (!schedule) return std::nullopt;
    return best_.offer(std::move(*schedule), how + "list schedule: " + policy.text());
  }

  const AutoInput& input_;
  Best& best_;
  std::int64_t each_;
  std::int64_t used_ = 0;
};

void improve(const AutoInput& input, std::int64_t lower, std::int64_t effort, std::vector<Candidate>& kept) {
  const std::int64_t share = effort / static_cast<std::int64_t>(kept.size());
  for (Candidate& c : kept) {
    if (c.makespan == lower) continue;
    // Counted before the schedule moves: the order in which arguments are evaluated is the compiler's.
    const std::int64_t evaluations = share / std::max<std::int64_t>(1, steps_of(c.schedule));
    c.schedule = improve_schedule(std::move(c.schedule), input.costs, evaluations);
    const std::int64_t makespan = evaluate(c.schedule, input.costs).makespan;
    if (makespan < c.makespan) c.how += "; improved by local search";
    c.makespan = makespan;
  }
}

}  // namespace

AutoSchedule find_schedule(const AutoInput& input) {
  AutoSchedule result;
  result.lower_bound = lower_bound(input.placement, input.costs);
  Best best(input.costs);
  for (Schedule& schedule : fixed_schedules(shape_of(input.placement))) {
    if (placement_of(schedule) != input.placement) continue;
    const std::string name = schedule.name;
    (void)best.offer(std::move(schedule), name);
  }
  const std::int64_t used = Lists(input, best).run();
  if (best.kept().empty()) return result;
  improve(input, result.lower_bound, std::max<std::int64_t>(0, input.effort - used), best.kept());
  Candidate& chosen = *std::ranges::min_element(best.kept(), {}, &Candidate::makespan);
  chosen.schedule.name = kOwnName;
  const auto fault = validate(chosen.schedule);
  SIM_CHECK(!fault, fault ? fault->text : std::string());
  const Evaluation e = evaluate(chosen.schedule, input.costs);
  SIM_CHECK(e.usable() && e.makespan >= result.lower_bound, "the bound holds for the order found");
  result.found = true;
  result.makespan = e.makespan;
  result.how = std::move(chosen.how);
  result.peak_units = e.peak_units;
  result.schedule = std::move(chosen.schedule);
  return result;
}

std::vector<Placement> placements(const PipelineShape& shape) {
  std::vector<Placement> all;
  const auto add = [&](auto rank_of) {
    Placement p{
        .ranks = shape.pp, .stages = shape.pp * shape.vpp, .microbatches = shape.microbatches, .owner = {}};
    for (int s = 0; s < p.stages; ++s) {
      for (int m = 0; m < p.microbatches; ++m) p.owner.push_back(RankId{rank_of(s, m)});
    }
    if (std::ranges::find(all, p) == all.end()) all.push_back(std::move(p));
  };
  add([&](int s, int) { return s % shape.pp; });
  if (shape.vpp == 2) add([&](int s, int) { return s < shape.pp ? s : 2 * shape.pp - 1 - s; });
  if (shape.vpp == 1 && shape.pp % 2 == 0 && shape.microbatches >= 2) {
    const int half = (shape.microbatches + 1) / 2;
    add([&](int s, int m) { return m < half ? s : shape.pp - 1 - s; });
  }
  for (const Schedule& schedule : fixed_schedules(shape)) {
    Placement p = placement_of(schedule);
    if (std::ranges::find(all, p) == all.end()) all.push_back(std::move(p));
  }
  return all;
}

Schedule make_auto(const PipelineShape& shape) {
  AutoInput input{.placement = placements(shape).front(), .costs = {}, .effort = 50'000};
  const StageCost even{.forward = whole_step(1),
                       .backward = whole_step(2),
                       .input_grad = whole_step(1),
                       .weight_grad = whole_step(1),
                       .kept = 1,
                       .deferred = 1};
  input.costs.stages.assign(static_cast<std::size_t>(input.placement.stages), even);
  input.costs.memory_limit.assign(static_cast<std::size_t>(shape.pp), input.placement.stages);
  AutoSchedule found = find_schedule(input);
  SIM_CHECK(found.found, "1F1B's memory is enough for some order");
  return std::move(found.schedule);
}

}  // namespace orrery
