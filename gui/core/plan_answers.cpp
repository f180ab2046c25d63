#include "gui/core/plan_answers.hpp"

#include <algorithm>
#include <map>

#include "planner/plan_json.hpp"
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
  for (std::size_t i = 0; i < report.search.best.size(); ++i)
    out.items.push_back(
        item_of(report, report.search.best[i], report.metrics[i], data, "best " + std::to_string(i + 1)));
  for (std::size_t i = 0; i < report.front.size(); ++i) {
    const std::string name = "front " + std::to_string(i + 1);
    const Found& found = report.front[i];
    const auto known = std::find_if(report.search.best.begin(), report.search.best.end(),
                                    [&](const Found& other) { return other.candidate == found.candidate; });
    if (known != report.search.best.end())
      out.items[static_cast<std::size_t>(known - report.search.best.begin())].found_as += ", " + name;
    else
      out.items.push_back(item_of(report, found, simulate(scenario_of(report, found)).metrics, data, name));
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
  out.words = plan_text(report);
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
