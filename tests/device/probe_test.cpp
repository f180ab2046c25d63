// Every probe on the GPU of this machine: small cases, whose results are compared with references before they
// are timed. With ORRERY_IN_PROCESS set they run in this process instead of one of their own, for
// compute-sanitizer and profilers, which do not follow it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <ostream>
#include <string>

#include "calibrate/probe/isolated_probe.hpp"

namespace orrery {

/// For the names of the tests.
static void PrintTo(const Case& what, std::ostream* out) {
  *out << to_text(what);
}

namespace {

Shape attention(std::int64_t heads, std::int64_t kv_heads, std::int64_t sequence, std::int64_t qk) {
  return {{"sequences", 2},       {"heads", heads}, {"kv_heads", kv_heads},
          {"sequence", sequence}, {"qk_dim", qk},   {"v_dim", 128}};
}
Shape product(std::int64_t m, std::int64_t n, std::int64_t k) {
  return {{"m", m}, {"n", n}, {"k", k}};
}
Shape grouped(std::int64_t groups, Shape shape, std::int64_t uneven) {
  shape["groups"] = groups;
  shape["uneven"] = uneven;
  return shape;
}

class OnTheGpu : public ::testing::TestWithParam<Case> {
 protected:
  static void SetUpTestSuite() {
    if (std::getenv("ORRERY_IN_PROCESS") != nullptr) {
      ProbeOrReason made = make_cuda_probe(0, 1);
      probe_ = made.probe.release();
      reason_ = new std::string(made.reason);
      return;
    }
    auto* isolated = new IsolatedProbe([] { return make_cuda_probe(0, 1); }, {.start_s = 120, .case_s = 60});
    probe_ = isolated;
    reason_ = new std::string(isolated->start());
  }
  static void TearDownTestSuite() {
    delete probe_;
    delete reason_;
  }
  static Probe* probe_;
  static std::string* reason_;
};
Probe* OnTheGpu::probe_ = nullptr;
std::string* OnTheGpu::reason_ = nullptr;

TEST_P(OnTheGpu, IsRightAndTimed) {
  if (!reason_->empty()) GTEST_SKIP() << *reason_;
  const Answer answer =
      probe_->run(GetParam(), {.max_samples = 10, .max_seconds = 0.05, .sustained_seconds = 0.2});
  if (const auto* failure = std::get_if<Failure>(&answer)) {
    if (failure->kind == FailureClass::kUnsupported) GTEST_SKIP() << failure->message;
    FAIL() << to_text(GetParam()) << ": " << to_text(failure->kind) << ": " << failure->message;
  }
  const auto& samples = std::get<Samples>(answer);
  EXPECT_GT(median_seconds(samples), 0);
  if (samples.error) {
    EXPECT_LE(*samples.error, *samples.error_limit);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, OnTheGpu,
    ::testing::Values(
        Case{.op_class = "bandwidth.hbm", .name = "read", .shape = {{"bytes", 1 << 26}}},
        Case{.op_class = "bandwidth.hbm", .name = "write", .shape = {{"bytes", 1 << 26}}},
        Case{.op_class = "bandwidth.hbm", .name = "copy", .shape = {{"bytes", 1 << 26}}, .cold_l2 = true},
        Case{.op_class = "bandwidth.hbm", .name = "copy", .shape = {{"bytes", 1 << 28}}, .sustained = true},
        Case{.op_class = "launch", .name = "stream", .shape = {{"kernels", 100}}},
        Case{.op_class = "launch", .name = "graph", .shape = {{"kernels", 100}}},
        Case{.op_class = "launch", .name = "host call", .shape = {{"kernels", 100}}},
        Case{.op_class = "copy.host-to-device", .name = "pinned", .shape = {{"bytes", 1 << 20}}},
        Case{.op_class = "copy.device-to-host", .name = "pinned", .shape = {{"bytes", 1 << 20}}},
        Case{.op_class = "memory.norm",
             .name = "own rmsnorm",
             .shape = {{"rows", 64}, {"width", 7168}},
             .dtype = "bf16"},
        Case{.op_class = "memory.quantize",
             .name = "own quantise 1x128",
             .shape = {{"rows", 65}, {"width", 7168}},
             .dtype = "bf16"},
        Case{.op_class = "memory.quantize",
             .name = "own cast and transpose",
             .shape = {{"rows", 256}, {"width", 7168}},
             .dtype = "bf16"},
        Case{.op_class = "memory.activation",
             .name = "own swiglu",
             .shape = {{"rows", 64}, {"width", 2048}},
             .dtype = "bf16"},
        Case{.op_class = "memory.rotary",
             .name = "own rotary",
             .shape = {{"rows", 64}, {"width", 8192}},
             .dtype = "bf16"},
        Case{.op_class = "memory.permute",
             .name = "own permute rows",
             .shape = {{"rows", 64}, {"width", 7168}},
             .dtype = "bf16"},
        Case{.op_class = "memory.copy",
             .name = "own residual add",
             .shape = {{"rows", 64}, {"width", 7168}},
             .dtype = "bf16"},
        Case{.op_class = "dispatch",
             .name = "own local part",
             .shape = {{"tokens", 512}, {"hidden", 7168}, {"top_k", 8}, {"sms", 8}},
             .dtype = "bf16"},
        Case{.op_class = "combine",
             .name = "own local part",
             .shape = {{"tokens", 512}, {"hidden", 7168}, {"top_k", 8}, {"sms", 0}},
             .dtype = "bf16"},
        Case{.op_class = "attention-mla.forward",
             .name = "own",
             .shape = attention(4, 4, 1000, 192),
             .dtype = "bf16"},
        Case{.op_class = "attention-mla.forward",
             .name = "own wgmma",
             .shape = attention(4, 4, 1000, 192),
             .dtype = "bf16"},
        Case{.op_class = "attention.forward",
             .name = "own wgmma",
             .shape = attention(8, 2, 1024, 128),
             .dtype = "bf16"},
        Case{.op_class = "attention-mla.forward",
             .name = "cudnn",
             .shape = attention(4, 4, 1000, 192),
             .dtype = "bf16"},
        Case{.op_class = "attention.forward",
             .name = "cudnn",
             .shape = attention(8, 2, 1024, 128),
             .dtype = "bf16"},
        Case{.op_class = "attention-mla.backward",
             .name = "own",
             .shape = attention(4, 4, 1000, 192),
             .dtype = "bf16"},
        Case{.op_class = "attention.forward",
             .name = "own",
             .shape = attention(8, 2, 1024, 128),
             .dtype = "bf16"},
        Case{.op_class = "attention.backward",
             .name = "own",
             .shape = attention(8, 2, 1024, 128),
             .dtype = "bf16"},
        Case{.op_class = "attention-mla.decode",
             .name = "own",
             .shape = {{"sequences", 3}, {"heads", 128}, {"cached", 1000}},
             .dtype = "bf16"},
        Case{.op_class = "attention-mla.decode",
             .name = "own",
             .shape = {{"sequences", 3}, {"heads", 128}, {"cached", 1000}},
             .dtype = "fp8-e4m3"},
        Case{.op_class = "attention-mla.decode",
             .name = "own wgmma",
             .shape = {{"sequences", 3}, {"heads", 128}, {"cached", 1000}},
             .dtype = "bf16"},
        Case{.op_class = "attention-mla.decode",
             .name = "own wgmma",
             .shape = {{"sequences", 3}, {"heads", 128}, {"cached", 1000}},
             .dtype = "fp8-e4m3"},
        Case{.op_class = "gemm.bf16",
             .name = "cublaslt tn",
             .shape = product(512, 768, 1024),
             .dtype = "bf16"},
        Case{.op_class = "gemm.bf16",
             .name = "cublaslt nn",
             .shape = product(512, 768, 1024),
             .dtype = "bf16"},
        Case{.op_class = "wgrad.bf16",
             .name = "cublaslt nt",
             .shape = product(512, 768, 1024),
             .dtype = "bf16"},
        Case{.op_class = "gemm.fp8-tensor",
             .name = "cublaslt tn",
             .shape = product(512, 768, 1024),
             .dtype = "fp8-e4m3"},
        Case{.op_class = "gemm.fp8-block",
             .name = "cublaslt tn",
             .shape = product(512, 768, 1152),
             .dtype = "fp8-e4m3"},
        Case{.op_class = "wgrad.fp8-block",
             .name = "cublaslt tn",
             .shape = product(512, 768, 1152),
             .dtype = "fp8-e4m3"},
        Case{.op_class = "grouped-gemm.bf16",
             .name = "cublaslt tn",
             .shape = grouped(4, product(512, 768, 1024), 150),
             .dtype = "bf16"},
        Case{.op_class = "grouped-gemm.fp8-block",
             .name = "cublaslt tn",
             .shape = grouped(4, product(512, 768, 1152), 150),
             .dtype = "fp8-e4m3"},
        Case{.op_class = "gemm.fp8-block",
             .name = "own mma.sync",
             .shape = product(520, 784, 1152),
             .dtype = "fp8-e4m3"},
        Case{.op_class = "wgrad.fp8-block",
             .name = "own mma.sync",
             .shape = product(512, 768, 1152),
             .dtype = "fp8-e4m3"},
        Case{.op_class = "grouped-gemm.fp8-block",
             .name = "own mma.sync",
             .shape = grouped(4, product(512, 768, 1152), 150),
             .dtype = "fp8-e4m3"},
        Case{.op_class = "contention.gemm.bf16",
             .name = "cublaslt tn",
             .shape = {{"m", 2048}, {"n", 2048}, {"k", 2048}, {"sms", 16}},
             .dtype = "bf16"},
        Case{.op_class = "contention.gemm.bf16",
             .name = "green cublaslt tn",
             .shape = {{"m", 2048}, {"n", 2048}, {"k", 2048}, {"sms", 16}},
             .dtype = "bf16"},
        Case{.op_class = "contention.communication",
             .name = "beside gemm",
             .shape = {{"m", 2048}, {"n", 2048}, {"k", 2048}, {"sms", 16}, {"bytes", 1 << 26}},
             .dtype = "bf16"},
        Case{.op_class = "collective.all-to-all",
             .name = "nccl send-recv",
             .shape = {{"bytes", 1 << 20}, {"gpus", 2}},
             .dtype = "bf16"},
        Case{.op_class = "collective.all-reduce",
             .name = "nccl",
             .shape = {{"bytes", 1 << 20}, {"gpus", 2}},
             .dtype = "bf16"}),
    [](const ::testing::TestParamInfo<Case>& tested) {
      std::string name;  // "gemm_fp8_block_cublaslt_tn_3"
      for (const char c : tested.param.op_class + " " + tested.param.name)
        name += (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : '_';
      return name + "_" + std::to_string(tested.index);
    });  // tests/device/first_run.sh chooses by these names

}  // namespace
}  // namespace orrery
