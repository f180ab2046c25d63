#include <cctype>
#include <set>

#include "tests/sim/hw/profile_files.hpp"

namespace orrery::test {
namespace {

const std::vector<std::string> kGpus{"a100-sxm", "a100-sxm-40gb", "b200-sxm", "b300-sxm", "gb200",
                                     "gb300",    "h100-sxm",      "h20-sxm",  "h200-sxm", "h800-sxm",
                                     "l40s",     "mi300x",        "rtx-4090"};
const std::vector<std::string> kClusters{
    "a100-sxm-40gb-roce200", "a100-sxm-ib200",    "b200-sxm-ib400",    "b300-sxm-ib800", "gb200-nvl72-ib400",
    "gb300-nvl72-ib800",     "h100-sxm-ib400",    "h20-sxm-ib400",     "h200-sxm-ib400", "h800-sxm-ib400",
    "l40s-pcie-ib200",       "mi300x-rocev2-400", "rtx-4090-pcie-100g"};

bool is_date(const std::string& text) {
  if (text.size() != 4 && text.size() != 7 && text.size() != 10) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 4 || i == 7;
    if (dash ? text[i] != '-' : std::isdigit(static_cast<unsigned char>(text[i])) == 0) return false;
  }
  return text.substr(0, 2) == "20";
}

/// Counts objects with an origin; each must name a source and a date. A number outside such an object is an
/// error unless it counts things of the description itself.
int count_sourced(const Json& value, const std::string& where, bool covered) {
  // The links of a measurement repeat the tier, whose figures have their sources (checked below).
  static const std::set<std::string> kPlainCounts{"gpus_per_node", "link_bytes_per_s", "link_latency_s"};
  int count = 0;
  if (value.is_object()) {
    const bool sourced = value.contains("origin");
    if (sourced) {
      ++count;
      EXPECT_FALSE(value.value("source", "").empty()) << where;
      EXPECT_TRUE(is_date(value.value("date", ""))) << where;
    }
    for (const auto& item : value.items()) {
      if (kPlainCounts.count(item.key()) != 0) continue;
      count += count_sourced(item.value(), where + "/" + item.key(), covered || sourced);
    }
  } else if (value.is_array()) {
    std::size_t i = 0;
    for (const Json& element : value)
      count += count_sourced(element, where + "/" + std::to_string(i++), covered);
  } else if (value.is_number()) {
    EXPECT_TRUE(covered) << where << " is a number without origin, source and date";
  }
  return count;
}

TEST(ShippedProfiles, HaveCurvesOfTheirOwnLinks) {
  int with_curves = 0;
  for (const std::string& name : kClusters) {
    const ClusterProfile c = load_cluster(name, shipped_folders());
    if (c.collectives) {
      ++with_curves;
      EXPECT_EQ(link_scale(c, *c.collectives).rate, 1) << name;
      EXPECT_EQ(link_scale(c, *c.collectives).latency, 1) << name;
    }
    const ExpertAllToAll& a = c.expert_all_to_all;
    if (a.in_node_dispatch) {
      EXPECT_EQ(link_scale(c, *a.in_node_dispatch, a.nvlink_dispatch_bytes_per_s).rate, 1) << name;
    }
    if (a.in_node_combine) {
      EXPECT_EQ(link_scale(c, *a.in_node_combine, a.nvlink_combine_bytes_per_s).rate, 1) << name;
    }
  }
  EXPECT_EQ(with_curves, 9);
  // NVLink of H800 is another than any that was measured.
  EXPECT_FALSE(load_cluster("h800-sxm-ib400", shipped_folders()).collectives.has_value());
}

TEST(ShippedProfiles, AreTheNamedOnes) {
  EXPECT_EQ(list_profiles("gpu", shipped_folders()), kGpus);
  EXPECT_EQ(list_profiles("cluster", shipped_folders()), kClusters);
}

TEST(ShippedProfiles, LoadUnderTheNameOfTheirFile) {
  for (const std::string& name : kGpus) {
    EXPECT_EQ(load_gpu_profile(shipped_root() / "gpu" / (name + ".json")).name, name);
  }
  for (const std::string& name : kClusters) {
    const ClusterProfile cluster = load_cluster(name, shipped_folders());
    EXPECT_EQ(cluster.name, name);
    EXPECT_EQ(cluster.gpu.name, cluster.gpu_name);
    EXPECT_EQ(cluster.gpus_per_node, name.find("nvl72") != std::string::npos ? 72 : 8);
  }
}

TEST(ShippedProfiles, NameSourceAndDateOfEveryNumber) {
  for (const std::string& name : kGpus) {
    // Eleven scalars at least (device, peaks, power) plus every operator class.
    EXPECT_GT(count_sourced(shipped_json("gpu", name), name, false), 25) << name;
  }
  for (const std::string& name : kClusters) {
    EXPECT_GE(count_sourced(shipped_json("cluster", name), name, false), 12) << name;
  }
}

TEST(ShippedProfiles, SayInANoteWhatWasAssumed) {
  for (const std::string& name : kGpus) {
    const GpuProfile gpu = load_gpu_profile(shipped_root() / "gpu" / (name + ".json"));
    for (const OperatorCurve& curve : gpu.operators) {
      if (curve.origin == Origin::kAssumed) {
        EXPECT_FALSE(curve.note.empty()) << name << " " << curve.op_class;
      }
      if (curve.form == CurveForm::kGemmTile && curve.origin == Origin::kFitted) {
        EXPECT_TRUE(curve.median_error && curve.p90_error) << name << " " << curve.op_class;
        EXPECT_GT(curve.points, 0) << name << " " << curve.op_class;
      }
    }
  }
}

TEST(ShippedProfiles, HoldEveryClassOfATrainingStep) {
  const std::vector<std::string> classes{
      "gemm.bf16",         "wgrad.bf16",         "grouped-gemm.bf16",     "grouped-wgrad.bf16",
      "attention.forward", "attention.backward", "attention-mla.forward", "attention-mla.backward",
      "memory.norm",       "memory.quantize",    "memory.activation",     "memory.rotary",
      "memory.permute",    "memory.router",      "memory.copy",           "memory.embedding",
      "memory.loss",       "memory.optimizer"};
  for (const std::string& name : kGpus) {
    const GpuProfile gpu = load_gpu_profile(shipped_root() / "gpu" / (name + ".json"));
    for (const std::string& op_class : classes)
      EXPECT_NE(gpu.find(op_class), nullptr) << name << " " << op_class;
    for (const char* kind : {"gemm", "wgrad", "grouped-gemm", "grouped-wgrad"}) {
      const bool has_fp8 = gpu.peak_flops_per_s.count("fp8") != 0;
      EXPECT_EQ(gpu.find(std::string(kind) + ".fp8-block") != nullptr, has_fp8) << name << " " << kind;
    }
  }
}

TEST(ShippedProfiles, StayBelowThePeaksOfTheDevice) {
  for (const std::string& name : kGpus) {
    const GpuProfile gpu = load_gpu_profile(shipped_root() / "gpu" / (name + ".json"));
    for (const OperatorCurve& curve : gpu.operators) {
      const double bf16 = gpu.peak_flops_per_s.at("bf16").value;
      const bool fp8 = curve.op_class.find("fp8") != std::string::npos;
      if (curve.form == CurveForm::kGemmTile) {
        EXPECT_LT(curve.flops_per_s, fp8 ? gpu.peak_flops_per_s.at("fp8").value : bf16)
            << name << curve.op_class;
      } else if (curve.form == CurveForm::kBandwidth) {
        EXPECT_LT(curve.bytes_per_s, gpu.hbm_bytes_per_s.value) << name << curve.op_class;
      } else if (curve.form == CurveForm::kGemmKernel) {
        EXPECT_LE(curve.gemm_kernel.flops_per_s, fp8 ? gpu.peak_flops_per_s.at("fp8").value : bf16)
            << name << curve.op_class;
        EXPECT_LE(curve.gemm_kernel.memory_bytes_per_s, gpu.hbm_bytes_per_s.value) << name << curve.op_class;
      } else if (curve.form == CurveForm::kAttentionKernel) {
        EXPECT_LT(curve.attention_kernel.flops_per_s, bf16) << name << curve.op_class;
      } else {
        for (const auto& point : curve.flops_per_s_by_sequence.points())
          EXPECT_LT(point[1], bf16) << name << " " << curve.op_class;
      }
      EXPECT_LE(static_cast<double>(curve.sm_count), gpu.sm_count.value) << name << " " << curve.op_class;
    }
  }
}

// 4 x 8192 x 4096 x 7168 on 132 SMs with 128 x 128 tiles: 4 x 64 x 32 = 8192 tiles, 63 waves;
// 63 x 2 x 128 x 128 x 7168 / (1.3933e15 / 132) = 1402 us, output 268 MB / 2.353e12 = 114 us,
// kernel overhead 3 us: 1519 us. DeepGEMM takes 1484 us (1297 TFLOPS); the kernels of the training run, which
// the profile describes, are 2 % slower.
TEST(ShippedProfiles, ReproduceTheGroupedGemmOfATrainingRank) {
  const GpuProfile gpu = load_gpu_profile(shipped_root() / "gpu" / "h800-sxm.json");
  const OperatorCurve* curve = gpu.find("grouped-gemm.fp8-block");
  ASSERT_NE(curve, nullptr);
  ASSERT_EQ(curve->tiles, (std::vector<std::vector<double>>{{128, 128}}));
  const double compute = 63 * 2.0 * 128 * 128 * 7168 / (curve->flops_per_s / 132);
  const double output = 4.0 * 8192 * 4096 * 2 / curve->output_bytes_per_s;
  const double gap = 2e-6;  // overhead_s also holds the gap to the next kernel
  const double measured = 2.0 * 4 * 8192 * 4096 * 7168 / 1297e12;
  EXPECT_NEAR(curve->overhead_s - gap + compute + output, 1.021 * measured, 0.01 * measured);
}

TEST(ShippedProfiles, BlackwellRunsMxfp8AtTheRatesOfItsBlockFp8AndHopperDoesNot) {
  for (const char* name : {"b200-sxm-ib400", "b300-sxm-ib800", "gb200-nvl72-ib400", "gb300-nvl72-ib800"}) {
    const GpuProfile gpu = load_cluster(name, shipped_folders()).gpu;
    ASSERT_NE(gpu.find("gemm.mxfp8"), nullptr) << name;
    EXPECT_EQ(gpu.find("gemm.mxfp8"), gpu.find("gemm.fp8-block")) << name;
    EXPECT_EQ(gpu.find("grouped-wgrad.mxfp8"), gpu.find("grouped-wgrad.fp8-block")) << name;
  }
  EXPECT_EQ(load_cluster("h100-sxm-ib400", shipped_folders()).gpu.find("gemm.mxfp8"), nullptr);
}

TEST(ShippedProfiles, TheA100Of40GbFollowsThatOf80GbWithItsMemoryRate) {
  const GpuProfile large = load_cluster("a100-sxm-ib200", shipped_folders()).gpu;
  const GpuProfile small = load_cluster("a100-sxm-40gb-roce200", shipped_folders()).gpu;
  const double ratio = small.hbm_bytes_per_s.value / large.hbm_bytes_per_s.value;
  ASSERT_EQ(small.operators.size(), large.operators.size());
  const auto follows = [&](double a, double b) { EXPECT_NEAR(a, b * ratio, 1e-3 * b); };
  for (const OperatorCurve& c : large.operators) {
    const OperatorCurve* own = small.find(c.op_class);
    ASSERT_NE(own, nullptr) << c.op_class;
    EXPECT_EQ(own->origin, Origin::kAssumed) << c.op_class;
    EXPECT_EQ(own->flops_per_s, c.flops_per_s) << c.op_class;
    EXPECT_EQ(own->gemm_kernel.flops_per_s, c.gemm_kernel.flops_per_s) << c.op_class;
    EXPECT_EQ(own->attention_kernel.flops_per_s, c.attention_kernel.flops_per_s) << c.op_class;
    follows(own->bytes_per_s, c.bytes_per_s);
    follows(own->gemm_kernel.memory_bytes_per_s, c.gemm_kernel.memory_bytes_per_s);
    follows(own->attention_kernel.memory_bytes_per_s, c.attention_kernel.memory_bytes_per_s);
  }
}

}  // namespace
}  // namespace orrery::test
