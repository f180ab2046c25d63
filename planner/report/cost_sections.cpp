#include <fmt/format.h>

#include <algorithm>

#include "planner/report/report_builder.hpp"
#include "planner/rounded_parts.hpp"

namespace orrery {

namespace {

/// The price of the machines themselves, and what has to hold for the owned way to be this cheap.
void add_purchase(ReportBuilder& b, Section& out) {
  const ReportInput& in = b.in;
  const std::string unit = b.doc.figures.at("purchase.sum").unit;
  b.number("purchase.life_share", 100.0 * in.run.life_share, "%");
  const RunInputs& v = in.question.values;
  DocTable t{
      .key = "purchase",
      .caption = "The machines to buy, " + unit,
      .columns = {{"part"}, {unit, true}},
      .rows = {{words(fmt::format("servers with GPUs: {}", decimal_text(v.nodes, 0))),
                figure("purchase.servers")},
               {words(fmt::format("compute network; switches of 64 ports: {}, links: {}",
                                  decimal_text(v.switches, 0), decimal_text(v.links, 0))),
                figure("purchase.network")},
               {words("storage, management, installation"), figure("purchase.other")},
               {words("to buy"), figure("purchase.sum")}},
      .total = true,
      .notes = {fmt::format("The run takes {} of the working life of these machines: {} of {} years "
                            "of which they work {} %. The owned way charges it with that share. Who "
                            "buys them for this run alone pays all, less what they are worth after it.",
                            b.show("purchase.life_share"), b.show("run.days"),
                            significant_text(v.lifetime_years), significant_text(100.0 * v.utilisation))}};
  if (in.break_even_utilisation) {
    b.number("break_even.utilisation", 100.0 * *in.break_even_utilisation, "%");
    out.paragraphs.push_back(
        *in.break_even_utilisation > 1
            ? fmt::format("At a rent of {} owning costs more even if the machines worked all their life.",
                          b.show("rent"))
            : fmt::format("At a rent of {} owning costs less where the machines work more than {} of their "
                          "life; below that, renting costs less.",
                          b.show("rent"), b.show("break_even.utilisation")));
  }
  out.tables.push_back(std::move(t));
}

/// The same run on other grids.
void add_regions(ReportBuilder& b, Section& out) {
  DocTable t{
      .key = "regions",
      .caption = "The same run on other grids, least emissions first",
      .columns = {{"grid"},
                  {"g CO2e/kWh", true},
                  {"emissions, t CO2e", true},
                  {"against this run, %", true},
                  {"water at the power stations, m3", true}},
      .rows = {},
      .notes = {fmt::format(
          "Same machines, days, PUE and {} t CO2e embodied; annual averages (national: mlco2/codecarbon "
          "@b05965e4, 2023; world: life cycle, ADEME). Prices, cooling and the carbon of the hour differ "
          "by region and are not followed. A dash: no factor of water is known.",
          b.doc.figures.at("carbon.embodied").text)}};
  const double own = b.in.run.carbon->total_t();
  const int decimals = std::max(0, decimals_for(own, 3));
  for (const RegionRow& r : b.in.regions) {
    const std::string id = "region." + r.name;
    t.rows.push_back(
        {words(r.name + (r.own && r.name != "this scenario" ? " (this run)" : "")),
         r.own ? figure("carbon.intensity") : b.number(id + ".intensity", r.g_per_kwh, "g CO2e/kWh"),
         r.own ? figure("carbon.sum")
               : b.decimal(id + ".emissions", r.carbon.total_t(), "t CO2e",
                           std::min(decimals, decimals_for(r.carbon.total_t(), 3))),
         b.decimal(id + ".against", r.own ? 0.0 : 100.0 * (r.carbon.total_t() / own - 1.0), "%", 1),
         !r.water_known ? words("-")
         : r.own        ? figure("water.offsite")
                        : b.number(id + ".water", r.carbon.water_offsite_m3, "m3")});
  }
  out.tables.push_back(std::move(t));
}

/// What full development rests on, with its cost at both ends of the shares.
std::string development_note(ReportBuilder& b) {
  const RunInputs& v = b.in.question.values;
  double low = 0;
  double high = 0;
  for (const RunInput& input : b.in.question.others) {
    if (input.member != &RunInputs::development_hardware_share &&
        input.member != &RunInputs::development_energy_share)
      continue;
    low += input.range.low;
    high += input.range.high;
  }
  const double owned = b.in.run.owned->total() / b.usd_scale();
  std::string range;
  if (low > 0 && high > 0) {
    b.number("run.development_usd.low", owned / high, b.usd_unit());
    b.number("run.development_usd.high", owned / low, b.usd_unit());
    range = fmt::format(" With the shares at their ends: {} to {}.",
                        b.doc.figures.at("run.development_usd.low").text, b.show("run.development_usd.high"));
  }
  return fmt::format(
      "Full development divides the owned cost by the share that hardware and energy have in it, "
      "{} + {} (Epoch AI, arXiv 2405.21015): staff, experiments and failed runs make up the rest.{}",
      significant_text(v.development_hardware_share), significant_text(v.development_energy_share), range);
}

}  // namespace

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
      .columns = {{"way"}, {unit, true}, {"P10", true}, {"P90", true}, {"USD per million tokens", true}},
      .rows = {},
      .notes = {}};
  const auto row = [&](std::string label, DocCell total, DocCell low, DocCell high, const char* id,
                       double usd) {
    ways.rows.push_back(
        {words(std::move(label)), std::move(total), std::move(low), std::move(high),
         b.number(fmt::format("{}.per_million", id), usd / millions, "USD per million tokens", 3)});
  };
  row("rented, GPU-hours x rent", figure("run.rent_usd"), figure("run.rent_usd.p10"),
      figure("run.rent_usd.p90"), "rent_usd", *in.run.rent_usd);
  row("owned, share of the machines' life and energy", figure("run.owned_usd"), figure("run.owned_usd.p10"),
      figure("run.owned_usd.p90"), "owned_usd", c.total());
  row("full development", b.number("run.development_usd", *in.run.development_usd / scale, unit, 3),
      words("-"), words("-"), "development_usd", *in.run.development_usd);
  ways.notes.push_back(development_note(b));
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
  out.tables.push_back(std::move(owned));
  add_purchase(b, out);
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
  b.number("carbon.sci", c.total_t() * 1e3 / (tokens / 1e9), "kg CO2e per 10^9 tokens");
  out.paragraphs.push_back(fmt::format("Grid {}: {}; PUE {}.",
                                       in.scenario.economics.grid.value_or("given by its intensity"),
                                       b.show("carbon.intensity"), b.show("carbon.pue")));
  out.paragraphs.push_back(fmt::format(
      "Software carbon intensity: SCI = (E x I + M) / R = ({} x {} + {} {}) / ({} tokens) = {}. E "
      "energy with the building, I intensity of the grid, M embodied, R tokens of the run.",
      b.show("run.energy_kwh"), b.show("carbon.intensity"), b.doc.figures.at("carbon.embodied").text,
      "t CO2e", b.tokens_text(), b.show("carbon.sci")));
  b.number("water.onsite", c.water_onsite_m3, "m3");
  std::string water = fmt::format("Water: {} on site for cooling", b.show("water.onsite"));
  if (in.question.values.water_offsite_l_per_kwh > 0) {
    b.number("water.offsite", c.water_offsite_m3, "m3");
    water += fmt::format(", {} at the power stations.", b.show("water.offsite"));
  } else {
    water += "; no factor of the grid is known for the power stations.";
  }
  out.paragraphs.push_back(std::move(water));
  add_regions(b, out);
}

}  // namespace orrery
