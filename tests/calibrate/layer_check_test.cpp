// A whole layer: the simulator's list of kernels as cases of the probe, and its time as one sequence.
#include "calibrate/layer/layer_check.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "calibrate/probe/work.hpp"
#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"
#include "sim/model/zoo.hpp"
#include "tests/calibrate/synthetic_profile.hpp"

namespace orrery {
namespace {

ModelSpec deepseek() {
  return load_model("deepseek-v3", ".").spec;
}

const LayerKernel& named(const LayerKernels& layer, const std::string& name) {
  for (const LayerKernel& kernel : layer.kernels)
    if (name == kernel.op.name) return kernel;
  throw std::runtime_error("no kernel " + name);
}

TEST(LayerKernels, HaveTheShapesOfDeepSeekV3ByHand) {
  const LayerKernels layer = layer_kernels(deepseek(), {}, profile_of({}));
  // 128 heads of 192 from a latent of 1536; 4096 tokens.
  EXPECT_EQ(named(layer, "q_b projection").cases.front().shape,
            (Shape{{"m", 4096}, {"n", 24576}, {"k", 1536}}));
  EXPECT_EQ(named(layer, "q_b projection").cases.front().op_class, "gemm.fp8-block");
  // 4096 tokens to 8 of 256 experts, 64 ranks: 4 experts here with 4096 * 8 / 4 rows each.
  EXPECT_EQ(named(layer, "experts gate and up").cases.front().shape,
            (Shape{{"groups", 4}, {"m", 8192}, {"n", 4096}, {"k", 7168}}));
  EXPECT_EQ(named(layer, "experts down weight grad").cases.front().shape,
            (Shape{{"groups", 4}, {"m", 7168}, {"n", 2048}, {"k", 8192}}));
  EXPECT_EQ(named(layer, "attention core").cases.front().shape, (Shape{{"sequences", 1},
                                                                       {"heads", 128},
                                                                       {"kv_heads", 128},
                                                                       {"sequence", 4096},
                                                                       {"qk_dim", 192},
                                                                       {"v_dim", 128}}));
  // Both exchanges forward and both backward have their local part.
  int local = 0;
  for (const LayerKernel& kernel : layer.kernels) local += kernel.local_part ? 1 : 0;
  EXPECT_EQ(local, 4);
}

TEST(LayerKernels, TheProbeDoesTheWorkThatTheSimulatorCounts) {
  for (const char* name : {"deepseek-v3", "llama-3-8b"}) {
    for (const Precision precision : {Precision::kBf16, Precision::kFp8Block, Precision::kFp8Tensor}) {
      const ModelSpec model = load_model(name, ".").spec;
      LayerOptions options;
      options.precision = precision;
      for (const LayerKernel& kernel : layer_kernels(model, options, profile_of({})).kernels) {
        ASSERT_FALSE(kernel.cases.empty()) << kernel.op.name;
        for (const Case& what : kernel.cases) {
          const Work work = work_of(what);
          EXPECT_EQ(work.flops * kernel.repeats, kernel.op.flops) << kernel.op.name << ": " << to_text(what);
          // Rows are whole: off by half a row or half a block of 128 rows at most.
          const double off = std::abs(work.bytes * kernel.repeats - kernel.op.bytes) / kernel.op.bytes;
          EXPECT_LT(off, kernel.op.bytes > 1e6 * kernel.repeats ? 0.01 : 0.25)
              << kernel.op.name << ": " << to_text(what) << ", " << work.bytes << " for " << kernel.op.bytes;
        }
      }
    }
  }
}

TEST(LayerKernels, ExpertsThatDoNotDivideAreRefused) {
  LayerOptions options;
  options.ep = 7;
  EXPECT_THROW((void)layer_kernels(deepseek(), options, profile_of({})), InputError);
}

TEST(MemoryCase, TakesTheWidestRowsThatGiveTheBytes) {
  // RMS norm moves 4 bytes an element. 100 rows of 1536 are 21.4 rows of 7168, 37.5 of 4096 and 75 of 2048;
  // 4096 rows of 1536 are 877.7 of 7168, which 878 hit within 0.1 %.
  EXPECT_EQ(memory_case("memory.norm", "own rmsnorm", 4.0 * 100 * 1536, 1).shape,
            (Shape{{"rows", 75}, {"width", 2048}}));
  EXPECT_EQ(memory_case("memory.norm", "own rmsnorm", 4.0 * 4096 * 1536, 1).shape,
            (Shape{{"rows", 878}, {"width", 7168}}));
  EXPECT_EQ(memory_case("memory.norm", "own rmsnorm", 4.0 * 4096 * 7168, 1).shape,
            (Shape{{"rows", 4096}, {"width", 7168}}));
}

class LayerCheck : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ("layer_" + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    options_.profile = (folder_ / "gpu.json").string();
    write_file(options_.profile, to_json_text(profile_of(device_)));
    measure_.output = folder_ / "layer.csv";
    measure_.effort = {.relative_error = 0.002,
                       .min_samples = 5,
                       .max_samples = 60,
                       .max_seconds = 10,
                       .sustained_seconds = 0};
    measure_.patience = {.start_s = 20, .case_s = 2, .step_s = 0.01};
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  int check(const SyntheticDevice& device, const SyntheticFaults& faults = {}) {
    out_.str("");
    return run_layer_check(
        options_, measure_,
        [&] {
          return ProbeOrReason{.probe = std::make_unique<SyntheticProbe>(device, 1, faults), .reason = {}};
        },
        out_, progress_);
  }
  /// Error in per cent of the line that ends so.
  double error_of(const std::string& label) {
    std::istringstream lines(out_.str());
    for (std::string line; std::getline(lines, line);) {
      if (line.find(label) == std::string::npos) continue;
      std::istringstream fields(line);
      double predicted = 0, measured = 0, error = 1e9;
      fields >> predicted >> measured >> error;
      return error;
    }
    ADD_FAILURE() << "no line '" << label << "' in\n" << out_.str();
    return 1e9;
  }

  // The synthetic device has no floor for memory, so that sums are comparable to the last digit.
  SyntheticDevice device_{.memory_bytes = 1e12, .noise = 0.002};
  std::filesystem::path folder_;
  LayerCheckOptions options_;
  MeasureOptions measure_;
  std::ostringstream out_, progress_;
};

TEST_F(LayerCheck, ATrueProfilePredictsTheSequence) {
  ASSERT_EQ(check(device_), 0) << out_.str() << progress_.str();
  EXPECT_NEAR(error_of("sum of the kernels"), 0, 0.5) << out_.str();
  EXPECT_NEAR(error_of("as one sequence"), 0, 0.5) << out_.str();
  EXPECT_NE(out_.str().find("within the target of 7 %"), std::string::npos);
  const SampleFile file = parse_samples(read_file(measure_.output), "layer.csv");
  EXPECT_EQ(file.outcomes.back().what.op_class, "layer");
  EXPECT_TRUE(std::holds_alternative<Samples>(file.outcomes.back().answer));
}

TEST_F(LayerCheck, ASlowerDeviceMissesTheTarget) {
  SyntheticDevice slower = device_;
  slower.flops_per_s = {{"bf16", 7e14}, {"fp8-e4m3", 1.4e15}};
  slower.hbm_bytes_per_s *= 0.7;
  ASSERT_EQ(check(slower), 0);
  // All of it but launches takes 1 / 0.7 as long: the prediction is short by up to 30 %.
  EXPECT_LT(error_of("as one sequence"), -20) << out_.str();
  EXPECT_GT(error_of("as one sequence"), -30) << out_.str();
  EXPECT_NE(out_.str().find("misses the target"), std::string::npos);
}

TEST_F(LayerCheck, AKernelThatIsWrongIsLeftOutOfBothSums) {
  EXPECT_EQ(check(device_, {.wrong = {"memory.norm"}}), 5);
  EXPECT_NE(out_.str().find("left out of the sums: wrong-result"), std::string::npos) << out_.str();
  EXPECT_NEAR(error_of("as one sequence"), 0, 0.5) << out_.str();
}

TEST_F(LayerCheck, ASequenceThatCannotBeHeldIsAFailureOfItsOwn) {
  // Each kernel fits, all of them together do not.
  device_.memory_bytes = 3e9;
  EXPECT_EQ(check(device_), 5);
  EXPECT_NE(out_.str().find("as one sequence: out-of-memory"), std::string::npos) << out_.str();
}

TEST_F(LayerCheck, ADeviceThatDisappearsEndsAsRecordedFailures) {
  EXPECT_EQ(check(device_, {.lost_after = 0}), 5);
  EXPECT_NE(out_.str().find("no kernel of it could be measured"), std::string::npos) << out_.str();
}

TEST_F(LayerCheck, AnUnknownPrecisionIsRefusedWithTheNearest) {
  options_.precision = "fp8-blok";
  try {
    (void)check(device_);
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'fp8-block'"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace orrery
