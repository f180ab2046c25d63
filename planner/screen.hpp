#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "planner/candidate.hpp"
#include "planner/objective.hpp"
#include "planner/profile_cache.hpp"
#include "sim/base/verdict.hpp"
#include "sim/bound/layout_bound.hpp"

namespace orrery {

/// Points of a front that is being looked for: a layout counts only where none of them is at least as good in
/// both metrics, up to a millionth. Values with the sign that makes less better.
struct Frontier {
  Metric first = Metric::kStep, second = Metric::kStep;
  std::vector<std::pair<double, double>> points;

  [[nodiscard]] bool beaten(const Meter& meter, const Figures& figures) const;
  /// The same of everything that has at least these figures. Mean power does not grow with them: false then.
  [[nodiscard]] bool beaten_by_bound(const Meter& meter, const Figures& least) const;
};

/// What a search looks for.
struct Goal {
  Objective::Level level;
  std::vector<Constraint> constraints;
  std::optional<Frontier> frontier = {};
  std::optional<RunScale> scale = {};  ///< of the scenario that is searched; empty: nothing fails
};

/// Candidates by what became of them; keys are reason codes ("memory"), "constraint", "forbidden", "needless"
/// (fits with less offloaded).
using ReasonCounts = std::map<std::string, std::int64_t>;

/// All candidates with the same degrees but pp, same microbatch and recompute: the unit of screening.
struct ScreenNode {
  Candidate base;               ///< pp, variant, placement, sms, zero and offload are open
  double bound = 0;             ///< no layout in it has a better objective
  std::int64_t candidates = 0;  ///< in it that pass the rules on sizes
};

struct Leaf {
  double bound = 0;
  Candidate candidate;
  auto operator<=>(const Leaf&) const = default;
};

struct Screened {
  std::vector<Leaf> leaves;
  ReasonCounts infeasible;
  std::int64_t bounded = 0;
};

/// Bounds and verdicts of one thread.
class Screener {
 public:
  Screener(const Scenario& scenario, const SearchSpace& space, const std::vector<Variant>& variants,
           ProfileCache& profiles, const Goal& goal);

  /// Counts the candidates of one choice of precision .. sequence_parallel by the rules on sizes, and makes a
  /// node for every recompute policy. `total` counts all of them.
  std::vector<ScreenNode> open(const Candidate& frame, ReasonCounts& infeasible, std::int64_t& total);
  /// Bound and verdict of every candidate of a node; those that may be better than `cut` become leaves.
  Screened expand(const ScreenNode& node, double cut);
  /// The bound of a single candidate that passes the rules on sizes; memory in bytes.
  ZeroBound bound_of(const Candidate& candidate);

 private:
  struct Group;
  [[nodiscard]] std::int64_t open_choices(std::size_t variant, std::int64_t pp) const;
  [[nodiscard]] std::vector<Group> groups_of(ReasonCounts* infeasible, std::int64_t* total);
  void set_layout(const Candidate& base);
  const UnitTable& units(std::int64_t sms, bool many_stages);
  void expand_group(const Candidate& base, const Group& group, double cut, Screened& out);
  void expand_searched(const Candidate& base, const Group& group, double cut, Screened& out);
  void expand_shard(const Candidate& candidate, const ZeroBound& least, double cut, Screened& out);
  void expand_stages(const Candidate& candidate, const ScheduleProfile& profile, const BoundContext& context,
                     double cut, Screened& out);
  void set_groups(const ScheduleProfile& profile, LayoutBound& bound);
  [[nodiscard]] double memory_limit() const;
  [[nodiscard]] bool breaks_memory_limit(const ZeroBound& least) const;
  [[nodiscard]] double objective(const Figures& figures) const;
  [[nodiscard]] double least_energy(double seconds) const;
  [[nodiscard]] std::int64_t effective_sms(const Candidate& candidate) const;
  const StageBounds& stages(const BoundContext& context, const Candidate& candidate,
                            const ScheduleProfile& profile);

  Scenario scenario_;
  const SearchSpace& space_;
  const std::vector<Variant>& variants_;
  ProfileCache& profiles_;
  const Goal& goal_;
  Meter meter_;
  CostMemo memo_;
  bool memory_counts_;  ///< the goal asks for less memory: offloading more than fits is worth a look
  struct Units {
    std::int64_t sms;
    bool many_stages;
    std::unique_ptr<UnitTable> table;
  };
  std::vector<Units> units_;
  struct Cut {
    std::int64_t pp, vpp, sms;
    std::size_t variant;
    bool hidden;
    std::size_t placement;
    std::unique_ptr<StageBounds> stages;
  };
  std::vector<Cut> cuts_;
  struct TailGroups {
    std::int64_t pp;
    int copies;
    EndpointGroup dense, expert, dense_shards, expert_shards;
  };
  std::vector<TailGroups> tail_groups_;
  /// Places of ZeRO stage and offload.
  struct Shard {
    std::uint8_t zero = 0, offload = 0;
  };
  std::vector<Shard> shards_;  ///< those that the mean leaves possible
};

}  // namespace orrery
