#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sim/base/verdict.hpp"
#include "sim/schedule/schedule.hpp"

namespace orrery {

/// The size a schedule is made for.
struct PipelineShape {
  int pp = 1;            ///< pipeline ranks
  int vpp = 1;           ///< stages per rank; DualPipe's second copy is no stage of its own, so 1 there
  int microbatches = 1;  ///< of one step, through one pipeline
  int live_limit = 0;    ///< microbatches a rank may hold, weight gradients held back included; 0: no limit
};

/// One schedule that can be made by name.
struct GeneratorInfo {
  std::string name;
  std::string summary;            ///< one line for people
  std::string source;             ///< paper or code the order of steps follows
  int default_vpp = 1;            ///< stages per rank where the user names none
  bool takes_live_limit = false;  ///< whether `PipelineShape::live_limit` means anything to it
  /// Conditions beyond those every schedule has (positive counts, `kMaxScheduleSteps`).
  Verdict (*check)(const PipelineShape&) = nullptr;
  /// Makes the schedule of a shape that passed the conditions.
  Schedule (*make)(const PipelineShape&) = nullptr;
};

/// All that can be made, in the order they are listed to users.
[[nodiscard]] std::span<const GeneratorInfo> generators();

/// The generator of that name. Throws InputError at "schedule" for an unknown name, with the names known and
/// the nearest of them.
[[nodiscard]] const GeneratorInfo& find_generator(std::string_view name);

/// Whether the schedule exists for this size: Reason::kSchedule with the quantity, the limit and a cure
/// otherwise. Throws InputError as `find_generator`.
[[nodiscard]] Verdict check_schedule(std::string_view name, int pp, int vpp, int microbatches,
                                     int live_limit = 0);

/// The schedule. Throws InputError as `find_generator`, and with the text of `check_schedule` where that
/// finds the size impossible.
[[nodiscard]] Schedule make_schedule(std::string_view name, int pp, int vpp, int microbatches,
                                     int live_limit = 0);

/// The generators themselves, one file each; `shape` must have passed `check_schedule`.
[[nodiscard]] Schedule make_gpipe(const PipelineShape& shape);
[[nodiscard]] Schedule make_one_f_one_b(const PipelineShape& shape);
[[nodiscard]] Verdict check_interleaved(const PipelineShape& shape);
[[nodiscard]] Schedule make_interleaved(const PipelineShape& shape);
[[nodiscard]] Verdict check_combined(const PipelineShape& shape);
[[nodiscard]] Schedule make_combined(const PipelineShape& shape);
[[nodiscard]] Schedule make_zb_h1(const PipelineShape& shape);
[[nodiscard]] Verdict check_zb_h2(const PipelineShape& shape);
[[nodiscard]] Schedule make_zb_h2(const PipelineShape& shape);
[[nodiscard]] Verdict check_zb_v(const PipelineShape& shape);
[[nodiscard]] Schedule make_zb_v(const PipelineShape& shape);
[[nodiscard]] Verdict check_chimera(const PipelineShape& shape);
[[nodiscard]] Schedule make_chimera(const PipelineShape& shape);
[[nodiscard]] Verdict check_dualpipe(const PipelineShape& shape);
[[nodiscard]] Schedule make_dualpipe(const PipelineShape& shape);
[[nodiscard]] Verdict check_dualpipev(const PipelineShape& shape);
[[nodiscard]] Schedule make_dualpipev(const PipelineShape& shape);

/// For generators: the condition of one stage per rank.
[[nodiscard]] Verdict check_one_stage_per_rank(const PipelineShape& shape);

/// For generators: an unfit shape, as Reason::kSchedule.
[[nodiscard]] Infeasible unfit_shape(std::string quantity, double needed, double available, std::string text);

/// For generators: an empty schedule whose stages live on one rank each, `rank_of_stage(stage)`.
template <class RankOfStage>
[[nodiscard]] Schedule empty_schedule(std::string name, const PipelineShape& shape,
                                      RankOfStage rank_of_stage) {
  Schedule schedule;
  schedule.name = std::move(name);
  schedule.stages = shape.pp * shape.vpp;
  schedule.microbatches = shape.microbatches;
  schedule.ranks.resize(static_cast<std::size_t>(shape.pp));
  schedule.owner.reserve(static_cast<std::size_t>(schedule.stages) *
                         static_cast<std::size_t>(shape.microbatches));
  for (int stage = 0; stage < schedule.stages; ++stage) {
    schedule.owner.insert(schedule.owner.end(), static_cast<std::size_t>(shape.microbatches),
                          RankId{rank_of_stage(stage)});
  }
  return schedule;
}

}  // namespace orrery
