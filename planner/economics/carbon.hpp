#pragma once

namespace orrery {

struct CarbonInput {
  double dynamic_kwh = 0;  ///< of the machines above idle
  double idle_kwh = 0;     ///< what they draw doing nothing, hosts and network with it
  double pue = 1;          ///< applied to both alike
  double g_per_kwh = 0;
  double gpu_embodied_kg = 0;   ///< per GPU
  double node_embodied_kg = 0;  ///< per node without its GPUs; 0 where the GPU's figure holds it
  double gpus = 0;
  double nodes = 0;
  double days = 0;
  double lifetime_years = 5;
  double utilisation = 1;
  double water_onsite_l_per_kwh = 0;   ///< per kWh of the machines
  double water_offsite_l_per_kwh = 0;  ///< per kWh of the building, at the power station
};

/// Tonnes of CO2 equivalent, location-based; cubic metres of water.
struct Carbon {
  double dynamic_t = 0, idle_t = 0, embodied_t = 0;
  double water_onsite_m3 = 0, water_offsite_m3 = 0;
  [[nodiscard]] double operational_t() const { return dynamic_t + idle_t; }
  [[nodiscard]] double total_t() const { return dynamic_t + idle_t + embodied_t; }
};

/// Operational: energy x PUE x grid factor. Embodied: that of the machines times days / (lifetime *
/// utilisation), as in arXiv 2211.02001, section 4.1. The software-carbon-intensity form of the same sum is
/// (E x I + M) / R with R in tokens.
[[nodiscard]] Carbon carbon(const CarbonInput& input);

}  // namespace orrery
