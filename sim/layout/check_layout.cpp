#include "sim/layout/check_layout.hpp"

#include <fmt/format.h>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

Infeasible no(Reason reason, std::string quantity, std::int64_t needed, std::int64_t available,
              std::string text) {
  return {reason, std::move(quantity), static_cast<double>(needed), static_cast<double>(available),
          std::move(text)};
}

/// "96 or 112": the positive multiples of `unit` around `value`.
std::string neighbours(std::int64_t value, std::int64_t unit) {
  const std::int64_t below = value / unit * unit;
  return below > 0 ? fmt::format("{} or {}", below, below + unit) : fmt::format("{}", unit);
}

Verdict check_world(const Layout& l, std::int64_t gpus) {
  const std::int64_t dense = l.tp * l.cp * l.pp;
  if (gpus % dense != 0 || gpus < dense) {
    return no(
        Reason::kWorldSize, "GPUs as a multiple of tp*cp*pp", dense, gpus,
        fmt::format("{} GPUs are not a multiple of tp*cp*pp = {}*{}*{} = {}; use {} GPUs, or another tp, cp "
                    "or pp",
                    gpus, l.tp, l.cp, l.pp, dense, neighbours(gpus, dense)));
  }
  const std::int64_t expert = l.etp * l.ep * l.pp;
  if (gpus % expert != 0 || gpus < expert) {
    return no(Reason::kExpertWorldSize, "GPUs as a multiple of etp*ep*pp", expert, gpus,
              fmt::format("{} GPUs are not a multiple of etp*ep*pp = {}*{}*{} = {}; lower ep or pp", gpus,
                          l.etp, l.ep, l.pp, expert));
  }
  if (l.dp != 0 && l.dp != gpus / dense) {
    return no(Reason::kWorldSize, "dp", l.dp, gpus / dense,
              fmt::format("dp is given as {}, but {} GPUs with tp*cp*pp = {} leave dp = {}; leave dp out or "
                          "change the GPU count to {}",
                          l.dp, gpus, dense, gpus / dense, l.dp * dense));
  }
  return {};
}

Verdict check_tensor(const ModelSpec& m, const Layout& l) {
  const auto divides = [&](std::int64_t size, std::int64_t by, const char* what) -> Verdict {
    if (size % by == 0) return {};
    return no(Reason::kTensorParallel, what, by, size,
              fmt::format("tp = {} does not divide {} = {}", by, what, size));
  };
  if (Verdict v = divides(m.heads, l.tp, "attention heads")) return v;
  if (!m.mla && m.kv_heads % l.tp != 0 && l.tp % m.kv_heads != 0) {
    return no(
        Reason::kTensorParallel, "key/value heads", l.tp, m.kv_heads,
        fmt::format("tp = {} neither divides nor is a multiple of the {} key/value heads", l.tp, m.kv_heads));
  }
  if (m.ffn > 0) {
    if (Verdict v = divides(m.ffn, l.tp, "feed-forward size")) return v;
  }
  if (m.moe) {
    if (Verdict v = divides(m.moe->expert_ffn, l.etp, "expert feed-forward size (etp)")) return v;
    if (m.moe->shared_ffn > 0) {
      if (Verdict v = divides(m.moe->shared_ffn, l.tp, "shared expert feed-forward size")) return v;
    }
  }
  return {};
}

Verdict check_experts(const ModelSpec& m, const Layout& l) {
  if (!m.moe) {
    if (l.ep == 1 && l.etp == 1) return {};
    return no(Reason::kExpertParallel, "experts", l.ep * l.etp, 1,
              fmt::format("{} is dense: it has no experts to spread over ep = {}, etp = {}; set both to 1",
                          m.name, l.ep, l.etp));
  }
  if (l.ep > m.moe->experts) {
    return no(Reason::kExpertParallel, "experts", l.ep, m.moe->experts,
              fmt::format("ep = {} exceeds the {} routed experts of {}; use at most ep = {}", l.ep,
                          m.moe->experts, m.name, m.moe->experts));
  }
  if (m.moe->experts % l.ep != 0) {
    return no(
        Reason::kExpertParallel, "experts per rank", l.ep, m.moe->experts,
        fmt::format("ep = {} does not divide the {} routed experts of {}", l.ep, m.moe->experts, m.name));
  }
  return {};
}

