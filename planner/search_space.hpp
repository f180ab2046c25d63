#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/bound/layout_bound.hpp"
#include "sim/scenario.hpp"

namespace orrery {

/// The schedule that is searched for each layout (sim/pick_schedule.hpp): seconds for one, so it is in a
/// space only where it is asked for.
inline constexpr const char* kSearchedSchedule = "auto";

/// `tp=8`, `schedule=dualpipe`, `pp<=4`: one condition on a layout.
struct LayoutCondition {
  std::string key;
  std::string op;  ///< one of <= >= < > = !=
  std::string value;
  std::string text;  ///< as written
};

/// The layouts that are searched: every combination of the lists, but for what a schedule fixes (stages per
/// rank), what has no meaning (sequence parallelism without tp, SMs for communication without overlapped
/// exchanges, placement without a pipeline) and what is forbidden. docs/models/plan.md defines it.
struct SearchSpace {
  std::vector<std::int64_t> tp, cp, pp, vpp, ep, etp, zero, microbatch;
  std::vector<std::int64_t> communication_sms;  ///< -1: by schedule and cluster
  std::vector<std::string> schedules;
  std::vector<Recompute> recompute;
  std::vector<Offload> offload;
  std::vector<Precision> precision;
  std::vector<std::int64_t> sequence_parallel;  ///< 0, 1
  std::vector<LayerPlacement> placement;
  /// A layout that meets all conditions of one of these is left out.
  std::vector<std::vector<LayoutCondition>> forbidden;
  /// A layout that does not meet one of these is left out.
  std::vector<LayoutCondition> demanded;
};

/// Keys of the space as users write them: tp cp pp vpp ep etp zero mbs schedule recompute offload precision
/// sp sms placement.
[[nodiscard]] const std::vector<std::string>& space_keys();

/// What is searched where the user says nothing; precision as in the scenario.
[[nodiscard]] SearchSpace default_space(const Scenario& scenario);

/// Replaces one list: "1,2,4..8" for numbers (a..b: all whole numbers between), names separated by commas,
/// operators of one recompute policy joined by +. Errors: InputError at `place`.
void restrict_space(SearchSpace& space, const std::string& key, std::string_view values,
                    const std::string& place);

/// The same from JSON, schema orrery.space/1: {"tp": [1, 2], "schedule": "dualpipe", "forbid":
/// ["tp=8,cp=4"]}.
void read_space(SearchSpace& space, std::string_view json, const std::string& place);

/// Keeps for `key` what the scenario's layout has.
void pin(SearchSpace& space, const std::string& key, const Scenario& scenario, const std::string& place);

/// "tp<=8"; empty key where the text is no condition on a layout. Errors: InputError at `place`.
[[nodiscard]] LayoutCondition parse_condition(std::string_view text, const std::string& place);

/// Stages per rank that a schedule may have within `vpp`.
[[nodiscard]] std::vector<std::int64_t> vpp_of(const std::string& schedule,
                                               const std::vector<std::int64_t>& vpp);

/// The space as text, one line per list.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> describe(const SearchSpace& space);

}  // namespace orrery
