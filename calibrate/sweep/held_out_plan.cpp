#include "calibrate/sweep/held_out_plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <set>
#include <string_view>

namespace orrery {
namespace {

struct FreeSize {
  std::string_view name;
  std::int64_t step, least, most;
};
/// Steps: what every kernel here accepts (128 for block scales and tiles, 64 for keys of attention).
constexpr std::array<FreeSize, 7> kFree{{{"m", 128, 128, 32768},
                                         {"n", 128, 128, 65536},
                                         {"k", 128, 128, 32768},
                                         {"sequence", 64, 256, 8192},
                                         {"cached", 64, 256, 32768},
                                         {"rows", 128, 128, 65536},
                                         {"width", 128, 128, 16384}}};

bool predicted_class(const std::string& name) {
  for (const char* start : {"gemm.", "wgrad.", "grouped-gemm.", "grouped-wgrad.", "attention", "memory."})
    if (name.starts_with(start)) return true;
  return false;
}

Case resized(Case what, std::mt19937_64& random) {
  for (auto& [name, size] : what.shape) {
    const auto* free = std::find_if(kFree.begin(), kFree.end(),
                                    [&wanted = name](const FreeSize& f) { return f.name == wanted; });
    // Drawn for every size, also for one that stays, so that a new row above changes no other case.
    const double u = 2 * (static_cast<double>(random() >> 11) * 0x1p-53) - 1;
    if (free == kFree.end()) continue;
    const double wanted = static_cast<double>(size) * std::exp2(u) / static_cast<double>(free->step);
    size = std::clamp<std::int64_t>(std::llround(wanted) * free->step, free->least, free->most);
  }
  return what;
}

}  // namespace

std::vector<Case> held_out_plan(const std::vector<ModelSpec>& models, const PlanOptions& options,
                                std::uint64_t seed) {
  const std::vector<Case> standard = standard_plan(models, options);
  std::set<Case> known(standard.begin(), standard.end());
  std::mt19937_64 random(seed);
  std::vector<Case> out;
  for (const Case& what : standard) {
    Case other = resized(what, random);
    if (predicted_class(what.op_class) && !what.sustained && known.insert(other).second)
      out.push_back(std::move(other));
  }
  return out;
}

}  // namespace orrery
