#include "gui/core/headline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "gui/core/result_charts.hpp"
#include "sim/report/table.hpp"

namespace orrery::gui {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string published_text(const RunView& run, const std::string& key, double scale, const char* unit) {
  const PublishedRun* about = nullptr;
  const ComparisonRow* row = run.published(key, &about);
  if (row == nullptr) return {};
  return fmt::format("published {} {}, {:+.1f} %", digits_text(row->published.value * scale), unit,
                     100 * row->error());
}

std::string source_of(const RunView& run, const std::string& key) {
  for (const InputRow& row : run.inputs()) {
    if (row.key == key) return row.value + (row.unit.empty() ? "" : " " + row.unit) + " (" + row.source + ")";
  }
  return "not given";
}

void add_input(const RunView& run, const char* name, const char* key, Pairs& out) {
  out.emplace_back(name, source_of(run, key));
}

void add_published(const RunView& run, const std::string& key, Pairs& out) {
  const PublishedRun* about = nullptr;
  const ComparisonRow* row = run.published(key, &about);
  if (row == nullptr) return;
  out.emplace_back("published", fmt::format("{} {}: {}, {}", digits_text(row->published.value),
                                            row->published.unit, about->source, about->date));
}

Tile make_tile(const char* key, const char* title, std::string value, const char* badge) {
  Tile t;
  t.key = key;
  t.title = title;
  t.value = std::move(value);
  t.badge = badge;
  return t;
}

/// The two ends with the unit the tile's value has.
std::string ends_text(const std::string& key, double low, double high) {
  if (key == "step") return fmt::format("{} to {} s", digits_text(low, 3), digits_text(high, 3));
  if (key == "throughput") return fmt::format("{} to {}", digits_text(low, 3), digits_text(high, 3));
  if (key == "mfu") return fmt::format("{:.1f} to {:.1f} %", 100 * low, 100 * high);
  if (key == "days") return fmt::format("{} to {} days", digits_text(low, 3), digits_text(high, 3));
  if (key == "power") return fmt::format("{} to {} W", digits_text(low, 3), digits_text(high, 3));
  if (high >= 1e6)
    return fmt::format("{} to {} M USD", digits_text(low * 1e-6, 3), digits_text(high * 1e-6, 3));
  return fmt::format("{} to {} USD", digits_text(low, 3), digits_text(high, 3));
}

void add_range(const Ranges& ranges, Tile& tile) {
  const auto found = ranges.find(tile.key);
  if (found == ranges.end()) {
    tile.derivation.emplace_back("range", tile.key == "memory"
                                              ? "none: no published error of the memory model"
                                              : "not known, or not computed yet");
    return;
  }
  tile.range = found->second.what + " " + ends_text(tile.key, found->second.low, found->second.high);
  tile.derivation.emplace_back("range", tile.range);
  tile.derivation.emplace_back("range from", found->second.source);
}

std::string change(double a, double b) {
  return b == 0 ? std::string() : fmt::format("{:+.1f} % to B", 100 * (a / b - 1));
}

Tile step_tile(const RunView& run) {
  const Metrics& m = run.metrics();
  Tile t = make_tile("step", "step time", digits_text(m.step_time_s) + " s", "simulated");
  t.published = published_text(run, "step.time_s", 1, "s");
  t.derivation = {{"formula", fmt::format("end of the last of {} simulated tasks", m.tasks)},
                  {"slowest pipeline rank", std::to_string(m.slowest_rank)}};
  for (const Cause& c : causes(m.waterfall)) {
    if (c.seconds > 0)
      t.derivation.emplace_back(
          "  " + c.name, fmt::format("{:.4f} s, {:.1f} %", c.seconds, 100 * c.seconds / m.step_time_s));
  }
  add_published(run, "step.time_s", t.derivation);
  return t;
}

Tile throughput_tile(const RunView& run) {
  const Metrics& m = run.metrics();
  Tile t = make_tile("throughput", "tokens/s per GPU", digits_text(m.throughput.tokens_per_s_per_gpu),
                     "simulated");
  t.derivation = {{"formula", "tokens of a step / step time / GPUs"},
                  {"tokens of a step", digits_text(m.step_tokens) + " tokens"},
                  {"step time", digits_text(m.step_time_s) + " s"}};
  if (const ComparisonRow* day = run.published("throughput.tokens_per_day")) {
    const double per_gpu =
        day->published.value / day->published.scale / 86400 / static_cast<double>(run.scenario().gpus);
    t.published = fmt::format("published {}, {:+.1f} %", digits_text(per_gpu), 100 * day->error());
    t.derivation.emplace_back("published, per GPU", "from the published tokens a day");
  }
  add_input(run, "GPUs", "cluster.gpus", t.derivation);
  add_published(run, "throughput.tokens_per_day", t.derivation);
  return t;
}

Tile mfu_tile(const RunView& run) {
  const Metrics& m = run.metrics();
  Tile t =
      make_tile("mfu", "MFU, causal", fmt::format("{:.1f} %", 100 * m.throughput.mfu_causal), "simulated");
  if (const ComparisonRow* row = run.published("throughput.mfu_causal"))
    t.published = fmt::format("published {} {}, {:+.1f} %", digits_text(row->published.value),
                              row->published.unit, 100 * row->error());
  t.derivation = {
      {"formula", "model FLOPs of a step, causal attention / (step time x GPUs x dense BF16 peak)"},
      {"model FLOPS",
       fmt::format("{} TFLOP/s per GPU", digits_text(m.throughput.model_tflops_per_gpu_causal))},
      {"with non-causal attention", fmt::format("{:.1f} %", 100 * m.throughput.mfu_noncausal)}};
  add_input(run, "dense BF16 peak", "gpu.peak_flops_per_s.bf16", t.derivation);
  return t;
}

Tile days_tile(const RunView& run) {
  const Metrics& m = run.metrics();
  Tile t = make_tile("days", "run with failures", "not computed", "modelled");
  t.derivation = {{"formula", "tokens of the run / tokens per day / goodput"}};
  add_input(run, "tokens of the run", "training.tokens", t.derivation);
  if (!m.run.days) return t;
  t.value = digits_text(*m.run.days, 3) + " days";
  t.derivation.emplace_back("GPU-hours", digits_text(*m.run.gpu_hours) + " h");
  if (m.run.goodput)
    t.derivation.emplace_back("goodput", fmt::format("{:.1f} % of the time", 100 * *m.run.goodput));
  t.derivation.emplace_back("not in it", "smaller batches at the start");
  if (m.run.ideal_days)
    t.derivation.emplace_back("ideal run, without failures", digits_text(*m.run.ideal_days, 3) + " days");
  if (const ComparisonRow* row = run.published("run.ideal_gpu_hours")) {
    const double days =
        row->published.value / row->published.scale / 24 / static_cast<double>(run.scenario().gpus);
    t.published = fmt::format("published {} days", digits_text(days, 3));
    t.badge = fmt::format("ideal run {:+.1f} %, modelled", 100 * row->error());
    t.derivation.emplace_back("published, in days", "from the published GPU-hours on these GPUs");
    add_published(run, "run.ideal_gpu_hours", t.derivation);
  }
  return t;
}

Tile money_tile(const RunView& run) {
  const Metrics& m = run.metrics();
  Tile t = make_tile("money", "rent with failures", "not computed", "price given x time");
  t.derivation = {{"formula", "GPU-hours x price"}};
  add_input(run, "price", "economics.usd_per_gpu_hour", t.derivation);
  if (!m.run.usd) {
    t.badge = "give economics.usd_per_gpu_hour";
    return t;
  }
  t.value = *m.run.usd >= 1e6 ? fmt::format("{} M USD", digits_text(*m.run.usd * 1e-6, 3))
                              : digits_text(*m.run.usd, 3) + " USD";
  if (m.run.gpu_hours) t.derivation.emplace_back("GPU-hours", digits_text(*m.run.gpu_hours) + " h");
  if (m.run.ideal_usd)
    t.derivation.emplace_back("ideal run, without failures",
                              digits_text(*m.run.ideal_usd * 1e-6, 3) + " M USD");
  if (const ComparisonRow* row = run.published("run.ideal_usd")) {
    t.published =
        fmt::format("published {} M USD", digits_text(row->published.value / row->published.scale * 1e-6, 3));
    t.badge = fmt::format("ideal run {:+.1f} %, price given", 100 * row->error());
    add_published(run, "run.ideal_usd", t.derivation);
  }
  return t;
}

Tile memory_tile(const RunView& run) {
  const Metrics& m = run.metrics();
  Tile t = make_tile("memory", "peak memory", "not computed", "modelled");
  if (m.memory.empty()) return t;
  const auto worst =
      std::max_element(m.memory.begin(), m.memory.end(),
                       [](const RankMemoryRow& a, const RankMemoryRow& b) { return a.total < b.total; });
  t.value = fmt::format("{:.1f} / {:.1f} GB", worst->total * 1e-9, m.memory_capacity * 1e-9);
  t.published =
      fmt::format("rank {}, headroom {:.1f} GB", worst->rank, (m.memory_capacity - worst->total) * 1e-9);
  t.derivation = {{"formula", "weights + gradients + optimizer + activations + buffers + reserve"}};
  const auto add = [&](const char* name, double bytes) {
    t.derivation.emplace_back(name, fmt::format("{:.3f} GB", bytes * 1e-9));
  };
  add("weights", worst->weights);
  add("gradients", worst->gradients);
  add("optimizer", worst->optimizer);
  add("activations at the peak", worst->activations);
  add("buffers", worst->buffers);
  add("reserve", worst->reserve);
  add_input(run, "capacity", "gpu.memory_bytes", t.derivation);
  return t;
}

Tile power_tile(const RunView& run) {
  const Power& p = run.metrics().power;
  Tile t = make_tile("power", "mean power", "not computed", "first-order estimate");
  t.derivation = {
      {"formula", "floor + FLOPs x J/FLOP + bytes x J/byte, over the step; nodes add their overhead"}};
  if (!p.gpu_mean_w) return t;
  t.value = digits_text(*p.gpu_mean_w, 3) + " W/GPU";
  if (p.cluster_mean_w) t.published = fmt::format("cluster {} MW", digits_text(*p.cluster_mean_w * 1e-6, 3));
  if (p.node_mean_w) t.derivation.emplace_back("node", digits_text(*p.node_mean_w * 1e-3) + " kW");
  if (p.step_j) t.derivation.emplace_back("energy of a step", digits_text(*p.step_j * 1e-6) + " MJ");
  if (p.per_token_j) t.derivation.emplace_back("energy of a token", digits_text(*p.per_token_j) + " J");
  return t;
}

}  // namespace

