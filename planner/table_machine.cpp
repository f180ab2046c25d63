#include "planner/table_machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "planner/table_case.hpp"
#include "sim/scenario_program.hpp"

namespace orrery {
namespace {

struct Machine {
  std::string_view gpu, profile;
};

constexpr std::array<Machine, 11> kMachines{{{"A100-80GB", "a100-sxm-ib200"},
                                             {"A100-40GB", "a100-sxm-40gb-roce200"},
                                             {"H100-80GB", "h100-sxm-ib400"},
                                             {"H100-96GB-HBM2e-500W", "h100-sxm-ib400"},
                                             {"H800-80GB", "h800-sxm-ib400"},
                                             {"H200-141GB", "h200-sxm-ib400"},
                                             {"B200", "b200-sxm-ib400"},
                                             {"B300", "b300-sxm-ib800"},
                                             {"GB200", "gb200-nvl72-ib400"},
                                             {"GB300", "gb300-nvl72-ib800"},
                                             {"MI300X", "mi300x-rocev2-400"}}};

/// Rack-scale systems and accelerators that have one form only.
bool one_form(std::string_view gpu) {
  return gpu.starts_with("GB") || gpu == "MI300X" || gpu == "H100-96GB-HBM2e-500W";
}

/// Of a rack's domain as many GPUs as divide the run: 64 of 72.
void fit_domain(const PublishedRow& row, Scenario& s) {
  const std::int64_t domain = s.cluster.gpus_per_node;
  if (!row.gpus || domain <= 8 || *row.gpus <= domain || *row.gpus % domain == 0) return;
  std::int64_t used = domain;
  while (*row.gpus % used != 0) --used;
  s.cluster_options.gpus_per_node = used;
  s.assumed.push_back({"cluster.gpus_per_node", std::to_string(used),
                       fmt::format("{} GPUs in domains of {}", *row.gpus, domain)});
}

/// Megatron-Bridge's recipes with experts and MXFP8 run whole steps as one CUDA graph: read off the published
/// speeds, since this container (docs/models/software.md).
constexpr std::string_view kGraphsSince = "26.06";

bool whole_step_graphs(const PublishedRow& row) {
  constexpr std::string_view kContainer = "NeMo container ";
  if (row.source.find("Megatron-Bridge") == std::string::npos) return false;
  const std::size_t at = row.notes.find(kContainer);
  if (at == std::string::npos || row.experts.value_or(0) <= 1 || row.precision != "MXFP8") return false;
  return row.notes.substr(at + kContainer.size(), kGraphsSince.size()) >= kGraphsSince;
}

/// The H100 that torchtitan's tables were made on.
void make_hbm2e_h100(Scenario& s) {
  Sourced& memory = s.cluster.gpu.memory_bytes;
  memory.value *= 96.0 / 80.0;
  memory.note = "Of the 96 GB form, in proportion.";
  s.cluster_options.power_cap_w = 500;
  s.assumed.push_back({"memory rate", "as HBM3", "that of this H100's HBM2e is not stated"});
}

}  // namespace

MaybeSkip set_cluster(const PublishedRow& row, const ProfileFolders& folders, Scenario& s) {
  const std::string& gpu = row.gpu;
  const bool stated = gpu.ends_with("-SXM") || one_form(gpu);
  const std::string bare = gpu.ends_with("-SXM") ? gpu.substr(0, gpu.size() - 4) : gpu;
  const auto* known =
      std::find_if(kMachines.begin(), kMachines.end(), [&](const Machine& m) { return m.gpu == bare; });
  if (known == kMachines.end()) return Skip{SkipReason::kGpu, gpu.empty() ? "gpu is empty" : gpu};
  if (!stated) s.assumed.push_back({"gpu", gpu + "-SXM", "form not stated"});
  s.cluster_ref = known->profile;
  s.cluster = load_cluster(s.cluster_ref, folders);
  const double per_node = node_bytes_per_s(row.interconnect);
  if (per_node > 0 && s.cluster.gpus_per_node <= 8) {
    s.cluster.scale_out.bytes_per_s = {.value = per_node / static_cast<double>(s.cluster.gpus_per_node),
                                       .origin = Origin::kPublished,
                                       .source = row.source,
                                       .date = {},
                                       .note = row.interconnect};
  }
  if (gpu == "H100-96GB-HBM2e-500W") make_hbm2e_h100(s);
  fit_domain(row, s);
  return {};
}

void set_stack(const PublishedRow& row, const ProfileFolders& folders, Scenario& s) {
  struct Program {
    std::string_view source, stack;
  };
  static constexpr std::array<Program, 17> kPrograms{{{"BigScience", "megatron-deepspeed-2022"},
                                                      {"Megatron-LM SC21", "megatron-2021"},
                                                      {"MT-NLG", "megatron-2021"},
                                                      {"Korthikanti", "megatron-2021"},
                                                      {"OPT-175B", "megatron-2021"},
                                                      {"vTrain", "megatron-2021"},
                                                      {"Zero Bubble", "megatron-2021"},
                                                      {"llm-foundry", "llm-foundry-2023"},
                                                      {"fms-fsdp", "torch-2024"},
                                                      {"InternEvo", "torch-2024"},
                                                      {"torchtitan", "torch-2024"},
                                                      {"SimuMax", "megatron-2026"},
                                                      {"NVIDIA NeMo", "nemo-2025"},
                                                      {"dgxc", "nemo-2025"},
                                                      {"Megatron-Bridge", "nemo-2025"},
                                                      {"Megatron-MoE-ModelZoo", "nemo-2025"},
                                                      {"MLPerf", "nemo-2025"}}};
  for (const Program& program : kPrograms) {
    if (row.source.find(program.source) == std::string::npos) continue;
    s.stack_ref = whole_step_graphs(row) ? "megatron-bridge-2026" : program.stack;
    s.stack = load_stack(s.stack_ref, folders);
    set_program(s.stack, s.training, s.layout);
    break;
  }
  apply_stack(s.cluster.gpu, s.stack);
  apply_options(s.cluster, s.cluster_options, "cluster");
}

}  // namespace orrery
