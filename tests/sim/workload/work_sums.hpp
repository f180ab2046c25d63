#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/workload/stage_work.hpp"

/// Sums over the ops of a unit.
namespace orrery::test {

inline std::vector<const Segment*> forward_pieces(const LayerWork& w) {
  return {&w.attention_f, &w.dispatch_f, &w.mlp_f, &w.combine_f};
}
inline std::vector<const Segment*> backward_pieces(const LayerWork& w) {
  return {&w.recompute, &w.combine_b, &w.mlp_b, &w.dispatch_b, &w.attention_b, &w.mlp_w, &w.attention_w};
}
inline std::vector<const Segment*> all_pieces(const LayerWork& w) {
  std::vector<const Segment*> all = forward_pieces(w);
  for (const Segment* piece : backward_pieces(w)) all.push_back(piece);
  return all;
}

inline std::vector<Op> ops_in(const std::vector<const Segment*>& pieces) {
  std::vector<Op> ops;
  for (const Segment* piece : pieces) {
    for (const WorkItem& item : *piece) {
      if (const Op* op = std::get_if<Op>(&item)) ops.push_back(*op);
    }
  }
  return ops;
}
inline std::vector<CommOp> comms_in(const std::vector<const Segment*>& pieces) {
  std::vector<CommOp> comms;
  for (const Segment* piece : pieces) {
    for (const WorkItem& item : *piece) {
      if (const CommOp* comm = std::get_if<CommOp>(&item)) comms.push_back(*comm);
    }
  }
  return comms;
}

inline bool is_linear(const Op& op) {
  return op.kind == OpKind::kGemm || op.kind == OpKind::kGroupedGemm || op.kind == OpKind::kWeightGemm ||
         op.kind == OpKind::kGroupedWeightGemm;
}
inline bool is_grouped(const Op& op) {
  return op.kind == OpKind::kGroupedGemm || op.kind == OpKind::kGroupedWeightGemm;
}
inline bool is_attention(const Op& op) {
  return op.kind == OpKind::kAttentionForward || op.kind == OpKind::kAttentionBackward;
}

inline double flops(const std::vector<Op>& ops, const std::function<bool(const Op&)>& wanted) {
  double sum = 0;
  for (const Op& op : ops) sum += wanted(op) ? op.flops : 0;
  return sum;
}

/// The op of that name; an op with m = -1 where there is none.
inline Op named(const std::vector<Op>& ops, const std::string& name) {
  for (const Op& op : ops) {
    if (name == op.name) return op;
  }
  return Op{.m = -1};
}

inline const UnitWork& unit(const Workload& w, UnitKind kind) {
  return w.units[unit_of(w, kind)];
}

/// All units of the model in order, each as often as it stands in the model (MTP and its head last).
inline std::vector<const UnitWork*> whole_model(Workload& w, const ModelSpec& model,
                                                const Training& training) {
  assign_stages(w, model, training, {model.layers});
  std::vector<const UnitWork*> row;
  for (std::size_t u : w.stages.front().units) row.push_back(&w.units[u]);
  return row;
}

}  // namespace orrery::test
