#include "planner/economics/carbon.hpp"

namespace orrery {

Carbon carbon(const CarbonInput& in) {
  const double tonnes_per_kwh = in.g_per_kwh * 1e-6;
  const double share = in.days / (in.lifetime_years * 365.25 * in.utilisation);
  const double it_kwh = in.dynamic_kwh + in.idle_kwh;
  return {.dynamic_t = in.dynamic_kwh * in.pue * tonnes_per_kwh,
          .idle_t = in.idle_kwh * in.pue * tonnes_per_kwh,
          .embodied_t = (in.gpus * in.gpu_embodied_kg + in.nodes * in.node_embodied_kg) * share * 1e-3,
          .water_onsite_m3 = it_kwh * in.water_onsite_l_per_kwh * 1e-3,
          .water_offsite_m3 = it_kwh * in.pue * in.water_offsite_l_per_kwh * 1e-3};
}

}  // namespace orrery