std::vector<Tile> headline(const RunView& run, const RunView* b, const Ranges& ranges) {
  if (!run.feasible()) {
    const Infeasible& why = *run.metrics().infeasible;
    Tile t = make_tile("infeasible", "does not fit", to_text(why.reason), "a result, not an error");
    t.published = why.quantity;
    t.derivation = {{"rule", to_text(why.reason)},
                    {"why", why.text},
                    {"needed", digits_text(why.needed)},
                    {"available", digits_text(why.available)}};
    for (const auto& [key, value] : run.metrics().nearest)
      t.derivation.emplace_back("would fit", key + " = " + value);
    return {t, memory_tile(run)};
  }
  std::vector<Tile> tiles{step_tile(run),  throughput_tile(run), mfu_tile(run),  days_tile(run),
                          money_tile(run), memory_tile(run),     power_tile(run)};
  for (Tile& tile : tiles) add_range(ranges, tile);
  if (b == nullptr || !b->feasible()) return tiles;
  const Metrics& x = run.metrics();
  const Metrics& y = b->metrics();
  tiles[0].against = change(x.step_time_s, y.step_time_s);
  tiles[1].against = change(x.throughput.tokens_per_s_per_gpu, y.throughput.tokens_per_s_per_gpu);
  tiles[2].against = change(x.throughput.mfu_causal, y.throughput.mfu_causal);
  tiles[3].against = change(x.run.days.value_or(0), y.run.days.value_or(0));
  tiles[4].against = change(x.run.usd.value_or(0), y.run.usd.value_or(0));
  tiles[5].against = change(x.memory_peak, y.memory_peak);
  tiles[6].against = change(x.power.gpu_mean_w.value_or(0), y.power.gpu_mean_w.value_or(0));
  return tiles;
}

std::vector<std::string> bottlenecks(const RunView& run) {
  std::vector<std::string> out;
  const Metrics& m = run.metrics();
  if (!run.feasible()) return {std::string("The layout does not fit: ") + m.infeasible->text};
  std::vector<Cause> all = causes(m.waterfall);
  std::stable_sort(all.begin(), all.end(),
                   [](const Cause& a, const Cause& b) { return a.seconds > b.seconds; });
  for (const Cause& c : all) {
    if (out.size() == 3 || c.seconds < 0.005 * m.step_time_s) break;
    out.push_back(fmt::format("{}: {:.3f} s, {:.1f} % of rank {}'s step", c.name, c.seconds,
                              100 * c.seconds / m.step_time_s, m.slowest_rank));
  }
  return out;
}

}  // namespace orrery::gui
