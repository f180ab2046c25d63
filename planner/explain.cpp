#include "planner/explain.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "planner/rounded_parts.hpp"
#include "sim/simulate.hpp"

namespace orrery {
namespace {

/// What a layout could change, largest first.
std::vector<WaterfallBar> losses(const StepWaterfall& w) {
  std::vector<WaterfallBar> out;
  for (const WaterfallBar& bar : w.bars) {
    const bool loss = bar.key != "ideal_compute" && bar.key != "compute" && bar.key != "failures";
    if (loss && bar.seconds > 0) out.push_back(bar);
  }
  std::stable_sort(out.begin(), out.end(),
                   [](const WaterfallBar& a, const WaterfallBar& b) { return a.seconds > b.seconds; });
  return out;
}

Scenario with_layout(const Scenario& s, const std::function<void(Scenario&)>& change) {
  Scenario other = s;
  change(other);
  other.layout.dp = 0;
  return other;
}

struct Trial {
  Lever lever;
  Scenario scenario;
};

class Trials {
 public:
  explicit Trials(const Scenario& s) : base_(s) {}

  void add(std::string key, std::string value, std::string words,
           const std::function<void(Scenario&)>& change, bool changes_training = false) {
    list.push_back({{.key = std::move(key),
                     .value = std::move(value),
                     .words = std::move(words),
                     .changes_training = changes_training},
                    with_layout(base_, change)});
  }

  void another_schedule() {
    if (base_.layout.pp == 1) return;
    for (const char* name : {"interleaved-1f1b", "zb-v", "dualpipev"}) {
      if (base_.layout.schedule == name) continue;
      add("layout.schedule", name, "another schedule", [name](Scenario& s) {
        s.layout.schedule = name;
        s.layout.vpp = 2;
        s.layout.stage_layers.clear();
      });
    }
  }
  void more_microbatches() {
    const std::int64_t batch = 2 * base_.training.global_batch_size;
    add(
        "training.global_batch_size", std::to_string(batch), "twice the batch",
        [&](Scenario& s) { s.training.global_batch_size = batch; }, true);
  }
  void fewer_stages() {
    if (base_.layout.pp % 2 != 0) return;
    add("layout.pp", std::to_string(base_.layout.pp / 2), "half the pipeline ranks", [](Scenario& s) {
      s.layout.pp /= 2;
      s.layout.stage_layers.clear();
    });
  }
  void less(std::int64_t Layout::*axis, const char* key, const char* words) {
    if (base_.layout.*axis % 2 != 0) return;
    add(key, std::to_string(base_.layout.*axis / 2), words, [axis](Scenario& s) { s.layout.*axis /= 2; });
  }
  void larger_microbatch() {
    const std::int64_t size = 2 * base_.layout.microbatch_size;
    add("layout.microbatch_size", std::to_string(size), "microbatches twice as large",
        [&](Scenario& s) { s.layout.microbatch_size = size; });
  }
  void no_offload() {
    if (base_.layout.offload == Offload{}) return;
    add("layout.offload", "none", "nothing on the host", [](Scenario& s) { s.layout.offload = {}; });
  }
  void no_recompute() {
    add("layout.recompute", "none", "no recomputation",
        [](Scenario& s) { s.layout.recompute = make_recompute({"none"}, "lever"); });
  }
  void fused_loss() {
    if (base_.training.loss == LossKernel::kFused) return;
    add("training.loss", "fused", "a fused loss", [](Scenario& s) { s.training.loss = LossKernel::kFused; });
  }
  void grouped_calls() {
    if (!base_.model.moe || base_.training.expert_calls == ExpertCalls::kGrouped) return;
    add("training.expert_calls", "grouped", "one call for a rank's experts",
        [](Scenario& s) { s.training.expert_calls = ExpertCalls::kGrouped; });
  }
  void tokens_sent_once() {
    if (!base_.model.moe || base_.layout.moe_dispatcher == TokenDispatcher::kDeepEp) return;
    add("layout.moe_dispatcher", "deepep", "tokens sent once to a rank and node",
        [](Scenario& s) { s.layout.moe_dispatcher = TokenDispatcher::kDeepEp; });
  }
  void sequence_parallel() {
    if (base_.layout.sequence_parallel || base_.layout.tp == 1) return;
    add("layout.sequence_parallel", "true", "sequence parallelism",
        [](Scenario& s) { s.layout.sequence_parallel = true; });
  }

  std::vector<Trial> list;

