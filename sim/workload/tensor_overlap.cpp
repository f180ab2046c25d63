#include "sim/workload/tensor_overlap.hpp"

#include <algorithm>
#include <utility>

#include "sim/workload/op_builder.hpp"

namespace orrery {
namespace {

using Place = std::ptrdiff_t;

const CommOp* tensor_comm(const WorkItem& item, CommKind kind) {
  const auto* comm = std::get_if<CommOp>(&item);
  return comm != nullptr && comm->axis == Axis::kTp && comm->kind == kind ? comm : nullptr;
}

bool is_kind(const WorkItem& item, OpKind kind) {
  const auto* op = std::get_if<Op>(&item);
  return op != nullptr && op->kind == kind;
}

bool reduces(const WorkItem& item) {
  return tensor_comm(item, CommKind::kReduceScatter) != nullptr ||
         tensor_comm(item, CommKind::kAllReduce) != nullptr;
}

/// Place of the reduction of the piece's input gradient; -1: none.
Place input_reduction(const Segment& backward) {
  const auto last = std::find_if(backward.rbegin(), backward.rend(), reduces);
  return last == backward.rend() ? -1 : backward.rend() - last - 1;
}

double gathered_byte(const BlockContext& c) {
  return fp8_recipe(c.precision) == Fp8Recipe::kTensor ? element_bytes(c.precision) : 2.0;
}

/// The whole input of the piece's first product again, for its weight gradient.
void gather_input_again(const BlockContext& c, Segment& backward, Segment& weights) {
  const Place reduction = input_reduction(backward);
  if (reduction < 0 || weights.empty()) return;
  const bool beside = c.layout.tp_overlap != TensorOverlap::kNone;
  Segment gather;
  tensor_gather(gather, c, "gather input again", beside ? Beside::kForWeights : Beside::kNothing,
                gathered_byte(c));
  if (!beside) {
    weights.insert(weights.begin(), gather.begin(), gather.end());
    return;
  }
  Place product = reduction;
  while (product > 0 && !is_kind(backward[static_cast<std::size_t>(product)], OpKind::kGemm)) --product;
  backward.insert(backward.begin() + product, gather.begin(), gather.end());
}

/// A gather and the cast behind it, the other way round: the rank casts its own rows. What reads and writes
/// once more afterwards, to have the gathered values by columns, too, is part of the weight gradients.
void cast_before_gather(const BlockContext& c, const char* name, Segment& segment, Segment& weights) {
  for (std::size_t i = 0; i + 1 < segment.size(); ++i) {
    if (tensor_comm(segment[i], CommKind::kAllGather) == nullptr) continue;
    if (!is_kind(segment[i + 1], OpKind::kQuantize)) continue;
    Op cast = std::get<Op>(segment[i + 1]);
    CommOp gather = std::get<CommOp>(segment[i]);
    const double values = cast.bytes / kCastTransposeBytes;
    cast.bytes = values / static_cast<double>(c.layout.tp) * (2.0 + element_bytes(c.precision));
    gather.bytes = values * element_bytes(c.precision);
    segment[i] = cast;
    segment[i + 1] = gather;
    weights.insert(weights.begin(),
                   memory_op(name, OpKind::kQuantize, 2.0 * values * element_bytes(c.precision)));
  }
}

/// `repeats` of the tp pieces of a product.
Op pieces(const Op& product, std::int64_t tp, std::int64_t repeats, Beside beside) {
  Op part = gemm_op(product.name, product.kind, product.precision, 1, product.m / tp, product.n, product.k);
  part.recompute = product.recompute;
  part.beside = beside;
  part.repeats = repeats;
  const auto times = static_cast<double>(repeats);
  part.flops *= times;
  part.bytes *= times;
  part.output_bytes *= times;
  return part;
}

bool can_cut(const WorkItem& item, std::int64_t tp) {
  return is_kind(item, OpKind::kGemm) && std::get<Op>(item).m % tp == 0 && std::get<Op>(item).repeats == 1;
}

void cut_products(std::int64_t tp, bool reductions, Segment& segment) {
  Segment out;
  for (std::size_t i = 0; i < segment.size(); ++i) {
    const bool more = i + 1 < segment.size();
    if (more && tensor_comm(segment[i], CommKind::kAllGather) != nullptr && can_cut(segment[i + 1], tp) &&
        std::get<CommOp>(segment[i]).beside == Beside::kNothing) {
      CommOp gather = std::get<CommOp>(segment[i]);
      gather.beside = Beside::kNextProduct;
      const Op product = std::get<Op>(segment[++i]);
      out.emplace_back(gather);
      out.emplace_back(pieces(product, tp, tp - 1, Beside::kNothing));
      out.emplace_back(pieces(product, tp, 1, Beside::kLastPart));
    } else if (more && reductions && can_cut(segment[i], tp) &&
               tensor_comm(segment[i + 1], CommKind::kReduceScatter) != nullptr) {
      const Op product = std::get<Op>(segment[i]);
      CommOp reduction = std::get<CommOp>(segment[++i]);
      reduction.beside = Beside::kPreviousProduct;
      out.emplace_back(pieces(product, tp, 1, Beside::kFirstPart));
      out.emplace_back(pieces(product, tp, tp - 1, Beside::kNothing));
      out.emplace_back(reduction);
    } else {
      out.push_back(segment[i]);
    }
  }
  segment = std::move(out);
}

}  // namespace

void overlap_tensor_parallel(const BlockContext& c, CutProducts cut, LayerWork& work) {
  if (c.layout.tp == 1) return;
  const std::pair<Segment*, Segment*> backwards[] = {{&work.mlp_b, &work.mlp_w},
                                                     {&work.attention_b, &work.attention_w}};
  if (c.layout.sequence_parallel) {
    if (fp8_recipe(c.precision) == Fp8Recipe::kTensor) {
      cast_before_gather(c, "transpose gathered input", work.attention_f, work.attention_w);
      cast_before_gather(c, "transpose gathered input", work.mlp_f, work.mlp_w);
      for (const auto& [backward, weights] : backwards)
        cast_before_gather(c, "transpose gathered gradient", *backward, *weights);
    }
    for (const auto& [backward, weights] : backwards) gather_input_again(c, *backward, *weights);
  }
  if (c.layout.tp_overlap == TensorOverlap::kNone) return;
  for (const auto& [backward, weights] : backwards) {
    const Place reduction = input_reduction(*backward);
    if (reduction < 0 || weights->empty()) continue;
    std::get<CommOp>((*backward)[static_cast<std::size_t>(reduction)]).beside = Beside::kWeightProducts;
  }
  if (c.layout.tp_overlap != TensorOverlap::kProducts || cut == CutProducts::kNo) return;
  if (!c.layout.sequence_parallel) return;
  for (Segment* forward : {&work.attention_f, &work.mlp_f}) cut_products(c.layout.tp, true, *forward);
  for (const auto& [backward, weights] : backwards) cut_products(c.layout.tp, false, *backward);
}

}  // namespace orrery
