#include <fmt/format.h>

#include "planner/report/report_builder.hpp"
#include "planner/rounded_parts.hpp"

namespace orrery {

void add_money(ReportBuilder& b) {
  const ReportInput& in = b.in;
  Section& out = b.section("money", "Money, three ways");
  const double millions = in.scenario.training.tokens / 1e6;
  const OwnedCost& c = *in.run.owned;
  const double scale = b.usd_scale();
  const std::string unit = b.usd_unit();
  const int decimals = decimals_for(c.total() / scale, 3);
  b.parts("owned",
          {{"servers", c.servers / scale},
           {"network", c.network / scale},
           {"other", c.other / scale},
           {"power", c.power / scale},
           {"cooling", c.cooling / scale},
           {"space", c.space / scale}},
          unit, decimals);
  DocTable ways{
      .key = "ways",
      .caption = "Three ways to count",
      .columns = {{"way"}, {unit, true}, {"USD per million tokens", true}},
      .rows = {},
      .notes = {
          "Full development divides the owned cost by the share that hardware and energy have in it (Epoch "
          "AI, "
          "arXiv 2405.21015); experiments of this model are in it only as far as that share holds them."}};
  const auto row = [&](std::string label, DocCell total, const char* id, double usd) {
    ways.rows.push_back(
        {words(std::move(label)), std::move(total),
         b.number(fmt::format("{}.per_million", id), usd / millions, "USD per million tokens", 3)});
  };
  row("rented, GPU-hours x rent", figure("run.rent_usd"), "rent_usd", *in.run.rent_usd);
  row("owned, share of the machines' life and energy", figure("run.owned_usd"), "owned_usd", c.total());
  row("full development", b.number("run.development_usd", *in.run.development_usd / scale, unit, 3),
      "development_usd", *in.run.development_usd);
  b.number("run.ideal_rent_usd", in.run.ideal_gpu_hours * in.question.values.usd_per_gpu_hour / scale, unit);
  out.paragraphs.push_back(
      fmt::format("All three are of the real run, with failures, checkpoints and slow nodes. The steps "
                  "alone would rent for {}.",
                  b.show("run.ideal_rent_usd")));
  out.tables.push_back(std::move(ways));
  DocTable owned{.key = "owned",
                 .caption = "The owned way, " + unit,
                 .columns = {{"part"}, {unit, true}},
                 .rows = {{words("servers with GPUs"), figure("owned.servers")},
                          {words("compute network: switches and links"), figure("owned.network")},
                          {words("storage, management, installation"), figure("owned.other")},
                          {words("energy of the machines"), figure("owned.power")},
                          {words("energy of cooling and losses"), figure("owned.cooling")},
                          {words("space and cooling plant"), figure("owned.space")},
                          {words("owned"), figure("owned.sum")}},
                 .total = true,
                 .notes = {"Straight-line depreciation; cost of capital, staff and taxes are not in it."}};
  const RunInputs& v = in.question.values;
  owned.notes.push_back(fmt::format("{} switches (of 64 ports) and {} links.", decimal_text(v.switches, 0),
                                    decimal_text(v.links, 0)));
  out.tables.push_back(std::move(owned));
  Chart chart{.key = "owned", .title = "The owned way", .x_label = unit, .y_label = {}};
  for (const auto& [key, label, role] : {std::tuple{"servers", "servers with GPUs", "compute"},
                                         {"network", "compute network", "pipeline"},
                                         {"other", "storage, installation", "other"},
                                         {"power", "energy of the machines", "optimizer"},
                                         {"cooling", "cooling and losses", "loss"},
                                         {"space", "space", "idle"}}) {
    const Figure& f = b.doc.figures.at(fmt::format("owned.{}", key));
    chart.rows.push_back({label, f.text, {{0, f.value, role}}});
  }
  out.charts.push_back(std::move(chart));
}

void add_carbon(ReportBuilder& b) {
  const ReportInput& in = b.in;
  const Carbon& c = *in.run.carbon;
  const RunEnergy& e = *in.run.energy;
  Section& out = b.section("carbon", "Energy, carbon and water");
  b.parts("energy",
          {{"gpu_dynamic", e.gpu_dynamic / 1e3},
           {"gpu_idle", e.gpu_idle / 1e3},
           {"nodes", e.nodes / 1e3},
           {"network", e.network / 1e3},
           {"building", e.building / 1e3}},
          "MWh", decimals_for(e.total() / 1e3, 3));
  out.tables.push_back({.key = "energy",
                        .caption = "Energy of the run, MWh",
                        .columns = {{"part"}, {"MWh", true}},
                        .rows = {{words("GPUs above idle"), figure("energy.gpu_dynamic")},
                                 {words("GPUs, idle draw"), figure("energy.gpu_idle")},
                                 {words("hosts, NICs, fans"), figure("energy.nodes")},
                                 {words("switches"), figure("energy.network")},
                                 {words("building, (PUE - 1) times the rest"), figure("energy.building")},
                                 {words("energy"), figure("energy.sum")}},
                        .total = true,
                        .notes = {}});
  b.parts("carbon", {{"dynamic", c.dynamic_t}, {"idle", c.idle_t}, {"embodied", c.embodied_t}}, "t CO2e",
          decimals_for(c.total_t(), 3));
  out.tables.push_back(
      {.key = "carbon",
       .caption = "Emissions of the run, t CO2e",
       .columns = {{"part"}, {"t CO2e", true}},
       .rows = {{words("dynamic: GPUs above idle"), figure("carbon.dynamic")},
                {words("idle: everything that draws without work"), figure("carbon.idle")},
                {words("embodied: making the machines, share of their life"), figure("carbon.embodied")},
                {words("emissions"), figure("carbon.sum")}},
       .total = true,
       .notes = {"Location-based. PUE applies to dynamic and idle alike."}});
  const double tokens = in.scenario.training.tokens;
  b.number("carbon.intensity", in.question.values.g_per_kwh, "g CO2e/kWh");
  b.number("carbon.pue", in.question.values.pue, "");
  b.number("carbon.sci", c.total_t() * 1e6 / (tokens / 1e9), "g CO2e per 10^9 tokens");
  out.paragraphs.push_back(fmt::format(
      "Grid {}: {}; PUE {}. Software carbon intensity, (E x I + M) / R with R in 10^9 tokens: {}.",
      in.scenario.economics.grid.value_or("given by its intensity"), b.show("carbon.intensity"),
      b.show("carbon.pue"), b.show("carbon.sci")));
  b.number("water.onsite", c.water_onsite_m3, "m3");
  std::string water = fmt::format("Water: {} on site for cooling", b.show("water.onsite"));
  if (in.question.values.water_offsite_l_per_kwh > 0) {
    b.number("water.offsite", c.water_offsite_m3, "m3");
    water += fmt::format(", {} at the power stations.", b.show("water.offsite"));
  } else {
    water += "; no factor of the grid is known for the power stations.";
  }
  out.paragraphs.push_back(std::move(water));
}

}  // namespace orrery
