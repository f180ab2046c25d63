#include "gui/core/vary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "gui/core/layout_search.hpp"
#include "gui/core/plan_search.hpp"
#include "sim/scenario_keys.hpp"

namespace orrery::gui {
namespace {

/// Keys that a plan calls otherwise than the scenario.
constexpr std::array<std::pair<const char*, const char*>, 3> kPlanNames{
    {{"layout.zero_stage", "zero"}, {"layout.microbatch_size", "mbs"}, {"layout.communication_sms", "sms"}}};

std::string plan_name(const std::string& key) {
  for (const auto& [ours, plans] : kPlanNames) {
    if (key == ours) return plans;
  }
  return key.substr(std::min(key.size(), key.find('.') + 1));
}

/// A number alone, with nothing behind it.
bool parse(const std::string& text, double& out) {
  char* end = nullptr;
  out = std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0' && std::isfinite(out);
}

}  // namespace

std::vector<std::string> values_to_vary(const Scenario& scenario, const std::string& key,
                                        const std::string& value) {
  if (key.starts_with("layout.")) {
    for (const auto& [name, values] : first_space(scenario, true)) {
      if (name != plan_name(key)) continue;
      std::vector<std::string> all = split_values(values);
      if (all.size() > 1) return all;
    }
  }
  if (value == "true" || value == "false") return {"false", "true"};
  double now = 0;
  const ScenarioKey* known = find_scenario_key(key);
  if (known == nullptr || known->is_text || !parse(value, now) || now == 0) return {value};
  const bool whole = now == std::floor(now) && std::abs(now) < 1e15 && value.find('.') == std::string::npos;
  std::vector<std::string> out;
  for (const double factor : whole ? std::array{0.5, 1.0, 2.0} : std::array{0.8, 1.0, 1.25}) {
    const double v = now * factor;
    const bool inside = v >= known->low && v <= known->high && !(known->above_low && v == known->low);
    if (!inside || (whole && v != std::floor(v))) continue;
    out.push_back(factor == 1 ? value : whole ? fmt::format("{:.0f}", v) : fmt::format("{:.6g}", v));
  }
  return out;
}

}  // namespace orrery::gui
