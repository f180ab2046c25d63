#include <algorithm>
#include <cmath>

#include "calibrate/probe/cuda/cudnn_attention.hpp"
#include "calibrate/probe/cuda/kernels.hpp"
#include "calibrate/probe/cuda/workload.hpp"

namespace orrery {
namespace {

constexpr int kV = 128;

/// Causal attention, forward or backward, with head dimensions (192, 128) or (128, 128).
class Attention : public ProbeCase {
 public:
  Attention(bool backward, const Case& what, Device& device)
      : backward_(backward),
        device_(device),
        seed_(device.fresh_seed()),
        sequences_(static_cast<int>(size_of(what.shape, "sequences"))),
        qk_(static_cast<int>(size_of(what.shape, "qk_dim"))) {
    g_.sequence = static_cast<int>(size_of(what.shape, "sequence"));
    g_.heads = static_cast<int>(size_of(what.shape, "heads"));
    g_.kv_heads = static_cast<int>(size_of(what.shape, "kv_heads"));
    g_.scale = 1 / std::sqrt(static_cast<float>(qk_));
    wgmma_ = what.name == "own wgmma";
    if (wgmma_ && device.compute != 90) unsupported("wgmma is for compute capability 9.0");
    if (wgmma_ && backward) unsupported("the backward kernel uses mma.sync");
    const bool by_cudnn = what.name == "cudnn";
    if (by_cudnn && backward) unsupported("cuDNN's backward needs a composed graph that is not written here");
    if (!by_cudnn && !wgmma_ && what.name != "own") unsupported("expected own, own wgmma or cudnn");
    two_stages_ = shared_bytes_of_attention_forward(qk_, true) <= device.shared_bytes;
    const int needed = std::max(shared_bytes_of_attention_forward(qk_, two_stages_),
                                backward ? shared_bytes_of_attention_backward(qk_) : 0);
    const int wanted = by_cudnn ? 0 : wgmma_ ? shared_bytes_of_attention_hopper(qk_) : needed;
    if (wanted > device.shared_bytes)
      unsupported("needs " + std::to_string(wanted) + " bytes of shared memory, the device has " +
                  std::to_string(device.shared_bytes));
    const std::int64_t rows = std::int64_t{sequences_} * g_.sequence;
    q_ = filled(rows * g_.heads * qk_, seed_);
    k_ = filled(rows * g_.kv_heads * qk_, seed_ + 1);
    v_ = filled(rows * g_.kv_heads * kV, seed_ + 2);
    out_ = Buffer(rows * g_.heads * kV * 2);
    lse_ = Buffer(rows * g_.heads * 4);
    out_.poison(device.stream);
    lse_.poison(device.stream);
    g_.q = q_.as<std::uint16_t>();
    g_.k = k_.as<std::uint16_t>();
    g_.v = v_.as<std::uint16_t>();
    g_.out = out_.as<std::uint16_t>();
    g_.lse = lse_.as<float>();
    if (by_cudnn) cudnn_ = make_cudnn_attention(g_, qk_, sequences_);
    if (!backward) return;
    d_out_ = filled(rows * g_.heads * kV, seed_ + 3);
    delta_ = Buffer(rows * g_.heads * 4);
    d_q_ = Buffer(rows * g_.heads * qk_ * 4);
    d_k_ = Buffer(rows * g_.heads * qk_ * 2);
    d_v_ = Buffer(rows * g_.heads * kV * 2);
    d_k_.poison(device.stream);
    d_v_.poison(device.stream);
    g_.d_out = d_out_.as<std::uint16_t>();
    g_.d_q = d_q_.as<float>();
    g_.d_k = d_k_.as<std::uint16_t>();
    g_.d_v = d_v_.as<std::uint16_t>();
  }

