#include "sim/schedule/generators.hpp"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "sim/base/check.hpp"
#include "sim/base/suggest.hpp"
#include "sim/schedule/auto_schedule.hpp"

namespace orrery {
namespace {

Verdict check_size(const PipelineShape& shape) {
  const std::array<std::pair<const char*, int>, 3> counts = {
      {{"pipeline ranks", shape.pp}, {"stages per rank", shape.vpp}, {"microbatches", shape.microbatches}}};
  for (const auto& [noun, count] : counts) {
    if (count < 1)
      return unfit_shape(noun, 1, count, fmt::format("{} {}: at least 1 is needed", count, noun));
  }
  const double steps = 3.0 * shape.pp * shape.vpp * shape.microbatches;  // F, I and W where all are split
  const auto most = static_cast<double>(kMaxScheduleSteps);
  if (steps > most || shape.pp > static_cast<int>(kMaxScheduleRanks)) {
    return unfit_shape(
        "steps of the schedule", steps, most,
        fmt::format("{} ranks x {} stages x {} microbatches make up to {:.0f} steps, more than the "
                    "{:.0f} that are simulated; use fewer, larger microbatches",
                    shape.pp, shape.vpp, shape.microbatches, steps, most));
  }
  return {};
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const GeneratorInfo& info : generators()) all.push_back(info.name);
  return all;
}

}  // namespace

Verdict check_one_stage_per_rank(const PipelineShape& shape) {
  if (shape.vpp == 1) return {};
  return unfit_shape("stages per rank", shape.vpp, 1,
                     fmt::format("the schedule has one stage per rank, {} asked for; use vpp 1, or "
                                 "interleaved-1f1b",
                                 shape.vpp));
}

Infeasible unfit_shape(std::string quantity, double needed, double available, std::string text) {
  return {.reason = Reason::kSchedule,
          .quantity = std::move(quantity),
          .needed = needed,
          .available = available,
          .text = std::move(text)};
}

std::span<const GeneratorInfo> generators() {
  static const std::vector<GeneratorInfo> all = {
      {.name = "gpipe",
       .summary = "all forwards, then all backwards",
       .source = "Huang et al. 2019, arXiv 1811.06965",
       .default_vpp = 1,
       .check = check_one_stage_per_rank,
       .make = make_gpipe},
      {.name = "1f1b",
       .summary = "one forward, one backward in turn; at most pp microbatches alive",
       .source = "Narayanan et al. 2021, arXiv 2104.04473",
       .default_vpp = 1,
       .check = check_one_stage_per_rank,
       .make = make_one_f_one_b},
      {.name = "interleaved-1f1b",
       .summary = "1F1B over vpp stages per rank; a bubble vpp times smaller, more messages",
       .source = "Narayanan et al. 2021, arXiv 2104.04473",
       .default_vpp = 2,
       .check = check_interleaved,
       .make = make_interleaved},
      {.name = "combined-1f1b",
       .summary = "interleaved 1F1B whose forwards are overlapped with backwards to hide all-to-all",
       .source = "Megatron Core documentation, Combined 1F1B (--overlap-moe-expert-parallel-comm)",
       .default_vpp = 2,
       .check = check_combined,
       .make = make_combined},
      {.name = "zb-h1",
       .summary = "1F1B with the weight gradient split off and used to fill the bubble",
       .source = "Qi et al. 2023, arXiv 2401.10241, ZB-H1",
       .default_vpp = 1,
       .check = check_one_stage_per_rank,
       .make = make_zb_h1},
      {.name = "zb-h2",
       .summary = "ZB-H1 with more forwards ahead: no bubble where F = I = W, twice the activations of 1F1B",
       .source = "Qi et al. 2023, arXiv 2401.10241, ZB-H2",
       .default_vpp = 1,
       .takes_live_limit = true,
       .check = check_zb_h2,
       .make = make_zb_h2},
      {.name = "zb-v",
       .summary = "two stages per rank folded into a V: no bubble where F = I = W, activations of 1F1B",
       .source = "Qi et al. 2024, arXiv 2405.15362, ZB-V; PyTorch ScheduleZBVZeroBubble",
       .default_vpp = 2,
       .check = check_zb_v,
       .make = make_zb_v},
      {.name = "chimera",
       .summary = "two 1F1B pipelines in opposite directions; two stages' weights per rank",
       .source = "Li & Hoefler 2021, arXiv 2107.06925",
       .default_vpp = 1,
       .check = check_chimera,
       .make = make_chimera},
      {.name = "dualpipe",
       .summary =
           "microbatches from both ends, forwards overlapped with backwards; two stages' weights per rank",
       .source = "DeepSeek-V3, arXiv 2412.19437; deepseek-ai/DualPipe 3da1bbe dualpipe/dualpipe.py",
       .default_vpp = 1,
       .check = check_dualpipe,
       .make = make_dualpipe},
      {.name = "dualpipev",
       .summary = "DualPipe folded into a V: two stages per rank, one copy of the weights",
       .source = "deepseek-ai/DualPipe 3da1bbe dualpipe/dualpipev.py",
       .default_vpp = 2,
       .check = check_dualpipev,
       .make = make_dualpipev},
      {.name = "auto",
       .summary =
           "searched for: the fastest of the others with the same vpp and of orders found for the costs",
       .source = "list scheduling and local search, sim/schedule/auto_schedule.hpp",
       .default_vpp = 1,
       .check = [](const PipelineShape&) -> Verdict { return {}; },
       .make = make_auto},
  };
  return all;
}

const GeneratorInfo& find_generator(std::string_view name) {
  for (const GeneratorInfo& info : generators()) {
    if (info.name == name) return info;
  }
  const std::vector<std::string> known = names();
  throw InputError("schedule", fmt::format("unknown schedule '{}'; expected one of {}{}", name, join(known),
                                           did_you_mean(name, known)));
}

Verdict check_schedule(std::string_view name, int pp, int vpp, int microbatches, int live_limit) {
  const GeneratorInfo& info = find_generator(name);
  const PipelineShape shape{.pp = pp, .vpp = vpp, .microbatches = microbatches, .live_limit = live_limit};
  if (auto unfit = check_size(shape)) return unfit;
  if (live_limit > 0 && !info.takes_live_limit) {
    return unfit_shape(
        "schedules with a limit", 1, 0,
        fmt::format("{} takes no limit of microbatches that a rank may hold; leave live_microbatches "
                    "out or use zb-h2",
                    name));
  }
  return info.check(shape);
}

Schedule make_schedule(std::string_view name, int pp, int vpp, int microbatches, int live_limit) {
  if (const auto unfit = check_schedule(name, pp, vpp, microbatches, live_limit)) {
    throw InputError(fmt::format("schedule {}", name), unfit->text);
  }
  return find_generator(name).make(
      {.pp = pp, .vpp = vpp, .microbatches = microbatches, .live_limit = live_limit});
}

}  // namespace orrery
