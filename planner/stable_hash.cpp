#include "planner/stable_hash.hpp"

#include <fmt/format.h>

#include <cstdint>

namespace orrery {
namespace {

/// A 128-bit number in two halves.
struct Wide {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
};

/// value * (2^88 + 0x13b), modulo 2^128.
Wide times_prime(Wide value) {
  constexpr std::uint64_t kLowPrime = 0x13b;
  const std::uint64_t low_half = (value.low & 0xffffffffU) * kLowPrime;
  const std::uint64_t high_half = (value.low >> 32U) * kLowPrime + (low_half >> 32U);
  return {.high = value.high * kLowPrime + (high_half >> 32U) + (value.low << 24U),
          .low = (high_half << 32U) | (low_half & 0xffffffffU)};
}

}  // namespace

std::string stable_hash(std::string_view text) {
  Wide hash{.high = 0x6c62272e07bb0142U, .low = 0x62b821756295c58dU};
  for (const char c : text) {
    hash.low ^= static_cast<unsigned char>(c);
    hash = times_prime(hash);
  }
  return fmt::format("{:016x}{:016x}", hash.high, hash.low);
}

std::string checksum(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3U;
  }
  return fmt::format("{:016x}", hash);
}

}  // namespace orrery
