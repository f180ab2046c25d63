#include "calibrate/probe/cuda/gemm_operands.hpp"

#include <algorithm>
#include <cmath>

namespace orrery {
namespace {

std::int64_t up(std::int64_t value, std::int64_t step) {
  return (value + step - 1) / step * step;
}

double operand(bool fp8, std::uint32_t seed, std::int64_t i) {
  const float x = random_normal(seed, static_cast<std::uint64_t>(i));
  return static_cast<double>(fp8 ? from_e4m3(to_e4m3(16 * x)) : round_to_bf16(x));
}
double scale(std::uint32_t seed, std::int64_t i) {
  return static_cast<double>(std::fma(0.25F, random_normal(seed, static_cast<std::uint64_t>(i)), 1.0F));
}

std::vector<std::int64_t> group_rows(std::int64_t groups, std::int64_t mean, std::int64_t uneven,
                                     std::int64_t step) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(groups), mean);
  if (uneven <= 100 || groups < 2) return rows;
  const double most = static_cast<double>(uneven) / 100 - 1;
  std::int64_t left = groups * mean;
  for (std::int64_t i = 0; i < groups; ++i) {
    const double share = 1 + most * (1 - 2 * static_cast<double>(i) / static_cast<double>(groups - 1));
    const auto wanted = static_cast<std::int64_t>(
                            std::llround(share * static_cast<double>(mean) / static_cast<double>(step))) *
                        step;
    rows[static_cast<std::size_t>(i)] = i + 1 == groups ? left : std::min(std::max(wanted, step), left);
    left -= rows[static_cast<std::size_t>(i)];
  }
  return rows;
}

}  // namespace

std::int64_t GemmOperands::scale_b_pitch() const {
  const std::int64_t blocks = (k + 127) / 128;
  return for_cublaslt ? up(blocks, 4) : blocks;
}
std::int64_t GemmOperands::scale_b_group() const {
  return weight_gradient ? (k / 128) * n : (n + 127) / 128 * scale_b_pitch();
}

double GemmOperands::expected(std::int64_t group, std::int64_t i, std::int64_t j) const {
  double sum = 0, part = 0;
  const std::int64_t here = rows[static_cast<std::size_t>(group)],
                     first = first_row[static_cast<std::size_t>(group)];
  for (std::int64_t l = 0; l < k; ++l) {
    const std::int64_t at_a = first * k + (a_by_k ? l * here + i - first : (i - first) * k + l);
    const std::int64_t at_b = group * n * k + (b_by_k ? l * n + j : j * k + l);
    part += operand(fp8(), seed, at_a) * operand(fp8(), seed + 1, at_b);
    if (l % 128 != 127 && l + 1 != k) continue;
    double factor = 1;
    if (scaling == GemmScaling::kBlock) {
      const std::int64_t block = l / 128;
      const std::int64_t place = for_cublaslt ? first * (k / 128) + block * here + i - first : block * m + i;
      factor = scale(seed + 2, place) *
               scale(seed + 3, group * scale_b_group() +
                                   (weight_gradient ? block * n + j : j / 128 * scale_b_pitch() + block));
    }
    sum += factor * part;
    part = 0;
  }
  if (scaling == GemmScaling::kTensor) sum *= scale(seed + 2, 0) * scale(seed + 3, 0);
  return sum;
}

Verified GemmOperands::compare(cudaStream_t stream) const {
  Distance distance;
  for (std::uint32_t sample = 0; sample < 256; ++sample) {
    const auto group = static_cast<std::int64_t>(sample % rows.size());
    const std::int64_t here = rows[static_cast<std::size_t>(group)],
                       first = first_row[static_cast<std::size_t>(group)];
    const bool corner = sample < 2 * rows.size();
    const bool last = sample >= rows.size();
    const std::int64_t i = first + (corner ? (last ? here - 1 : 0) : mix(seed + 2 * sample) % here);
    const std::int64_t j = corner ? (last ? n - 1 : 0) : mix(seed + 2 * sample + 1) % n;
    const double found =
        weight_gradient
            ? static_cast<double>(download(c.as<float>(), i * n + j, 1, stream)[0])
            : static_cast<double>(from_bf16(download(c.as<std::uint16_t>(), i * n + j, 1, stream)[0]));
    distance.add(found, expected(group, i, j));
  }
  return {.error = distance.value(), .limit = 1e-2};
}

GemmOperands make_gemm_operands(const Case& what, Device& device, bool for_cublaslt) {
  GemmOperands out;
  const std::size_t dot = what.op_class.find('.');
  out.family = what.op_class.substr(0, dot + 1);
  const std::string precision = what.op_class.substr(dot + 1);
  out.scaling = precision == "bf16"         ? GemmScaling::kNone
                : precision == "fp8-tensor" ? GemmScaling::kTensor
                                            : GemmScaling::kBlock;
  if (precision != "bf16" && precision != "fp8-tensor" && precision != "fp8-block")
    unsupported("no probe for " + precision);
  out.weight_gradient = out.family.find("wgrad") != std::string::npos;
  out.n = size_of(what.shape, "n");
  out.k = size_of(what.shape, "k");
  const std::int64_t groups = out.family.starts_with("grouped") ? size_of(what.shape, "groups") : 1;
  const std::int64_t mean = size_of(what.shape, "m");
  if (groups < 1 || mean < 1 || out.n < 1 || out.k < 1) unsupported("needs m, n, k (and groups)");
  if (out.fp8() && (out.k % 16 != 0 || out.n % 16 != 0)) unsupported("FP8 needs n and k that 16 divides");
  if (out.scaling == GemmScaling::kBlock && (out.k % 128 != 0 || mean % 4 != 0))
    unsupported("block scales need k that 128 divides and m that 4 divides");
  out.rows = group_rows(groups, mean, size_of(what.shape, "uneven"), 128);
  for (const std::int64_t rows : out.rows) {
    out.first_row.push_back(out.m);
    out.m += rows;
  }
  out.seed = device.fresh_seed();
  out.for_cublaslt = for_cublaslt;
  out.a_by_k = what.name.ends_with(" nt");
  out.b_by_k = out.a_by_k || what.name.ends_with(" nn");
  if (out.fp8() && out.b_by_k) unsupported("FP8 products take both operands along the reduction: layout tn");
  const std::int64_t a = out.m * out.k, b = groups * out.n * out.k;
  const Fill fill = out.fp8() ? Fill::kE4m3 : Fill::kBf16;
  out.a = Buffer(a * out.element_bytes());
  out.b = Buffer(b * out.element_bytes());
  out.c = Buffer(out.c_bytes());
  check(launch_fill(fill, out.a.data(), a, out.seed, device.stream), "fill");
  check(launch_fill(fill, out.b.data(), b, out.seed + 1, device.stream), "fill");
  const std::int64_t scales_a = out.scaling == GemmScaling::kBlock ? out.m * (out.k / 128) : 1;
  const std::int64_t scales_b = out.scaling == GemmScaling::kBlock ? groups * out.scale_b_group() : 1;
  out.scale_a = Buffer(scales_a * 4);
  out.scale_b = Buffer(scales_b * 4);
  check(launch_fill(Fill::kScale, out.scale_a.data(), scales_a, out.seed + 2, device.stream), "fill");
  check(launch_fill(Fill::kScale, out.scale_b.data(), scales_b, out.seed + 3, device.stream), "fill");
  return out;
}

}  // namespace orrery
