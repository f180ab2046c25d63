#include "calibrate/profile/class_fit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "calibrate/profile/direct_figures.hpp"
#include "sim/base/check.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

bool starts(const std::string& text, const char* prefix) {
  return text.rfind(prefix, 0) == 0;
}

/// "bf16", "fp8-block", "fp8-tensor" of "gemm.fp8-block".
std::string precision_of(const std::string& op_class) {
  const std::size_t dot = op_class.find('.');
  return dot == std::string::npos ? "" : op_class.substr(dot + 1);
}

double element_bytes(const std::string& precision) {
  return precision == "bf16" ? 2 : 1;
}

bool is_product(const std::string& c) {
  return starts(c, "gemm.") || starts(c, "wgrad.") || starts(c, "grouped-gemm.") ||
         starts(c, "grouped-wgrad.");
}

double get(const Case& c, const char* name) {
  return static_cast<double>(size_of(c.shape, name));
}

/// Sums in integers take other paths: switches add up floats only.
bool is_integer_sum(const Case& c) {
  const bool sums = c.op_class.find("all-reduce") != std::string::npos ||
                    c.op_class.find("reduce-scatter") != std::string::npos;
  return sums && (c.dtype.rfind("int", 0) == 0 || c.dtype.rfind("uint", 0) == 0);
}

/// Sizes of the models from the shape of a case; false when sizes are missing.
bool fill(const Case& c, const Samples& s, Observation& o) {
  const std::string& cls = c.op_class;
  if (is_product(cls)) {
    const double e = element_bytes(precision_of(cls));
    o.groups = std::max(1.0, get(c, "groups"));
    o.m = get(c, "m");
    o.n = get(c, "n");
    o.k = get(c, "k");
    const bool sums = cls.find("wgrad") != std::string::npos;
    o.input_bytes = e * o.groups * o.m * o.k;
    o.weight_bytes = e * o.groups * o.n * o.k;
    o.output_bytes = (sums ? 8 : 2) * o.groups * o.m * o.n;
    o.bytes = o.input_bytes + o.weight_bytes + o.output_bytes;
    o.flops = 2 * o.groups * o.m * o.n * o.k;
    return o.m > 0 && o.n > 0 && o.k > 0;
  }
  if (starts(cls, "attention")) {
    const bool forward = cls.find(".forward") != std::string::npos;
    const bool latent = starts(cls, "attention-mla"), backward = cls.find(".backward") != std::string::npos;
    const double width = latent ? 320 : 256;
    const double batch = std::max({1.0, get(c, "batch"), get(c, "sequences")}), heads = get(c, "heads");
    const double kv = get(c, "kv_heads") > 0 ? get(c, "kv_heads") : heads;
    o.heads = batch * heads;
    o.sequence = get(c, "sequence");
    o.flops_per_pair = 2 * width * (backward ? 2.5 : 1);
    o.bytes = (backward ? 4 : 2) * batch * o.sequence * width * (heads + kv);
    o.flops = o.heads * o.sequence * o.sequence * width * (backward ? 2.5 : 1);
    // What the pass before latent attention reads and writes of each token: latent 512 and 64 rotary
    // elements.
    if (latent) o.pass_bytes = 2 * 2 * (512 + 64) * batch * o.sequence;
    // One width per class: others would need a class of their own.
    const double qk = get(c, "qk_dim"), value = get(c, "v_dim");
    if (qk > 0 && (qk != (latent ? 192 : 128) || value != 128)) return false;
    return (forward || backward) && o.heads > 0 && o.sequence > 0;
  }
  if (starts(cls, "moe-layer.")) {
    const double etp = std::max(1.0, get(c, "etp")), ep = std::max(1.0, get(c, "ep"));
    o.tokens = get(c, "tokens");
    o.hidden = get(c, "hidden");
    o.intermediate = std::max(1.0, get(c, "intermediate") / etp);
    o.top_k = get(c, "top_k");
    o.experts = get(c, "experts");
    o.local_experts = o.experts / ep;
    o.matrices = get(c, "matrices") > 0 ? get(c, "matrices") : 3;
    return o.tokens > 0 && o.hidden > 0 && o.experts > 0 && o.top_k > 0;
  }
  if (starts(cls, "communication.") || starts(cls, "communication-low-latency.")) {
    const bool dispatch = cls.find("dispatch") != std::string::npos;
    const double hidden = get(c, "hidden"), gpus = get(c, "gpus") > 0 ? get(c, "gpus") : 8;
    if (get(c, "between_nodes") > 0) return false;
    o.tokens = get(c, "tokens");
    o.sms = get(c, "sms") > 0 ? get(c, "sms") : 24;
    o.gpus = gpus;
    o.row_bytes = dispatch && starts(c.dtype, "fp8") ? hidden + hidden / 32 : 2 * hidden;
    const bool copies = starts(cls, "communication-low-latency.");
    o.targets = copies ? get(c, "top_k") : exchange_targets(gpus, get(c, "top_k"), get(c, "experts"));
    o.bytes = o.tokens * o.targets * o.row_bytes;
    return o.bytes > 0;
  }
  if (starts(cls, "collective.")) {
    o.gpus = get(c, "gpus");
    o.bytes = s.bytes;
    return o.bytes > 0 && o.gpus >= 2;
  }
  if (starts(cls, "memory.")) {
    o.bytes = s.bytes;
    return o.bytes > 0;
  }
  return false;
}

