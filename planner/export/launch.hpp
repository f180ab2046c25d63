#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/report/metrics.hpp"
#include "sim/scenario.hpp"

namespace orrery {

/// A simulated plan as it is handed to a training framework.
struct LaunchPlan {
  const Scenario& scenario;
  std::vector<std::int64_t>
      stage_layers;  ///< main-model layers of every stage in the order of the forward pass
  std::int64_t dp = 1;
  std::int64_t microbatches = 1;       ///< of one pipeline and step
  std::int64_t communication_sms = 0;  ///< SMs the all-to-all kernels have; 0: no all-to-all
  double days = 0;                     ///< of the whole run; 0: not known
};
/// Of a feasible result.
[[nodiscard]] LaunchPlan launch_plan(const Scenario& scenario, const Metrics& metrics);

/// Sentences of what a framework's file does not set: how tokens travel, the fused loss.
[[nodiscard]] std::string dispatcher_words(const Layout& layout);
inline constexpr const char* kFusedLossWords = "a fused cross-entropy over BF16 logits (training.loss)";

struct LaunchFlag {
  std::string name;   ///< "--num-layers"
  std::string value;  ///< empty for a switch
};

/// Flags in groups, and what the framework has no flag for.
struct LaunchFlags {
  std::vector<LaunchFlag> model, parallel, training;
  std::vector<std::string> missing;  ///< sentences
};

/// Flags of Megatron-LM's argument parser (megatron/training/arguments.py, commit 000c4ac24f61 of 2025, core
/// v0.14/0.15 line).
[[nodiscard]] LaunchFlags megatron_flags(const LaunchPlan& plan);
/// The same as a bash script that defines three arrays and shows the start with torchrun.
[[nodiscard]] std::string megatron_script(const LaunchPlan& plan);

/// A job file of torchtitan (torchtitan/config/job_config.py, commit 000204a4a8bf of 2025, after release
/// 0.1.0). `csv` names the schedule file it refers to where torchtitan has no schedule of that name.
[[nodiscard]] std::string torchtitan_toml(const LaunchPlan& plan, const std::string& csv);
/// Whether `torchtitan_toml` needs that file.
[[nodiscard]] bool torchtitan_needs_csv(const LaunchPlan& plan);

/// A configuration of DeepSpeed (https://www.deepspeed.ai/docs/config-json/, 0.16). What it does not cover
/// stands under
/// "_comment", a key that DeepSpeed passes over.
[[nodiscard]] std::string deepspeed_json(const LaunchPlan& plan);

/// A batch script for Slurm 22.05 or newer that starts Megatron-LM with these flags, one torchrun per node.
[[nodiscard]] std::string sbatch_script(const LaunchPlan& plan);

/// "deepseek-v3 on 2048 GPUs of h800-sxm-ib400: tp 1, cp 1, pp 16, ...": the first line of every file.
[[nodiscard]] std::string launch_title(const LaunchPlan& plan);

}  // namespace orrery
