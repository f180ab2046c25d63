#include "sim/hw/gpu_profile.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"
#include "sim/hw/hw_fields.hpp"

namespace orrery {
namespace {

/// Beyond these a figure is a typing error, and times would leave the range of the engine's clock.
constexpr double kLeastAmount = 1e-3;
constexpr double kMostAmount = 1e24;
constexpr double kMostSeconds = 10;
constexpr double kMostSlowdown = 1000;
constexpr double kLeastRate = 1;
constexpr double kMostRate = kMostAmount;
constexpr double kLeastOverlap = 0.5, kMostOverlap = 100;
constexpr double kLeastEfficiency = 1e-3;
constexpr int kMostTile = 65536;

const std::vector<std::string>& form_names() {
  static const std::vector<std::string> kNames{"gemm-tile", "bandwidth", "sequence", "gemm-kernel",
                                               "attention-kernel"};
  return kNames;
}

}  // namespace

static void read_value(const JsonNode& node, Curve& out, Limits) {
  std::vector<std::vector<double>> points;
  read_value(node, points, kPositive);
  if (points.empty()) node.fail("a list of at least one [x, y] point");
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].size() != 2) node.fail("points of two numbers [x, y]");
    if (i > 0 && points[i][0] <= points[i - 1][0]) node.fail("points with growing x");
  }
  out = Curve(std::move(points));
}

static void read_value(const JsonNode& node, std::map<std::string, Sourced>& out, Limits) {
  if (!node.value.is_object()) node.fail("an object of named numbers");
  out.clear();
  for (const auto& item : node.value.items()) {
    Sourced number;
    JsonReader reader(JsonNode{item.value(), node.place, node.pointer + "/" + item.key()});
    fields(reader, number);
    reader.finish();
    out.emplace(item.key(), number);
  }
}

template <class V>
void map_field(V& v, const char* key, std::map<std::string, Sourced>& numbers) {
  if constexpr (V::reading) {
    v.required(key, numbers);
  } else {
    Json object = Json::object();
    for (const auto& [name, number] : numbers) object[name] = JsonWriter::to_json_value(number);
    v.out[key] = std::move(object);
  }
}

template <class V>
void gemm_kernel_fields(V& v, GemmKernelCurve& k) {
  v.required("flops_per_s", k.flops_per_s, between(kLeastRate, kMostRate));
  v.required("sm_bytes_per_s", k.sm_bytes_per_s, between(kLeastRate, kMostRate));
  v.required("memory_bytes_per_s", k.memory_bytes_per_s, between(kLeastRate, kMostRate));
  v.required("split_bytes_per_s", k.split_bytes_per_s, between(kLeastRate, kMostRate));
  v.required("cta_s", k.cta_s, between(0, kMostSeconds));
  if (V::reading || k.sm_outputs_per_s > 0)
    v.optional("sm_outputs_per_s", k.sm_outputs_per_s, between(kLeastRate, kMostRate));
  v.required("split_s", k.split_s, between(0, kMostSeconds));
  v.required("overlap", k.overlap, between(kLeastOverlap, kMostOverlap));
  v.required("wave_share", k.wave_share, between(0, 1));
  v.required("throttle", k.throttle, between(0, 10));
  v.required("throttle_after_s", k.throttle_after_s, between(1e-9, 1e6));
  v.required("tiles", k.tiles, kPositive);
  if constexpr (V::reading) {
    if (k.tiles.empty()) v.node().fail("at least one tile [rows, columns, efficiency]");
    for (const std::vector<double>& tile : k.tiles)
      if (tile.size() != 3 || tile[2] > 1 || tile[0] > kMostTile || tile[1] > kMostTile)
        throw InputError(v.node().where("tiles"),
                         fmt::format("expected tiles of three numbers [rows, columns, efficiency], at most "
                                     "{} rows and columns and an efficiency of at most 1",
                                     kMostTile));
  }
}

template <class V>
void attention_kernel_fields(V& v, AttentionKernelCurve& k) {
  v.required("flops_per_s", k.flops_per_s, between(kLeastRate, kMostRate));
  v.required("memory_bytes_per_s", k.memory_bytes_per_s, between(kLeastRate, kMostRate));
  v.required("block_s", k.block_s, between(0, kMostSeconds));
  v.required("tail", k.tail, between(0, 1));
  v.required("small_tile_efficiency", k.small_tile_efficiency, between(kLeastEfficiency, 1));
  if (V::reading || k.tile_rows != AttentionKernelCurve{}.tile_rows)
    v.optional("tile_rows", k.tile_rows, between(16, kMostTile));
  v.required("overlap", k.overlap, between(kLeastOverlap, kMostOverlap));
}

template <class V>
void fields(V& v, ShapeCorrection& c) {
  constexpr double kMostOctaves = 64, kMostRatio = 1;
  v.required("sizes", c.sizes);
  v.required("log2_first", c.log2_first, between(-kMostOctaves, kMostOctaves));
  v.required("log2_step", c.log2_step, between(0.1, kMostOctaves));
  v.required("nodes", c.nodes, between(1, kMostOctaves));
  v.required("log_ratio", c.log_ratio, between(-kMostRatio, kMostRatio));
}