Verdict check_pipeline(const ModelSpec& m, const Layout& l) {
  const std::int64_t stages = l.pp * l.vpp;
  if (l.stage_layers.empty() && stages > m.layers) {
    return no(Reason::kPipeline, "layers", stages, m.layers,
              fmt::format("pp*vpp = {}*{} = {} stages exceed the {} layers of {}; use at most {} stages",
                          l.pp, l.vpp, stages, m.layers, m.name, m.layers));
  }
  if (!l.stage_layers.empty()) {
    std::int64_t sum = 0;
    for (std::int64_t n : l.stage_layers) sum += n;
    if (static_cast<std::int64_t>(l.stage_layers.size()) != stages || sum != m.layers) {
      return no(
          Reason::kPipeline, "layers in stage_layers", m.layers, sum,
          fmt::format("stage_layers lists {} stages with {} layers, but there are {} stages and {} layers",
                      l.stage_layers.size(), sum, stages, m.layers));
    }
    for (std::size_t i = 0; i < l.stage_layers.size(); ++i) {
      // The first stage has the embedding, the last the head, one may have the MTP modules; any other needs a
      // layer.
      const bool other =
          i == 0 || i + 1 == l.stage_layers.size() || static_cast<std::int64_t>(i) == l.mtp_stage;
      const std::int64_t least = other ? 0 : 1;
      if (l.stage_layers[i] >= least) continue;
      return no(Reason::kPipeline, "layers of a stage", least, l.stage_layers[i],
                fmt::format("stage_layers gives stage {} {} layers; it needs at least {}", i,
                            l.stage_layers[i], least));
    }
  }
  return {};
}

Verdict check_mtp(const ModelSpec& m, const Layout& l, const Training& t) {
  if (l.mtp_stage < 0) return {};
  const std::int64_t stages = l.pp * l.vpp;
  if (m.mtp_modules == 0 || !t.mtp) {
    return no(Reason::kPipeline, "MTP modules", 1, 0,
              fmt::format("mtp_stage = {} places MTP modules, but {}; leave mtp_stage out", l.mtp_stage,
                          t.mtp ? m.name + " has none" : "training.mtp is false"));
  }
  if (l.mtp_stage >= stages) {
    return no(
        Reason::kPipeline, "stages", l.mtp_stage + 1, stages,
        fmt::format("mtp_stage = {} exceeds the last of the {} stages, {}", l.mtp_stage, stages, stages - 1));
  }
  if (l.stage_layers.empty() && l.mtp_stage + 1 < stages) {
    return no(Reason::kPipeline, "stages with given layers", stages, 0,
              fmt::format("mtp_stage = {} is not the last stage, {}; give stage_layers too, or both by "
                          "pipeline_layout",
                          l.mtp_stage, stages - 1));
  }
  std::int64_t last_layer = 0;
  for (std::size_t i = 0; i < l.stage_layers.size(); ++i) {
    if (l.stage_layers[i] > 0) last_layer = static_cast<std::int64_t>(i);
  }
  if (l.mtp_stage >= last_layer) return {};
  return no(
      Reason::kPipeline, "stage of the MTP modules", last_layer, l.mtp_stage,
      fmt::format("mtp_stage = {} lies before stage {}, which holds the last layers that the modules need",
                  l.mtp_stage, last_layer));
}

Verdict check_batch(const Layout& l, const Training& t, std::int64_t gpus) {
  const std::int64_t dp = gpus / (l.tp * l.cp * l.pp);
  const std::int64_t unit = dp * l.microbatch_size;
  if (t.global_batch_size % unit != 0 || t.global_batch_size < unit) {
    return no(
        Reason::kBatch, "sequences as a multiple of dp*microbatch_size", unit, t.global_batch_size,
        fmt::format("the global batch of {} sequences is not a multiple of dp*microbatch_size = {}*{} "
                    "= {}; nearest: {}",
                    t.global_batch_size, dp, l.microbatch_size, unit, neighbours(t.global_batch_size, unit)));
  }
  const std::int64_t cut = l.cp * (l.cp > 1 ? 2 : 1);
  if (t.sequence_length % cut != 0) {
    return no(Reason::kContextParallel, "tokens of a sequence", cut, t.sequence_length,
              fmt::format("the sequence of {} tokens does not divide into {} balanced pieces for cp = {}",
                          t.sequence_length, cut, l.cp));
  }
  if (l.sequence_parallel && (t.sequence_length / l.cp) % l.tp != 0) {
    return no(Reason::kContextParallel, "tokens per tensor-parallel rank", l.tp, t.sequence_length / l.cp,
              fmt::format("sequence parallelism needs tp = {} to divide the {} tokens per rank", l.tp,
                          t.sequence_length / l.cp));
  }
  return {};
}

}  // namespace

Verdict check_layout(const ModelSpec& model, const Layout& layout, const Training& training,
                     std::int64_t gpus) {
  for (std::int64_t size : {layout.tp, layout.cp, layout.pp, layout.vpp, layout.ep, layout.etp,
                            layout.microbatch_size, training.sequence_length}) {
    SIM_CHECK(size >= 1, "sizes of a layout are positive; loaders refuse others");
  }
  if (Verdict v = check_experts(model, layout)) return v;
  if (Verdict v = check_tensor(model, layout)) return v;
  if (Verdict v = check_pipeline(model, layout)) return v;
  if (Verdict v = check_mtp(model, layout, training)) return v;
  if (Verdict v = check_world(layout, gpus)) return v;
  return check_batch(layout, training, gpus);
}

}  // namespace orrery
