#include "gui/core/plan_answers.hpp"

#include <algorithm>
#include <map>

#include "gui/core/plan_values.hpp"
#include "planner/plan_json.hpp"
#include "sim/base/work_control.hpp"
#include "sim/simulate.hpp"

namespace orrery::gui {
namespace {

PlanItem item_of(const PlanReport& report, const Found& found, Metrics metrics, const RunData& data,
                 std::string found_as) {
  const Scenario scenario = scenario_of(report, found);
  complete_run(metrics, scenario, data);
  PlanItem item;
  item.overrides = changes_between(report.scenario, scenario);
  item.row.inputs = row_inputs(scenario);
  fill_row(metrics, item.row);
  item.found_as = std::move(found_as);
  return item;
}

/// The same of a layout that nobody simulated, with what the search knows of it.
PlanItem rough_item(const PlanReport& report, const Found& found, std::string found_as) {
  PlanItem item;
  const Scenario scenario = scenario_of(report, found);
  item.overrides = changes_between(report.scenario, scenario);
  item.row.inputs = row_inputs(scenario);
  item.row.status = "ok";
  item.row.metrics.resize(sweep_metrics().size());
  item.found_as = std::move(found_as);
  const Meter meter(report.scenario, "plan", report.scale);
  const auto set = [&](const char* name, double value) {
    item.row.metrics[static_cast<std::size_t>(metric_index(name))] = value;
  };
  const Training& t = scenario.training;
  const double tokens_per_s =
      static_cast<double>(t.global_batch_size * t.sequence_length) / found.figures.step_s;
  set("step_time_s", found.figures.step_s);
  set("tokens_per_s", tokens_per_s);
  set("tokens_per_s_per_gpu", tokens_per_s / static_cast<double>(scenario.gpus));
  set("mfu_causal", meter.value(Metric::kMfu, found.figures));
  set("peak_bytes", found.figures.memory_bytes);
  set("headroom_bytes", meter.value(Metric::kHeadroom, found.figures));
  if (t.tokens > 0) set("days", meter.value(Metric::kDays, found.figures));
  if (t.tokens > 0 && report.scale.rent_usd_per_s) set("usd", meter.value(Metric::kUsd, found.figures));
  return item;
}

PlanItem front_item(const PlanReport& report, const Found& found, const RunData& data, std::string name) {
  try {
    return item_of(report, found, simulate(scenario_of(report, found)).metrics, data, name);
  } catch (const Stopped&) {
    return rough_item(report, found, std::move(name));
  }
}

}  // namespace

std::vector<Override> changes_between(const Scenario& from, const Scenario& to) {
  std::vector<Override> out;
  const auto before = row_inputs(from);
  const auto after = row_inputs(to);
  for (std::size_t i = 0; i < after.size(); ++i) {
    const auto& [key, value] = after[i];
    if (value != before[i].second)
      out.push_back({.key = key, .value = value, .place = "layout of the search"});
  }
  return out;
}

PlanAnswer plan_answer(const PlanReport& report, const RunData& data) {
  PlanAnswer out;
  for (std::size_t i = 0; i < report.search.best.size(); ++i) {
    const Found& found = report.search.best[i];
    std::string name = "best " + std::to_string(i + 1);
    out.items.push_back(i < report.metrics.size()
                            ? item_of(report, found, report.metrics[i], data, std::move(name))
                            : rough_item(report, found, std::move(name)));
  }
  for (std::size_t i = 0; i < report.front.size(); ++i) {
    const std::string name = "front " + std::to_string(i + 1);
    const Found& found = report.front[i];
    const auto known = std::find_if(report.search.best.begin(), report.search.best.end(),
                                    [&](const Found& other) { return other.candidate == found.candidate; });
    if (known != report.search.best.end())
      out.items[static_cast<std::size_t>(known - report.search.best.begin())].found_as += ", " + name;
    else
      out.items.push_back(front_item(report, found, data, name));
  }
  // The plan's own table says what became of all candidates; its first row is their number.
  for (const std::vector<Cell>& row : funnel_table(report).rows) {
    const std::string& code = row[0].text;
    const double count = row[1].value.value_or(0);
    if (code == "candidates")
      out.candidates = count;
    else if (code != "operator level")
      out.fates.push_back({code, count, row[2].text, code != "bounded" && code != "evaluated"});
  }
  out.words = report.metrics.size() == report.search.best.size()
                  ? plan_text(report)
                  : "Stopped early: the best layouts so far, with what the search knows of them; nothing is "
                    "proven. Open one for all its figures.\n\n" +
                        to_plain(funnel_table(report));
  out.complete = report.search.complete;
  return out;
}

std::vector<std::string> varying_keys(const PlanItems& items) {
  std::vector<std::string> out;
  if (items.empty()) return out;
  for (std::size_t k = 0; k < items.front().row.inputs.size(); ++k) {
    const std::string& key = items.front().row.inputs[k].first;
    const std::string& value = items.front().row.inputs[k].second;
    if (!key.starts_with("layout.") && key != "training.precision") continue;
    const bool varies = std::any_of(items.begin(), items.end(), [&](const PlanItem& item) {
      return k < item.row.inputs.size() && item.row.inputs[k].second != value;
    });
    if (varies) out.push_back(key);
  }
  return out;
}

void put_best_first(PlanItems& items) {
  const auto step = static_cast<std::size_t>(metric_index("step_time_s"));
  const auto length = [&](const PlanItem& item) {
    return item.row.status == "ok" ? shown_value(item.row, step).value_or(1e300) : 2e300;
  };
  std::stable_sort(items.begin(), items.end(),
                   [&](const PlanItem& a, const PlanItem& b) { return length(a) < length(b); });
}

std::vector<Fate> fates_of(const PlanItems& items) {
  std::map<std::string, double> counts;
  for (const PlanItem& item : items)
    counts[item.row.status == "ok" ? std::string("fits") : item.row.reason_code] += 1;
  std::vector<Fate> out;
  for (const auto& [code, n] : counts) out.push_back({code, n, {}, code != "fits"});
  std::stable_sort(out.begin(), out.end(),
                   [](const Fate& a, const Fate& b) { return a.layouts > b.layouts; });
  return out;
}

}  // namespace orrery::gui