/// Left out where it is empty; `sizes`: those of the form.
template <class V>
void correction_field(V& v, ShapeCorrection& c, const std::vector<std::string>& sizes) {
  if (V::reading || !c.empty()) v.optional("correction", c);
  if constexpr (V::reading) {
    if (!v.has("correction")) return;
    const std::string place = v.node().where("correction");
    if (c.sizes != sizes)
      throw InputError(place + "/sizes",
                       fmt::format("found {}, expected those of the form: {}", join(c.sizes), join(sizes)));
    if (c.log2_first.size() != sizes.size() || c.log2_step.size() != sizes.size() ||
        c.nodes.size() != sizes.size())
      throw InputError(
          place,
          fmt::format("expected {} numbers in 'log2_first', 'log2_step' and 'nodes', one for each size",
                      sizes.size()));
    std::int64_t count = 1;
    for (const std::int64_t n : c.nodes) count *= n;
    if (c.log_ratio.size() != static_cast<std::size_t>(count))
      throw InputError(place + "/log_ratio", fmt::format("found {} numbers, expected {}: one for each node",
                                                         c.log_ratio.size(), count));
  }
}

template <class V>
void fields(V& v, OperatorCurve& c) {
  v.required("class", c.op_class);
  std::size_t form = static_cast<std::size_t>(c.form);
  v.choice("form", form, form_names());
  c.form = static_cast<CurveForm>(form);
  v.required("sm_count", c.sm_count, at_least(1));
  v.required("beside_communication", c.beside_communication);
  if (c.form == CurveForm::kGemmTile) {
    v.required("flops_per_s", c.flops_per_s, kPositive);
    v.required("output_bytes_per_s", c.output_bytes_per_s, kPositive);
    v.required("tiles", c.tiles, kPositive);
  } else if (c.form == CurveForm::kBandwidth) {
    v.required("bytes_per_s", c.bytes_per_s, kPositive);
  } else if (c.form == CurveForm::kGemmKernel) {
    gemm_kernel_fields(v, c.gemm_kernel);
    correction_field(v, c.correction, kProductSizes);
  } else if (c.form == CurveForm::kAttentionKernel) {
    attention_kernel_fields(v, c.attention_kernel);
    correction_field(v, c.correction, kAttentionSizes);
  } else {
    if constexpr (V::reading) {
      v.required("flops_per_s_by_sequence", c.flops_per_s_by_sequence);
    } else {
      v.out["flops_per_s_by_sequence"] = c.flops_per_s_by_sequence.points();
    }
  }
  v.required("overhead_s", c.overhead_s, kNonNegative);
  v.required("sm_exponent", c.sm_exponent, between(0, 2));
  if (V::reading || !c.kernels.empty()) v.optional("kernels", c.kernels);
  provenance_fields(v, c.origin, c.source, c.date, c.note);
  v.optional("median_error", c.median_error, kNonNegative);
  v.optional("p90_error", c.p90_error, kNonNegative);
  v.optional("points", c.points, kNonNegative);
}

template <class V>
void fields(V& v, Contention& c) {
  v.required("class", c.op_class);
  v.required("slowdown", c.slowdown);
}

template <class V>
void fields(V& v, PowerFigures& p) {
  v.required("idle_w", p.idle_w);
  v.required("cap_w", p.cap_w);
  v.required("communication_floor_w", p.communication_floor_w);
  if (V::reading || p.kernel_w) v.optional("kernel_w", p.kernel_w);
  map_field(v, "joules_per_flop", p.joules_per_flop);
  v.required("joules_per_byte", p.joules_per_byte);
  if (V::reading || p.scale_up_joules_per_byte)
    v.optional("scale_up_joules_per_byte", p.scale_up_joules_per_byte);
  if (V::reading || p.scale_out_joules_per_byte)
    v.optional("scale_out_joules_per_byte", p.scale_out_joules_per_byte);
}

template <class V>
void fields(V& v, GpuProfile& g) {
  schema_field(v, "orrery.gpu/1");
  v.required("name", g.name);
  v.required("device", g.device);
  v.required("sm_count", g.sm_count);
  v.required("memory_bytes", g.memory_bytes);
  v.required("hbm_bytes_per_s", g.hbm_bytes_per_s);
  if (V::reading || g.l2_bytes) v.optional("l2_bytes", g.l2_bytes);
  map_field(v, "peak_flops_per_s", g.peak_flops_per_s);
  v.required("launch_s", g.launch_s);
  v.required("host_launch_s", g.host_launch_s);
  v.required("power", g.power);
  v.required("operators", g.operators);
  v.optional("contention", g.contention);
}

