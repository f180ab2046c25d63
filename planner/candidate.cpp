#include "planner/candidate.hpp"

#include <fmt/format.h>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

std::int64_t number_of(const std::string& key, const Scenario& s) {
  const Layout& l = s.layout;
  if (key == "tp") return l.tp;
  if (key == "cp") return l.cp;
  if (key == "pp") return l.pp;
  if (key == "vpp") return l.vpp;
  if (key == "ep") return l.ep;
  if (key == "etp") return l.etp;
  if (key == "zero") return l.zero_stage;
  if (key == "mbs") return l.microbatch_size;
  if (key == "sp") return l.sequence_parallel ? 1 : 0;
  if (key == "sms") return l.communication_sms;
  const Derived d = derive(l, s.training, s.gpus);
  return key == "dp" ? d.dp : d.microbatches;
}

}  // namespace

std::vector<Variant> variants_of(const SearchSpace& space) {
  std::vector<Variant> all;
  for (const std::string& name : space.schedules) {
    const bool pairs = name == "dualpipe" || name == "dualpipev" || name == "combined-1f1b";
    for (const std::int64_t vpp : vpp_of(name, space.vpp))
      all.push_back({name, vpp, pairs, name == kSearchedSchedule});
  }
  return all;
}

Layout carried_over(const Layout& base) {
  Layout l;
  l.messages = base.messages;
  l.overlap_grad_reduce = base.overlap_grad_reduce;
  l.overlap_param_gather = base.overlap_param_gather;
  l.tp_overlap = base.tp_overlap;
  l.moe_dispatcher = base.moe_dispatcher;
  return l;
}

Layout layout_of(const SearchSpace& space, const std::vector<Variant>& variants, const Candidate& c,
                 const Layout& base, std::int64_t layers) {
  Layout l = carried_over(base);
  l.tp = space.tp[c.tp];
  l.cp = space.cp[c.cp];
  l.pp = space.pp[c.pp];
  l.ep = space.ep[c.ep];
  l.etp = space.etp[c.etp];
  l.zero_stage = space.zero[c.zero];
  l.microbatch_size = space.microbatch[c.microbatch];
  l.sequence_parallel = space.sequence_parallel[c.sequence_parallel] != 0 && l.tp > 1;
  l.recompute = space.recompute[c.recompute];
  l.offload = space.offload[c.offload];
  const Variant& v = variants[c.variant];
  l.schedule = v.schedule;
  l.vpp = v.vpp;
  l.communication_sms = space.communication_sms[c.sms];
  const LayerPlacement placement = space.placement[c.placement];
  if (placement != LayerPlacement::kBalanced)
    l.stage_layers = counted_layers(placement, layers, l.pp * l.vpp);
  return l;
}

void apply(const SearchSpace& space, const std::vector<Variant>& variants, const Candidate& c,
           const Layout& base, Scenario& scenario) {
  scenario.layout = layout_of(space, variants, c, base, scenario.model.layers);
  scenario.training.precision = space.precision[c.precision];
}

bool meets(const LayoutCondition& c, const Scenario& s, LayerPlacement placement) {
  std::string name;
  if (c.key == "schedule") name = s.layout.schedule;
  if (c.key == "offload") name = to_text(s.layout.offload);
  if (c.key == "recompute") name = s.layout.recompute.policy;
  if (c.key == "precision") name = to_text(s.training.precision);
  if (c.key == "placement") name = to_text(placement);
  if (!name.empty()) return (name == c.value) == (c.op == "=");
  const std::int64_t found = number_of(c.key, s);
  const std::int64_t wanted = std::stoll(c.value);
  if (c.op == "<=") return found <= wanted;
  if (c.op == ">=") return found >= wanted;
  if (c.op == "<") return found < wanted;
  if (c.op == ">") return found > wanted;
  return (found == wanted) == (c.op == "=");
}

bool allowed(const SearchSpace& space, const Scenario& scenario, LayerPlacement placement) {
  for (const LayoutCondition& c : space.demanded) {
    if (!meets(c, scenario, placement)) return false;
  }
  for (const std::vector<LayoutCondition>& rule : space.forbidden) {
    bool all = !rule.empty();
    for (const LayoutCondition& c : rule) all = all && meets(c, scenario, placement);
    if (all) return false;
  }
  return true;
}

std::string layout_text(const Layout& l, const Derived& d) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (l.tp > 1) add(fmt::format("tp {}{}", l.tp, l.sequence_parallel ? " with sp" : ""));
  if (l.cp > 1) add(fmt::format("cp {}", l.cp));
  add(l.vpp > 1 ? fmt::format("pp {} x {}", l.pp, l.vpp) : fmt::format("pp {}", l.pp));
  if (l.ep > 1) add(fmt::format("ep {}", l.ep));
  if (l.etp > 1) add(fmt::format("etp {}", l.etp));
  add(fmt::format("dp {}", d.dp));
  add(fmt::format("zero {}", l.zero_stage));
  add(fmt::format("mbs {} x {}", l.microbatch_size, d.microbatches));
  add(l.schedule);
  if (l.recompute.policy != "none") add("recompute " + l.recompute.policy);
  if (l.offload != Offload{}) add("offload " + to_text(l.offload));
  if (l.communication_sms >= 0) add(fmt::format("{} SMs for communication", l.communication_sms));
  return text;
}

}  // namespace orrery
