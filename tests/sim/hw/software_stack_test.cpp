// Training programs as data: what they set, how they change a profile, how their files fail.
#include "sim/hw/software_stack.hpp"

#include <gtest/gtest.h>

#include "sim/cost/compute_cost.hpp"
#include "sim/workload/op_builder.hpp"
#include "tests/sim/hw/profile_files.hpp"
#include "tests/support/toy.hpp"

namespace orrery {
namespace {

using test::shipped_folders;

StackKernels toy_kernels(std::vector<StackKernels::Factor> factors) {
  return {.gpu = "toy",
          .attention_flops_per_s = {},
          .origin = Origin::kAssumed,
          .source = "toy",
          .date = "2025",
          .note = {},
          .kernel_time = std::move(factors)};
}

SoftwareStack toy_stack(StackKernels kernels) {
  SoftwareStack stack;
  stack.name = "toy-stack";
  stack.gpus.push_back(std::move(kernels));
  return stack;
}

double seconds(const Op& op, const GpuProfile& gpu) {
  return op_cost(op, gpu, 10).alone.value;
}

TEST(SoftwareStack, EveryShippedOneLoadsAndNamesGpusThatExist) {
  const std::vector<std::string> gpus = list_profiles("gpu", shipped_folders());
  const std::vector<std::string> names = list_profiles("stack", shipped_folders());
  EXPECT_GE(names.size(), 6U);
  for (const std::string& name : names) {
    const SoftwareStack stack = load_stack(name, shipped_folders());
    EXPECT_EQ(stack.name, name);
    EXPECT_FALSE(stack.about.empty());
    for (const StackKernels& k : stack.gpus)
      EXPECT_NE(std::find(gpus.begin(), gpus.end(), k.gpu), gpus.end()) << name << " " << k.gpu;
  }
}

TEST(SoftwareStack, ATypingErrorIsAnsweredWithTheNearestName) {
  const std::string text = test::input_error([] { (void)load_stack("megatron-2012", shipped_folders()); });
  EXPECT_NE(text.find("found 'megatron-2012'"), std::string::npos) << text;
  EXPECT_NE(text.find("megatron-2021"), std::string::npos) << text;
}

TEST(SoftwareStack, AFactorOutsideItsRangeIsNamedWithItsPlace) {
  const test::ScratchProfiles scratch;
  Json json = test::shipped_json("stack", "megatron-2026");
  json["gpus"][0]["kernel_time"][1]["factor"]["value"] = 0;
  std::filesystem::create_directories(scratch.folders().roots[0] / "stack");
  (void)scratch.write("stack", "changed", json.dump());
  const std::string text = test::input_error([&] { (void)load_stack("changed", scratch.folders()); });
  EXPECT_NE(text.find("#/gpus/0/kernel_time/1/factor/value"), std::string::npos) << text;
  EXPECT_NE(text.find("found 0, expected 0.1 to 10"), std::string::npos) << text;
}

TEST(SoftwareStack, WithoutANameItChangesNothing) {
  GpuProfile gpu = test::toy_gpu();
  SoftwareStack stack = toy_stack(toy_kernels({{.op_class = "", .factor = test::toy_number(2)}}));
  stack.name.clear();
  apply_stack(gpu, stack);
  EXPECT_EQ(to_json_text(gpu), to_json_text(test::toy_gpu()));
}

TEST(SoftwareStack, AnotherGpuKeepsItsKernelsAndGetsTheHost) {
  GpuProfile gpu = test::toy_gpu();
  gpu.name = "other";
  SoftwareStack stack = toy_stack(toy_kernels({{.op_class = "", .factor = test::toy_number(2)}}));
  stack.host_launch_s = test::toy_number(7e-5);
  apply_stack(gpu, stack);
  EXPECT_EQ(gpu.host_launch_s.value, 7e-5);
  EXPECT_EQ(gpu.find("gemm.bf16")->flops_per_s, test::toy_gpu().find("gemm.bf16")->flops_per_s);
}

TEST(SoftwareStack, AFactorOnTimeMakesKernelsOfItsClassesThatMuchSlower) {
  const GpuProfile before = test::toy_gpu();
  GpuProfile after = before;
  apply_stack(after, toy_stack(toy_kernels({{.op_class = "", .factor = test::toy_number(1.5)},
                                            {.op_class = "gemm.", .factor = test::toy_number(2)}})));
  // Compute bound, so that the rate of the memory, which no software changes, sets no floor.
  const Op gemm = gemm_op("", OpKind::kGemm, Precision::kBf16, 1, 1000, 1000, 100'000);
  EXPECT_NEAR(seconds(gemm, after), 2 * seconds(gemm, before), 1e-12);
  const Op norm = memory_op("", OpKind::kNorm, 1e9);
  EXPECT_NEAR(seconds(norm, after), 1.5 * seconds(norm, before), 1e-12);
}

TEST(SoftwareStack, ItsAttentionRateHoldsForwardAndBackward) {
  GpuProfile gpu = test::toy_gpu();
  StackKernels kernels = toy_kernels({});
  kernels.attention_flops_per_s = Curve({{1024, 2e12}});
  apply_stack(gpu, toy_stack(kernels));
  for (const OpKind kind : {OpKind::kAttentionForward, OpKind::kAttentionBackward}) {
    const Op op{.kind = kind, .sequence = 1024, .flops = 4e12};
    EXPECT_NEAR(seconds(op, gpu), 2.0, 1e-9);
  }
  const Op latent{.kind = OpKind::kAttentionForward, .mla = true, .sequence = 1024, .flops = 4e12};
  EXPECT_NEAR(seconds(latent, gpu), 4.0, 1e-9);  // multi-head latent attention keeps the profile's
}

}  // namespace
}  // namespace orrery
