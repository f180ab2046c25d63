#include "planner/economics/money.hpp"

namespace orrery {
namespace {

constexpr double kDaysPerYear = 365.25;
constexpr double kDaysPerMonth = kDaysPerYear / 12.0;

}  // namespace

double network_usd(const OwnedInput& in) {
  return in.switches * in.switch_usd + in.links * in.link_usd;
}

Purchase purchase(const OwnedInput& in) {
  return {.servers = in.nodes * in.server_usd,
          .network = network_usd(in),
          .other = in.gpus * in.other_usd_per_gpu};
}

double life_share(const OwnedInput& in) {
  return in.days / (in.lifetime_years * kDaysPerYear * in.utilisation);
}

OwnedCost owned_cost(const OwnedInput& in) {
  const double share = life_share(in);
  const Purchase price = purchase(in);
  return {.servers = price.servers * share,
          .network = price.network * share,
          .other = price.other * share,
          .power = in.it_kwh * in.usd_per_kwh,
          .cooling = in.it_kwh * (in.pue - 1.0) * in.usd_per_kwh,
          .space = in.it_kw * in.space_usd_per_kw_month * in.days / kDaysPerMonth};
}

}  // namespace orrery