  std::optional<Verified> verify() override {
    check(forward(device_.stream), "attention");
    if (backward_) launch(device_.stream);
    Distance distance;
    // The first and the last queries of the first and the last head, and one between.
    for (const int query : {0, 1, g_.sequence / 2, g_.sequence - 1}) {
      for (const int head : {0, g_.heads - 1}) {
        if (backward_) {
          check_query_gradient(sequences_ - 1, head, query, distance);
        } else {
          check_output(sequences_ - 1, head, query, distance);
        }
      }
    }
    if (backward_) {
      // Gradients of late keys: only the queries after them count, so that the reference stays small.
      for (const int back : {1, 20, 63}) {
        if (back <= g_.sequence)
          check_key_gradients(sequences_ - 1, g_.heads - 1, g_.sequence - back, distance);
      }
    }
    return Verified{.error = distance.value(), .limit = backward_ ? 1.5e-2 : 8e-3};
  }

  void launch(cudaStream_t stream) override {
    if (!backward_) {
      check(forward(stream), "attention");
      return;
    }
    check(cudaMemsetAsync(d_q_.data(), 0, static_cast<std::size_t>(d_q_.bytes()), stream), "zero");
    check(launch_attention_backward(g_, qk_, sequences_, delta_.as<float>(), stream), "attention backward");
  }
  std::string note() const override {
    return backward_ ? "mma.sync; with zeroing of dQ and delta; dK and dV of every query head; dQ in fp32 by "
                       "atomic additions"
           : cudnn_  ? cudnn_->note()
           : wgmma_  ? "wgmma"
                     : "mma.sync";
  }

 private:
  cudaError_t forward(cudaStream_t stream) {
    if (cudnn_) {
      cudnn_->run(g_, stream);
      return cudaSuccess;
    }
    return wgmma_ ? launch_attention_hopper(g_, qk_, sequences_, stream)
                  : launch_attention_forward(g_, qk_, sequences_, two_stages_, stream);
  }
  [[nodiscard]] Buffer filled(std::int64_t count, std::uint32_t seed) {
    Buffer out(count * 2);
    check(launch_fill(Fill::kBf16, out.data(), count, seed, device_.stream), "fill");
    return out;
  }
  /// Row of operand number `which` (0 q, 1 k, 2 v, 3 gradient of out), as doubles.
  [[nodiscard]] std::vector<double> row(std::uint32_t which, int batch, int token, int head, int heads,
                                        int width) const {
    const std::int64_t first = ((std::int64_t{batch} * g_.sequence + token) * heads + head) * width;
    std::vector<double> out(static_cast<std::size_t>(width));
    for (int d = 0; d < width; ++d)
      out[static_cast<std::size_t>(d)] = static_cast<double>(
          round_to_bf16(random_normal(seed_ + which, static_cast<std::uint64_t>(first + d))));
    return out;
  }
  [[nodiscard]] static double dot(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
  }
  [[nodiscard]] int kv_head(int head) const { return head / (g_.heads / g_.kv_heads); }

  /// One query with everything that its reference needs.
  struct Query {
    std::vector<double> p;    ///< probabilities of keys 0 ..
    std::vector<double> out;  ///< V
  };
  [[nodiscard]] Query reference(int batch, int head, int query) const {
    const std::vector<double> q = row(0, batch, query, head, g_.heads, qk_);
    Query found{.p = {}, .out = std::vector<double>(kV)};
    double largest = -1e300, sum = 0;
    for (int key = 0; key <= query; ++key) {
      found.p.push_back(dot(q, row(1, batch, key, kv_head(head), g_.kv_heads, qk_)) *
                        static_cast<double>(g_.scale));
      largest = std::max(largest, found.p.back());
    }
    for (double& p : found.p) sum += p = std::exp(p - largest);
    for (int key = 0; key <= query; ++key) {
      double& p = found.p[static_cast<std::size_t>(key)];
      p /= sum;
      const std::vector<double> v = row(2, batch, key, kv_head(head), g_.kv_heads, kV);
      for (std::size_t d = 0; d < v.size(); ++d) found.out[d] += p * v[d];
    }
    return found;
  }

  void check_output(int batch, int head, int query, Distance& distance) {
    const Query expected = reference(batch, head, query);
    const std::int64_t first = ((std::int64_t{batch} * g_.sequence + query) * g_.heads + head) * kV;
    const auto found = download(g_.out, first, kV, device_.stream);
    for (std::size_t d = 0; d < found.size(); ++d)
      distance.add(static_cast<double>(from_bf16(found[d])), expected.out[d]);
  }

