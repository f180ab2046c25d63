#pragma once

#include <cstdint>
#include <optional>
#include <random>

#include "planner/screen.hpp"
#include "sim/layout/check_layout.hpp"
#include "sim/schedule/generators.hpp"

/// Random layouts of a space that keep the rules on sizes.
namespace orrery::test {

class RandomLayouts {
 public:
  RandomLayouts(const Scenario& scenario, const SearchSpace& space, std::uint64_t seed)
      : scenario_(scenario), space_(space), variants_(variants_of(space)), random_(seed) {}

  [[nodiscard]] const std::vector<Variant>& variants() const { return variants_; }

  /// Of at most `most_steps` steps of the schedule, so that they are simulated soon.
  Candidate next(std::int64_t most_steps) {
    while (true) {
      Candidate c;
      const auto pick = [&](std::uint8_t& at, std::size_t size) {
        at = static_cast<std::uint8_t>(random_() % size);
      };
      pick(c.tp, space_.tp.size());
      pick(c.cp, space_.cp.size());
      pick(c.ep, space_.ep.size());
      pick(c.etp, space_.etp.size());
      pick(c.microbatch, space_.microbatch.size());
      pick(c.sequence_parallel, space_.tp[c.tp] > 1 ? space_.sequence_parallel.size() : 1);
      pick(c.recompute, space_.recompute.size());
      pick(c.pp, space_.pp.size());
      pick(c.variant, variants_.size());
      const Variant& v = variants_[c.variant];
      pick(c.placement, space_.pp[c.pp] * v.vpp > 1 ? space_.placement.size() : 1);
      pick(c.sms, v.pairs && space_.ep[c.ep] > 1 ? space_.communication_sms.size() : 1);
      pick(c.zero, space_.zero.size());
      pick(c.offload, space_.offload.size());
      if (fits(c, most_steps)) return c;
    }
  }

  [[nodiscard]] Scenario scenario_of(const Candidate& c) const {
    Scenario s = scenario_;
    apply(space_, variants_, c, scenario_.layout, s);
    return s;
  }

 private:
  [[nodiscard]] bool fits(const Candidate& c, std::int64_t most_steps) const {
    const Scenario s = scenario_of(c);
    const Layout& l = s.layout;
    if (space_.placement[c.placement] != LayerPlacement::kBalanced && l.stage_layers.empty()) return false;
    if (check_layout(s.model, l, s.training, s.gpus)) return false;
    const std::int64_t n = derive(l, s.training, s.gpus).microbatches;
    if (3 * l.pp * l.vpp * n > most_steps) return false;
    return !check_schedule(l.schedule, static_cast<int>(l.pp), static_cast<int>(l.vpp), static_cast<int>(n));
  }

  Scenario scenario_;
  const SearchSpace& space_;
  std::vector<Variant> variants_;
  std::mt19937_64 random_;
};

}  // namespace orrery::test
