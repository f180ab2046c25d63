// Our codecs against NVIDIA's, on the host.
#include <gtest/gtest.h>

#if __has_include(<cuda_fp8.h>)
#include <cuda_bf16.h>
#include <cuda_fp8.h>
#endif

#include <cmath>
#include <cstring>

#include "calibrate/probe/cuda/codecs.cuh"

namespace orrery {
namespace {

#if __has_include(<cuda_fp8.h>)

TEST(CudaCodecs, EncodeLikeTheCudaHeadersOverTheWholeRange) {
  // Every 4093rd float (a prime, so that all mantissas and exponents come up), both signs, no NaN.
  for (std::uint64_t bits = 0; bits < 0x100000000ULL; bits += 4093) {
    const float x = float_of(static_cast<std::uint32_t>(bits));
    if (std::isnan(x)) continue;
    ASSERT_EQ(to_e4m3(x), __nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E4M3)) << x;
    ASSERT_EQ(to_e5m2(x), __nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E5M2)) << x;
    const __nv_bfloat16 theirs = __float2bfloat16_rn(x);
    std::uint16_t code = 0;
    std::memcpy(&code, &theirs, sizeof code);
    ASSERT_EQ(to_bf16(x), code) << x;
  }
}

TEST(CudaCodecs, DecodeLikeTheCudaHeaders) {
  for (int code = 0; code < 256; ++code) {
    const auto byte = static_cast<std::uint8_t>(code);
    __nv_fp8_e4m3 e4m3;
    __nv_fp8_e5m2 e5m2;
    e4m3.__x = byte;
    e5m2.__x = byte;
    const auto a = static_cast<float>(e4m3), b = static_cast<float>(e5m2);
    EXPECT_TRUE(from_e4m3(byte) == a || (std::isnan(from_e4m3(byte)) && std::isnan(a))) << code;
    EXPECT_TRUE(from_e5m2(byte) == b || (std::isnan(from_e5m2(byte)) && std::isnan(b))) << code;
  }
}

#else

TEST(CudaCodecs, EncodeLikeTheCudaHeadersOverTheWholeRange) {
  GTEST_SKIP() << "no cuda_fp8.h on this machine";
}

#endif

}  // namespace
}  // namespace orrery
