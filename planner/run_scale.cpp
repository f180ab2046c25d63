#include "planner/run_scale.hpp"

#include <algorithm>

#include "planner/economics/money.hpp"
#include "planner/training_run.hpp"
#include "sim/network/fabric.hpp"
#include "sim/power/power_model.hpp"

namespace orrery {
namespace {

constexpr double kSecondsPerDay = 86400;

/// Watts of everything but the GPUs while steps run.
struct Rest {
  double nodes_w = 0, network_w = 0;
};
Rest rest_of(const Scenario& s) {
  const auto gpus = static_cast<double>(s.gpus);
  const double nodes = static_cast<double>((s.gpus + s.cluster.gpus_per_node - 1) / s.cluster.gpus_per_node);
  const Fabric fabric = fabric_of(s.cluster, s.gpus);
  const StaticPower rest = static_power(s.cluster, nodes, gpus, static_cast<double>(fabric.switches),
                                        static_cast<double>(fabric.links));
  return {.nodes_w = rest.nodes.value, .network_w = rest.network.value};
}

double step_tokens(const Scenario& s) {
  return static_cast<double>(s.training.global_batch_size * s.training.sequence_length);
}

}  // namespace

RunScale run_scale(const Scenario& s) {
  RunScale scale;
  const double steps = s.training.tokens / step_tokens(s);
  scale.days_per_s = steps / kSecondsPerDay;
  if (s.economics.usd_per_gpu_hour)
    scale.rent_usd_per_s = steps / 3600 * static_cast<double>(s.gpus) * *s.economics.usd_per_gpu_hour;
  if (s.economics.pue) scale.energy_mwh = {.per_s = 0, .per_j = steps / 3.6e9 * *s.economics.pue};
  return scale;
}

RunScale run_scale(const Scenario& s, const RunData& data) {
  const Rest rest = rest_of(s);
  // Two runs of one second a step, whose GPUs draw one and two watts above nothing, give both factors.
  Metrics metrics;
  metrics.step_time_s = 1;
  metrics.step_tokens = step_tokens(s);
  metrics.power.gpu_mean_w = 1;
  metrics.power.network_w = rest.network_w;
  const RunQuestion question = run_question(metrics, s, data);
  if (!question.has_tokens) return run_scale(s);
  RunInputs more = question.values;
  more.gpu_mean_w = 2;
  const TrainingRun one = training_run(question);
  const TrainingRun two = training_run(question, more);
  const auto gpus = static_cast<double>(s.gpus);
  const double joules_of_one = gpus + rest.nodes_w + rest.network_w;
  const auto linear = [&](double of_one, double of_two, double unit) {
    RunScale::Linear l;
    l.per_j = (of_two - of_one) / gpus * unit;
    l.per_s = std::max(0.0, of_one * unit - l.per_j * joules_of_one);
    return l;
  };
  RunScale scale;
  scale.failures = true;
  scale.useful = one.goodput.useful;
  scale.days_per_s = one.days;
  scale.rent_usd_per_s = one.rent_usd;
  if (one.energy) scale.energy_mwh = linear(one.energy->total(), two.energy->total(), 1e-3);
  if (one.carbon) scale.carbon_t = linear(one.carbon->total_t(), two.carbon->total_t(), 1);
  if (one.owned) scale.owned_usd = linear(one.owned->total(), two.owned->total(), 1);
  if (question.has_machines) {
    const RunInputs& v = question.values;
    const OwnedInput bought{
        .switches = v.switches, .links = v.links, .switch_usd = v.switch_usd, .link_usd = v.link_usd};
    scale.purchase_usd = v.nodes * v.server_usd + network_usd(bought) + gpus * v.other_usd_per_gpu;
  }
  return scale;
}

}  // namespace orrery
