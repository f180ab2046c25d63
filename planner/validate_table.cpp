#include "planner/validate_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "planner/table_case.hpp"
#include "planner/training_run.hpp"
#include "sim/base/check.hpp"
#include "sim/simulate.hpp"

namespace orrery {
namespace {

Skip refused(const Infeasible& verdict) {
  if (verdict.reason == Reason::kMemory) return {SkipReason::kMemory, verdict.text};
  return {SkipReason::kLayout, fmt::format("{}: {}", to_text(verdict.reason), verdict.text)};
}

TableOutcome run_row(const PublishedRow& row, const ProfileFolders& folders, const ModelError& model_error) {
  TableOutcome out;
  out.row = row;
  const std::variant<TableCase, Skip> read = table_case(row, folders);
  if (const Skip* skip = std::get_if<Skip>(&read)) {
    out.skip = *skip;
    return out;
  }
  auto [scenario, measured] = std::get<TableCase>(read);
  out.precision = to_text(scenario.training.precision);
  out.inputs = inputs_text(scenario);
  out.measured_step_s = measured;
  Metrics metrics = simulate(scenario).metrics;
  if (metrics.infeasible && metrics.infeasible->reason == Reason::kMemory) {
    out.memory_over = metrics.infeasible->needed / metrics.infeasible->available;
    scenario.cluster.gpu.memory_bytes.value *= 2 * out.memory_over;
    out.inputs += "; memory = enough";
    metrics = simulate(scenario).metrics;
  }
  if (metrics.infeasible) {
    out.skip = refused(*metrics.infeasible);
    return out;
  }
  out.computed_step_s = metrics.step_time_s;
  out.tokens_per_step = metrics.step_tokens;
  const Ranged& error = model_error.of(scenario.cluster.gpu.name).measured_over_computed;
  out.low_s = out.computed_step_s * error.low;
  out.high_s = out.computed_step_s * error.high;
  return out;
}

ErrorGroup scored(const std::vector<const TableOutcome*>& rows) {
  ErrorGroup group;
  group.rows = rows.size();
  if (rows.empty()) return group;
  std::vector<double> errors;
  std::vector<double> sizes;
  std::vector<double> measured;
  std::vector<double> computed;
  std::size_t inside = 0;
  for (const TableOutcome* row : rows) {
    if (row->measured_step_s >= row->low_s && row->measured_step_s <= row->high_s) ++inside;
    errors.push_back(row->error());
    sizes.push_back(std::abs(row->error()));
    const double tokens = row->tokens_per_step / static_cast<double>(*row->row.gpus);
    measured.push_back(tokens / row->measured_step_s);
    computed.push_back(tokens / row->computed_step_s);
  }
  group.inside = static_cast<double>(inside) / static_cast<double>(rows.size());
  group.bias = median_of(errors);
  group.median = median_of(sizes);
  group.ninetieth = percentile_of(sizes, 0.9);
  constexpr std::size_t kRowsForRank = 5;
  if (rows.size() >= kRowsForRank) group.rank = rank_correlation(measured, computed);
  return group;
}

std::vector<ErrorGroup> memory_groups(const std::vector<MemoryOutcome>& outcomes) {
  std::map<std::tuple<std::string, std::string, std::string>, std::vector<double>> by_group;
  for (const MemoryOutcome& o : outcomes) {
    if (!o.skip) by_group[{o.row.source, o.row.gpu, o.row.metric}].push_back(o.error());
  }
  std::vector<ErrorGroup> groups;
  for (auto& [key, errors] : by_group) {
    ErrorGroup& g = groups.emplace_back();
    std::tie(g.source, g.gpu, g.precision) = key;
    g.rows = errors.size();
    g.bias = median_of(errors);
    for (double& e : errors) e = std::abs(e);
    g.median = median_of(errors);
    g.ninetieth = percentile_of(errors, 0.9);
  }
  return groups;
}

/// Ranks from 1; equal values share the mean of theirs.
std::vector<double> ranks_of(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t first = 0; first < order.size();) {
    std::size_t end = first + 1;
    while (end < order.size() && values[order[end]] == values[order[first]]) ++end;
    for (std::size_t i = first; i < end; ++i) ranks[order[i]] = static_cast<double>(first + end + 1) / 2;
    first = end;
  }
  return ranks;
}

}  // namespace