using Key = std::tuple<std::string, std::int64_t, bool>;

std::string fact(const About& about, const char* key) {
  const auto it = about.find(key);
  return it == about.end() ? "" : it->second;
}

void add(std::map<Key, ClassPoints>& classes, const Case& c, const Observation& o, const About& about) {
  const std::int64_t gpus = starts(c.op_class, "collective.") ? size_of(c.shape, "gpus") : 0;
  ClassPoints& points = classes[{c.op_class, gpus, c.sustained}];
  points.op_class = c.op_class;
  if (points.source.empty()) points.source = fact(about, "source");
  if (points.date.empty()) points.date = fact(about, "date");
  points.gpus = gpus;
  points.sustained = c.sustained;
  points.quantise_inside = points.quantise_inside || c.name.find("with quantise") != std::string::npos;
  points.cache_pass = points.cache_pass || c.name == kLatentTable;
  if (!c.cold_l2) points.weight_copies = 5;
  points.points.push_back(o);
}

/// The product or attention whichever kernel of ours or of a library served it; cuBLASLt's layouts are cases
/// of their own. Nothing for kernels that others measured.
std::optional<Case> whoever_served(const Case& what) {
  if (!is_product(what.op_class) && !starts(what.op_class, "attention")) return std::nullopt;
  const std::string library = "cublaslt ";
  const bool by_library = starts(what.name, library.c_str());
  if (!by_library && !starts(what.name, "own") && !starts(what.name, "cudnn")) return std::nullopt;
  Case any = what;
  any.name = by_library ? what.name.substr(library.size()) : "tn";
  return any;
}

/// Seconds of the fastest kernel for each case: training programs run that one.
std::map<Case, double> fastest(std::span<const SampleFile> files) {
  std::map<Case, double> best;
  for (const SampleFile& file : files) {
    for (const Outcome& outcome : file.outcomes) {
      const auto* samples = std::get_if<Samples>(&outcome.answer);
      const std::optional<Case> any = whoever_served(outcome.what);
      if (samples == nullptr || !any) continue;
      const double seconds = median_seconds(*samples);
      const auto [known, fresh] = best.try_emplace(*any, seconds);
      if (!fresh) known->second = std::min(known->second, seconds);
    }
  }
  return best;
}

}  // namespace

double exchange_targets(double n, double k, double experts) {
  if (experts < n) return n * (1 - std::pow(1 - 1 / n, k));
  double miss = 1;
  for (double i = 0; i < k; ++i) miss *= std::max(0.0, (experts - experts / n - i) / (experts - i));
  return n * (1 - miss);
}

std::optional<Observation> observe(const Case& what, const Samples& samples) {
  Observation o;
  o.seconds = median_seconds(samples);
  if (!fill(what, samples, o)) return std::nullopt;
  return o;
}

