#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "planner/published_table.hpp"
#include "planner/table_skip.hpp"
#include "sim/scenario.hpp"

namespace orrery {

/// A row as something to simulate, and what was measured, as seconds of a step.
struct TableCase {
  Scenario scenario;  ///< `assumed` names every cell that was empty and what stands for it
  double measured_step_s = 0;
};

/// Reads the shape, the cluster and the layout of a row, whatever was measured. What it takes from the cells,
/// where they leave room:
/// - GPU: A100, H100 and H800 of 80 GB in their SXM form; one whose form is not stated counts as SXM;
/// - network: a number of ports per node with a rate ("4x100Gb") replaces the profile's rate between nodes;
/// - precision: FP8 of any kind is per-tensor FP8, mixtures ("amp_bf16") are what they mix with FP32; an
///   empty cell is BF16 on A100, which runs both 16-bit formats at one rate and has no FP8;
/// - `zero_stage`: its leading digit; FSDP and HSDP are 3; empty is 1;
/// - schedule: empty is 1F1B, or the interleaved one with vpp > 1; ZB-1p is zb-h1, ZB-2p is zb-h2;
/// - recompute: full, selective (attention, or the parts it names), none; empty is none;
/// - sequence parallelism, which no column tells: as the texts say, else on with tp > 1, except in sources
///   from before August 2022 (Megatron-LM SC21, BigScience, MT-NLG), whose programs did not have it;
/// - `etp`: empty is tp, as in Megatron-LM.
/// Other empty cells are a Skip. InputError: a profile that is needed cannot be loaded.
[[nodiscard]] std::variant<Scenario, Skip> table_scenario(const PublishedRow& row,
                                                          const ProfileFolders& folders);
/// A skip where a row is of fine-tuning, adapters or reinforcement learning.
[[nodiscard]] MaybeSkip check_task(const PublishedRow& row);
/// Layout and training as simulated, then what was assumed.
[[nodiscard]] std::string inputs_text(const Scenario& scenario);

/// The same with the seconds of a step, of rows of pre-training whose metric is `step_time` in s or ms, or
/// `throughput_per_gpu` in tokens/s/GPU, samples/s/GPU or sequences/s/GPU; other rows are a Skip.
[[nodiscard]] std::variant<TableCase, Skip> table_case(const PublishedRow& row,
                                                       const ProfileFolders& folders);

/// Bytes per second and node that a description of the network states as ports times rate, "4x100Gb",
/// "8x50 GB/s", "4x Omni-Path 100G"; 0 where it states none.
[[nodiscard]] double node_bytes_per_s(std::string_view interconnect);

}  // namespace orrery
