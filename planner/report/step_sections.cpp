#include <fmt/format.h>

#include <algorithm>

#include "planner/explain.hpp"
#include "planner/report/report_builder.hpp"
#include "planner/rounded_parts.hpp"

namespace orrery {
namespace {

const char* role_of(const std::string& bar) {
  if (bar == "ideal_compute" || bar == "compute") return "compute";
  if (bar == "recompute") return "recompute";
  if (bar == "exposed_ep" || bar == "exposed_tp" || bar == "exposed_cp") return "expert";
  if (bar == "exposed_pp" || bar == "bubble" || bar == "imbalance") return "pipeline";
  if (bar == "exposed_dp" || bar == "optimizer" || bar == "failures") return "optimizer";
  return "loss";
}

void add_waterfall(ReportBuilder& b, Section& out) {
  const StepWaterfall w = step_waterfall(b.in.metrics);
  std::vector<std::pair<std::string, double>> keyed;
  for (const WaterfallBar& bar : w.bars) keyed.emplace_back(bar.key, bar.seconds);
  b.parts("waterfall", keyed, "s", decimals_for(w.total_s, 5));
  std::vector<std::pair<std::string, double>> shares;
  for (const auto& [key, seconds] : keyed) shares.emplace_back(key, 100.0 * seconds / w.total_s);
  b.parts("waterfall_share", shares, "%", 1);
  DocTable t{.key = "waterfall",
             .caption = fmt::format("Time of one step on pipeline rank {}, the slowest, by cause",
                                    b.in.metrics.slowest_rank),
             .columns = {{"cause"}, {"s", true}, {"%", true}},
             .rows = {},
             .total = true,
             .notes = {}};
  Chart chart{.key = "waterfall",
              .title = "From ideal compute to the time a step takes",
              .x_label = "s",
              .y_label = {}};
  double at = 0;
  for (const WaterfallBar& bar : w.bars) {
    if (bar.seconds != 0 || bar.key == "bubble") {
      t.rows.push_back(
          {words(bar.label), figure("waterfall." + bar.key), figure("waterfall_share." + bar.key)});
      chart.rows.push_back({bar.label,
                            b.doc.figures.at("waterfall." + bar.key).text,
                            {{at, at + bar.seconds, role_of(bar.key)}}});
    }
    at += bar.seconds;
  }
  t.rows.push_back({words(w.has_failures ? "a step of the real run" : "step"), figure("waterfall.sum"),
                    figure("waterfall_share.sum")});
  chart.rows.push_back({w.has_failures ? "a step of the real run" : "step",
                        b.doc.figures.at("waterfall.sum").text,
                        {{0, w.total_s, "other"}}});
  t.notes.emplace_back(
      "Causes that took no time are left out. Ideal compute is the rank's own work at the dense peak of "
      "each precision, recomputation apart.");
  out.charts.push_back(std::move(chart));
  out.tables.push_back(std::move(t));
}

void add_goodput(ReportBuilder& b, Section& out) {
  const Goodput& g = b.in.run.goodput;
  b.parts("goodput",
          {{"useful", 100.0 * g.useful},
           {"checkpoint", 100.0 * g.checkpoint},
           {"lost", 100.0 * g.lost},
           {"restart", 100.0 * g.restart},
           {"stragglers", 100.0 * g.stragglers}},
          "%", 2);
  DocTable t{.key = "goodput",
             .caption = "Where the time of the run goes",
             .columns = {{"share"}, {"%", true}},
             .rows = {{words("steps that count (goodput)"), figure("goodput.useful")},
                      {words("standing still for checkpoints"), figure("goodput.checkpoint")},
                      {words("work done again after failures"), figure("goodput.lost")},
                      {words("detection, restart, loading"), figure("goodput.restart")},
                      {words("slow nodes"), figure("goodput.stragglers")},
                      {words("elapsed time"), figure("goodput.sum")}},
             .total = true,
             .notes = {}};
  out.tables.push_back(std::move(t));
  b.number("failures.per_day", g.failures_per_day, "per day");
  b.number("checkpoint.interval", g.checkpoint_interval_s / 60.0, "min");
  b.number("checkpoint.write", g.checkpoint_write_s, "s");
  b.number("checkpoint.stall", g.checkpoint_stall_s, "s");
  b.number("meta_ettr", 100.0 * g.meta_ettr, "%");
  out.paragraphs.push_back(fmt::format(
      "Failures that stop the job: {}. A checkpoint every {} of work, {} to storage, stalls training "
      "for {}.{} Meta's approximation gives {} without slow nodes. {} spare node{} would be enough in 99 of "
      "100 cases; {} not in the cost.",
      b.show("failures.per_day"), b.show("checkpoint.interval"), b.show("checkpoint.write"),
      b.show("checkpoint.stall"), g.write_bound ? " Storage is too slow for the best interval." : "",
      b.show("meta_ettr"), g.spare_nodes, g.spare_nodes == 1 ? "" : "s",
      g.spare_nodes == 1 ? "it is" : "they are"));
}

}  // namespace

namespace {

/// What a GPU sends, by axis, and how full its links are over a step.
void add_links(ReportBuilder& b, Section& out) {
  const Metrics& m = b.in.metrics;
  if (m.links.empty()) return;
  std::vector<std::pair<std::string, double>> up;
  std::vector<std::pair<std::string, double>> nic;
  double all_up = 0;
  double all_nic = 0;
  for (const LinkRow& l : m.links) {
    up.emplace_back(l.axis, l.scale_up_bytes / 1e9);
    nic.emplace_back(l.axis, l.scale_out_bytes / 1e9);
    all_up += l.scale_up_bytes;
    all_nic += l.scale_out_bytes;
  }
  const int decimals = std::max(0, decimals_for(std::max(all_up, all_nic) / 1e9, 4));
  b.parts("links.up", up, "GB", decimals);
  b.parts("links.nic", nic, "GB", decimals);
  DocTable t{.key = "links",
             .caption = "What one GPU sends in a step, mean over the pipeline ranks, GB (10^9 B)",
             .columns = {{"axis"}, {"inside the node, GB", true}, {"through the NIC, GB", true}},
             .rows = {},
             .total = true,
             .notes = {}};
  for (const LinkRow& l : m.links)
    t.rows.push_back({words(l.axis), figure("links.up." + l.axis), figure("links.nic." + l.axis)});
  t.rows.push_back({words("all"), figure("links.up.sum"), figure("links.nic.sum")});
  const auto load = [&](const char* id, const char* what, double bytes, double rate) {
    if (bytes <= 0 || rate <= 0) return;
    b.number(fmt::format("links.{}.rate", id), bytes / m.step_time_s / 1e9, "GB/s");
    b.number(fmt::format("links.{}.load", id), 100.0 * bytes / m.step_time_s / rate, "%");
    t.notes.push_back(
        fmt::format("Load of {}: {} on average over the step, {} of its {} GB/s in one direction.", what,
                    b.show(fmt::format("links.{}.rate", id)), b.show(fmt::format("links.{}.load", id)),
                    significant_text(rate / 1e9)));
  };
  const ClusterProfile& c = b.in.scenario.cluster;
  load("up", "the links inside the node", all_up, c.scale_up.bytes_per_s.value);
  load("nic", "the NIC", all_nic, c.scale_out.bytes_per_s.value);
  out.tables.push_back(std::move(t));
}

}  // namespace

void add_plan(ReportBuilder& b) {
  const Scenario& s = b.in.scenario;
  const Layout& l = s.layout;
  Section& out = b.section("plan", "Plan");
  DocTable t{.key = "layout",
             .caption = "Layout and training settings",
             .columns = {{"setting"}, {"value"}},
             .rows = {},
             .notes = {}};
  const auto row = [&](const char* item, std::string value) {
    t.rows.push_back({words(item), words(std::move(value))});
  };
  row("tensor x context x pipeline x data parallel",
      fmt::format("{} x {} x {} x {}", l.tp, l.cp, l.pp, s.gpus / (l.tp * l.cp * l.pp)));
  if (s.model.moe)
    row("expert parallel, tensor parallel inside an expert", fmt::format("{}, {}", l.ep, l.etp));
  row("stages per pipeline rank", std::to_string(l.vpp));
  row("schedule", l.schedule);
  row("ZeRO stage", std::to_string(l.zero_stage));
  row("recompute", l.recompute.policy);
  row("microbatch", fmt::format("{} sequence{}", l.microbatch_size, l.microbatch_size == 1 ? "" : "s"));
  row("batch", fmt::format("{} sequences of {} tokens",
                           decimal_text(static_cast<double>(s.training.global_batch_size), 0),
                           decimal_text(static_cast<double>(s.training.sequence_length), 0)));
  row("precision", to_text(s.training.precision));
  out.tables.push_back(std::move(t));
  DocTable groups{
      .key = "groups",
      .caption = "Groups and the network they use",
      .columns =
          {{"axis"}, {"GPUs", true}, {"groups", true}, {"GPUs per node", true}, {"nodes", true}, {"network"}},
      .rows = {},
      .notes = {}};
  for (const GroupRow& g : b.in.metrics.groups) {
    if (g.size == 1) continue;
    groups.rows.push_back({words(g.axis), words(std::to_string(g.size)), words(std::to_string(g.groups)),
                           words(std::to_string(g.per_node)), words(std::to_string(g.nodes)), words(g.tier)});
  }
  if (!groups.rows.empty()) out.tables.push_back(std::move(groups));
  add_links(b, out);
}

void add_time(ReportBuilder& b) {
  Section& out = b.section("time", "Time");
  for (std::string& line : bottleneck_sentences(b.in.metrics, {})) out.paragraphs.push_back(std::move(line));
  add_waterfall(b, out);
  const Throughput& t = b.in.metrics.throughput;
  DocTable mfu{.key = "throughput",
               .caption = "Throughput",
               .columns = {{"figure"}, {"value", true}, {"unit"}},
               .rows = {},
               .notes = {}};
  mfu.rows.push_back({words("time of a step"), figure("step.time_s"), words("s")});
  mfu.rows.push_back({words("tokens per second and GPU"), figure("throughput.per_gpu"), words("tokens/s")});
  mfu.rows.push_back(
      {words("MFU, 6N + causal attention, dense BF16 peak"), figure("throughput.mfu_causal"), words("%")});
  mfu.rows.push_back({words("MFU, 6N + full attention, dense BF16 peak"),
                      b.number("throughput.mfu_noncausal", 100.0 * t.mfu_noncausal, "%"), words("%")});
  mfu.rows.push_back({words("model FLOP/s per GPU, causal"),
                      b.number("throughput.tflops", t.model_tflops_per_gpu_causal, "10^12 FLOP/s"),
                      words("10^12 FLOP/s")});
  mfu.rows.push_back({words("days without failures"), figure("run.ideal_days"), words("days")});
  mfu.rows.push_back(
      {words("days with failures, checkpoints, slow nodes"), figure("run.days"), words("days")});
  out.tables.push_back(std::move(mfu));
  add_goodput(b, out);
}

void add_memory(ReportBuilder& b) {
  const Metrics& m = b.in.metrics;
  Section& out = b.section("memory", "Memory per pipeline rank");
  DocTable t{.key = "memory",
             .caption = "Memory of one GPU of each pipeline rank, GB (10^9 B)",
             .columns = {{"rank"},
                         {"weights", true},
                         {"gradients", true},
                         {"optimizer", true},
                         {"activations", true},
                         {"buffers", true},
                         {"reserve", true},
                         {"total", true}},
             .rows = {},
             .notes = {}};
  Chart chart{
      .key = "memory", .title = "Memory of one GPU of each pipeline rank", .x_label = "GB", .y_label = {}};
  for (const RankMemoryRow& r : m.memory) {
    const std::string id = fmt::format("memory.{}", r.rank);
    const std::vector<std::pair<std::string, double>> keyed{
        {"weights", r.weights / 1e9},     {"gradients", r.gradients / 1e9},
        {"optimizer", r.optimizer / 1e9}, {"activations", r.activations / 1e9},
        {"buffers", r.buffers / 1e9},     {"reserve", r.reserve / 1e9}};
    b.parts(id, keyed, "GB", 1);
    std::vector<DocCell> row{words(std::to_string(r.rank))};
    ChartRow bar{
        .label = fmt::format("rank {}", r.rank), .text = b.doc.figures.at(id + ".sum").text, .segments = {}};
    double at = 0;
    for (const auto& [key, gigabytes] : keyed) {
      row.push_back(figure(id + "." + key));
      const std::string role = key == "buffers" ? "expert" : key == "reserve" ? "idle" : key;
      bar.segments.push_back({at, at + gigabytes, role});
      at += gigabytes;
    }
    row.push_back(figure(id + ".sum"));
    t.rows.push_back(std::move(row));
    chart.rows.push_back(std::move(bar));
  }
  b.decimal("memory.capacity", m.memory_capacity / 1e9, "GB", 1);
  chart.markers.emplace_back(m.memory_capacity / 1e9, "capacity " + b.show("memory.capacity"));
  chart.legend = {{"weights", "weights"},         {"gradients", "gradients"}, {"optimizer", "optimizer"},
                  {"activations", "activations"}, {"expert", "buffers"},      {"idle", "reserve"}};
  out.charts.push_back(std::move(chart));
  out.tables.push_back(std::move(t));
}

void add_power(ReportBuilder& b) {
  const Power& p = b.in.metrics.power;
  Section& out = b.section("power", "Power");
  DocTable t{.key = "power",
             .caption = "Power over a step, without the building",
             .columns = {{"of"}, {"mean", true}, {"peak", true}, {"unit"}},
             .rows = {},
             .notes = {}};
  const auto row = [&](const char* what, const char* id, std::optional<double> mean,
                       std::optional<double> peak, double scale, const char* unit) {
    if (!mean) return;
    const int decimals = decimals_for(*mean / scale, 3);
    t.rows.push_back(
        {words(what), b.decimal(fmt::format("power.{}", id), *mean / scale, unit, decimals),
         peak ? b.decimal(fmt::format("power.{}.peak", id), *peak / scale, unit, decimals) : words("-"),
         words(unit)});
  };
  row("GPU", "gpu", p.gpu_mean_w, p.gpu_peak_w, 1, "W");
  row("node", "node", p.node_mean_w, p.node_peak_w, 1e3, "kW");
  row("switches", "network", p.network_w, std::nullopt, 1e3, "kW");
  row("cluster", "cluster", p.cluster_mean_w, p.cluster_peak_w, 1e3, "kW");
  t.notes.push_back(fmt::format("Peaks are means over {} s.", significant_text(p.bin_s)));
  if (p.step_j && p.per_token_j) {
    b.number("energy.step", *p.step_j / 1e6, "MJ");
    b.number("energy.per_token", *p.per_token_j, "J");
    out.paragraphs.push_back(fmt::format("A step takes {}, a token {}, without the building and failures.",
                                         b.show("energy.step"), b.show("energy.per_token")));
  }
  if (p.capped_share && *p.capped_share > 0) {
    t.notes.push_back(fmt::format(
        "During {} % of the time a GPU asks for more than its cap; if its rates were not "
        "those of a capped GPU "
        "already, the step would be {} % longer.",
        significant_text(100.0 * *p.capped_share), significant_text(100.0 * p.cap_stretch.value_or(0), 2)));
  }
  if (!p.gpu_by_bin_w.empty()) {
    Chart chart{
        .key = "power", .title = "Board power over a step, mean of the GPUs", .x_label = "s", .y_label = "W"};
    ChartSeries line{.label = "GPU", .role = "compute", .points = {}};
    // Four bins to a point: 128 points are enough for the eye.
    constexpr std::size_t kJoin = 4;
    for (std::size_t i = 0; i < p.gpu_by_bin_w.size(); i += kJoin) {
      const std::size_t n = std::min(kJoin, p.gpu_by_bin_w.size() - i);
      double sum = 0;
      for (std::size_t j = 0; j < n; ++j) sum += p.gpu_by_bin_w[i + j];
      line.points.emplace_back((static_cast<double>(i) + static_cast<double>(n) / 2.0) * p.bin_s,
                               sum / static_cast<double>(n));
    }
    chart.series.push_back(std::move(line));
    const PowerFigures& f = b.in.scenario.cluster.gpu.power;
    chart.markers = {
        {f.cap_w.value, fmt::format("cap {:g} W", f.cap_w.value)},
        {f.communication_floor_w.value, fmt::format("floor {:g} W", f.communication_floor_w.value)}};
    out.charts.push_back(std::move(chart));
  }
  out.tables.push_back(std::move(t));
}

}  // namespace orrery
