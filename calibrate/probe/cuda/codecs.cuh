#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "calibrate/probe/cuda/hd.cuh"

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
#include <cuda_fp8.h>
#endif

/// Number formats of low precision (OCP 8-bit floating point specification, 2023: E4M3 without infinities,
/// E5M2 with them; bfloat16; UE8M0 of the OCP microscaling formats 1.0). Encoding rounds to nearest, ties to
/// even, and saturates. The host code below is the reference; on sm_89 and newer the GPU converts with its
/// own instruction, which the element-wise probes verify against this code.
namespace orrery {

ORRERY_HD std::uint32_t bits_of(float x) {
  std::uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
ORRERY_HD float float_of(std::uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

ORRERY_HD std::uint16_t to_bf16(float x) {
  const std::uint32_t bits = bits_of(x);
  if ((bits & 0x7fffffffU) > 0x7f800000U)
    return static_cast<std::uint16_t>((bits >> 16) | 0x40U);  // NaN stays NaN
  return static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16);
}
ORRERY_HD float from_bf16(std::uint16_t x) {
  return float_of(static_cast<std::uint32_t>(x) << 16);
}
ORRERY_HD float round_to_bf16(float x) {
  return from_bf16(to_bf16(x));
}
ORRERY_HD std::uint32_t pack_bf16(float low, float high) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  // One instruction for what takes a dozen below; rounds alike, every NaN becomes 0x7fff.
  std::uint32_t packed;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
#else
  return static_cast<std::uint32_t>(to_bf16(low)) | (static_cast<std::uint32_t>(to_bf16(high)) << 16);
#endif
}

/// 8-bit format with `Mantissa` bits of mantissa; `Max` is the largest finite value and `MaxCode` its code.
template <int Mantissa, int Bias, int MaxCode>
struct Minifloat {
  static ORRERY_HD float decode(std::uint8_t code, int nan_from) {
    const int magnitude = code & 0x7f;
    float value;
    if (magnitude >= nan_from) {
      value = float_of(0x7fc00000U);
    } else if (magnitude > MaxCode) {
      value = float_of(0x7f800000U);
    } else if ((magnitude >> Mantissa) == 0) {
      value = ldexpf(static_cast<float>(magnitude), 1 - Bias - Mantissa);
    } else {
      const int fraction = (magnitude & ((1 << Mantissa) - 1)) | (1 << Mantissa);
      value = ldexpf(static_cast<float>(fraction), (magnitude >> Mantissa) - Bias - Mantissa);
    }
    return (code & 0x80) != 0 ? -value : value;
  }
  static ORRERY_HD std::uint8_t encode(float x, int nan_code) {
    const std::uint32_t bits = bits_of(x);
    const int sign = static_cast<int>(bits >> 24) & 0x80;
    const std::uint32_t absolute = bits & 0x7fffffffU;
    if (absolute > 0x7f800000U) return static_cast<std::uint8_t>(sign | nan_code);
    int exponent = static_cast<int>(absolute >> 23) - 127;
    if (exponent < 1 - Bias) exponent = 1 - Bias;
    if (exponent > (MaxCode >> Mantissa) - Bias) return static_cast<std::uint8_t>(sign | MaxCode);
    // In units of the last place of this binade: at most 2^(Mantissa+1), exact before the rounding.
    const int steps = static_cast<int>(rintf(ldexpf(float_of(absolute), Mantissa - exponent)));
    const int code =
        ((exponent + Bias - 1) << Mantissa) + steps;  // a carry moves into the exponent by itself
    return static_cast<std::uint8_t>(sign | (code > MaxCode ? MaxCode : code));
  }
};
using E4m3 = Minifloat<3, 7, 0x7e>;   // largest 448
using E5m2 = Minifloat<2, 15, 0x7b>;  // largest 57344

inline constexpr float kE4m3Max = 448.0F;

ORRERY_HD float from_e4m3(std::uint8_t code) {
  return E4m3::decode(code, 0x7f);
}
ORRERY_HD float from_e5m2(std::uint8_t code) {
  return E5m2::decode(code, 0x7d);
}
ORRERY_HD std::uint8_t to_e5m2(float x) {
  return E5m2::encode(x, 0x7f);
}
ORRERY_HD std::uint8_t to_e4m3(float x) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 890
  return static_cast<std::uint8_t>(__nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E4M3));
#else
  return E4m3::encode(x, 0x7f);
#endif
}

/// UE8M0: a power of two, 2^(code - 127); 255 is NaN. Encoding rounds up, so that a scaled value never
/// overflows.
ORRERY_HD float from_ue8m0(std::uint8_t code) {
  return code == 255 ? float_of(0x7fc00000U) : ldexpf(1.0F, code - 127);
}
ORRERY_HD std::uint8_t to_ue8m0(float x) {
  if (!(x > 0)) return 0;
  int exponent = 0;
  const float fraction = frexpf(x, &exponent);  // x = fraction * 2^exponent, fraction in [0.5, 1)
  const int code = exponent - (fraction == 0.5F ? 1 : 0) + 127;
  return static_cast<std::uint8_t>(code < 0 ? 0 : code > 254 ? 254 : code);
}

/// Scale of a block of 1x128 or 128x128 elements for E4M3: largest magnitude over 448 (arXiv
/// 2412.19437, 3.3.2); 1 for a block of zeros.
ORRERY_HD float block_scale(float largest) {
  return largest > 0 ? largest / kE4m3Max : 1.0F;
}

/// Random operands that host and GPU compute alike, by index: four uniform numbers summed, mean 0, variance
/// 1, within
/// +-3.47 (Irwin-Hall). Mixing of 32 bits by Wellons' lowbias32.
ORRERY_HD std::uint32_t mix(std::uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352dU;
  x ^= x >> 15;
  x *= 0x846ca68bU;
  return x ^ (x >> 16);
}
ORRERY_HD float random_normal(std::uint32_t seed, std::uint64_t index) {
  const std::uint32_t a =
      mix(static_cast<std::uint32_t>(index) ^ mix(seed + static_cast<std::uint32_t>(index >> 32)));
  const std::uint32_t b = mix(a + 0x9e3779b9U);
  const int sum = static_cast<int>((a & 0xffffU) + (a >> 16) + (b & 0xffffU) + (b >> 16)) - 2 * 65535;
  return static_cast<float>(sum) * (1.7320508F / 65536.0F);
}

}  // namespace orrery
