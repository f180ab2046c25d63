#include "sim/report/report_text.hpp"

#include <fmt/format.h>

#include "sim/report/result_tables.hpp"
#include "sim/report/table.hpp"

namespace orrery {
namespace {

constexpr std::size_t kWidth = 100;

std::string grouped(std::int64_t value) {
  return digits_text(static_cast<double>(value), 1);
}

}  // namespace

std::string scenario_line(const Scenario& s) {
  const Layout& l = s.layout;
  std::string out = fmt::format("{} on {} x {} ({}), precision {}\n", s.model.name, grouped(s.gpus),
                                s.cluster.gpu.device, s.cluster.name, to_text(s.training.precision));
  std::string layout = fmt::format("layout: tp {}, cp {}, pp {}, vpp {}", l.tp, l.cp, l.pp, l.vpp);
  if (s.model.moe) layout += fmt::format(", ep {}, etp {}", l.ep, l.etp);
  const std::int64_t dense = l.tp * l.cp * l.pp;
  if (s.gpus % dense == 0) layout += fmt::format(", dp {}", s.gpus / dense);
  layout += fmt::format(", zero {}, schedule {}, recompute {}", l.zero_stage, l.schedule, l.recompute.policy);
  out += wrapped(layout, kWidth, 8) + "\n";
  if (!s.stack.name.empty())
    out += wrapped(fmt::format("stack:  {}, {}", s.stack.name, s.stack.about), kWidth, 8) + "\n";
  out += fmt::format("batch:  {} sequences of {} tokens in microbatches of {}\n",
                     grouped(s.training.global_batch_size), grouped(s.training.sequence_length),
                     l.microbatch_size);
  return out;
}

std::string result_text(const Metrics& metrics, const Scenario& scenario, const TextOptions& options) {
  const ShownRows shown{.all = options.all || options.format == TextFormat::kCsv,
                        .compact = options.format == TextFormat::kTable};
  const std::vector<Table> tables = metrics.infeasible
                                        ? infeasible_tables(metrics, scenario, shown)
                                        : result_tables(metrics, scenario, options.published, shown);
  if (options.format == TextFormat::kCsv) return to_tidy_csv(tables);
  const bool markdown = options.format == TextFormat::kMarkdown;
  std::string out = markdown ? "## " + scenario_line(scenario) : scenario_line(scenario);
  for (const Table& table : tables) out += "\n" + (markdown ? to_markdown(table) : to_plain(table, kWidth));
  if (!metrics.infeasible) out += "\nSimulated, not measured.\n";
  return out;
}

}  // namespace orrery