  void check_query_gradient(int batch, int head, int query, Distance& distance) {
    const Query expected = reference(batch, head, query);
    const std::vector<double> d_out = row(3, batch, query, head, g_.heads, kV);
    const double delta = dot(expected.out, d_out);
    std::vector<double> d_q(static_cast<std::size_t>(qk_));
    for (int key = 0; key <= query; ++key) {
      const double d_p = dot(d_out, row(2, batch, key, kv_head(head), g_.kv_heads, kV));
      const double d_s =
          static_cast<double>(g_.scale) * expected.p[static_cast<std::size_t>(key)] * (d_p - delta);
      const std::vector<double> k = row(1, batch, key, kv_head(head), g_.kv_heads, qk_);
      for (std::size_t d = 0; d < d_q.size(); ++d) d_q[d] += d_s * k[d];
    }
    const std::int64_t first = ((std::int64_t{batch} * g_.sequence + query) * g_.heads + head) * qk_;
    const auto found = download(g_.d_q, first, qk_, device_.stream);
    // The first query has one key and probability 1, so its gradient is 0: nothing relative can be said of
    // it.
    for (std::size_t d = 0; d < d_q.size(); ++d) distance.add(static_cast<double>(found[d]), d_q[d]);
  }

  void check_key_gradients(int batch, int head, int key, Distance& distance) {
    std::vector<double> d_k(static_cast<std::size_t>(qk_)), d_v(kV);
    const std::vector<double> v = row(2, batch, key, kv_head(head), g_.kv_heads, kV);
    for (int query = key; query < g_.sequence; ++query) {
      const Query expected = reference(batch, head, query);
      const std::vector<double> d_out = row(3, batch, query, head, g_.heads, kV),
                                q = row(0, batch, query, head, g_.heads, qk_);
      const double p = expected.p[static_cast<std::size_t>(key)];
      const double d_s = static_cast<double>(g_.scale) * p * (dot(d_out, v) - dot(expected.out, d_out));
      for (std::size_t d = 0; d < d_k.size(); ++d) d_k[d] += d_s * q[d];
      for (std::size_t d = 0; d < d_v.size(); ++d) d_v[d] += p * d_out[d];
    }
    const std::int64_t place = (std::int64_t{batch} * g_.sequence + key) * g_.heads + head;
    const auto found_k = download(g_.d_k, place * qk_, qk_, device_.stream);
    const auto found_v = download(g_.d_v, place * kV, kV, device_.stream);
    for (std::size_t d = 0; d < d_k.size(); ++d)
      distance.add(static_cast<double>(from_bf16(found_k[d])), d_k[d]);
    for (std::size_t d = 0; d < d_v.size(); ++d)
      distance.add(static_cast<double>(from_bf16(found_v[d])), d_v[d]);
  }

  bool backward_;
  Device& device_;
  std::uint32_t seed_;
  int sequences_, qk_;
  bool two_stages_ = true;
  bool wgmma_ = false;
  std::unique_ptr<CudnnAttention> cudnn_;
  Buffer q_, k_, v_, out_, lse_, d_out_, delta_, d_q_, d_k_, d_v_;
  AttentionArguments g_;
};

}  // namespace

ProbeCasePtr make_attention(const Case& what, Device& device) {
  const std::int64_t qk = size_of(what.shape, "qk_dim"), heads = size_of(what.shape, "heads"),
                     kv = size_of(what.shape, "kv_heads");
  if (size_of(what.shape, "v_dim") != kV || (qk != 192 && qk != 128))
    unsupported("head dimensions are 192/128 or 128/128");
  if (what.dtype != "bf16") unsupported("bf16 only");
  if (heads < 1 || kv < 1 || heads % kv != 0 || size_of(what.shape, "sequence") < 2 ||
      size_of(what.shape, "sequences") < 1)
    unsupported("needs sequences, a sequence of two, and heads that kv_heads divides");
  return std::make_unique<Attention>(what.op_class.ends_with(".backward"), what, device);
}

}  // namespace orrery
