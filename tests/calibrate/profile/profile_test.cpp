#include <gtest/gtest.h>

#include <set>

#include "calibrate/probe/synthetic_probe.hpp"
#include "calibrate/profile/build_cluster.hpp"
#include "calibrate/profile/build_profile.hpp"
#include "calibrate/profile/sparse_classes.hpp"
#include "calibrate/sweep/standard_plan.hpp"
#include "sim/model/zoo.hpp"
#include "tests/support/toy.hpp"

// From samples of a device with known numbers to profiles that hold them.

namespace orrery {
namespace {

const SampleSource kSource{.source = "synthetic", .date = "2026-11", .hash = "crc32 00000000"};

SyntheticDevice device() {
  SyntheticDevice d;
  d.noise = 0;
  d.contention = 1.07;
  d.communication_contention = 1.3;
  return d;
}

/// A GPU profile of the device's SMs, peaks and memory, without a curve.
GpuProfile bare_gpu() {
  GpuProfile g = test::toy_gpu();
  g.sm_count.value = device().sms;
  g.peak_flops_per_s = {{"bf16", test::toy_number(1e15)}, {"fp8", test::toy_number(2e15)}};
  g.hbm_bytes_per_s.value = device().hbm_bytes_per_s;
  g.operators.clear();
  g.contention.clear();
  return g;
}

SampleFile measured(std::span<const Case> cases) {
  SyntheticProbe probe(device(), 1);
  SampleFile file;
  for (const Case& what : cases) file.outcomes.push_back({what, probe.run(what, {})});
  return file;
}

std::vector<ClassFit> fits_of(const SortedSamples& sorted, const GpuProfile& gpu) {
  std::vector<ClassFit> fits;
  for (const ClassPoints& c : sorted.classes) fits.push_back(fit_class(c, gpu, {.folds = 0}));
  return fits;
}

Case collective(const char* operation, std::int64_t bytes, std::int64_t gpus) {
  return {.op_class = std::string("collective.") + operation,
          .name = "nccl",
          .shape = {{"bytes", bytes}, {"gpus", gpus}},
          .dtype = "bf16"};
}

TEST(Cluster, TakesTheCollectivesThatMeasureWrites) {
  std::vector<Case> cases;
  for (const std::int64_t gpus : {2, 8})
    for (int power = 12; power <= 29; ++power)
      cases.push_back(collective("all-gather", std::int64_t{1} << power, gpus));
  const std::vector<SampleFile> files{measured(cases)};
  std::vector<std::string> unplaced;
  const ClusterProfile base = test::toy_cluster();
  const ClusterProfile cluster =
      build_cluster(base, fits_of(sort_samples(files), bare_gpu()), {}, kSource, unplaced);
  EXPECT_TRUE(unplaced.empty());
  ASSERT_TRUE(cluster.collectives.has_value());
  ASSERT_EQ(cluster.collectives->curves.size(), 2u);
  // alpha (n - 1) + bytes / link = 7 x 2 us + 28 MB / 200 GB/s = 14 + 140 us.
  const double seconds = measured_seconds(*cluster.collectives, "all-gather", 28e6, 8).value();
  EXPECT_NEAR(seconds / 154e-6, 1, 0.02);
  EXPECT_NEAR(measured_seconds(*cluster.collectives, "all-gather", 0, 8).value() / 14e-6, 1, 0.02);
  EXPECT_DOUBLE_EQ(cluster.collectives->link_bytes_per_s, 100e9);  // those of the toy
}

Outcome timed(const char* op_class, const char* name, double seconds, Shape shape) {
  Samples samples;
  for (int i = 0; i < 5; ++i) samples.values.emplace_back().seconds = seconds;
  return {.what = {.op_class = op_class, .name = name, .shape = std::move(shape), .dtype = "bf16"},
          .answer = samples};
}

// A training program runs the fastest kernel; two kinds of passes over the same rows are no rivals, neither
// are two layouts of a product, and collectives of several nodes do not count for one.
TEST(Sorting, KeepsTheFastestKernelOfACase) {
  const Shape attention{{"heads", 16}, {"sequence", 4096}, {"sequences", 1}};
  const Shape product{{"k", 1024}, {"m", 1024}, {"n", 1024}};
  SampleFile file;
  file.outcomes = {
      timed("attention.forward", "own", 3e-3, attention),
      timed("attention.forward", "cudnn", 1e-3, attention), timed("gemm.bf16", "cublaslt tn", 1e-5, product),
      timed("gemm.bf16", "cublaslt nn", 2e-5, product),
      timed("collective.all-gather", "nccl", 1e-3, {{"bytes", 1 << 20}, {"gpus", 16}, {"nodes", 2}})};
  const SortedSamples sorted = sort_samples({&file, 1});
  ASSERT_EQ(sorted.classes.size(), 2U);
  EXPECT_EQ(sorted.classes[0].points.size(), 1U);
  EXPECT_EQ(sorted.classes[0].points[0].seconds, 1e-3);
  EXPECT_EQ(sorted.classes[1].points.size(), 2U);
  EXPECT_EQ(sorted.unused.at("another kernel was faster for the same case"), 1);
  EXPECT_EQ(sorted.unused.at("collectives between nodes: a profile has no curve for them"), 1);
}

TEST(Cluster, KeepsOneCurveForEachNumberOfGpusAndNamesGroupsThatNoNodeHolds) {
  std::vector<Case> cases;
  for (const std::int64_t gpus : {8, 16})
    for (int power = 12; power <= 29; ++power)
      cases.push_back(collective("all-gather", std::int64_t{1} << power, gpus));
  const std::vector<SampleFile> files{measured(cases)};
  const std::vector<ClassFit> fits = fits_of(sort_samples(files), bare_gpu());
  std::vector<std::string> unplaced;
  const ClusterProfile once = build_cluster(test::toy_cluster(), fits, {}, kSource, unplaced);
  const ClusterProfile twice = build_cluster(once, fits, {}, kSource, unplaced);
  EXPECT_EQ(twice.collectives->curves.size(), 1u);
  ASSERT_EQ(unplaced.size(), 2u);
  EXPECT_NE(unplaced[0].find("on 16 GPUs: nodes of toy have 8 GPUs"), std::string::npos);
}

TEST(Cluster, TakesAnExchangeByRowsAndSms) {
  const std::vector<double> truth{2e-5, 1e-9, 3e11, 3e10, 1, 5, 1.5, 1000};
  ClassPoints points;
  points.op_class = "communication.combine";
  for (const double tokens : {16.0, 256.0, 4096.0, 16384.0})
    for (const double hidden : {2048.0, 7168.0})
      for (const double top_k : {1.0, 8.0})
        for (const double sms : {4.0, 12.0, 24.0}) {
          Observation o;
          o.tokens = tokens;
          o.row_bytes = 2 * hidden;
          o.targets = exchange_targets(8, top_k, 256);
          o.sms = sms;
          o.bytes = tokens * o.row_bytes * o.targets;
          o.seconds = exchange_model(1e11).predict(truth, o);
          points.points.push_back(o);
        }
  const std::vector<ClassFit> fits{fit_class(points, bare_gpu(), {.folds = 0})};
  std::vector<std::string> unplaced;
  const ClusterProfile cluster = build_cluster(test::toy_cluster(), fits, {}, kSource, unplaced);
  const ExchangeCurve& c = cluster.expert_all_to_all.in_node_combine.value();
  EXPECT_EQ(c.least_sms, 4);
  EXPECT_EQ(c.most_sms, 24);
  EXPECT_NEAR(c.bytes_per_s / 3e11, 1, 0.02);
  EXPECT_NEAR(c.sm_bytes_per_s / 3e10, 1, 0.02);
  EXPECT_NEAR(c.own_rows / 1.5, 1, 0.02);
  EXPECT_FALSE(cluster.expert_all_to_all.in_node_dispatch.has_value());
  EXPECT_EQ(c.link_bytes_per_s, cluster.expert_all_to_all.nvlink_combine_bytes_per_s);
}

// Two experts out of 8 on 8 GPUs lie on two of them; 8 of 256 on 8 GPUs of 32 each:
// 8 (1 - C(224, 8) / C(256, 8)) = 5.29.
TEST(ExchangeTargets, AreDistinctGpus) {
  EXPECT_DOUBLE_EQ(exchange_targets(8, 2, 8), 2);
  EXPECT_NEAR(exchange_targets(8, 8, 256), 5.29, 0.01);
}

TEST(DirectFigures, AreTheMeasurement) {
  SampleFile file;
  const auto add = [&](Case what, double seconds) {
    Samples samples;
    samples.values.resize(1);
    samples.values[0].seconds = seconds;
    file.outcomes.push_back({std::move(what), samples});
  };
  add({.op_class = "launch", .name = "stream", .shape = {{"kernels", 100}}}, 2.5e-6);
  add({.op_class = "launch", .name = "host call", .shape = {{"kernels", 100}}}, 4e-6);
  add({.op_class = "launch", .name = "graph", .shape = {{"kernels", 100}}}, 1e-6);
  add({.op_class = "copy.host-to-device", .name = "pinned", .shape = {{"bytes", 1000}}}, 1e-6);  // latency
  add({.op_class = "copy.host-to-device", .name = "pinned", .shape = {{"bytes", 50'000'000}}}, 1e-3);
  add({.op_class = "copy.device-to-host", .name = "pinned", .shape = {{"bytes", 50'000'000}}}, 1.25e-3);
  add({.op_class = "bandwidth.l2", .name = "read", .shape = {{"bytes", 4'000'000}}}, 1e-6);
  const std::vector<SampleFile> files{file};
  const DirectFigures d = direct_figures(files);
  EXPECT_EQ(d.launch_s, 2.5e-6);
  EXPECT_EQ(d.host_launch_s, 4e-6);
  EXPECT_DOUBLE_EQ(d.host_link_bytes_per_s.value(), 40e9);  // 50 MB in 1.25 ms, the slower direction
  EXPECT_EQ(d.unused.size(), 2u);                           // graph, L2
  std::vector<std::string> unplaced;
  const GpuProfile gpu = build_profile(bare_gpu(), {}, d, kSource, unplaced);
  EXPECT_DOUBLE_EQ(gpu.launch_s.value, 2.5e-6);
  EXPECT_EQ(gpu.host_launch_s.origin, Origin::kMeasured);
  EXPECT_DOUBLE_EQ(build_cluster(test::toy_cluster(), {}, d, kSource, unplaced).host_link_bytes_per_s.value,
                   40e9);
}

/// What `measure` does on 8 GPUs.
std::vector<Case> whole_plan() {
  return standard_plan({load_model("deepseek-v3", ".").spec}, {.gpus = 8});
}

TEST(Profiles, RecoverTheContentionOfASyntheticDevice) {
  std::vector<Case> cases;
  for (const Case& c : whole_plan())
    if (c.op_class.starts_with("contention.") || c.op_class == "gemm.bf16" ||
        c.op_class == "attention-mla.forward")
      cases.push_back(c);
  const std::vector<SampleFile> files{measured(cases)};
  std::vector<ClassFit> fits;
  for (const ClassPoints& c : sort_samples(files).classes)
    if (!c.sustained) fits.push_back(fit_class(c, bare_gpu(), {.folds = 0}));
  std::vector<std::string> unplaced;
  const GpuProfile gpu = build_profile(bare_gpu(), fits, direct_figures(files), kSource, unplaced);
  // Rounding to waves, which the curve smooths, is off by a few per cent.
  EXPECT_NEAR(gpu.contention_factor("gemm.bf16"), 1.07, 0.03);
  EXPECT_NEAR(gpu.contention_factor("communication.dispatch"), 1.3, 1e-3);
  EXPECT_NEAR(gpu.contention_factor("attention-mla.forward"), 1.07, 0.03);
  EXPECT_EQ(gpu.contention_factor("memory.norm"), 1);
}

// A weight gradient takes 1.5 times what the curve of the plain product gives: six points are too few for a
// curve of 17 parameters, but they scale that of the product.
TEST(Profiles, ScaleTheCurveOfARelativeByFewPoints) {
  std::vector<Case> cases;
  for (const Case& c : whole_plan())
    if (c.op_class == "gemm.bf16" && !c.sustained) cases.push_back(c);
  const std::vector<SampleFile> files{measured(cases)};
  std::vector<ClassFit> fits = fits_of(sort_samples(files), bare_gpu());
  std::vector<std::string> unplaced;
  GpuProfile gpu = build_profile(bare_gpu(), fits, {}, kSource, unplaced);
  ClassPoints few;
  few.op_class = "wgrad.bf16";
  for (std::size_t i = 0; i < 6; ++i) {
    Observation o = fits[0].data.points[i];
    o.seconds = 1.5 * curve_seconds(*gpu.find("wgrad.bf16"), gpu, o, true);
    few.points.push_back(o);
  }
  ASSERT_TRUE(is_sparse(few, bare_gpu()));
  const double before = curve_seconds(*gpu.find("wgrad.bf16"), gpu, few.points[0], true);
  scale_sparse(gpu, std::vector<ClassPoints>{few}, kSource, unplaced);
  EXPECT_NEAR(curve_seconds(*gpu.find("wgrad.bf16"), gpu, few.points[0], true) / before, 1.5, 1e-3);
  EXPECT_EQ(gpu.find("wgrad.bf16")->points, 6);
  EXPECT_NEAR(gpu.find("wgrad.bf16")->p90_error.value(), 0, 1e-9);
  EXPECT_TRUE(unplaced.empty());
}

TEST(Profiles, LoseNoClassOfTheStandardPlanSilently) {
  const std::vector<SampleFile> files{measured(whole_plan())};
  const SortedSamples sorted = sort_samples(files);
  const DirectFigures direct = direct_figures(files);
  std::set<std::string> reached;
  for (const ClassPoints& c : sorted.classes) reached.insert(c.op_class);
  std::string reasons;
  for (const auto& [reason, count] : sorted.unused) reasons += reason + "\n";
  for (const auto& [reason, count] : direct.unused) reasons += reason + "\n";
  // What a model or the scaling of a relative can take.
  for (const ClassPoints& c : sorted.classes)
    EXPECT_TRUE(c.sustained || is_sparse(c, bare_gpu()) ||
                c.points.size() >= 2 * model_of(c, bare_gpu()).parameters.size())
        << c.op_class << " " << c.points.size();
  for (const auto& [name, points] : direct.contention) reached.insert("contention." + name);
  for (const Outcome& outcome : files[0].outcomes) {
    const std::string& cls = outcome.what.op_class;
    if (std::holds_alternative<Failure>(outcome.answer)) continue;
    const bool figure = cls == "launch" || cls.starts_with("copy.") || cls == "bandwidth.hbm";
    EXPECT_TRUE(figure || reached.contains(cls) || reached.contains("collective." + cls) ||
                reasons.find("class " + cls) != std::string::npos)
        << cls;
  }
  EXPECT_TRUE(direct.launch_s && direct.host_launch_s && direct.host_link_bytes_per_s &&
              direct.hbm_bytes_per_s);
}

}  // namespace
}  // namespace orrery
