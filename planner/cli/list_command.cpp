#include <fmt/format.h>

#include <algorithm>

#include "planner/cli/command.hpp"
#include "planner/cli/environment.hpp"
#include "planner/cli/options.hpp"
#include "planner/cli/output.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/units_text.hpp"
#include "sim/hw/software_stack.hpp"
#include "sim/model/param_count.hpp"
#include "sim/model/zoo.hpp"
#include "sim/schedule/generators.hpp"

namespace orrery::cli {
namespace {

Cell billions(std::int64_t count) {
  const auto value = static_cast<double>(count);
  return {fmt::format("{:.2f}", value / 1e9), value, "weights"};
}

Cell scaled(double value, double unit, const char* base) {
  return {digits_text(value / unit), value, base};
}

Table models() {
  Table t{.key = "models",
          .title = "",
          .columns = {{"name", "name", false},
                      {"architecture", "architecture", false},
                      {"total_parameters", "total 10^9"},
                      {"active_parameters", "active 10^9"},
                      {"layers", "layers"}},
          .rows = {},
          .notes = {"Parameters without multi-token-prediction modules; active: those one token uses."}};
  for (const ZooEntry& entry : zoo()) {
    const ModelSpec spec = load_model(entry.name, "").spec;
    const ParamCount count = count_params(spec);
    t.rows.push_back({entry.name, spec.architecture, billions(count.total()),
                      billions(count.active_per_token()),
                      Cell{std::to_string(spec.layers), static_cast<double>(spec.layers), ""}});
  }
  return t;
}

Table clusters(const ProfileFolders& folders) {
  Table t{.key = "clusters",
          .title = "",
          .columns = {{"name", "name", false},
                      {"gpu", "gpu", false},
                      {"gpus_per_node", "GPUs per node"},
                      {"scale_up_bytes_per_s", "in a node GB/s"},
                      {"scale_out_bytes_per_s", "between nodes GB/s"},
                      {"topology", "topology", false}},
          .rows = {},
          .notes = {"Rates of one GPU in one direction, nominal."}};
  for (const std::string& name : list_profiles("cluster", folders)) {
    const ClusterProfile c = load_cluster(name, folders);
    t.rows.push_back({name, c.gpu_name,
                      Cell{std::to_string(c.gpus_per_node), static_cast<double>(c.gpus_per_node), ""},
                      scaled(c.scale_up.bytes_per_s.value, 1e9, "B/s"),
                      scaled(c.scale_out.bytes_per_s.value, 1e9, "B/s"), c.topology});
  }
  return t;
}

std::filesystem::path gpu_path(const std::string& name, const ProfileFolders& folders) {
  for (const std::filesystem::path& root : folders.roots) {
    std::filesystem::path path = root / "gpu" / (name + ".json");
    if (std::filesystem::is_regular_file(path)) return path;
  }
  return {};
}

Cell peak(const GpuProfile& gpu, const char* precision) {
  const auto it = gpu.peak_flops_per_s.find(precision);
  return it == gpu.peak_flops_per_s.end() ? Cell{} : scaled(it->second.value, 1e12, "FLOP/s");
}

Table gpus(const ProfileFolders& folders) {
  Table t{.key = "gpus",
          .title = "",
          .columns = {{"name", "name", false},
                      {"device", "device", false},
                      {"sm_count", "SMs"},
                      {"memory_bytes", "memory GB"},
                      {"hbm_bytes_per_s", "HBM TB/s"},
                      {"bf16_flops_per_s", "BF16 TFLOP/s"},
                      {"fp8_flops_per_s", "FP8 TFLOP/s"},
                      {"operator_curves", "curves"}},
          .rows = {},
          .notes = {"Peaks are dense; curves: operator classes with a measured or fitted speed."}};
  for (const std::string& name : list_profiles("gpu", folders)) {
    const GpuProfile g = load_gpu_profile(gpu_path(name, folders));
    t.rows.push_back({name, g.device, Cell{fmt::format("{:g}", g.sm_count.value), g.sm_count.value, ""},
                      scaled(g.memory_bytes.value, 1e9, "B"), scaled(g.hbm_bytes_per_s.value, 1e12, "B/s"),
                      peak(g, "bf16"), peak(g, "fp8"),
                      Cell{std::to_string(g.operators.size()), static_cast<double>(g.operators.size()), ""}});
  }
  return t;
}

/// "a100-sxm x 1.24 (fitted)"; a GPU with several factors has their range.
std::string factors_text(const SoftwareStack& stack) {
  std::vector<std::string> words;
  for (const StackKernels& k : stack.gpus) {
    if (k.kernel_time.empty()) continue;
    const auto [low, high] =
        std::minmax_element(k.kernel_time.begin(), k.kernel_time.end(),
                            [](const auto& a, const auto& b) { return a.factor.value < b.factor.value; });
    const std::string range = low == high
                                  ? fmt::format("{:g}", low->factor.value)
                                  : fmt::format("{:g} to {:g}", low->factor.value, high->factor.value);
    words.push_back(fmt::format("{} x {} ({})", k.gpu, range, to_text(low->factor.origin)));
  }
  return words.empty() ? "as the profile" : join(words);
}

/// Loss, experts and host, where they are not the usual ones.
std::string other_text(const SoftwareStack& s) {
  std::vector<std::string> words;
  if (s.loss != "torch") words.push_back(s.loss + " loss");
  if (s.moe_dispatcher != "deepep") words.push_back(s.moe_dispatcher);
  if (s.expert_calls != "grouped") words.push_back(s.expert_calls + " calls");
  if (s.host_launch_s) words.push_back(fmt::format("{:g} us a call", s.host_launch_s->value * 1e6));
  return words.empty() ? "" : " (" + join(words) + ")";
}

Table stacks(const ProfileFolders& folders) {
  Table t{.key = "stacks",
          .title = "",
          .columns = {{"name", "name", false},
                      {"attention", "attention", false},
                      {"dropout", "dropout", false},
                      {"gradients_16bit_with", "16-bit gradients with", false},
                      {"kernel_time", "time of kernels", false},
                      {"about", "what it is", false}},
          .rows = {},
          .notes = {
              "Training programs for --stack; without one a run has the profile's kernels, fused attention, "
              "no dropout, FP32 gradients, torch's loss, deepep, grouped calls and the profile's host. "
              "docs/models/software.md."}};
  for (const std::string& name : list_profiles("stack", folders)) {
    const SoftwareStack s = load_stack(name, folders);
    t.rows.push_back({name, s.attention, s.dropout ? "yes" : "no",
                      s.gradients_16bit_with.empty() ? "none" : join(s.gradients_16bit_with), factors_text(s),
                      s.about + other_text(s)});
  }
  return t;
}

Table schedules(bool with_sources) {
  Table t{.key = "schedules",
          .title = "",
          .columns = {{"name", "name", false},
                      {"default_vpp", "default vpp"},
                      {"summary", "what it does", false}},
          .rows = {},
          .notes = {}};
  if (with_sources) t.columns.push_back({"source", "source", false});
  for (const GeneratorInfo& g : generators()) {
    t.rows.push_back(
        {g.name, Cell{std::to_string(g.default_vpp), static_cast<double>(g.default_vpp), ""}, g.summary});
    if (with_sources) t.rows.back().emplace_back(g.source);
  }
  return t;
}

int run(const Invocation& call) {
  if (call.has("--set")) throw UsageError("list has no scenario to change; leave --set out");
  const std::string what = call.positional(0);
  if (what == "models") emit(call, models());
  if (what == "clusters") emit(call, clusters(profile_folders()));
  if (what == "gpus") emit(call, gpus(profile_folders()));
  if (what == "stacks") emit(call, stacks(profile_folders()));
  if (what == "schedules")
    emit(call, schedules(call.has("--verbose") || call.get("--format", "table") != "table"));
  return kFine;
}

}  // namespace

CommandInfo list_command() {
  return {.name = "list",
          .summary = "What is built in: models, clusters, GPUs, schedules, stacks.",
          .examples = {{"orrery list models", "name, architecture, total and active parameters"},
                       {"orrery list clusters --format json", "for programs"}},
          .positionals = {{.name = "WHAT",
                           .what = "models, clusters, gpus, schedules or stacks",
                           .choices = {"models", "clusters", "gpus", "schedules", "stacks"},
                           .required = true}},
          .options = common_options(),
          .run = run};
}

}  // namespace orrery::cli