 private:
  const Scenario& base_;
};

void add_against(const std::string& loss, Trials& t) {
  if (loss == "bubble" || loss == "imbalance" || loss == "exposed_pp") {
    t.another_schedule();
    t.fewer_stages();
    t.more_microbatches();
  } else if (loss == "recompute") {
    t.no_recompute();
    t.fewer_stages();
  } else if (loss == "exposed_tp") {
    t.less(&Layout::tp, "layout.tp", "half the tensor-parallel size");
    t.sequence_parallel();
  } else if (loss == "exposed_cp") {
    t.less(&Layout::cp, "layout.cp", "half the context-parallel size");
  } else if (loss == "exposed_ep" || loss == "contention") {
    t.tokens_sent_once();
    t.less(&Layout::ep, "layout.ep", "half the expert-parallel size");
    t.another_schedule();
  } else if (loss == "exposed_dp" || loss == "optimizer") {
    t.more_microbatches();
    t.no_offload();
  } else if (loss == "exposed_host") {
    t.grouped_calls();
    t.larger_microbatch();
  } else if (loss == "exposed_offload") {
    t.no_offload();
    t.more_microbatches();
  }
  if (loss == "kernel_efficiency") {
    t.larger_microbatch();
    t.less(&Layout::tp, "layout.tp", "half the tensor-parallel size");
    t.fused_loss();
  }
}

std::string percent(double share) {
  return fmt::format("{:.1f} %", 100.0 * share);
}

std::string memory_sentence(const Metrics& m) {
  const auto fullest =
      std::max_element(m.memory.begin(), m.memory.end(),
                       [](const RankMemoryRow& a, const RankMemoryRow& b) { return a.total < b.total; });
  if (fullest == m.memory.end() || m.memory_capacity <= 0) return {};
  // The difference of what is shown, so that the sentence adds up.
  const bool large = m.memory_capacity >= 100e9;
  const auto shown = [&](double bytes) {
    return large ? std::round(bytes / 1e9) : std::round(bytes / 1e8) / 10;
  };
  const double held = shown(fullest->total);
  const double capacity = shown(m.memory_capacity);
  return fmt::format(
      "The fullest GPU, pipeline rank {0}, holds {1:.{4}f} of {2:.{4}f} GB, which leaves {3:.{4}f} GB.",
      fullest->rank, held, capacity, capacity - held, large ? 0 : 1);
}

}  // namespace

StepWaterfall step_waterfall(const Metrics& m) {
  const Waterfall& w = m.waterfall;
  StepWaterfall out;
  out.step_s = m.step_time_s;
  const auto add = [&](const char* key, const char* label, double seconds) {
    out.bars.push_back({key, label, seconds});
  };
  if (m.ideal_compute_s) {
    add("ideal_compute", "compute at the dense peak", *m.ideal_compute_s);
    add("kernel_efficiency", "kernels below the peak", w.compute - *m.ideal_compute_s);
  } else {
    add("compute", "compute", w.compute);
  }
  add("recompute", "recomputation", w.recompute);
  add("exposed_tp", "exposed tensor parallel", w.exposed_tp);
  add("exposed_cp", "exposed context parallel", w.exposed_cp);
  add("exposed_ep", "exposed expert parallel", w.exposed_ep);
  add("exposed_pp", "exposed pipeline messages", w.exposed_pp);
  add("exposed_dp", "exposed data parallel", w.exposed_dp);
  if (w.exposed_offload > 0) add("exposed_offload", "exposed copies to and from the host", w.exposed_offload);
  if (w.exposed_host > 0) add("exposed_host", "waiting for the host's calls", w.exposed_host);
  add("contention", "kernels slowed by communication", w.contention);
  add("bubble", "pipeline bubble", w.bubble);
  add("imbalance", "less work than the busiest rank", w.imbalance.value_or(0));
  add("optimizer", "gradient reduction and optimizer", w.optimizer);
  add("other", "other", w.other);
  out.total_s = out.step_s;
  if (m.run.goodput) {
    out.has_failures = true;
    out.total_s = out.step_s / *m.run.goodput;
    add("failures", "failures, checkpoints, slow nodes", out.total_s - out.step_s);
  }
  return out;
}

std::vector<Lever> try_levers(const Scenario& scenario, const Metrics& metrics) {
  std::vector<Lever> out;
  if (metrics.infeasible) return out;
  const std::vector<WaterfallBar> largest = losses(step_waterfall(metrics));
  Trials trials(scenario);
  for (std::size_t i = 0; i < std::min<std::size_t>(2, largest.size()); ++i)
    add_against(largest[i].key, trials);
  constexpr std::size_t kMostRuns = 6;
  if (trials.list.size() > kMostRuns) trials.list.resize(kMostRuns);
  const double rate = metrics.step_tokens / metrics.step_time_s;
  for (Trial& trial : trials.list) {
    const bool seen = std::any_of(out.begin(), out.end(), [&](const Lever& l) {
      return l.key == trial.lever.key && l.value == trial.lever.value;
    });
    if (seen) continue;
    const StepOutcome other = step_outcome(trial.scenario);
    if (other.infeasible) continue;
    trial.lever.step_s = other.time_s;
    trial.lever.gain = other.tokens / other.time_s / rate - 1.0;
    out.push_back(trial.lever);
  }
  std::stable_sort(out.begin(), out.end(), [](const Lever& a, const Lever& b) { return a.gain > b.gain; });
  return out;
}

std::vector<std::string> bottleneck_sentences(const Metrics& m, const std::vector<Lever>& levers) {
  if (m.infeasible) return {m.infeasible->text + "."};
  const StepWaterfall w = step_waterfall(m);
  std::vector<std::string> out;
  if (const std::vector<WaterfallBar> largest = losses(w); !largest.empty()) {
    const WaterfallBar* loss = &largest.front();
    out.push_back(fmt::format("The largest loss is \"{}\": {} s, {} of the {} s that a step {}takes.",
                              loss->label, significant_text(loss->seconds),
                              percent(loss->seconds / w.total_s), significant_text(w.total_s),
                              w.has_failures ? "of the real run " : ""));
  }
  if (!levers.empty() && levers.front().gain > 0.0005) {
    const Lever& l = levers.front();
    out.push_back(fmt::format("Of the changes tried, {} ({}={}) gains most: {} more tokens per second{}.",
                              l.words, l.key, l.value, percent(l.gain),
                              l.changes_training ? ", but it changes the training" : ""));
  } else if (!levers.empty()) {
    out.push_back(fmt::format("None of the {} changes tried that fit is faster.", levers.size()));
  }
  if (std::string memory = memory_sentence(m); !memory.empty()) out.push_back(std::move(memory));
  return out;
}

}  // namespace orrery
