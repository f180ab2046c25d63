#pragma once

// Functions that run on the GPU and, in tests, on the host: the same source is compiled by nvcc and by g++.
#ifdef __CUDACC__
#define ORRERY_HD __host__ __device__ __forceinline__
#define ORRERY_UNROLL _Pragma("unroll")
#define ORRERY_ROLL _Pragma("unroll 1")
#else
#define ORRERY_HD inline
#define ORRERY_UNROLL
#define ORRERY_ROLL
#endif
