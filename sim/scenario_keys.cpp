#include "sim/scenario_keys.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace orrery {
namespace {

// Products of three degrees stay below 2^63, and a typing error is refused before it fills the memory.
constexpr double kMostDegree = 1e6;
constexpr double kMostGpus = 1e7;
constexpr double kMostSequences = 1e9;

constexpr std::array kKeys{
    ScenarioKey{.key = "model",
                .unit = "",
                .is_text = true,
                .what = "built-in model, Hugging Face config.json or its folder"},
    ScenarioKey{
        .key = "cluster.profile", .unit = "", .is_text = true, .what = "cluster profile: name or file"},
    ScenarioKey{.key = "cluster.gpus", .unit = "GPUs", .low = 1, .high = kMostGpus, .what = "GPUs used"},
    ScenarioKey{.key = "cluster.gpus_per_node",
                .unit = "GPUs",
                .low = 1,
                .high = 4096,
                .what = "GPUs of one NVLink domain, in place of the profile's"},
    ScenarioKey{.key = "cluster.nics_per_gpu",
                .unit = "NICs",
                .low = 0,
                .high = 64,
                .above_low = true,
                .what = "NICs of a GPU, each as the profile has it; 1 when left out"},
    ScenarioKey{.key = "cluster.oversubscription",
                .unit = "",
                .low = 1,
                .high = 1e6,
                .what = "of the network between nodes, in place of the profile's; 1 is full bisection"},
    ScenarioKey{.key = "cluster.power_cap_w",
                .unit = "W",
                .low = 0,
                .high = 1e6,
                .above_low = true,
                .what = "power limit of a GPU below the board's own"},
    ScenarioKey{
        .key = "layout.tp", .unit = "", .low = 1, .high = kMostDegree, .what = "tensor parallel size"},
    ScenarioKey{
        .key = "layout.cp", .unit = "", .low = 1, .high = kMostDegree, .what = "context parallel size"},
    ScenarioKey{.key = "layout.pp", .unit = "", .low = 1, .high = kMostDegree, .what = "pipeline ranks"},
    ScenarioKey{.key = "layout.vpp", .unit = "", .low = 1, .high = kMostDegree, .what = "stages per rank"},
    ScenarioKey{
        .key = "layout.ep", .unit = "", .low = 1, .high = kMostDegree, .what = "expert parallel size"},
    ScenarioKey{.key = "layout.etp",
                .unit = "",
                .low = 1,
                .high = kMostDegree,
                .what = "tensor parallel size inside an expert"},
    ScenarioKey{.key = "layout.dp",
                .unit = "",
                .low = 1,
                .high = kMostDegree,
                .what = "data parallel size; follows from the rest when left out"},
    ScenarioKey{.key = "layout.zero_stage",
                .unit = "",
                .low = 0,
                .high = 3,
                .what = "what data parallel ranks share: 1 optimizer, 2 gradients, 3 weights"},
    ScenarioKey{.key = "layout.sequence_parallel",
                .unit = "",
                .what = "activations between tensor parallel parts are cut along the sequence"},
    ScenarioKey{
        .key = "layout.schedule", .unit = "", .is_text = true, .what = "pipeline schedule: name or CSV file"},
    ScenarioKey{.key = "layout.live_microbatches",
                .unit = "",
                .low = 1,
                .high = kMostDegree,
                .what = "microbatches that a rank may hold with zb-h2, pp to 2pp-1; 2pp-1 when left out"},
    ScenarioKey{.key = "layout.messages",
                .unit = "",
                .is_text = true,
                .what = "blocking: a rank goes on when its message has left; async: at once; rendezvous: in "
                        "batches that wait for both sides"},
    ScenarioKey{.key = "layout.weight_gradients",
                .unit = "",
                .is_text = true,
                .what = "as-scheduled; split: after every lone input gradient; merged: no backward is split"},
    ScenarioKey{.key = "layout.optimizer_sync",
                .unit = "",
                .is_text = true,
                .what = "barrier: all ranks agree on the gradient norm first; post-validation: none waits"},
    ScenarioKey{.key = "layout.overlap_grad_reduce",
                .unit = "",
                .what = "gradients are reduced beside the pipeline's work; by ZeRO stage when left out"},
    ScenarioKey{.key = "layout.overlap_param_gather",
                .unit = "",
                .what = "weights are gathered beside the pipeline's work; by ZeRO stage when left out"},
    ScenarioKey{
        .key = "layout.recompute", .unit = "", .is_text = true, .what = "policy or list of operators"},
    ScenarioKey{.key = "layout.offload",
                .unit = "",
                .is_text = true,
                .what = "none, or what lives in the host's memory: optimizer, activations or both"},
    ScenarioKey{.key = "layout.microbatch_size",
                .unit = "sequences",
                .low = 1,
                .high = kMostDegree,
                .what = "sequences of one microbatch"},
    ScenarioKey{.key = "layout.communication_sms",
                .unit = "SMs",
                .low = 0,
                .high = 1024,
                .what = "SMs set apart for communication; by schedule and cluster when left out"},
    ScenarioKey{.key = "layout.stage_layers",
                .unit = "layers",
                .low = 0,
                .high = kMostDegree,
                .what = "layers of each stage; balanced when left out"},
    ScenarioKey{
        .key = "layout.mtp_stage",
        .unit = "",
        .low = 0,
        .high = kMostDegree,
        .what = "stage that holds the MTP modules, from the last with layers on; the last when left out"},
    ScenarioKey{.key = "layout.pipeline_layout",
                .unit = "",
                .is_text = true,
                .what = "layers of each stage in Megatron-LM's notation, \"Et*4|(t*4|)*14,tmL\""},
    ScenarioKey{.key = "training.global_batch_size",
                .unit = "sequences",
                .low = 1,
                .high = kMostSequences,
                .what = "sequences of one step"},
    ScenarioKey{.key = "training.sequence_length",
                .unit = "tokens",
                .low = 1,
                .high = kMostSequences,
                .what = "tokens of one sequence"},
    ScenarioKey{.key = "training.precision", .unit = "", .is_text = true, .what = "of the linear layers"},
    ScenarioKey{.key = "training.tokens",
                .unit = "tokens",
                .low = 0,
                .high = 1e18,
                .above_low = true,
                .what = "tokens of the whole run"},
    ScenarioKey{.key = "training.mtp", .unit = "", .what = "train the multi-token-prediction modules"},
    ScenarioKey{.key = "training.attention",
                .unit = "",
                .is_text = true,
                .what = "fused (FlashAttention and its like) or unfused, with the scores in memory"},
    ScenarioKey{.key = "training.dropout", .unit = "", .what = "dropout of attention and block outputs"},
    ScenarioKey{.key = "training.gradients",
                .unit = "",
                .is_text = true,
                .what = "in what weight gradients are summed up and reduced: fp32 or bf16"},
    ScenarioKey{
        .key = "stack",
        .unit = "",
        .is_text = true,
        .what = "training program whose kernels and host are meant: name or file; today's when left out"},
    ScenarioKey{.key = "routing.kind", .unit = "", .is_text = true, .what = "balanced or skewed"},
    ScenarioKey{.key = "routing.max_over_mean",
                .unit = "",
                .low = 1,
                .high = kMostDegree,
                .what = "rows of the busiest rank over the mean"},
    ScenarioKey{.key = "economics.usd_per_gpu_hour", .unit = "USD/h", .low = 0, .what = "rent of one GPU"},
    ScenarioKey{.key = "economics.usd_per_kwh", .unit = "USD/kWh", .low = 0, .what = "price of energy"},
    ScenarioKey{.key = "economics.pue",
                .unit = "",
                .low = 1,
                .high = 10,
                .what = "power of the building over power of the machines"},
    ScenarioKey{.key = "economics.grid", .unit = "", .is_text = true, .what = "electricity grid"},
    ScenarioKey{.key = "economics.co2_g_per_kwh",
                .unit = "g/kWh",
                .low = 0,
                .high = 2000,
                .what = "carbon intensity; the grid's when left out"},
    ScenarioKey{.key = "economics.server_usd",
                .unit = "USD",
                .low = 0,
                .what = "price of a node with its GPUs; the price list's when left out"},
    ScenarioKey{.key = "economics.lifetime_years",
                .unit = "years",
                .low = 0,
                .high = 50,
                .above_low = true,
                .what = "over which machines are paid off; the price list's when left out"},
    ScenarioKey{.key = "reliability.failures_per_node_day",
                .unit = "1/day",
                .low = 0,
                .high = 100,
                .what = "failures that stop the job; the reliability data's when left out"},
    ScenarioKey{.key = "reliability.restart_s",
                .unit = "s",
                .low = 0,
                .high = 1e6,
                .what = "detection, start and loading after a failure"},
    ScenarioKey{.key = "reliability.checkpoint_interval_s",
                .unit = "s",
                .low = 0,
                .high = 1e7,
                .above_low = true,
                .what = "work between checkpoints; the best when left out"},
    ScenarioKey{.key = "reliability.checkpoint_bytes_per_s_per_node",
                .unit = "B/s",
                .low = 0,
                .high = 1e13,
                .above_low = true,
                .what = "to storage"},
    ScenarioKey{.key = "reliability.checkpoint_stall_s",
                .unit = "s",
                .low = 0,
                .high = 1e6,
                .what = "training stands still for one checkpoint, beside the copy to the host"},
    ScenarioKey{.key = "reliability.straggler_loss",
                .unit = "",
                .low = 0,
                .high = 0.99,
                .what = "share of productive time lost to slow nodes, at most"},
    ScenarioKey{
        .key = "reliability.repair_s", .unit = "s", .low = 0, .high = 1e8, .what = "to repair a node"},
};

}  // namespace

std::span<const ScenarioKey> scenario_keys() {
  return kKeys;
}

const ScenarioKey* find_scenario_key(std::string_view key) {
  for (const ScenarioKey& candidate : kKeys) {
    if (candidate.key == key) return &candidate;
  }
  return nullptr;
}

std::string bounds_text(const ScenarioKey& key) {
  if (!std::isfinite(key.low)) return {};
  if (key.above_low) return fmt::format("> {:g}", key.low);
  if (!std::isfinite(key.high)) return fmt::format(">= {:g}", key.low);
  return fmt::format("{:.0f} to {:.0f}", key.low, key.high);
}

}  // namespace orrery