SortedSamples sort_samples(std::span<const SampleFile> files) {
  SortedSamples out;
  std::map<Key, ClassPoints> classes;
  const std::map<Case, double> best = fastest(files);
  for (const SampleFile& file : files) {
    for (const Outcome& outcome : file.outcomes) {
      const auto* samples = std::get_if<Samples>(&outcome.answer);
      if (samples == nullptr) {
        ++out.unused[fmt::format("failed: {}", to_text(std::get<Failure>(outcome.answer).kind))];
        continue;
      }
      if (is_direct(outcome.what.op_class)) continue;
      if (is_integer_sum(outcome.what)) {
        ++out.unused["sums in integers: training reduces floats, which other paths serve"];
        continue;
      }
      if (size_of(outcome.what.shape, "nodes") > 1) {
        ++out.unused["collectives between nodes: a profile has no curve for them"];
        continue;
      }
      const std::optional<Case> any = whoever_served(outcome.what);
      if (any && median_seconds(*samples) > best.at(*any)) {
        ++out.unused["another kernel was faster for the same case"];
        continue;
      }
      const std::optional<Observation> seen = observe(outcome.what, *samples);
      if (!seen) {
        ++out.unused[fmt::format("class {}: no model, or sizes are missing", outcome.what.op_class)];
        continue;
      }
      Observation o = *seen;
      add(classes, outcome.what, o, file.about);
      // Readings average over a second: only runs that were kept up so long say what a kernel draws. Tables
      // repeat a kernel 3,000 times at most.
      const std::optional<double> watts = samples->values.front().watts;
      if (!watts || !outcome.what.sustained || !starts(outcome.what.op_class, "gemm.")) continue;
      if (3000 * o.seconds < 1) {
        ++out.unused["power of kernels too short for the meter (timing is used)"];
        continue;
      }
      o.watts = *watts;
      o.cap_w = get(outcome.what, "power_limit_w");
      Case power = outcome.what;
      power.op_class = "power." + precision_of(outcome.what.op_class);
      add(classes, power, o, file.about);
    }
  }
  for (auto& [key, points] : classes) out.classes.push_back(std::move(points));
  return out;
}

DeviceFacts device_facts(const GpuProfile& gpu, const std::string& op_class) {
  const std::string precision = precision_of(op_class);
  const std::string peak = starts(precision, "fp8") ? "fp8" : "bf16";
  const auto it = gpu.peak_flops_per_s.find(peak);
  if (it == gpu.peak_flops_per_s.end())
    throw InputError("gpu profile " + gpu.name,
                     fmt::format("has no peak for '{}', which the class {} needs", peak, op_class));
  return {.sm_count = gpu.sm_count.value,
          .cache_bytes = gpu.l2_bytes ? gpu.l2_bytes->value : 0,
          .memory_bytes_per_s = gpu.hbm_bytes_per_s.value,
          .peak_flops_per_s = it->second.value};
}

FitModel model_of(const ClassPoints& data, const GpuProfile& gpu, double tile_rows) {
  const std::string& c = data.op_class;
  double fastest = 0;
  for (const Observation& o : data.points) fastest = std::max(fastest, o.bytes / o.seconds);
  if (starts(c, "power."))
    return power_model(
        gpu.power.communication_floor_w.value + (gpu.power.kernel_w ? gpu.power.kernel_w->value : 0.0),
        gpu.power.joules_per_byte.value);
  if (starts(c, "collective.")) return collective_model(data.points);
  if (starts(c, "communication")) return exchange_model(fastest);
  const DeviceFacts facts = device_facts(gpu, c);
  if (starts(c, "moe-layer.")) return expert_model(facts, element_bytes(precision_of(c)));
  if (starts(c, "attention"))
    return attention_model(facts, {.tile_rows = tile_rows, .cache_pass = data.cache_pass});
  if (starts(c, "memory.")) return bandwidth_model(facts);
  return gemm_model(facts, {.operand_bytes = element_bytes(precision_of(c)),
                            .quantise_inside = data.quantise_inside,
                            .row_scales = precision_of(c) == "fp8-block",
                            .weight_copies = facts.cache_bytes > 0 ? data.weight_copies : 0});
}

ClassFit fit_class(const ClassPoints& data, const GpuProfile& gpu, const ModelFitOptions& options,
                   const GpuProfile* clocks) {
  ClassFit out{.data = data, .model = model_of(data, gpu)};
  const OperatorCurve* known = clocks == nullptr ? nullptr : clocks->find(data.op_class);
  if (known != nullptr && known->form == CurveForm::kGemmKernel) {
    out.clocks = clocks->name;
    for (FitParameter& p : out.model.parameters) {
      if (p.name == "throttle") p.start = p.low = p.high = known->gemm_kernel.throttle;
      if (p.name == "throttle_after_s") p.start = p.low = p.high = known->gemm_kernel.throttle_after_s;
    }
  }
  const std::string place =
      data.gpus > 0 ? fmt::format("{} on {} GPUs", data.op_class, data.gpus) : data.op_class;
  out.fit = fit_model(out.model, data.points, options, place);
  if (!starts(data.op_class, "attention")) return out;
  ClassFit wide{.data = data, .model = model_of(data, gpu, 256)};
  wide.fit = fit_model(wide.model, data.points, options, place);
  return wide.fit.cost < out.fit.cost ? wide : out;
}

}  // namespace orrery
