#include "sim/workload/op_builder.hpp"

// Embedding, output head with loss, and the projection in front of a multi-token-prediction module. All but
// the MTP projection stay in BF16 (arXiv 2412.19437, 3.3.1).

namespace orrery {
namespace {

constexpr LinearNames kJoin{"mtp projection", "mtp projection input grad", "mtp projection weight grad",
                            "quantise mtp projection"};

// Passes of an unfused cross-entropy over FP32 logits, as torch.nn.functional.cross_entropy runs it, in bytes
// per logit. Forward: to FP32 (2 read, 4 written), log-softmax (three reads of a row that no cache holds, one
// write). Backward: zero-filled gradient of the chosen classes (4), log-softmax (both operands twice, one
// write: 20), to BF16 (4 + 2).
constexpr LossBytes kTorchLoss{.forward = 2 + 4 + 3 * 4 + 4, .backward = 4 + 20 + 6, .kept = 4, .working = 6};
// A fused one as Transformer Engine's, over BF16 logits: maximum and sum (2 read), gradient in their place (2
// read, 2 written), and backward times the gradient of the loss (2 + 2).
constexpr LossBytes kFusedLoss{.forward = 2 + 2 + 2, .backward = 2 + 2, .kept = 2, .working = 0};

double area(std::int64_t m, std::int64_t width, double bytes) {
  return static_cast<double>(m) * static_cast<double>(width) * bytes;
}

}  // namespace

LayerWork embedding_work(const BlockContext& c) {
  LayerWork work;
  work.attention_f.emplace_back(
      memory_op("embedding lookup", OpKind::kEmbedding, area(c.norm_tokens, c.model.hidden, 4.0)));
  tensor_reduce(work.attention_f, c, "reduce embedding");  // each tp rank has a part of the vocabulary
  if (c.model.embedding_norm)
    work.attention_f.emplace_back(norm_forward("embedding norm", c.norm_tokens, c.model.hidden));
  tensor_gather(work.attention_w, c, "gather embedding gradient");
  work.attention_w.emplace_back(
      memory_op("embedding gradient", OpKind::kEmbedding, area(c.norm_tokens, c.model.hidden, 10.0)));
  return work;
}

LayerWork head_work(const BlockContext& c) {
  const std::int64_t h = c.model.hidden;
  const std::int64_t vocab = (c.model.vocab + c.layout.tp - 1) / c.layout.tp;  // padded, as launchers do
  LayerWork work;
  Segment& fwd = work.mlp_f;
  fwd.emplace_back(norm_forward("final norm", c.norm_tokens, h));
  tensor_gather(fwd, c, "gather head input");
  fwd.emplace_back(gemm_op("output head", OpKind::kGemm, Precision::kBf16, 1, c.tokens, vocab, h));
  const LossBytes loss = loss_bytes(c.loss);
  const bool fused = c.loss == LossKernel::kFused;
  fwd.emplace_back(
      memory_op("softmax and loss", OpKind::kLoss, area(c.tokens, vocab, loss.forward), fused ? 2 : 3));

  Segment& in = work.mlp_b;
  in.emplace_back(
      memory_op("loss gradient", OpKind::kLoss, area(c.tokens, vocab, loss.backward), fused ? 1 : 3));
  in.emplace_back(gemm_op("output head input grad", OpKind::kGemm, Precision::kBf16, 1, c.tokens, h, vocab));
  tensor_reduce(in, c, "reduce head input gradient");
  in.emplace_back(norm_backward("final norm backward", c.norm_tokens, h));
  work.mlp_w.emplace_back(gemm_op("output head weight grad", OpKind::kWeightGemm, Precision::kBf16, 1, vocab,
                                  h, c.tokens, c.gradient_bytes));
  return work;
}

LossBytes loss_bytes(LossKernel kernel) {
  return kernel == LossKernel::kFused ? kFusedLoss : kTorchLoss;
}

void add_mtp_projection(const BlockContext& c, LayerWork& work) {
  const std::int64_t h = c.model.hidden;
  Segment& fwd = work.attention_f;
  fwd.emplace_back(memory_op("embedding lookup", OpKind::kEmbedding, area(c.norm_tokens, h, 4.0)));
  fwd.emplace_back(norm_forward("mtp norms", c.norm_tokens, 2 * h));
  fwd.emplace_back(memory_op("join hidden and embedding", OpKind::kCopy, area(c.norm_tokens, 2 * h, 4.0)));
  linear_forward(fwd, c, kJoin, c.norm_tokens, h, 2 * h);
  Segment& in = work.attention_b;
  linear_input_grad(in, c, kJoin, c.norm_tokens, h, 2 * h);
  in.emplace_back(norm_backward("mtp norms backward", c.norm_tokens, 2 * h));
  linear_weight_grad(work.attention_w, c, kJoin, c.norm_tokens, h, 2 * h);
}

void add_full_recompute(LayerWork& work) {
  const auto append = [&](const Segment& from) {
    for (WorkItem item : from) {
      std::visit([](auto& x) { x.recompute = true; }, item);
      work.recompute.push_back(item);
    }
  };
  append(work.attention_f);
  append(work.dispatch_f);
  append(work.mlp_f);
  // The combine and what follows it are not needed for any gradient.
}

}  // namespace orrery