const char* to_text(SkipReason reason) {
  switch (reason) {
    case SkipReason::kMetric: return "another metric or unit";
    case SkipReason::kTask: return "not pre-training";
    case SkipReason::kGpu: return "no cluster profile of the GPU";
    case SkipReason::kCell: return "a needed cell is empty";
    case SkipReason::kPrecision: return "numeric format not simulated";
    case SkipReason::kModel: return "model not known";
    case SkipReason::kSchedule: return "pipeline schedule not simulated";
    case SkipReason::kFeature: return "feature not simulated";
    case SkipReason::kLayout: return "layout found impossible";
    case SkipReason::kMemory: return "memory found too small";
  }
  return "unknown";
}

std::size_t TableValidation::count(SkipReason reason) const {
  return static_cast<std::size_t>(std::count_if(outcomes.begin(), outcomes.end(), [&](const TableOutcome& o) {
    return o.skip && o.skip->reason == reason;
  }));
}

std::vector<double> TableValidation::too_large() const {
  std::vector<double> out;
  for (const TableOutcome& o : outcomes) {
    if (o.memory_over > 0) out.push_back(o.memory_over);
  }
  std::sort(out.begin(), out.end());
  return out;
}

TableValidation validate_table(const std::vector<PublishedRow>& rows, const ProfileFolders& folders) {
  TableValidation out;
  out.outcomes.reserve(rows.size());
  const ModelError model_error = find_run_data(folders).model_error;
  for (const PublishedRow& row : rows) out.outcomes.push_back(run_row(row, folders, model_error));
  using Key = std::tuple<std::string, std::string, std::string>;
  std::map<Key, std::vector<const TableOutcome*>> by_group;
  std::vector<const TableOutcome*> all;
  for (const TableOutcome& outcome : out.outcomes) {
    if (outcome.skip) continue;
    by_group[{outcome.row.source, outcome.row.gpu, outcome.precision}].push_back(&outcome);
    all.push_back(&outcome);
  }
  for (const auto& [key, members] : by_group) {
    out.groups.push_back(scored(members));
    std::tie(out.groups.back().source, out.groups.back().gpu, out.groups.back().precision) = key;
  }
  out.all = scored(all);
  out.all.rank.reset();
  out.power = validate_power(rows, folders);
  out.memory = validate_memory(rows, folders);
  out.memory_groups = memory_groups(out.memory);
  return out;
}

double median_of(std::vector<double> values) {
  SIM_CHECK(!values.empty(), "a median of nothing");
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double percentile_of(std::vector<double> values, double p) {
  SIM_CHECK(!values.empty() && p > 0 && p <= 1, "a percentile of nothing, or beyond all");
  std::sort(values.begin(), values.end());
  // The product may lie a rounding error above a whole number.
  const double rank = std::ceil(p * static_cast<double>(values.size()) - 1e-9);
  return values[static_cast<std::size_t>(std::max(1.0, rank)) - 1];
}

std::optional<double> rank_correlation(std::span<const double> a, std::span<const double> b) {
  SIM_CHECK(a.size() == b.size(), "both sides have one value per row");
  const std::vector<double> x = ranks_of(a);
  const std::vector<double> y = ranks_of(b);
  const double mean = (static_cast<double>(a.size()) + 1) / 2;
  double xy = 0;
  double xx = 0;
  double yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  if (xx <= 0 || yy <= 0) return {};
  return xy / std::sqrt(xx * yy);
}

}  // namespace orrery
