#include <gtest/gtest.h>

#include <cstdint>

#include "planner/economics/carbon.hpp"
#include "planner/economics/money.hpp"
#include "planner/economics/price_list.hpp"
#include "sim/base/check.hpp"
#include "sim/network/fabric.hpp"

namespace orrery {
namespace {

RunData shipped() {
  return load_run_data(ORRERY_SOURCE_DIR "/hwprofiles/economics");
}

double error(double computed, double published) {
  return computed / published - 1;
}

// DeepSeek-V3, arXiv 2412.19437, table 1: 2,664 + 119 + 5 = 2,788 thousand H800-hours at 2 USD are 5.328,
// 0.238, 0.010 and together 5.576 million USD.
TEST(PublishedCosts, DeepSeekV3ByStage) {
  const double rent = shipped().prices.find("h800-sxm")->rent_usd_per_hour.value;
  double hours = 0;
  double usd = 0;
  for (const auto& [thousands, millions] : {std::pair{2664.0, 5.328}, {119.0, 0.238}, {5.0, 0.010}}) {
    EXPECT_NEAR(thousands * 1e3 * rent / 1e6, millions, 5e-4);
    hours += thousands;
    usd += thousands * 1e3 * rent / 1e6;
  }
  EXPECT_DOUBLE_EQ(hours, 2788);
  EXPECT_NEAR(usd, 5.576, 5e-4);
}

/// A model card: GPU-hours at the board's maximum power, PUE 1.
double card_tonnes(double gpu_hours, double watts, double g_per_kwh, double pue = 1) {
  return carbon({.dynamic_kwh = gpu_hours * watts / 1e3, .pue = pue, .g_per_kwh = g_per_kwh}).total_t();
}

// Llama 2 model card: A100-hours at 400 W. The card prints no factor; that of the 7B row (31.22 t over 73.7
// MWh = 423 g/kWh) gives the other two within 1 %.
TEST(PublishedCarbon, Llama2Card) {
  const double g = 31.22e6 / (184320 * 0.4);
  EXPECT_NEAR(g, 423.5, 0.5);
  EXPECT_NEAR(error(card_tonnes(368640, 400, g), 62.44), 0, 0.01);
  EXPECT_NEAR(error(card_tonnes(1720320, 400, g), 291.42), 0, 0.01);
}

// Llama 3.1 model card: H100-hours at 700 W; the factor of the 405B row (414 g/kWh) on the others. The sum of
// the rows is that of the card.
TEST(PublishedCarbon, Llama31Card) {
  const double g = 8930e6 / (30.84e6 * 0.7);
  EXPECT_NEAR(error(card_tonnes(7.0e6, 700, g), 2040), 0, 0.05);
  EXPECT_NEAR(error(card_tonnes(1.46e6, 700, g), 420), 0, 0.05);
  EXPECT_NEAR(error(card_tonnes(39.3e6, 700, g), 11390), 0, 0.05);
}

// With the shipped national average instead of the card's own factor the result is 11 % low: what a default
// grid is worth.
TEST(PublishedCarbon, TheShippedGridMissesLlama31ByElevenPercent) {
  const double g = shipped().grid("US", "grid").g_per_kwh.value;
  EXPECT_NEAR(error(card_tonnes(39.3e6, 700, g), 11390), -0.108, 0.005);
}

// GPT-3, Patterson et al., arXiv 2104.10350: 10,000 V100 for 14.8 days at 330 W, PUE 1.10: 1,287 MWh; at 429
// g/kWh 552 t.
TEST(PublishedCarbon, Gpt3) {
  const double hours = 10000 * 14.8 * 24;
  EXPECT_NEAR(error(hours * 0.330 * 1.10 / 1e3, 1287), 0, 0.005);
  EXPECT_NEAR(error(card_tonnes(hours, 330, 429, 1.10), 552), 0, 0.005);
}

// BLOOM, Luccioni et al., arXiv 2211.02001: 1,082,990 A100-hours on 384 GPUs at 400 W and 57 g/kWh: 24.69 t.
// Made machines: 2,500 kg for a server of 8 and 150 kg for a GPU over 6 years at 85 %: 11.2 t. Idle
// power: 14.6 t.
TEST(PublishedCarbon, BloomBySplit) {
  const double hours = 1082990;
  const double days = hours / 384 / 24;
  const Carbon c = carbon({.dynamic_kwh = hours * 0.4,
                           .idle_kwh = 256646,
                           .g_per_kwh = 57,
                           .gpu_embodied_kg = 150,
                           .node_embodied_kg = 2500,
                           .gpus = 384,
                           .nodes = 48,
                           .days = days,
                           .lifetime_years = 6,
                           .utilisation = 0.85});
  EXPECT_NEAR(error(c.dynamic_t, 24.69), 0, 0.005);
  EXPECT_NEAR(error(c.idle_t, 14.6), 0, 0.01);
  EXPECT_NEAR(error(c.embodied_t, 11.2), 0, 0.01);
  EXPECT_NEAR(error(c.total_t(), 50.5), 0, 0.01);
}

// Its idle energy from this project's own figure for an A100 node without its GPUs, 2,100 W: 48 nodes for
// 117.5 days are 284 MWh, 16.2 t, 11 % more than measured there.
TEST(PublishedCarbon, BloomIdleFromTheNodeOverhead) {
  const double kwh = 48 * 2.1 * 1082990.0 / 384;
  EXPECT_NEAR(error(carbon({.idle_kwh = kwh, .g_per_kwh = 57}).idle_t, 14.6), 0.11, 0.01);
}

OwnedInput network_only(const Fabric& f, const PriceList& p) {
  return {.switches = static_cast<double>(f.switches),
          .links = static_cast<double>(f.links),
          .switch_usd = p.switch_usd.value,
          .link_usd = p.link_usd.value};
}

// arXiv 2505.09343, table 3: two-layer fat tree of 2,048 endpoints 9 million USD, eight planes of 16,384 72
// million, three layers of 65,536 491 million. The prices come from another source, a sheet of 1,024-GPU
// clusters.
TEST(PublishedCosts, NetworksByTopology) {
  const PriceList p = shipped().prices;
  EXPECT_NEAR(error(network_usd(network_only(fat_tree(2048, 64, 1), p)), 9e6), -0.034, 0.005);
  Fabric planes = fat_tree(2048, 64, 1);
  planes.switches *= 8;
  planes.links *= 8;
  EXPECT_NEAR(error(network_usd(network_only(planes, p)), 72e6), -0.034, 0.005);
  EXPECT_NEAR(error(network_usd(network_only(fat_tree(65536, 64, 1), p)), 491e6), -0.112, 0.005);
}

// A run of a tenth of the lifetime at full use takes a tenth of the price; 1,000 kWh at 0.1 USD and PUE 1.2
// are 100 and 20 USD; 10 kW for a month at 180 USD are 1,800.
TEST(Money, OwnedCostByHand) {
  const double month = 365.25 / 12;
  const OwnedCost c = owned_cost({.nodes = 2,
                                  .gpus = 16,
                                  .server_usd = 300e3,
                                  .switches = 1,
                                  .links = 16,
                                  .switch_usd = 36e3,
                                  .link_usd = 1000,
                                  .other_usd_per_gpu = 1000,
                                  .lifetime_years = 10.0 / 12,
                                  .utilisation = 1,
                                  .days = month,
                                  .it_kwh = 1000,
                                  .pue = 1.2,
                                  .usd_per_kwh = 0.1,
                                  .it_kw = 10,
                                  .space_usd_per_kw_month = 180});
  EXPECT_NEAR(c.servers, 60e3, 1e-6);
  EXPECT_NEAR(c.network, 5200, 1e-6);
  EXPECT_NEAR(c.other, 1600, 1e-6);
  EXPECT_NEAR(c.power, 100, 1e-9);
  EXPECT_NEAR(c.cooling, 20, 1e-9);
  EXPECT_NEAR(c.space, 1800, 1e-9);
  EXPECT_NEAR(c.total(), 60e3 + 5200 + 1600 + 120 + 1800, 1e-6);
}

TEST(RunData, EveryShippedFigureIsInItsRangeAndHasASource) {
  const RunData data = shipped();
  for (const GpuPrice& g : data.prices.gpus) {
    for (const Ranged* r : {&g.rent_usd_per_hour, &g.server_usd, &g.embodied_kg_per_gpu}) {
      EXPECT_LE(r->low, r->value) << g.name;
      EXPECT_LE(r->value, r->high) << g.name;
      EXPECT_FALSE(r->source.empty());
      EXPECT_FALSE(r->date.empty());
    }
  }
  EXPECT_GE(data.grids.size(), 20u);
}

TEST(RunData, AnUnknownGridNamesTheNearestAndWhereToGiveOne) {
  try {
    (void)shipped().grid("USA", "economics.grid");
    FAIL() << "no error";
  } catch (const InputError& e) {
    EXPECT_NE(std::string(e.what()).find("economics.co2_g_per_kwh"), std::string::npos);
    EXPECT_NE(std::string(e.what()).find("'US'"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace orrery
