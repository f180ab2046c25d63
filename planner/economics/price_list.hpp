#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "planner/economics/ranged.hpp"
#include "planner/goodput/goodput.hpp"

namespace orrery {

/// What one kind of GPU costs. `name` is that of its profile.
struct GpuPrice {
  std::string name;
  Ranged rent_usd_per_hour;            ///< range of the market; a run's rent is an input of the scenario
  Ranged server_usd;                   ///< a whole node with its GPUs and NICs
  Ranged embodied_kg_per_gpu;          ///< kg CO2e of making it
  bool embodied_holds_server = false;  ///< the figure has the GPU's share of the server in it
};

/// Prices and footprints with source and date (schema orrery.prices/1).
struct PriceList {
  std::vector<GpuPrice> gpus;
  Ranged switch_usd;         ///< one 64-port switch; others by ports
  Ranged link_usd;           ///< cable and both transceivers
  Ranged other_usd_per_gpu;  ///< storage, management, installation
  Ranged lifetime_years;
  Ranged utilisation;  ///< share of the lifetime in which the machine works for somebody
  Ranged space_usd_per_kw_month;
  Ranged usd_per_kwh;  ///< range of the market
  Ranged server_embodied_kg;
  Ranged water_onsite_l_per_kwh;
  Ranged development_hardware_share;
  Ranged development_energy_share;

  /// nullptr when the list has no such GPU.
  [[nodiscard]] const GpuPrice* find(const std::string& gpu) const;
};

/// An electricity grid (schema orrery.grids/1).
struct Grid {
  std::string name;
  Ranged g_per_kwh;                               ///< g CO2e per kWh
  std::optional<Ranged> water_offsite_l_per_kwh;  ///< of generation
};

/// How far published runs were from the simulated ones (schema orrery.model-error/1).
struct ModelError {
  struct Entry {
    std::string gpu;  ///< "any" for the rest
    std::int64_t runs = 0;
    Ranged measured_over_computed;  ///< of the step time: 10th, 50th and 90th percentile
  };
  std::vector<Entry> step_time;
  Ranged power_above_idle;  ///< factor

  /// The entry of the GPU, or "any".
  [[nodiscard]] const Entry& of(const std::string& gpu) const;
};

/// Everything about runs that is neither a scenario's nor a machine's.
struct RunData {
  PriceList prices;
  std::vector<Grid> grids;
  ReliabilityData reliability;
  ModelError model_error;
  std::string place;  ///< folder it was read from, for errors

  /// InputError naming `place` and the nearest grid when there is none.
  [[nodiscard]] const Grid& grid(const std::string& name, const std::string& where) const;
};

/// Reads prices.json, grids.json, reliability.json and model-error.json of the folder `economics`. Every
/// damaged or missing file, range out of order or share above 1 is an InputError.
[[nodiscard]] RunData load_run_data(const std::filesystem::path& folder);

}  // namespace orrery
