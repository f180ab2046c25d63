#include "planner/validate.hpp"

#include <string>

#include "sim/report/published.hpp"
#include "sim/simulate.hpp"

namespace orrery {
namespace {

/// The set-up of the published step: arXiv 2412.19437, 3.1 and 4.2, with the price of its table 1.
constexpr const char* kDeepSeekV3 = R"({
  "schema": "orrery.scenario/1", "model": "deepseek-v3",
  "cluster": {"profile": "h800-sxm-ib400", "gpus": 2048},
  "layout": {"tp": 1, "cp": 1, "pp": 16, "ep": 64, "zero_stage": 1, "schedule": "dualpipe",
             "recompute": "deepseek-v3", "microbatch_size": 1},
  "training": {"global_batch_size": 15360, "sequence_length": 4096, "precision": "fp8-block", "tokens": 14.8e12},
  "economics": {"usd_per_gpu_hour": 2.0}
})";

void add_step_cases(const Scenario& scenario, const ProfileFolders& folders,
                    std::vector<ValidationRow>& rows) {
  const SimResult result = simulate(scenario);
  for (const PublishedRun& run : load_published(folders)) {
    if (!is_about(run, scenario)) continue;
    for (const ComparisonRow& row : compare(run, result.metrics, scenario)) {
      const PublishedValue& value = row.published;
      rows.push_back({.name = run.name,
                      .quantity = value.label,
                      .unit = value.unit,
                      .computed = row.computed,
                      .published = value.value,
                      .source = run.source,
                      .note = value.note.empty() ? run.note : value.note});
    }
  }
}

/// Span of the kernels of DeepSeek's training trace: one overlapped pair of four MoE layers, EP64, 4,096
/// tokens.
void add_pair_case(const Scenario& scenario, std::vector<ValidationRow>& rows) {
  const PairResult pair = simulate_pair(scenario, 4);
  rows.push_back({.name = "DualPipe pair of four MoE layers",
                  .quantity = "time of the pair",
                  .unit = "ms",
                  .computed = pair.time_s * 1e3,
                  .published = 129.012,
                  .source = "deepseek-ai/profile-data train.json @4496024, first to last kernel",
                  .note = "balanced routing, no pipeline messages; several operator rates of the H800 "
                          "profile come from the same trace"});
}

}  // namespace

std::vector<ValidationRow> validate_published(const ProfileFolders& folders) {
  std::vector<ValidationRow> rows;
  const Scenario scenario =
      parse_scenario(kDeepSeekV3, "built-in case", {.profiles = folders, .base = "."}, {});
  add_step_cases(scenario, folders, rows);
  add_pair_case(scenario, rows);
  return rows;
}

}  // namespace orrery
