#include "planner/screen.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/engine/sim_time.hpp"
#include "sim/layout/check_layout.hpp"

namespace orrery {

/// One pp with one schedule.
struct Screener::Group {
  std::size_t pp = 0;
  std::size_t variant = 0;
  std::int64_t microbatches = 0;
};

namespace {

Figures figures_of(const ZeroBound& least) {
  return {.step_s = to_seconds(SimTime{least.step_ps}).value,
          .memory_bytes = least.memory_bytes,
          .energy_j = least.energy_j};
}

std::size_t bits(const Offload& o) {
  return (o.optimizer ? 1U : 0U) + (o.activations ? 2U : 0U);
}

/// Whether the layout fits with a part of what is offloaded, too: more copies make no step faster.
bool needless(const Offload& offload, const std::array<bool, 4>& fits) {
  for (std::size_t part = 0; part < bits(offload); ++part) {
    if ((part & bits(offload)) == part && fits[part]) return true;
  }
  return false;
}

bool about_memory(const Goal& goal) {
  const auto is = [](Metric m) { return m == Metric::kMemory || m == Metric::kHeadroom; };
  return std::any_of(goal.level.terms.begin(), goal.level.terms.end(),
                     [&](const Objective::Term& t) { return is(t.metric); }) ||
         (goal.frontier && (is(goal.frontier->first) || is(goal.frontier->second)));
}

/// Rounding of sums must not make a layout that just fits look too large.
constexpr double kMemorySlack = 1 + 1e-9;

}  // namespace

namespace {

/// Whether `value` is no better than `point`, up to a millionth: rounding makes no new point.
bool no_better(double value, double point) {
  return value >= point - std::abs(point) * 1e-6;
}

}  // namespace

bool Frontier::beaten(const Meter& meter, const Figures& figures) const {
  if (points.empty()) return false;
  const double a = meter.cost(first, figures);
  const double b = meter.cost(second, figures);
  return std::any_of(points.begin(), points.end(), [&](const std::pair<double, double>& p) {
    return no_better(a, p.first) && no_better(b, p.second);
  });
}

bool Frontier::beaten_by_bound(const Meter& meter, const Figures& least) const {
  if (first == Metric::kPower || second == Metric::kPower) return false;
  return beaten(meter, least);
}

Screener::Screener(const Scenario& scenario, const SearchSpace& space, const std::vector<Variant>& variants,
                   ProfileCache& profiles, const Goal& goal)
    : scenario_(scenario),
      space_(space),
      variants_(variants),
      profiles_(profiles),
      goal_(goal),
      meter_(scenario_, "plan", goal.scale),
      memo_(scenario_.cluster),
      memory_counts_(about_memory(goal)) {}

void Screener::set_layout(const Candidate& base) {
  apply(space_, variants_, base, scenario_.layout, scenario_);
  scenario_.layout.stage_layers.clear();
  units_.clear();
  cuts_.clear();
  tail_groups_.clear();
}

/// Placements, SMs, ZeRO stages and what is offloaded of one pp and schedule.
std::int64_t Screener::open_choices(std::size_t variant, std::int64_t pp) const {
  const Variant& v = variants_[variant];
  const bool sms = v.pairs && scenario_.layout.ep > 1;
  const auto count = [](const auto& list) { return static_cast<std::int64_t>(list.size()); };
  return (pp * v.vpp > 1 ? count(space_.placement) : 1) * (sms ? count(space_.communication_sms) : 1) *
         count(space_.zero) * count(space_.offload);
}

std::vector<Screener::Group> Screener::groups_of(ReasonCounts* infeasible, std::int64_t* total) {
  std::vector<Group> groups;
  const auto count = [&](const char* code, std::int64_t n) {
    if (infeasible != nullptr) (*infeasible)[code] += n;
  };
  const std::int64_t policies = static_cast<std::int64_t>(space_.recompute.size());
  const bool fp8_missing =
      is_fp8(scenario_.training.precision) && !scenario_.cluster.gpu.peak_flops_per_s.contains("fp8");
  for (std::size_t p = 0; p < space_.pp.size(); ++p) {
    Layout& layout = scenario_.layout;
    layout.pp = space_.pp[p];
    layout.vpp = 1;
    const Verdict unfit = check_layout(scenario_.model, layout, scenario_.training, scenario_.gpus);
    const std::int64_t microbatches =
        unfit ? 0 : derive(layout, scenario_.training, scenario_.gpus).microbatches;
    for (std::size_t v = 0; v < variants_.size(); ++v) {
      const std::int64_t all = policies * open_choices(v, layout.pp);
      if (total != nullptr) *total += all;
      if (fp8_missing) {
        count(to_text(Reason::kCapability), all);
      } else if (unfit) {
        count(to_text(unfit->reason), all);
      } else if (layout.pp * variants_[v].vpp > scenario_.model.layers) {
        count(to_text(Reason::kPipeline), all);
      } else if (!variants_[v].searched && !profiles_.exists(v, layout.pp, microbatches)) {
        count(to_text(Reason::kSchedule), all);
      } else {
        groups.push_back({.pp = p, .variant = v, .microbatches = microbatches});
      }
    }
  }
  return groups;
}

double Screener::objective(const Figures& figures) const {
  return Objective::value(goal_.level, meter_, figures);
}

double Screener::least_energy(double seconds) const {
  const ClusterProfile& c = scenario_.cluster;
  const auto gpus = static_cast<double>(scenario_.gpus);
  return seconds * (gpus * c.gpu.power.communication_floor_w.value +
                    c.node_overhead_w.value * std::ceil(gpus / static_cast<double>(c.gpus_per_node)));
}

std::vector<ScreenNode> Screener::open(const Candidate& frame, ReasonCounts& infeasible,
                                       std::int64_t& total) {
  set_layout(frame);
  const std::vector<Group> groups = groups_of(&infeasible, &total);
  std::int64_t open_candidates = 0;
  for (const Group& g : groups) open_candidates += open_choices(g.variant, space_.pp[g.pp]);
  std::vector<ScreenNode> nodes;
  if (groups.empty()) return nodes;
  const Layout& l = scenario_.layout;
  // Microbatches of a pipeline over its ranks: the same for every pp.
  const double per_rank = static_cast<double>(scenario_.training.global_batch_size * l.tp * l.cp) /
                          static_cast<double>(scenario_.gpus * l.microbatch_size);
  // Computing something again only adds kernels, so what holds without holds for every policy.
  set_layout(frame);
  scenario_.layout.recompute = {};
  const bool pairs =
      std::any_of(variants_.begin(), variants_.end(), [](const Variant& v) { return v.pairs || v.searched; });
  const BoundContext context{scenario_, units(0, false), memo_, 0};
  const double seconds = per_rank * to_seconds(SimTime{whole_work(context, pairs)}).value;
  const double bound = objective({.step_s = seconds, .memory_bytes = 0, .energy_j = least_energy(seconds)});
  for (std::size_t r = 0; r < space_.recompute.size(); ++r) {
    ScreenNode node{.base = frame, .bound = bound, .candidates = open_candidates};
    node.base.recompute = static_cast<std::uint8_t>(r);
    nodes.push_back(node);
  }
  return nodes;
}

const UnitTable& Screener::units(std::int64_t sms, bool many_stages) {
  const bool many = many_stages && scenario_.model.tied_embeddings;
  for (const Units& u : units_) {
    if (u.sms == sms && u.many_stages == many) return *u.table;
  }
  units_.push_back({sms, many, std::make_unique<UnitTable>(unit_table(scenario_, sms, many, memo_))});
  return *units_.back().table;
}

std::int64_t Screener::effective_sms(const Candidate& c) const {
  const std::int64_t given = space_.communication_sms[c.sms];
  const bool exchange = variants_[c.variant].pairs && scenario_.layout.ep > 1;
  if (!exchange) return 0;
  return given >= 0 ? given : scenario_.cluster.expert_all_to_all.sm_count;
}

const StageBounds& Screener::stages(const BoundContext& context, const Candidate& c,
                                    const ScheduleProfile& profile) {
  const Variant& v = variants_[c.variant];
  const std::int64_t pp = space_.pp[c.pp];
  // With one stage per rank the cut does not depend on who owns what.
  const std::size_t owner = v.vpp > 1 ? c.variant + std::size_t{1} : 0;
  for (const Cut& cut : cuts_) {
    if (cut.pp == pp && cut.vpp == v.vpp && cut.sms == context.communication_sms && cut.variant == owner &&
        cut.hidden == v.pairs && cut.placement == c.placement)
      return *cut.stages;
  }
  const LayerPlacement placement = space_.placement[c.placement];
  const std::vector<std::int64_t> layers =
      placement == LayerPlacement::kBalanced ? std::vector<std::int64_t>{}
                                             : counted_layers(placement, scenario_.model.layers, pp * v.vpp);
  cuts_.push_back({.pp = pp,
                   .vpp = v.vpp,
                   .sms = context.communication_sms,
                   .variant = owner,
                   .hidden = v.pairs,
                   .placement = c.placement,
                   .stages = std::make_unique<StageBounds>(
                       stage_bounds(context, layers, profile.owner, pp, v.vpp, v.pairs))});
  return *cuts_.back().stages;
}

Screened Screener::expand(const ScreenNode& node, double cut) {
  Screened out;
  set_layout(node.base);
  for (const Group& group : groups_of(nullptr, nullptr)) {
    if (!cuts_.empty() && cuts_.back().pp != space_.pp[group.pp]) cuts_.clear();
    expand_group(node.base, group, cut, out);
  }
  return out;
}

void Screener::expand_group(const Candidate& base, const Group& group, double cut, Screened& out) {
  const Variant& v = variants_[group.variant];
  Candidate c = base;
  c.pp = static_cast<std::uint8_t>(group.pp);
  c.variant = static_cast<std::uint8_t>(group.variant);
  Layout& layout = scenario_.layout;
  layout.pp = space_.pp[group.pp];
  layout.vpp = v.vpp;
  layout.schedule = v.schedule;
  if (v.searched) return expand_searched(c, group, cut, out);
  const bool many_stages = layout.pp * v.vpp > 1;
  const std::size_t sms_choices = v.pairs && layout.ep > 1 ? space_.communication_sms.size() : 1;
  const std::size_t placements = many_stages ? space_.placement.size() : 1;
  for (std::size_t sms = 0; sms < sms_choices; ++sms) {
    c.sms = static_cast<std::uint8_t>(sms);
    layout.communication_sms = space_.communication_sms[sms];
    const std::int64_t used = effective_sms(c);
    const auto per_sms = static_cast<std::int64_t>(placements * space_.zero.size() * space_.offload.size());
    const bool none_left = used >= static_cast<std::int64_t>(scenario_.cluster.gpu.sm_count.value);
    if (none_left || (v.pairs && layout.ep > 1 && used == 0)) {
      out.infeasible[to_text(Reason::kCapability)] += per_sms;
      continue;
    }
    const BoundContext context{scenario_, units(used, many_stages), memo_, used};
    // What the ranks do on average bounds the busiest.
    const double seconds = to_seconds(SimTime{whole_work(context, v.pairs)}).value *
                           static_cast<double>(group.microbatches) / static_cast<double>(layout.pp);
    if (objective({.step_s = seconds, .memory_bytes = 0, .energy_j = least_energy(seconds)}) >= cut) {
      out.bounded += per_sms;
      continue;
    }
    const std::shared_ptr<const ScheduleProfile> profile =
        profiles_.profile(group.variant, layout.pp, group.microbatches);
    shards_.clear();
    for (std::size_t z = 0; z < space_.zero.size(); ++z) {
      for (std::size_t o = 0; o < space_.offload.size(); ++o) {
        if (mean_memory(context, *profile, space_.zero[z], layout.pp, space_.offload[o]) <= memory_limit()) {
          shards_.push_back({static_cast<std::uint8_t>(z), static_cast<std::uint8_t>(o)});
        } else {
          out.infeasible[to_text(Reason::kMemory)] += static_cast<std::int64_t>(placements);
        }
      }
    }
    if (shards_.empty()) continue;
    for (std::size_t p = 0; p < placements; ++p) {
      c.placement = static_cast<std::uint8_t>(p);
      expand_stages(c, *profile, context, cut, out);
    }
  }
}

/// Of an order that is yet to be searched: the work of the average rank, with and without overlapped pairs,
/// and the memory of parameters alone.
void Screener::expand_searched(const Candidate& base, const Group& group, double cut, Screened& out) {
  Candidate c = base;
  const Layout& layout = scenario_.layout;
  const BoundContext context{scenario_, units(0, layout.pp > 1), memo_, 0};
  const double seconds =
      to_seconds(SimTime{std::min(whole_work(context, true), whole_work(context, false))}).value *
      static_cast<double>(group.microbatches) / static_cast<double>(layout.pp);
  const ScheduleProfile nothing_known{};
  const std::size_t placements = layout.pp > 1 ? space_.placement.size() : 1;
  for (std::size_t p = 0; p < placements; ++p) {
    c.placement = static_cast<std::uint8_t>(p);
    const LayerPlacement placement = space_.placement[p];
    const bool placed = placement == LayerPlacement::kBalanced ||
                        !counted_layers(placement, scenario_.model.layers, layout.pp).empty();
    for (std::size_t z = 0; z < space_.zero.size(); ++z) {
      for (std::size_t o = 0; o < space_.offload.size(); ++o) {
        c.zero = static_cast<std::uint8_t>(z);
        c.offload = static_cast<std::uint8_t>(o);
        scenario_.layout.zero_stage = space_.zero[z];
        scenario_.layout.offload = space_.offload[o];
        const double memory =
            mean_memory(context, nothing_known, space_.zero[z], layout.pp, space_.offload[o]);
        if (!placed) {
          out.infeasible[to_text(Reason::kPipeline)] += 1;
        } else if (!allowed(space_, scenario_, placement)) {
          out.infeasible["forbidden"] += 1;
        } else if (memory > memory_limit()) {
          out.infeasible[to_text(Reason::kMemory)] += 1;
        } else {
          ZeroBound least;
          least.step_ps = to_sim_time(Seconds{seconds}).ps;
          least.memory_bytes = memory;
          least.energy_j = least_energy(seconds);
          expand_shard(c, least, cut, out);
        }
      }
    }
  }
  scenario_.layout.offload = {};
}

void Screener::expand_stages(const Candidate& candidate, const ScheduleProfile& profile,
                             const BoundContext& context, double cut, Screened& out) {
  Candidate c = candidate;
  const std::int64_t pp = scenario_.layout.pp;
  const std::int64_t vpp = scenario_.layout.vpp;
  const LayerPlacement placement = space_.placement[c.placement];
  if (placement != LayerPlacement::kBalanced &&
      counted_layers(placement, scenario_.model.layers, pp * vpp).empty()) {
    out.infeasible[to_text(Reason::kPipeline)] += static_cast<std::int64_t>(shards_.size());
    return;
  }
  const StageBounds& cut_stages = stages(context, c, profile);
  LayoutBound bound = layout_bound(context, profile, cut_stages);
  set_groups(profile, bound);
  bool relaxed = !std::isfinite(cut);  // not worth it before anything is known
  const bool conditions = !space_.demanded.empty() || !space_.forbidden.empty();
  std::array<bool, 4> fits{};  // by what is offloaded, at the present ZeRO stage
  for (const Shard& shard : shards_) {
    if (shard.zero != c.zero) fits = {};
    c.zero = shard.zero;
    c.offload = shard.offload;
    const Offload& offload = space_.offload[c.offload];
    scenario_.layout.zero_stage = space_.zero[c.zero];
    scenario_.layout.offload = offload;
    if (conditions && !allowed(space_, scenario_, placement)) {
      out.infeasible["forbidden"] += 1;
      continue;
    }
    if (!memory_counts_ && needless(offload, fits)) {
      out.infeasible["needless"] += 1;
      continue;
    }
    ZeroBound least = zero_bound(context, profile, cut_stages, bound, space_.zero[c.zero], pp, offload);
    if (least.memory_bytes > memory_limit()) {
      out.infeasible[to_text(Reason::kMemory)] += 1;
      continue;
    }
    fits[bits(offload)] = !breaks_memory_limit(least);
    if (!relaxed && objective(figures_of(least)) < cut) {
      relaxed = true;
      const std::shared_ptr<const Schedule> schedule =
          profiles_.schedule(c.variant, pp, profile.microbatches);
      relax_bound(context, profile, cut_stages, *schedule, bound);
      least = zero_bound(context, profile, cut_stages, bound, space_.zero[c.zero], pp, offload);
    }
    expand_shard(c, least, cut, out);
  }
  scenario_.layout.offload = {};
}

void Screener::expand_shard(const Candidate& candidate, const ZeroBound& least, double cut, Screened& out) {
  const Figures figures = figures_of(least);
  bool broken = false;
  for (const Constraint& constraint : goal_.constraints)
    broken = broken || constraint.broken_by_bound(meter_, figures);
  broken = broken || (goal_.frontier && goal_.frontier->beaten_by_bound(meter_, figures));
  if (broken) {
    out.infeasible["constraint"] += 1;
    return;
  }
  const double value = objective(figures);
  if (value >= cut) {
    out.bounded += 1;
  } else {
    out.leaves.push_back({.bound = value, .candidate = candidate});
  }
}

bool Screener::breaks_memory_limit(const ZeroBound& least) const {
  const Figures figures = figures_of(least);
  return std::any_of(goal_.constraints.begin(), goal_.constraints.end(), [&](const Constraint& c) {
    return c.metric == Metric::kMemory && c.broken_by_bound(meter_, figures);
  });
}

double Screener::memory_limit() const {
  return scenario_.cluster.gpu.memory_bytes.value * kMemorySlack;
}

void Screener::set_groups(const ScheduleProfile& profile, LayoutBound& bound) {
  const std::int64_t pp = scenario_.layout.pp;
  for (const TailGroups& g : tail_groups_) {
    if (g.pp != pp || g.copies != profile.copies) continue;
    bound.dense_group = g.dense;
    bound.expert_group = g.expert;
    bound.dense_shards = g.dense_shards;
    bound.expert_shards = g.expert_shards;
    return;
  }
  set_tail_groups(scenario_, pp, profile.copies, bound);
  tail_groups_.push_back(
      {pp, profile.copies, bound.dense_group, bound.expert_group, bound.dense_shards, bound.expert_shards});
}

ZeroBound Screener::bound_of(const Candidate& c) {
  set_layout(c);
  const Variant& v = variants_[c.variant];
  SIM_CHECK(!v.searched, "a searched order has no profile");
  Layout& layout = scenario_.layout;
  const std::int64_t microbatches = derive(layout, scenario_.training, scenario_.gpus).microbatches;
  const std::int64_t used = effective_sms(c);
  const BoundContext context{scenario_, units(used, layout.pp * v.vpp > 1), memo_, used};
  const std::shared_ptr<const ScheduleProfile> profile =
      profiles_.profile(c.variant, layout.pp, microbatches);
  const StageBounds& cut_stages = stages(context, c, *profile);
  LayoutBound bound = layout_bound(context, *profile, cut_stages);
  set_groups(*profile, bound);
  return zero_bound(context, *profile, cut_stages, bound, layout.zero_stage, layout.pp, layout.offload);
}

}  // namespace orrery