namespace {

void check_scalars(const GpuProfile& g, const std::string& place) {
  const auto positive = [&](const Sourced& s, const std::string& key) {
    if (!(s.value > 0 && s.value >= kLeastAmount && s.value <= kMostAmount))
      throw InputError(place + "#/" + key + "/value",
                       fmt::format("found {:g}, expected a positive number, {:g} to {:g}", s.value,
                                   kLeastAmount, kMostAmount));
  };
  const auto not_negative = [&](const Sourced& s, const std::string& key) {
    if (!(s.value >= 0 && s.value <= kMostAmount))
      throw InputError(
          place + "#/" + key + "/value",
          fmt::format("found {:g}, expected a number of at least 0, at most {:g}", s.value, kMostAmount));
  };
  positive(g.sm_count, "sm_count");
  positive(g.memory_bytes, "memory_bytes");
  positive(g.hbm_bytes_per_s, "hbm_bytes_per_s");
  if (g.l2_bytes) positive(*g.l2_bytes, "l2_bytes");
  positive(g.power.cap_w, "power/cap_w");
  for (const auto& [name, number] : g.peak_flops_per_s) positive(number, "peak_flops_per_s/" + name);
  if (!g.peak_flops_per_s.contains("bf16"))
    throw InputError(place + "#/peak_flops_per_s", "key 'bf16' is missing; MFU is measured against it");
  for (const auto& [s, key] : {std::pair{&g.launch_s, "launch_s"}, {&g.host_launch_s, "host_launch_s"}}) {
    not_negative(*s, key);
    if (s->value > kMostSeconds)
      throw InputError(place + "#/" + key + "/value",
                       fmt::format("found {:g}, expected at most {:g} s", s->value, kMostSeconds));
  }
  not_negative(g.power.idle_w, "power/idle_w");
  not_negative(g.power.communication_floor_w, "power/communication_floor_w");
  not_negative(g.power.joules_per_byte, "power/joules_per_byte");
  for (const auto& [name, number] : g.power.joules_per_flop)
    not_negative(number, "power/joules_per_flop/" + name);
}

void check_operators(const GpuProfile& g, const std::string& place) {
  for (std::size_t i = 0; i < g.operators.size(); ++i) {
    const OperatorCurve& c = g.operators[i];
    for (const std::vector<double>& tile : c.tiles) {
      if (tile.size() != 2)
        throw InputError(fmt::format("{}#/operators/{}/tiles", place, i),
                         "expected tiles of two numbers [rows, columns]");
    }
    const auto rate = [&](double value, const char* key) {
      if (value >= kLeastAmount && value <= kMostAmount) return;
      throw InputError(fmt::format("{}#/operators/{}/{}", place, i, key),
                       fmt::format("found {:g}, expected {:g} to {:g}", value, kLeastAmount, kMostAmount));
    };
    if (c.form == CurveForm::kGemmTile) {
      rate(c.flops_per_s, "flops_per_s");
      rate(c.output_bytes_per_s, "output_bytes_per_s");
    }
    if (c.form == CurveForm::kBandwidth) rate(c.bytes_per_s, "bytes_per_s");
    if (c.overhead_s > kMostSeconds)
      throw InputError(fmt::format("{}#/operators/{}/overhead_s", place, i),
                       fmt::format("found {:g}, expected at most {:g} s", c.overhead_s, kMostSeconds));
    if (c.form == CurveForm::kGemmTile && c.tiles.empty()) {
      throw InputError(fmt::format("{}#/operators/{}/tiles", place, i), "expected at least one tile");
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (g.operators[j].op_class == c.op_class) {
        throw InputError(fmt::format("{}#/operators/{}/class", place, i),
                         fmt::format("class '{}' is given twice", c.op_class));
      }
    }
  }
}

void check_contention(const GpuProfile& g, const std::string& place) {
  for (std::size_t i = 0; i < g.contention.size(); ++i) {
    if (!(g.contention[i].slowdown.value >= 1 && g.contention[i].slowdown.value <= kMostSlowdown)) {
      throw InputError(fmt::format("{}#/contention/{}/slowdown/value", place, i),
                       fmt::format("found {:g}, expected a factor of at least 1, at most {:g}",
                                   g.contention[i].slowdown.value, kMostSlowdown));
    }
  }
}

}  // namespace

const OperatorCurve* GpuProfile::find(const std::string& op_class) const {
  for (const OperatorCurve& curve : operators) {
    if (curve.op_class == op_class) return &curve;
  }
  constexpr std::string_view kMx = ".mxfp8";
  if (!op_class.ends_with(kMx) || !peak_flops_per_s.contains("mxfp8")) return nullptr;
  return find(op_class.substr(0, op_class.size() - kMx.size()) + ".fp8-block");
}

double GpuProfile::contention_factor(const std::string& op_class) const {
  const Contention* best = nullptr;
  for (const Contention& c : contention) {
    if (op_class.rfind(c.op_class, 0) != 0) continue;
    if (best == nullptr || c.op_class.size() > best->op_class.size()) best = &c;
  }
  return best == nullptr ? 1.0 : best->slowdown.value;
}

GpuProfile load_gpu_profile(const std::filesystem::path& path) {
  const Json json = load_json(path);
  GpuProfile profile;
  read_value(JsonNode{json, path.string(), ""}, profile);
  check_scalars(profile, path.string());
  check_operators(profile, path.string());
  check_contention(profile, path.string());
  return profile;
}

std::string to_json_text(const GpuProfile& profile) {
  return to_readable_text(JsonWriter::to_json_value(profile)) + "\n";
}

}  // namespace orrery
