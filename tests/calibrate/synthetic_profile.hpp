#pragma once

#include <filesystem>

#include "calibrate/probe/synthetic_probe.hpp"
#include "sim/hw/gpu_profile.hpp"

namespace orrery {

/// A profile that says of `device` what is true of it: every curve has the form and the parameters of
/// SyntheticProbe::seconds. The rest is that of the shipped H200, with a memory so fast that no bound of the
/// simulator counts.
inline GpuProfile profile_of(const SyntheticDevice& device) {
  GpuProfile gpu =
      load_gpu_profile(std::filesystem::path(ORRERY_SOURCE_DIR) / "hwprofiles/gpu/h200-sxm.json");
  gpu.name = "synthetic";
  gpu.device = "none";
  gpu.sm_count.value = device.sms;
  gpu.hbm_bytes_per_s.value = 1e15;
  gpu.operators.clear();
  const auto curve = [&](const std::string& op_class, CurveForm form) -> OperatorCurve& {
    OperatorCurve& c = gpu.operators.emplace_back();
    c.op_class = op_class;
    c.form = form;
    c.sm_count = device.sms;
    c.overhead_s = device.overhead_s;
    c.origin = Origin::kAssumed;
    c.source = "the synthetic device";
    return c;
  };
  for (const char* family : {"gemm.", "wgrad.", "grouped-gemm.", "grouped-wgrad."}) {
    for (const char* precision : {"bf16", "fp8-block", "fp8-tensor"}) {
      OperatorCurve& c = curve(std::string(family) + precision, CurveForm::kGemmTile);
      c.flops_per_s = device.flops_per_s.at(std::string(precision) == "bf16" ? "bf16" : "fp8-e4m3");
      c.output_bytes_per_s = device.hbm_bytes_per_s;
      c.tiles = {{static_cast<double>(device.tile), static_cast<double>(device.tile)}};
    }
  }
  for (const char* name :
       {"attention.forward", "attention.backward", "attention-mla.forward", "attention-mla.backward"}) {
    OperatorCurve& c = curve(name, CurveForm::kSequence);
    const double rate = device.attention_share * device.flops_per_s.at("bf16");
    c.flops_per_s_by_sequence = Curve({{256, rate}, {16384, rate}});
  }
  for (const char* kind : {"norm", "quantize", "pack", "activation", "rotary", "permute", "router", "copy"})
    curve(std::string("memory.") + kind, CurveForm::kBandwidth).bytes_per_s = device.hbm_bytes_per_s;
  return gpu;
}

}  // namespace orrery
