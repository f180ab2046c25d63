#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "calibrate/probe/isolated_probe.hpp"
#include "calibrate/probe/nvml.hpp"
#include "calibrate/probe/replay_probe.hpp"
#include "calibrate/probe/stopping.hpp"
#include "calibrate/probe/synthetic_probe.hpp"
#include "calibrate/probe/work.hpp"

namespace orrery {
namespace {

Case gemm(std::int64_t m, std::int64_t n, std::int64_t k) {
  return {.op_class = "gemm.bf16",
          .name = "cublaslt tn",
          .shape = {{"m", m}, {"n", n}, {"k", k}},
          .dtype = "bf16"};
}

FailureClass failure_of(const Answer& answer) {
  const auto* failure = std::get_if<Failure>(&answer);
  EXPECT_NE(failure, nullptr);
  return failure == nullptr ? FailureClass::kOther : failure->kind;
}

// --- Work ---

TEST(Work, OfAProductIsCountedByHand) {
  // 2*2*3*4 = 48 FLOPs; bytes: (2*4 + 3*4)*2 operands + 2*3*2 result = 52; weight gradient: 40 + 2*3*8 = 88.
  EXPECT_EQ(work_of(gemm(2, 3, 4)).flops, 48);
  EXPECT_EQ(work_of(gemm(2, 3, 4)).bytes, 52);
  Case weight = gemm(2, 3, 4);
  weight.op_class = "wgrad.bf16";
  EXPECT_EQ(work_of(weight).bytes, 88);
  Case beside = gemm(2, 3, 4);
  beside.op_class = "contention.gemm.bf16";
  beside.shape["sms"] = 24;
  EXPECT_EQ(work_of(beside).flops, 48);
}

TEST(Work, OfCausalMlaAttentionIsThatOfThePublishedBenchmark) {
  // cuDNN's published 1.148 ms and 599 TFLOP/s for 128 heads, 4096 tokens, 192/128 causal: 128 * 320 *
  // 4096^2.
  const Case mla{.op_class = "attention-mla.forward",
                 .name = "own",
                 .shape = {{"sequences", 1},
                           {"heads", 128},
                           {"kv_heads", 128},
                           {"sequence", 4096},
                           {"qk_dim", 192},
                           {"v_dim", 128}},
                 .dtype = "bf16"};
  EXPECT_EQ(work_of(mla).flops, 128.0 * 320 * 4096 * 4096);
  EXPECT_NEAR(work_of(mla).flops / 1.148e-3, 599e12, 0.5e12);
}

TEST(Work, OfAResidualAdditionIsTwoReadAndOneWritten) {
  // 3 x 128 elements of two bytes, three times.
  EXPECT_EQ(work_of({.op_class = "memory.copy", .shape = {{"rows", 3}, {"width", 128}}}).bytes, 3 * 128 * 6);
}

TEST(Work, OfUnknownClassesIsNothing) {
  EXPECT_EQ(work_of({.op_class = "launch"}).bytes, 0);
  EXPECT_EQ(work_of({.op_class = "collective.all-gather", .shape = {{"bytes", 8}, {"gpus", 1}}}).bytes, 0);
  EXPECT_EQ(work_of({.op_class = "collective.all-gather", .shape = {{"bytes", 8}, {"gpus", 4}}}).bytes, 6);
}

// --- When to stop ---

TEST(Stopping, StandardErrorOfTheMedianIsRobust) {
  // Median 11, distances 1 2 0 1 89, MAD 1: 1.2533 * 1.4826 / sqrt(5) / 11; the 100 does not count.
  const std::vector<double> values{10, 9, 11, 12, 100};
  EXPECT_NEAR(relative_error_of_median(values), 1.2533 * 1.4826 / std::sqrt(5.0) / 11, 1e-12);
  EXPECT_EQ(relative_error_of_median(std::vector<double>{3, 3, 3}), 0);
  EXPECT_TRUE(std::isinf(relative_error_of_median(std::vector<double>{3})));
}

TEST(Stopping, StopsForPrecisionSamplesAndTime) {
  const Effort effort{
      .relative_error = 0.01, .min_samples = 3, .max_samples = 4, .max_seconds = 10, .sustained_seconds = 0};
  EXPECT_EQ(enough({}, 0, effort), Stop::kGoOn);
  EXPECT_EQ(enough(std::vector<double>{1, 1}, 2, effort), Stop::kGoOn);
  EXPECT_EQ(enough(std::vector<double>{1, 1, 1}, 3, effort), Stop::kPrecise);
  EXPECT_EQ(enough(std::vector<double>{1, 2, 3}, 6, effort), Stop::kGoOn);
  EXPECT_EQ(enough(std::vector<double>{1, 2, 3}, 10, effort), Stop::kTime);
  EXPECT_EQ(enough(std::vector<double>{1, 2, 3, 4}, 10, effort), Stop::kSamples);
  EXPECT_EQ(enough(std::vector<double>{31}, 31, effort),
            Stop::kTime);  // thrice the time ends even one slow sample
}

TEST(Stopping, ATimerThatGivesNonsenseIsAFailure) {
  for (const double seconds : {0.0, -1.0, std::nan("")}) {
    const Answer answer = collect({}, {}, [&] {
      Sample sample;
      sample.seconds = seconds;
      return std::variant<Sample, Failure>(sample);
    });
    EXPECT_EQ(failure_of(answer), FailureClass::kOther);
  }
}

// --- Synthetic device ---

TEST(SyntheticProbe, MedianRecoversTheTruthWithinTheNoise) {
  SyntheticProbe probe({.noise = 0.02}, 7);
  for (const std::int64_t m : {128, 1000, 4096}) {
    const auto samples = std::get<Samples>(probe.run(gemm(m, 4096, 7168), {.relative_error = 0.004}));
    EXPECT_NEAR(median_seconds(samples) / probe.seconds(gemm(m, 4096, 7168)), 1, 0.02);
  }
}

TEST(SyntheticProbe, TimeIsTheWrittenSum) {
  // 256 x 256 in tiles of 128: 4 tiles on 100 SMs, one wave of 2*128*128*1000 FLOPs at 1e13 FLOP/s per SM
  // = 3.2768 us; result 131072 bytes at 4 TB/s = 32.768 ns; overhead 4 us.
  const SyntheticProbe probe({}, 1);
  EXPECT_NEAR(probe.seconds(gemm(256, 256, 1000)), 4e-6 + 3.2768e-6 + 32.768e-9, 1e-15);
}

TEST(SyntheticProbe, SameSeedSameSamplesWhateverCameBefore) {
  SyntheticProbe first({}, 3);
  SyntheticProbe second({}, 3);
  (void)second.run(gemm(1, 2, 3), {});
  EXPECT_EQ(first.run(gemm(128, 128, 128), {}), second.run(gemm(128, 128, 128), {}));
  EXPECT_NE(SyntheticProbe({}, 4).run(gemm(128, 128, 128), {}), first.run(gemm(128, 128, 128), {}));
}

TEST(SyntheticProbe, SustainedRunsAreHeldByThePowerCap) {
  // 1e15 FLOP/s * 0.8 pJ = 800 W above idle 100, cap 700: the clock falls by 800 / 600.
  SyntheticProbe probe({.joules_per_flop = 8e-13, .joules_per_byte = 0, .noise = 0}, 1);
  Case what = gemm(12800, 12800, 8192);
  const double burst = median_seconds(std::get<Samples>(probe.run(what, {})));
  what.sustained = true;
  const auto samples = std::get<Samples>(probe.run(what, {}));
  EXPECT_GT(median_seconds(samples) / burst, 1.2);
  EXPECT_NEAR(*samples.values[0].watts, 700, 1e-6);
  EXPECT_EQ(samples.values[0].throttle, std::uint64_t{kThrottlePowerCap});
}

TEST(SyntheticProbe, OutliersStayInTheSamplesWithTheirMark) {
  SyntheticProbe probe({.noise = 0.003, .outlier_share = 0.1}, 11);
  const auto samples = std::get<Samples>(
      probe.run(gemm(512, 512, 512), {.relative_error = 0, .max_samples = 60, .max_seconds = 1}));
  const double truth = probe.seconds(gemm(512, 512, 512));
  int marked = 0;
  for (const Sample& sample : samples.values) {
    marked += sample.outlier ? 1 : 0;
    EXPECT_EQ(sample.outlier, sample.seconds > 2 * truth);
  }
  EXPECT_GT(marked, 0);
  EXPECT_EQ(samples.values.size(), 60U);
}

TEST(SyntheticProbe, MemoryEnds) {
  SyntheticProbe probe({.memory_bytes = 1e6}, 1);
  EXPECT_EQ(failure_of(probe.run(gemm(4096, 4096, 4096), {})), FailureClass::kOutOfMemory);
}

// --- Replay ---

TEST(ReplayProbe, GivesBackWhatWasRecordedAndNamesWhatWasNot) {
  SyntheticProbe device({}, 5);
  SampleFile file{.about = device.about(), .outcomes = {{gemm(1, 2, 3), device.run(gemm(1, 2, 3), {})}}};
  ReplayProbe replay(file);
  EXPECT_EQ(replay.run(gemm(1, 2, 3), {}), file.outcomes[0].answer);
  EXPECT_EQ(failure_of(replay.run(gemm(1, 2, 4), {})), FailureClass::kNotRecorded);
  EXPECT_EQ(replay.about().at("recorded_by"), "synthetic");
}

// --- Isolation ---

ProbeFactory synthetic(SyntheticFaults faults) {
  return [faults] {
    return ProbeOrReason{.probe = std::make_unique<SyntheticProbe>(SyntheticDevice{}, 1, faults),
                         .reason = {}};
  };
}

TEST(IsolatedProbe, AnswersAreThoseOfTheProbeInside) {
  IsolatedProbe isolated(synthetic({}));
  ASSERT_EQ(isolated.start(), "");
  SyntheticProbe inside({}, 1);
  EXPECT_EQ(isolated.about(), inside.about());
  const Effort effort{.relative_error = 0.002, .max_samples = 30};
  for (const std::int64_t m : {1, 64, 5000})
    EXPECT_EQ(isolated.run(gemm(m, 512, 512), effort), inside.run(gemm(m, 512, 512), effort));
}

TEST(IsolatedProbe, AHangingCaseIsATimeOutAndTheNextOneIsMeasured) {
  IsolatedProbe isolated(synthetic({.hang = {"launch"}}), {.start_s = 20, .case_s = 1.5});
  ASSERT_EQ(isolated.start(), "");
  const Effort effort{.max_seconds = 0.01};
  EXPECT_EQ(failure_of(isolated.run({.op_class = "launch"}, effort)), FailureClass::kTimeOut);
  EXPECT_TRUE(std::holds_alternative<Samples>(isolated.run(gemm(64, 64, 64), effort)));
}

TEST(IsolatedProbe, ACrashIsToldWithItsSignalAndTheNextCaseIsMeasured) {
  IsolatedProbe isolated(synthetic({.crash = {"launch"}}));
  ASSERT_EQ(isolated.start(), "");
  const Answer answer = isolated.run({.op_class = "launch"}, {});
  EXPECT_EQ(failure_of(answer), FailureClass::kCrashed);
  EXPECT_NE(std::get<Failure>(answer).message.find("signal 6"), std::string::npos);
  EXPECT_TRUE(std::holds_alternative<Samples>(isolated.run(gemm(64, 64, 64), {})));
}

TEST(IsolatedProbe, SaysWhyThereIsNoProbe) {
  IsolatedProbe isolated([] { return ProbeOrReason{.probe = nullptr, .reason = "no GPU: none"}; });
  EXPECT_EQ(isolated.start(), "no GPU: none");
}

TEST(IsolatedProbe, AProbeThatDoesNotStartIsGivenUp) {
  IsolatedProbe isolated(
      []() -> ProbeOrReason {
        while (true) pause();
      },
      {.start_s = 0.1, .case_s = 1});
  EXPECT_NE(isolated.start().find("did not start within 0.1 s"), std::string::npos);
}

// --- NVML ---

TEST(Nvml, WithoutADriverItSaysSo) {
  const NvmlOrReason found = open_nvml("0", "libnvidia-ml-that-is-not-there.so");
  EXPECT_EQ(found.nvml, nullptr);
  EXPECT_NE(found.reason.find("libnvidia-ml-that-is-not-there.so"), std::string::npos);
}

TEST(Nvml, ALibraryThatIsNotNvmlIsRefused) {
  const NvmlOrReason found = open_nvml("0", "libm.so.6");
  EXPECT_EQ(found.nvml, nullptr);
  EXPECT_NE(found.reason.find("lacks a function"), std::string::npos);
}

TEST(Nvml, ReadingsHaveBaseUnitsAndWhatIsNotReportedIsAbsent) {
  for (const char* device : {"0", "0000:1b:00.0"}) {
    const NvmlOrReason found = open_nvml(device, ORRERY_FAKE_NVML);
    ASSERT_NE(found.nvml, nullptr) << found.reason;
    const NvmlReading reading = found.nvml->read();
    EXPECT_DOUBLE_EQ(reading.watts.value(), 691.25);
    EXPECT_DOUBLE_EQ(reading.sm_clock_hz.value(), 1.98e9);
    EXPECT_DOUBLE_EQ(reading.memory_clock_hz.value(), 3.201e9);
    EXPECT_EQ(reading.throttle, std::uint64_t{kThrottlePowerCap});
    EXPECT_FALSE(reading.temperature_c.has_value());
    EXPECT_FALSE(reading.joules.has_value());
    EXPECT_FALSE(found.nvml->power_limit_w().has_value());
    EXPECT_EQ(found.nvml->device_name(), "Fake GPU");
    EXPECT_EQ(found.nvml->driver_version(), "");
  }
  EXPECT_NE(open_nvml("1", ORRERY_FAKE_NVML).reason.find("GPU 1: Not Found"), std::string::npos);
}

}  // namespace
}  // namespace orrery
