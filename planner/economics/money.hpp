#pragma once

namespace orrery {

/// A fleet of machines bought, and the share of their life that a run takes.
struct OwnedInput {
  double nodes = 0;
  double gpus = 0;
  double server_usd = 0;  ///< a node with its GPUs and NICs
  double switches = 0;    ///< in units of 64 ports
  double links = 0;
  double switch_usd = 0;
  double link_usd = 0;
  double other_usd_per_gpu = 0;
  double lifetime_years = 5;
  double utilisation = 1;  ///< share of the lifetime in use
  double days = 0;         ///< the run takes
  double it_kwh = 0;       ///< at the machines
  double pue = 1;
  double usd_per_kwh = 0;
  double it_kw = 0;  ///< power the room is rented for
  double space_usd_per_kw_month = 0;
};

/// What a run costs its owner, USD. Cost of capital, staff and taxes are not in it.
struct OwnedCost {
  double servers = 0, network = 0, other = 0;  ///< share of the price: days / (lifetime * utilisation)
  double power = 0;                            ///< energy of the machines
  double cooling = 0;                          ///< energy of the building: (PUE - 1) times that
  double space = 0;                            ///< room and cooling plant by kW and month
  [[nodiscard]] double total() const { return servers + network + other + power + cooling + space; }
};

/// Straight-line depreciation: price * days / (lifetime * utilisation). A month is 365.25 / 12 days.
[[nodiscard]] OwnedCost owned_cost(const OwnedInput& input);

/// Price of the machines, USD, whatever share of their life a run takes.
struct Purchase {
  double servers = 0, network = 0, other = 0;
  [[nodiscard]] double total() const { return servers + network + other; }
};
[[nodiscard]] Purchase purchase(const OwnedInput& input);
/// Share of their working life that the run takes: days / (lifetime * utilisation).
[[nodiscard]] double life_share(const OwnedInput& input);

/// USD of the whole network: switches and links.
[[nodiscard]] double network_usd(const OwnedInput& input);

}  // namespace orrery
