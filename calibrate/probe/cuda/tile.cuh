#pragma once

#include <cstdint>

#include "calibrate/probe/cuda/lanes.cuh"

/// Tiles in shared memory: rows of a multiple of eight 16-byte chunks; chunk c of row r is stored at c XOR (r
/// mod 8), so that the eight rows of an 8x8 matrix lie in different banks (ldmatrix without conflicts).
namespace orrery {

template <int Chunks>
ORRERY_HD int tile_offset(int row, int chunk) {
  static_assert(Chunks % 8 == 0);
  return (row * Chunks + (chunk ^ (row & 7))) * 16;
}

/// Asynchronous load of `Rows` rows; row r begins at `from` + r * stride (bytes); rows from `valid` on become
/// zeros.
template <int Rows, int Chunks, int Threads, class Lanes>
ORRERY_HD void load_tile(Lanes& lanes, std::uint8_t* to, const void* from, std::int64_t stride, int valid) {
  lanes.each([&](int thread, auto&) {
    ORRERY_ROLL  // unrolled, the addresses of all rows would be kept in registers
        for (int i = 0; i < Rows * Chunks / Threads; ++i) {
      const int at = i * Threads + thread;
      const int row = at / Chunks, chunk = at % Chunks;
      const bool inside = row < valid;
      const auto* source = static_cast<const std::uint8_t*>(from) + (inside ? row * stride + chunk * 16 : 0);
      Lanes::copy16(to + tile_offset<Chunks>(row, chunk), source, inside);
    }
  });
  static_assert(Rows * Chunks % Threads == 0);
}

// Addresses of ldmatrix.x4 for lane `lane`: which row and which chunk of a tile, for a 16 x 16 block of
// 16-bit elements (or 16 x 32 of 8-bit ones) that starts at row `row` and chunk `chunk`.

/// A from rows: matrices (rows 0-7, left), (8-15, left), (0-7, right), (8-15, right). Also B that is stored
/// as [k][n] and read transposed: registers 0, 1 are the fragment of columns 0-7, 2 and 3 of columns 8-15.
template <int Chunks>
ORRERY_HD int rows_first(int lane, int row, int chunk) {
  return tile_offset<Chunks>(row + lane % 8 + ((lane >> 3) & 1) * 8, chunk + (lane >> 4));
}
/// B stored as [n][k]: matrices (n 0-7, left), (0-7, right), (8-15, left), (8-15, right): registers 0, 1 are
/// the fragment of n 0-7, 2 and 3 of n 8-15. Also A that is stored as [k][m] and read transposed.
template <int Chunks>
ORRERY_HD int chunks_first(int lane, int row, int chunk) {
  return tile_offset<Chunks>(row + lane % 8 + (lane >> 4) * 8, chunk + ((lane >> 3) & 1));
}

}  // namespace orrery
