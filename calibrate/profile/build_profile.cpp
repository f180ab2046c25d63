#include "calibrate/profile/build_profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "calibrate/profile/build_cluster.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

/// Beyond this 90th percentile of the error the products of an expert layer, or joules, are not taken from a
/// fit.
constexpr double kWorstLayer = 0.3;

/// Four significant digits.
double round4(double value) {
  return std::strtod(fmt::format("{:.4g}", value).c_str(), nullptr);
}

GemmKernelCurve rounded(GemmKernelCurve c) {
  for (double* v :
       {&c.flops_per_s, &c.sm_bytes_per_s, &c.cta_s, &c.sm_outputs_per_s, &c.split_s, &c.split_bytes_per_s,
        &c.memory_bytes_per_s, &c.overlap, &c.wave_share, &c.throttle, &c.throttle_after_s})
    *v = round4(*v);
  for (std::vector<double>& tile : c.tiles)
    for (double& v : tile) v = round4(v);
  return c;
}

AttentionKernelCurve rounded(AttentionKernelCurve c) {
  for (double* v :
       {&c.flops_per_s, &c.block_s, &c.tail, &c.small_tile_efficiency, &c.memory_bytes_per_s, &c.overlap})
    *v = round4(*v);
  return c;
}

OperatorCurve curve_of(const ClassFit& f, const GpuProfile& base, const SampleSource& source) {
  OperatorCurve c;
  c.op_class = f.data.op_class;
  c.sm_count = std::llround(base.sm_count.value);
  const std::vector<double> values = f.fit.values();
  c.overhead_s = round4(f.fit.value("overhead_s"));
  if (f.fit.model == "gemm-kernel") {
    c.form = CurveForm::kGemmKernel;
    c.gemm_kernel = rounded(gemm_curve(values));
    c.correction = f.fit.surface.correction;
  } else if (f.fit.model == "expert-layer") {
    c.op_class = "grouped-gemm." + f.data.op_class.substr(f.data.op_class.find('.') + 1);
    c.form = CurveForm::kGemmKernel;
    c.gemm_kernel = rounded(expert_curve(values));
    // The fixed time of a layer is of some ten kernels; one product costs a launch.
    c.overhead_s = base.launch_s.value;
  } else if (f.fit.model == "attention-kernel") {
    c.form = CurveForm::kAttentionKernel;
    c.attention_kernel = rounded(attention_curve(values));
    c.correction = f.fit.surface.correction;
  } else {
    c.form = CurveForm::kBandwidth;
    c.bytes_per_s = round4(f.fit.value("bytes_per_s"));
  }
  c.origin = Origin::kFitted;
  c.source = source.source;
  c.date = source.date;
  c.note = describe(f, source);
  c.median_error = round4(f.fit.cross_validated.median);
  c.p90_error = round4(f.fit.cross_validated.p90);
  c.points = static_cast<std::int64_t>(f.data.points.size());
  return c;
}

void place(GpuProfile& profile, OperatorCurve curve) {
  for (OperatorCurve& known : profile.operators) {
    if (known.op_class != curve.op_class) continue;
    known = std::move(curve);
    return;
  }
  profile.operators.push_back(std::move(curve));
}

/// `name` as a copy of the curve of `from`, marked assumed, where the profile has no curve of its own. A
/// curve that was derived in the same way before counts as none.
void derive(GpuProfile& profile, const std::string& name, const std::string& from, double rate,
            const std::string& why) {
  const OperatorCurve* source = profile.find(from);
  const OperatorCurve* known = profile.find(name);
  if (source == nullptr || (known != nullptr && known->note.rfind("Curve of ", 0) != 0)) return;
  OperatorCurve curve = *source;
  curve.op_class = name;
  curve.origin = Origin::kAssumed;
  curve.note = "Curve of " + from + "; " + why;
  curve.median_error.reset();
  curve.p90_error.reset();
  curve.points = 0;
  curve.correction = {};  // of the kernels that were measured
  curve.flops_per_s = round4(curve.flops_per_s * rate);
  curve.gemm_kernel.flops_per_s = round4(curve.gemm_kernel.flops_per_s * rate);
  curve.attention_kernel.flops_per_s = round4(curve.attention_kernel.flops_per_s * rate);
  place(profile, std::move(curve));
}

/// Rate of attention's backward over its forward in DeepSeek's training trace on H800: 473 and 556 TFLOP/s.
constexpr double kBackwardRate = 0.85;

