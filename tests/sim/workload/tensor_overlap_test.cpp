// What tensor parallelism sends, when, and which products are cut for it.
#include "sim/workload/tensor_overlap.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "sim/model/zoo.hpp"
#include "tests/sim/workload/work_sums.hpp"
#include "tests/support/toy.hpp"

namespace orrery {
namespace {

/// A dense layer of Llama 3 8B over 8 ranks with sequence parallelism.
LayerWork layer(TensorOverlap overlap, Precision precision = Precision::kBf16,
                bool sequence_parallel = true) {
  const ModelSpec llama = load_model("llama-3-8b", {}).spec;
  Layout layout;
  layout.tp = 8;
  layout.sequence_parallel = sequence_parallel;
  layout.tp_overlap = overlap;
  const Training training{.global_batch_size = 1, .sequence_length = 4096, .precision = precision};
  const Workload w = make_units({.model = llama, .layout = layout, .training = training});
  return test::unit(w, UnitKind::kDense).work;
}

std::vector<const CommOp*> gathers(const Segment& segment) {
  std::vector<const CommOp*> found;
  for (const WorkItem& item : segment) {
    const auto* comm = std::get_if<CommOp>(&item);
    if (comm != nullptr && comm->kind == CommKind::kAllGather) found.push_back(comm);
  }
  return found;
}

std::vector<std::string> names(const Segment& segment) {
  std::vector<std::string> all;
  for (const WorkItem& item : segment)
    all.emplace_back(std::visit([](const auto& x) { return x.name; }, item));
  return all;
}

double all_flops(const LayerWork& work) {
  double sum = 0;
  for (const Op& op : test::ops_in(test::all_pieces(work))) sum += op.flops;
  return sum;
}

TEST(TensorOverlap, WithoutItTheWeightGradientsGatherTheirInputThemselves) {
  const LayerWork work = layer(TensorOverlap::kNone);
  EXPECT_EQ(names(work.mlp_w).front(), "gather input again");
  EXPECT_EQ(names(work.attention_w).front(), "gather input again");
  for (const CommOp& c : test::comms_in(test::all_pieces(work))) EXPECT_EQ(c.beside, Beside::kNothing);
}

TEST(TensorOverlap, WithWeightGradientsTheSecondGatherStartsBeforeTheInputGradient) {
  const LayerWork work = layer(TensorOverlap::kWeightGradients);
  const std::vector<std::string> backward = names(work.mlp_b);
  const auto gather = std::find(backward.begin(), backward.end(), "gather input again");
  ASSERT_NE(gather, backward.end());
  EXPECT_EQ(*(gather + 1), "gate and up input grad");
  EXPECT_EQ(*(gather + 2), "reduce mlp input gradient");
  EXPECT_TRUE(gathers(work.mlp_w).empty());
}

TEST(TensorOverlap, PerTensorFp8IsCastByItsOwnerAndGathersAByteAValue) {
  const LayerWork wide = layer(TensorOverlap::kWeightGradients);
  const LayerWork fp8 = layer(TensorOverlap::kWeightGradients, Precision::kFp8Tensor);
  for (const auto piece :
       {&LayerWork::attention_f, &LayerWork::mlp_f, &LayerWork::attention_b, &LayerWork::mlp_b}) {
    const auto a = gathers(wide.*piece), b = gathers(fp8.*piece);
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_EQ(a[i]->bytes, 2 * b[i]->bytes) << a[i]->name;
  }
  // 512 of 4,096 rows of 4,096 values: 2 bytes read, 1 written. Sums stay in BF16.
  EXPECT_EQ(test::named(test::ops_in({&fp8.mlp_f}), "quantise gate and up").bytes, 512.0 * 4096 * 3);
  for (const CommOp& c : test::comms_in(test::all_pieces(fp8))) {
    if (c.kind == CommKind::kReduceScatter) {
      EXPECT_EQ(c.bytes, 2.0 * 4096 * 4096);
    }
  }
  // By columns, for the weight gradients: input and output gradient, read and written once.
  EXPECT_EQ(test::named(test::ops_in({&fp8.mlp_w}), "transpose gathered input").bytes, 2.0 * 4096 * 4096);
  EXPECT_EQ(test::named(test::ops_in({&fp8.mlp_w}), "transpose gathered gradient").bytes, 2.0 * 4096 * 4096);
}

TEST(TensorOverlap, CutProductsAreTheSameWorkInSmallerPieces) {
  for (const Precision p : {Precision::kBf16, Precision::kFp8Tensor}) {
    const LayerWork whole = layer(TensorOverlap::kWeightGradients, p);
    const LayerWork cut = layer(TensorOverlap::kProducts, p);
    EXPECT_DOUBLE_EQ(all_flops(cut), all_flops(whole));
    // Around each of four products: qkv and gate-up behind a gather, output and down before a reduction;
    // backward the two that gather a gradient.
    std::int64_t pieces = 0, rows = 0;
    for (const Op& op : test::ops_in(test::all_pieces(cut))) {
      if (op.kind != OpKind::kGemm || op.m != 512) continue;
      ++pieces;
      rows += op.m * op.repeats;
    }
    EXPECT_EQ(pieces, 2 * 6);
    EXPECT_EQ(rows, 6 * 4096);
  }
  const std::vector<std::string> forward = names(layer(TensorOverlap::kProducts).mlp_f);
  EXPECT_EQ(forward, (std::vector<std::string>{"mlp norm", "gather mlp input", "gate and up projection",
                                               "gate and up projection", "activation", "down projection",
                                               "down projection", "reduce mlp output", "residual add"}));
}

TEST(TensorOverlap, BlockFp8IsQuantisedAfterTheGatherAndNotCut) {
  const LayerWork work = layer(TensorOverlap::kProducts, Precision::kFp8Block);
  for (const Op& op : test::ops_in({&work.mlp_f})) {
    if (std::strcmp(op.name, "gate and up projection") == 0) {
      EXPECT_EQ(op.m, 4096);
    }
  }
}

TEST(TensorOverlap, WithoutSequenceParallelismNothingIsGatheredOrCut) {
  const LayerWork work = layer(TensorOverlap::kProducts, Precision::kBf16, false);
  for (const CommOp& c : test::comms_in(test::all_pieces(work))) EXPECT_EQ(c.kind, CommKind::kAllReduce);
  for (const Op& op : test::ops_in(test::all_pieces(work))) EXPECT_EQ(op.repeats, 1);
}

TEST(TensorOverlap, OneRankHasNothingToOverlap) {
  const ModelSpec llama = load_model("llama-3-8b", {}).spec;
  Layout plain, products;
  products.tp_overlap = TensorOverlap::kProducts;
  const Training training{.global_batch_size = 1, .sequence_length = 4096};
  for (const Layout& l : {plain, products}) {
    const Workload w = make_units({.model = llama, .layout = l, .training = training});
    EXPECT_TRUE(test::comms_in(test::all_pieces(test::unit(w, UnitKind::kDense).work)).empty());
  }
}

}  // namespace
}  // namespace orrery
