#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/engine/engine.hpp"
#include "sim/lower/lower.hpp"
#include "sim/schedule/schedule.hpp"
#include "tests/support/toy.hpp"

/// Workloads written down by hand, in whole microseconds on the toy cluster, and lowered without a model.
namespace orrery::test {

/// A memory-bound kernel of `us` microseconds on the toy device (1 TB/s, no overhead).
[[nodiscard]] inline Op work(const char* name, double us) {
  return {.name = name, .kind = OpKind::kCopy, .kernels = 0, .bytes = us * 1e6};
}

/// An expert exchange of `us` >= 1 microseconds inside a toy node: 1 us of latency, the rest at 100 GB/s.
[[nodiscard]] inline CommOp exchange(const char* name, double us, CommKind kind = CommKind::kDispatch) {
  return {.name = name,
          .kind = kind,
          .axis = Axis::kEp,
          .tokens = 1,
          .bytes_per_token = (us - 1) * 1e5,
          .node_copies = 1,
          .rank_copies = 1};
}

/// Times of the ten pieces of a layer, microseconds; a piece of 0 is left out.
struct Pieces {
  double attention_f = 0, dispatch_f = 0, mlp_f = 0, combine_f = 0;
  double combine_b = 0, mlp_b = 0, dispatch_b = 0, attention_b = 0;
  double mlp_w = 0, attention_w = 0;
};

[[nodiscard]] inline UnitWork unit(const Pieces& p) {
  const auto compute = [](const char* name, double us) {
    return us > 0 ? Segment{work(name, us)} : Segment{};
  };
  const auto send = [](const char* name, double us) {
    return us > 0 ? Segment{exchange(name, us)} : Segment{};
  };
  UnitWork u{.kind = UnitKind::kMoe, .name = "unit"};
  u.work = {.attention_f = compute("attention F", p.attention_f),
            .dispatch_f = send("dispatch F", p.dispatch_f),
            .mlp_f = compute("mlp F", p.mlp_f),
            .combine_f = send("combine F", p.combine_f),
            .recompute = {},
            .combine_b = send("combine B", p.combine_b),
            .mlp_b = compute("mlp B", p.mlp_b),
            .dispatch_b = send("dispatch B", p.dispatch_b),
            .attention_b = compute("attention B", p.attention_b),
            .mlp_w = compute("mlp W", p.mlp_w),
            .attention_w = compute("attention W", p.attention_w)};
  return u;
}

/// A layer of `forward`, `backward_input` and `weight` microseconds of compute and nothing else.
[[nodiscard]] inline UnitWork plain_unit(double forward, double backward_input, double weight) {
  return unit({.attention_f = forward, .attention_b = backward_input, .attention_w = weight});
}

/// Everything lower() needs, around a workload. Stage s holds unit s unless `stages` says otherwise.
class HandMade {
 public:
  Layout layout;
  std::int64_t gpus = 0;
  ClusterProfile cluster = toy_cluster();
  Workload workload;
  double optimizer_bytes_per_param = 10;
  bool tail = false;

  /// `pp` ranks of 8 GPUs, one node each, experts spread over the node; messages of `message_us` >= 1.
  HandMade(std::int64_t pp, std::vector<UnitWork> units, double message_us = 1) {
    layout.pp = pp;
    layout.ep = 8;
    gpus = 8 * pp;
    workload.units = std::move(units);
    workload.boundary_bytes = (message_us - 1) * 1e5;
    for (std::size_t s = 0; s < workload.units.size(); ++s) {
      workload.stages.push_back({.units = {s}, .first_layer = static_cast<std::int64_t>(s), .layers = 1});
    }
  }
  HandMade(const HandMade&) = delete;
  HandMade& operator=(const HandMade&) = delete;

  StepTemplates& templates() {
    if (!templates_) {
      ranks_.emplace(layout, gpus, cluster.gpus_per_node);
      templates_.emplace(workload, *ranks_, cluster, 10, data_parallel_plan(layout));
    }
    return *templates_;
  }
  LoweredStep lower(const Schedule& schedule) {
    StepTemplates& made = templates();
    const Derived derived = derive(layout, {.global_batch_size = 1, .sequence_length = 1}, gpus);
    return orrery::lower({.workload = workload,
                          .schedule = schedule,
                          .layout = layout,
                          .derived = derived,
                          .ranks = *ranks_,
                          .cluster = cluster,
                          .templates = made,
                          .optimizer_bytes_per_param = optimizer_bytes_per_param,
                          .tail = tail});
  }

 private:
  std::optional<RankMap> ranks_;
  std::optional<StepTemplates> templates_;
};

/// One rank that runs `steps` one after the other; `stages` of them, microbatches 0 .. `microbatches` - 1.
[[nodiscard]] inline Schedule one_rank(std::vector<Step> steps, int stages = 1, int microbatches = 2) {
  Schedule s;
  s.name = "by hand";
  s.stages = stages;
  s.microbatches = microbatches;
  s.ranks.push_back(std::move(steps));
  s.owner.assign(static_cast<std::size_t>(stages * microbatches), RankId{0});
  return s;
}

[[nodiscard]] inline Action act(ActionKind kind, int stage, int microbatch) {
  return {.kind = kind, .stage = StageId{stage}, .microbatch = MicrobatchId{microbatch}};
}

inline constexpr std::int64_t kMicrosecond = 1'000'000;  ///< in picoseconds

/// Microseconds, exact for whole numbers of picoseconds.
[[nodiscard]] inline double us(SimTime t) {
  return static_cast<double>(t.ps) / static_cast<double>(kMicrosecond);
}

}  // namespace orrery::test
