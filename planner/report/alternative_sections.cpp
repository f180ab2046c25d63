#include <fmt/format.h>

#include <algorithm>

#include "planner/report/report_builder.hpp"
#include "planner/rounded_parts.hpp"

namespace orrery {
namespace {

/// A layout of the table of plans, with the run that it would give.
struct PlanRow {
  PlanPoint point;
  TrainingRun run;
  bool front = false;
};

/// The five fastest, the front and the scenario's own layout, fastest first.
std::vector<PlanRow> plan_rows(const ReportInput& in) {
  const Alternatives& a = in.runs.alternatives;
  constexpr std::size_t kTop = 5;
  std::vector<PlanPoint> points;
  const auto add = [&](const PlanPoint& p) {
    if (std::find(points.begin(), points.end(), p) == points.end()) points.push_back(p);
  };
  for (std::size_t i = 0; i < std::min(kTop, a.points.size()); ++i) add(a.points[i]);
  for (const PlanPoint& p : a.front) add(p);
  for (const PlanPoint& p : a.points) {
    if (p.own) add(p);
  }
  std::stable_sort(points.begin(), points.end(), [](const PlanPoint& x, const PlanPoint& y) {
    return x.step_s != y.step_s ? x.step_s < y.step_s : x.memory_bytes < y.memory_bytes;
  });
  std::vector<PlanRow> rows;
  for (const PlanPoint& p : points) {
    RunInputs values = in.question.values;
    values.step_s = p.own ? in.metrics.step_time_s : p.step_s;
    rows.push_back({.point = p,
                    .run = training_run(in.question, values),
                    .front = std::find(a.front.begin(), a.front.end(), p) != a.front.end()});
  }
  return rows;
}

Chart pareto_chart(const std::vector<PlanRow>& rows, double capacity_gb) {
  Chart chart{.key = "pareto",
              .title = "Days against memory: layouts of the table",
              .x_label = "days",
              .y_label = "GB of the fullest GPU"};
  ChartSeries front{.label = "front", .role = "compute", .points = {}};
  ChartSeries rest{.label = "others", .role = "other", .points = {}, .line = false};
  ChartSeries own{.label = "this layout", .role = "high", .points = {}, .line = false};
  for (const PlanRow& r : rows) {
    const std::pair<double, double> at{r.run.days, r.point.memory_bytes / 1e9};
    if (r.front) front.points.push_back(at);
    if (!r.front) rest.points.push_back(at);
    if (r.point.own) own.points.push_back(at);
  }
  chart.legend = {{"compute", "Pareto front"}};
  if (!rest.points.empty()) chart.legend.emplace_back("other", "slower and no smaller");
  if (!own.points.empty()) chart.legend.emplace_back("high", "this report's layout");
  for (ChartSeries* s : {&front, &rest, &own}) {
    if (!s->points.empty()) chart.series.push_back(std::move(*s));
  }
  chart.markers = {{capacity_gb, fmt::format("capacity {} GB", decimal_text(capacity_gb, 1))}};
  return chart;
}

std::string searched_text(const Alternatives& a) {
  std::string text =
      a.source.empty()
          ? fmt::format("Searched for this report: {} layouts around the scenario's.", a.candidates)
          : fmt::format("From the plan {}: {} layouts.", a.source, a.candidates);
  text += a.proven ? " Proven: no layout of that space has a faster simulated step than the first row."
                   : " Not proven to be the fastest of that space.";
  if (a.source.empty())
    text += a.front_complete ? " The front is that of the whole space."
                             : " The front is that of the layouts found.";
  if (a.source.empty())
    text +=
        " A wider space: orrery plan SCENARIO --format json -o plan.json, then orrery report --plan "
        "plan.json.";
  return text;
}

void add_plans(ReportBuilder& b, Section& out) {
  const ReportInput& in = b.in;
  const Alternatives& a = in.runs.alternatives;
  if (a.points.empty()) {
    if (!a.why_none.empty()) out.paragraphs.push_back("No other layouts were searched: " + a.why_none + ".");
    return;
  }
  out.paragraphs.push_back(searched_text(a));
  std::vector<PlanRow> rows = plan_rows(in);
  const bool own_known = std::any_of(rows.begin(), rows.end(), [](const PlanRow& r) { return r.point.own; });
  DocTable t{.key = "plans",
             .caption = "Other layouts on the same GPUs, fastest first",
             .columns = {{"layout"},
                         {"step, s", true},
                         {"step against this layout, %", true},
                         {"days", true},
                         {"rent, " + b.usd_unit(), true},
                         {"GB of the fullest GPU", true},
                         {"on the front"}},
             .rows = {},
             .notes = {"Days and rent hold failures, at the goodput of this run."}};
  std::size_t n = 0;
  for (const PlanRow& r : rows) {
    const std::string id = fmt::format("plan.{}", n++);
    const bool own = r.point.own;
    t.rows.push_back({words((own ? "this layout: " : "") + r.point.layout),
                      own ? figure("step.time_s") : b.number(id + ".step", r.point.step_s, "s", 4),
                      b.decimal(id + ".against",
                                own ? 0.0 : 100.0 * (r.point.step_s / in.metrics.step_time_s - 1.0), "%", 1),
                      own ? figure("run.days") : b.number(id + ".days", r.run.days, "days", 3),
                      own ? figure("run.rent_usd")
                          : b.number(id + ".rent", *r.run.rent_usd / b.usd_scale(), b.usd_unit(), 3),
                      b.decimal(id + ".memory", r.point.memory_bytes / 1e9, "GB", 1),
                      words(r.front ? "yes" : "no")});
  }
  if (!own_known) t.notes.emplace_back("This report's own layout is not among those listed by the plan.");
  std::string space;
  for (const auto& [key, values] : a.space) space += (space.empty() ? "" : "; ") + key + " " + values;
  if (!space.empty()) t.notes.push_back("Space: " + space + ".");
  if (rows.size() > 1) out.charts.push_back(pareto_chart(rows, in.metrics.memory_capacity / 1e9));
  out.tables.push_back(std::move(t));
}

void add_levers(ReportBuilder& b, Section& out) {
  const ReportInput& in = b.in;
  DocTable t{
      .key = "levers",
      .caption = "Changes of one setting, each simulated",
      .columns = {{"change"}, {"setting"}, {"step, s", true}, {"tokens per second, change in %", true}},
      .rows = {},
      .notes = {}};
  std::size_t n = 0;
  for (const Lever& l : in.runs.levers) {
    const std::string id = fmt::format("lever.{}", n++);
    t.rows.push_back({words(l.words + (l.changes_training ? " (changes the training)" : "")),
                      words(l.key + "=" + l.value), b.number(id + ".step", l.step_s, "s", 4),
                      b.decimal(id + ".gain", 100.0 * l.gain, "%", 1)});
    if (n == 5) break;
  }
  if (t.rows.empty()) {
    out.paragraphs.emplace_back("No change of one setting that was tried can run.");
  } else {
    out.tables.push_back(std::move(t));
  }
}

void add_gpu_points(ReportBuilder& b, Section& out) {
  const ReportInput& in = b.in;
  DocTable gpus{.key = "gpus",
                .caption = "Other numbers of GPUs, same layout and batch",
                .columns = {{"GPUs"},
                            {"step, s", true},
                            {"goodput, %", true},
                            {"days", true},
                            {b.hours_unit(), true},
                            {"rent, " + b.usd_unit(), true}},
                .rows = {},
                .notes = {}};
  struct Point {
    std::int64_t gpus;
    double step_s;
    const TrainingRun* run;
  };
  std::vector<Point> points{{in.scenario.gpus, in.metrics.step_time_s, &in.run}};
  std::size_t next = 0;
  for (const GpuPoint& p : in.runs.gpu_points) {
    if (p.infeasible.empty()) {
      points.push_back({p.gpus, p.step_s, &in.gpu_runs[next++]});
    } else {
      gpus.notes.push_back(
          fmt::format("{} GPUs: {}.", decimal_text(static_cast<double>(p.gpus), 0), p.infeasible));
    }
  }
  std::sort(points.begin(), points.end(), [](const Point& x, const Point& y) { return x.gpus < y.gpus; });
  Chart chart{.key = "gpus", .title = "Days against GPUs", .x_label = "GPUs", .y_label = "days"};
  ChartSeries line{.label = "days", .role = "compute", .points = {}};
  for (const Point& p : points) {
    const bool own = p.gpus == in.scenario.gpus;
    const std::string id = fmt::format("gpus.{}", p.gpus);
    gpus.rows.push_back(
        {words(decimal_text(static_cast<double>(p.gpus), 0) + (own ? " (this scenario)" : "")),
         own ? figure("step.time_s") : b.number(id + ".step", p.step_s, "s", 4),
         own ? figure("run.goodput") : b.number(id + ".goodput", 100.0 * p.run->goodput.useful, "%", 3),
         own ? figure("run.days") : b.number(id + ".days", p.run->days, "days", 3),
         own ? figure("run.gpu_hours")
             : b.number(id + ".gpu_hours", p.run->gpu_hours / b.hours_scale(), b.hours_unit(), 3),
         own ? figure("run.rent_usd")
             : b.number(id + ".rent", *p.run->rent_usd / b.usd_scale(), b.usd_unit(), 3)});
    line.points.emplace_back(static_cast<double>(p.gpus), p.run->days);
  }
  if (line.points.size() > 1) {
    chart.series.push_back(std::move(line));
    out.charts.push_back(std::move(chart));
  }
  out.tables.push_back(std::move(gpus));
}

}  // namespace

void add_alternatives(ReportBuilder& b) {
  Section& out = b.section("alternatives", "Alternatives");
  add_plans(b, out);
  add_levers(b, out);
  add_gpu_points(b, out);
}

}  // namespace orrery
