#include "planner/table_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include "planner/table_case.hpp"
#include "sim/simulate.hpp"

namespace orrery {
namespace {

bool whole_device(const PublishedRow& row) {
  return row.metric == "memory_nvidia_smi_max";
}

bool is_peak(const PublishedRow& row) {
  static constexpr std::array<std::string_view, 5> kOfAllocators{
      "peak_memory", "peak_memory_alloc", "peak_memory_reserved", "peak_memory_max_rank",
      "peak_memory_logged"};
  return whole_device(row) ||
         std::find(kOfAllocators.begin(), kOfAllocators.end(), row.metric) != kOfAllocators.end();
}

std::optional<double> unit_bytes(const std::string& unit) {
  const std::string word = unit.substr(0, unit.find(' '));
  if (word == "GB") return 1e9;
  if (word == "GiB") return 1073741824.0;
  if (word == "MiB") return 1048576.0;
  return {};
}

/// Bytes of the fullest rank.
double peak_bytes(const Metrics& metrics, bool with_reserve) {
  double most = 0;
  for (const RankMemoryRow& rank : metrics.memory)
    most = std::max(most, rank.total - (with_reserve ? 0.0 : rank.reserve));
  return most;
}

MemoryOutcome run_row(const PublishedRow& row, double unit, const ProfileFolders& folders) {
  MemoryOutcome out{.row = row, .skip = {}, .inputs = {}, .measured_bytes = *row.value * unit};
  if ((out.skip = check_task(row))) return out;
  std::variant<Scenario, Skip> read = table_scenario(row, folders);
  if (const Skip* skip = std::get_if<Skip>(&read)) {
    out.skip = *skip;
    return out;
  }
  auto& scenario = std::get<Scenario>(read);
  out.inputs = inputs_text(scenario);
  // Where memory is too small, it is what the result still holds.
  const Metrics metrics = simulate(scenario).metrics;
  out.computed_bytes = peak_bytes(metrics, whole_device(row));
  if (out.computed_bytes == 0)
    out.skip =
        Skip{SkipReason::kLayout, metrics.infeasible ? metrics.infeasible->text : "no memory computed"};
  return out;
}

}  // namespace

std::vector<MemoryOutcome> validate_memory(const std::vector<PublishedRow>& rows,
                                           const ProfileFolders& folders) {
  std::vector<MemoryOutcome> out;
  for (const PublishedRow& row : rows) {
    const std::optional<double> unit = unit_bytes(row.unit);
    if (is_peak(row) && unit && row.value && *row.value > 0) out.push_back(run_row(row, *unit, folders));
  }
  return out;
}

}  // namespace orrery
