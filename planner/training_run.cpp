#include "planner/training_run.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

constexpr double kSecondsPerDay = 86400.0;

Goodput goodput_of(const RunInputs& v) {
  return goodput({.nodes = static_cast<std::int64_t>(v.nodes),
                  .failures_per_node_day = v.failures_per_node_day,
                  .restart_s = v.restart_s,
                  .checkpoint_bytes = v.checkpoint_bytes,
                  .bytes_per_s_per_node = v.bytes_per_s_per_node,
                  .copy_s = v.copy_s,
                  .stall_s = v.stall_s,
                  .interval_s = v.checkpoint_interval_s,
                  .straggler_loss = v.straggler_loss,
                  .slow_node_share = v.slow_node_share,
                  .hardware_share = v.hardware_share,
                  .repair_s = v.repair_s});
}

/// GPUs draw their working power while steps run, lost work and slow ones included, and idle while the job
/// is down or saves.
RunEnergy energy_of(const RunInputs& v, const TrainingRun& run) {
  const double hours = run.days * 24.0;
  const double working = 1.0 - run.goodput.restart - run.goodput.checkpoint;
  const double above_idle = (v.gpu_mean_w - v.gpu_idle_w) * v.power_error;
  RunEnergy e{.gpu_dynamic = v.gpus * above_idle * working * hours / 1e3,
              .gpu_idle = v.gpus * v.gpu_idle_w * hours / 1e3,
              .nodes = v.nodes * v.node_overhead_w * hours / 1e3,
              .network = v.network_w * hours / 1e3};
  e.building = e.machines() * (v.pue - 1.0);
  return e;
}

OwnedInput owned_input(const RunInputs& v, const TrainingRun& run) {
  const double machines = run.energy->machines();
  return {.nodes = v.nodes,
          .gpus = v.gpus,
          .server_usd = v.server_usd,
          .switches = v.switches,
          .links = v.links,
          .switch_usd = v.switch_usd,
          .link_usd = v.link_usd,
          .other_usd_per_gpu = v.other_usd_per_gpu,
          .lifetime_years = v.lifetime_years,
          .utilisation = v.utilisation,
          .days = run.days,
          .it_kwh = machines,
          .pue = v.pue,
          .usd_per_kwh = v.usd_per_kwh,
          .it_kw = machines / (run.days * 24.0),
          .space_usd_per_kw_month = v.space_usd_per_kw_month};
}

Carbon carbon_of(const RunInputs& v, const TrainingRun& run) {
  return carbon({.dynamic_kwh = run.energy->gpu_dynamic,
                 .idle_kwh = run.energy->machines() - run.energy->gpu_dynamic,
                 .pue = v.pue,
                 .g_per_kwh = v.g_per_kwh,
                 .gpu_embodied_kg = v.gpu_embodied_kg,
                 .node_embodied_kg = v.node_embodied_kg,
                 .gpus = v.gpus,
                 .nodes = v.nodes,
                 .days = run.days,
                 .lifetime_years = v.lifetime_years,
                 .utilisation = v.utilisation,
                 .water_onsite_l_per_kwh = v.water_onsite_l_per_kwh,
                 .water_offsite_l_per_kwh = v.water_offsite_l_per_kwh});
}

void add_assumptions(const RunQuestion& q, std::vector<Assumption>& list) {
  for (const RunInput& input : q.ranges) {
    const bool known =
        std::any_of(list.begin(), list.end(), [&](const Assumption& a) { return a.name == input.key; });
    if (known) continue;
    const double value = q.values.*input.member;
    list.push_back(
        {.name = input.key,
         .value = fmt::format("{:g}", value),
         .unit = input.unit,
         .kind = input.stated ? "given" : to_text(input.range.origin),
         .source = input.range.source + (input.range.date.empty() ? "" : ", " + input.range.date)});
  }
}

}  // namespace

TrainingRun training_run(const RunQuestion& q, const RunInputs& v) {
  TrainingRun run;
  run.ideal_days = v.tokens / v.step_tokens * v.step_s * v.step_error / kSecondsPerDay;
  run.goodput = goodput_of(v);
  run.days = run.ideal_days / run.goodput.useful;
  run.ideal_gpu_hours = run.ideal_days * 24.0 * v.gpus;
  run.gpu_hours = run.days * 24.0 * v.gpus;
  if (q.has_rent) run.rent_usd = run.gpu_hours * v.usd_per_gpu_hour;
  if (q.has_pue && v.gpu_mean_w > 0) run.energy = energy_of(v, run);
  if (run.energy && q.has_energy_price && q.has_machines) {
    const OwnedInput owned = owned_input(v, run);
    run.owned = owned_cost(owned);
    run.purchase = purchase(owned);
    run.life_share = life_share(owned);
    run.development_usd = run.owned->total() / (v.development_hardware_share + v.development_energy_share);
  }
  if (run.energy && q.has_carbon) run.carbon = carbon_of(v, run);
  return run;
}

TrainingRun training_run(const RunQuestion& question) {
  return training_run(question, question.values);
}

void complete_run(Metrics& metrics, const Scenario& scenario, const RunData& data) {
  if (metrics.infeasible) return;
  const Ranged& error = data.model_error.of(scenario.cluster.gpu.name).measured_over_computed;
  metrics.step_time_p10_s = metrics.step_time_s * error.low;
  metrics.step_time_p90_s = metrics.step_time_s * error.high;
  const RunQuestion question = run_question(metrics, scenario, data);
  if (!question.has_tokens) return;
  const TrainingRun run = training_run(question);
  Run& r = metrics.run;
  r.goodput = run.goodput.useful;
  if (run.goodput.useful < kLeastGoodput) {
    r.days = r.gpu_hours = r.usd = r.energy_mwh = r.co2e_t = r.owned_usd = std::nullopt;
    metrics.assumptions.push_back({"run", "no progress", "", "assumed",
                                   "the job fails more often than it saves its state, so it never ends"});
    return;
  }
  r.days = run.days;
  r.gpu_hours = run.gpu_hours;
  r.usd = run.rent_usd;
  if (run.energy) r.energy_mwh = run.energy->total() / 1e3;
  if (run.carbon) r.co2e_t = run.carbon->total_t();
  if (run.owned) r.owned_usd = run.owned->total();
  add_assumptions(question, metrics.assumptions);
}

std::filesystem::path run_data_folder(const ProfileFolders& folders) {
  for (const std::filesystem::path& root : folders.roots) {
    std::error_code code;
    if (std::filesystem::is_directory(root / "economics", code)) return root / "economics";
  }
  return {};
}

RunData find_run_data(const ProfileFolders& folders) {
  const std::filesystem::path folder = run_data_folder(folders);
  if (!folder.empty()) return load_run_data(folder);
  std::string searched;
  for (const std::filesystem::path& root : folders.roots)
    searched += (searched.empty() ? "" : ", ") + (root / "economics").string();
  throw InputError("economics",
                   fmt::format("no such folder with prices, grids and reliability; searched {}", searched));
}

}  // namespace orrery
