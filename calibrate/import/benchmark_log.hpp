#pragma once

#include <string>
#include <string_view>

#include "calibrate/import/imported.hpp"

namespace orrery {

/// Logs of DeepGEMM's tests ("> Perf (m=..., n=..., k=...): 123 us | ...", grouped ones with num_groups) and
/// of DeepEP's ("[config] num_tokens=...", "[tuning] Best dispatch (FP8): SMs 24, ...", "[rank 0] Dispatch
/// bandwidth: ..., avg_t=... us | Combine bandwidth: ..."). The lines of slower settings tried on the way
/// are counted as skipped. `gpus`: ranks of a DeepEP run; the log does not say it (0: left out of the shape).
/// `precision`: of DeepGEMM products, "fp8-block" or "bf16"; the log does not say it either.
/// InputError: no line of either kind, a time that is not positive, a line with half its numbers.
[[nodiscard]] Imported import_benchmark_log(std::string_view text, const std::string& place,
                                            std::int64_t gpus, const std::string& precision);

}  // namespace orrery