/// What nobody measured on the device follows from its nearest relative.
void derive_missing(GpuProfile& profile) {
  for (const char* precision : {"bf16", "fp8-block", "fp8-tensor"}) {
    const std::string p = precision;
    derive(profile, "grouped-gemm." + p, "gemm." + p, 1, "grouped products were not measured apart.");
    derive(profile, "wgrad." + p, "gemm." + p, 1, "the FP32 gradient's traffic is in the bytes.");
    derive(profile, "grouped-wgrad." + p, "grouped-gemm." + p, 1,
           "the FP32 gradient's traffic is in the bytes.");
  }
  for (const char* family : {"attention", "attention-mla"})
    derive(profile, std::string(family) + ".backward", std::string(family) + ".forward", kBackwardRate,
           "rate times 0.85, backward over forward in the DualPipe trace on H800; not measured here.");
}

Sourced figure(double value, const ClassFit& f, const SampleSource& source, const std::string& what) {
  return {
      .value = round4(value),
      .origin = Origin::kFitted,
      .source = source.source,
      .date = source.date,
      .note = fmt::format("{} of board power on {} sustained products, cross-validated median error {:.1f} "
                          "%, 90th percentile {:.1f} %.",
                          what, f.data.points.size(), 100 * f.fit.cross_validated.median,
                          100 * f.fit.cross_validated.p90)};
}

void place_power(GpuProfile& profile, const ClassFit& f, const SampleSource& source) {
  const std::string precision = f.data.op_class.substr(f.data.op_class.find('.') + 1);
  const std::string key = precision == "bf16" ? "bf16" : "fp8";
  profile.power.joules_per_flop[key] = figure(f.fit.value("joules_per_flop"), f, source, "Slope per FLOP");
}

/// Launches and contention. A longer prefix of the base that covers a measured class would hide it: entries
/// of kernels themselves stay, since they are of the real kernels.
void place_direct(GpuProfile& profile, const DirectFigures& direct, const SampleSource& all,
                  std::vector<std::string>& unplaced) {
  const auto measured = [&](double value, std::string note) {
    return Sourced{.value = round4(value),
                   .origin = Origin::kMeasured,
                   .source = direct.source.empty() ? all.source : direct.source,
                   .date = direct.date.empty() ? all.date : direct.date,
                   .note = std::move(note)};
  };
  if (direct.launch_s)
    profile.launch_s = measured(*direct.launch_s, "A stream of empty kernels, each launched by the host.");
  if (direct.host_launch_s)
    profile.host_launch_s =
        measured(*direct.host_launch_s, "Launch call alone; framework work per kernel comes on top.");
  if (direct.hbm_bytes_per_s)
    unplaced.push_back(
        fmt::format("bandwidth.hbm ({:.3g} B/s copied, {:.0f} % of the nominal bandwidth): "
                    "kernels' rates are of their own classes, memory.*",
                    *direct.hbm_bytes_per_s, 100 * *direct.hbm_bytes_per_s / profile.hbm_bytes_per_s.value));
  for (const auto& [name, points] : direct.contention) {
    const std::optional<ContentionFactor> factor = contention_factor(name, points, profile);
    if (!factor) {
      unplaced.push_back(
          fmt::format("contention.{}: no pair alone and beside, or no curve of {}", name, name));
      continue;
    }
    const bool communication = name == "communication";
    const std::string note = fmt::format(
        "{}, median of {} pairs, {:.3f} to {:.3f}; {}.",
        communication
            ? "A kernel that copies device memory, beside products over alone"
            : "Beside a kernel that copies device memory over alone, beyond the SMs lost by the curve",
        factor->pairs, factor->low, factor->high, all.hash);
    const auto known = std::find_if(profile.contention.begin(), profile.contention.end(),
                                    [&, &n = name](const Contention& c) { return c.op_class == n; });
    const Sourced slowdown = measured(factor->slowdown, note);
    if (known != profile.contention.end()) {
      known->slowdown = slowdown;
    } else {
      profile.contention.push_back({.op_class = name, .slowdown = slowdown});
    }
  }
}

}  // namespace

std::string describe(const SurfaceFit& s) {
  std::string octaves;
  for (const double length : s.octaves)
    octaves += (octaves.empty() ? "" : ", ") + fmt::format("{:g}", length);
  return fmt::format("Correction by {}: lengths of {} octaves, spread {:.1f} %, left {:.1f} %",
                     join(s.correction.sizes), octaves, 100 * s.spread, 100 * s.noise);
}

