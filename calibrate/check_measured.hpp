#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <vector>

#include "calibrate/commands.hpp"
#include "calibrate/measure.hpp"
#include "sim/hw/gpu_profile.hpp"
#include "sim/model/model_spec.hpp"

namespace orrery {

/// The cases that `check` measures: `options.count` random ones of classes that `gpu` predicts, classes in
/// turn, at sizes that the fit did not see under any kernel. Without options.exclude those of
/// `held_out_plan`, since the fit may have seen any of the standard plan; with it the standard plan's, too,
/// less what is in these files. `classes` as in `wanted_cases`. `left_out` counts why others were not to
/// choose from.
[[nodiscard]] std::vector<Case> plan_of_check(const GpuProfile& gpu, const CheckOptions& options,
                                              const std::vector<ModelSpec>& models,
                                              const std::vector<std::string>& classes,
                                              std::map<std::string, std::int64_t>& left_out);

/// `check` without samples: measures that plan with budget, isolation and journal as `measure` does
/// (`measure.output` and its `.partial`; --resume), and prints predicted against measured for every kernel.
/// Exit code 5 when something could not be measured. InputError as in `measure`; without a GPU it names
/// --samples.
[[nodiscard]] int run_check_measuring(const CheckOptions& options, const MeasureOptions& measure,
                                      const ProbeFactory& factory, std::ostream& out, std::ostream& progress);

}  // namespace orrery