std::string describe(const ClassFit& f, const SampleSource& source) {
  std::vector<std::string> bound;
  for (const FittedParameter& p : f.fit.parameters)
    if (p.at_bound && (f.clocks.empty() || p.name.rfind("throttle", 0) != 0)) bound.push_back(p.name);
  std::string text = fmt::format("Model {}, {} points, {}-fold cross-validation; {}; {}.", f.fit.model,
                                 f.data.points.size(), f.fit.folds, to_text(f.fit.stop), source.hash);
  if (f.data.quantise_inside)
    text += " The samples hold the pass that quantises the activation; it was fitted beside and left out.";
  if (f.data.cache_pass)
    text += " The samples hold the kernel that writes the latent cache; it was fitted beside and left out.";
  if (!f.clocks.empty()) text += " Clocks of long runs are those of " + f.clocks + ".";
  if (!f.fit.surface.correction.empty()) text += " " + describe(f.fit.surface) + ".";
  for (std::size_t i = 0; i < bound.size(); ++i)
    text += (i == 0 ? " Not held by the data: " : ", ") + bound[i];
  return bound.empty() ? text : text + ".";
}

GpuProfile build_profile(const GpuProfile& base, std::span<const ClassFit> fits, const DirectFigures& direct,
                         const SampleSource& all, std::vector<std::string>& unplaced) {
  GpuProfile profile = base;
  const auto starts = [](const std::string& text, const char* prefix) { return text.rfind(prefix, 0) == 0; };
  for (const ClassFit& f : fits) {
    const std::string& c = f.data.op_class;
    const SampleSource source{.source = f.data.source.empty() ? all.source : f.data.source,
                              .date = f.data.date.empty() ? all.date : f.data.date,
                              .hash = all.hash};
    if (starts(c, "moe-layer.") && f.fit.cross_validated.p90 > kWorstLayer) {
      unplaced.push_back(
          fmt::format("{} (90th percentile of the error {:.0f} %: its products do not separate)", c,
                      100 * f.fit.cross_validated.p90));
      continue;
    }
    if (starts(c, "power.") && f.fit.cross_validated.p90 > kWorstLayer) {
      unplaced.push_back(fmt::format("{} (90th percentile of the error {:.0f} %: readings too uneven)", c,
                                     100 * f.fit.cross_validated.p90));
      continue;
    }
    if (starts(c, "power.")) {
      place_power(profile, f, source);
      continue;
    }
    if (is_of_cluster(c)) continue;
    place(profile, curve_of(f, base, source));
  }
  derive_missing(profile);
  place_direct(profile, direct, all, unplaced);
  return profile;
}

double curve_seconds(const OperatorCurve& c, const GpuProfile& gpu, const Observation& o, bool burst,
                     double on) {
  const double sms = on > 0 ? on : gpu.sm_count.value;
  const auto measured_sms = static_cast<double>(c.sm_count);
  switch (c.form) {
    case CurveForm::kGemmKernel: {
      const double operands = c.op_class.find("bf16") != std::string::npos ? 2 : 1;
      const GemmSize size{
          .groups = o.groups,
          .m = o.m,
          .n = o.n,
          .k = o.k,
          .operand_bytes = operands,
          .result_bytes = o.output_bytes > 0 ? written_bytes(o.output_bytes / (o.groups * o.m * o.n)) : 2,
          .busy_s = burst ? 0 : kSustainedSeconds};
      const double sizes[] = {o.m, o.n, o.k};
      return c.correction.factor(sizes) *
             (c.overhead_s + gemm_kernel_seconds(c.gemm_kernel, size,
                                                 o.bytes / c.gemm_kernel.memory_bytes_per_s, sms,
                                                 measured_sms));
    }
    case CurveForm::kAttentionKernel: {
      const AttentionSize size{.heads = o.heads, .sequence = o.sequence, .flops_per_pair = o.flops_per_pair};
      const double sizes[] = {o.heads, o.sequence};
      return c.correction.factor(sizes) *
             (c.overhead_s + attention_kernel_seconds(c.attention_kernel, size,
                                                      o.bytes / c.attention_kernel.memory_bytes_per_s, sms,
                                                      measured_sms));
    }
    case CurveForm::kBandwidth:
      return c.overhead_s +
             o.bytes / (c.bytes_per_s * std::min(1.0, std::pow(sms / measured_sms, c.sm_exponent)));
    case CurveForm::kSequence:
      return c.overhead_s + o.flops / (c.flops_per_s_by_sequence.at(o.sequence) *
                                       std::pow(sms / measured_sms, c.sm_exponent));
    case CurveForm::kGemmTile: {
      double best = 1e30;
      for (const std::vector<double>& tile : c.tiles) {
        const double tiles = o.groups * std::ceil(o.m / tile[0]) * std::ceil(o.n / tile[1]);
        best = std::min(best,
                        std::ceil(tiles / sms) * 2 * tile[0] * tile[1] * o.k * measured_sms / c.flops_per_s);
      }
      return c.overhead_s + std::max(best + o.output_bytes / c.output_bytes_per_s,
                                     o.bytes / (0.9 * gpu.hbm_bytes_per_s.value));
    }
  }
  return -1;
}

}  // namespace orrery
