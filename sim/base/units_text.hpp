#pragma once

#include <string>
#include <string_view>

#include "sim/base/units.hpp"

namespace orrery {

/// Text to quantity. Accepts a number with a unit, a space between them is optional, decimal prefixes
/// k M G T P E and binary prefixes Ki Mi Gi Ti: "400Gbit/s", "50 GB/s", "80GiB", "60d", "1.5us", "990TFLOPS".
/// A bare number is taken in the base unit (B, B/s, s, FLOP/s, W).
/// Errors: InputError naming `place`, the text and the units that are known.
[[nodiscard]] Bytes parse_bytes(std::string_view text, const std::string& place);
[[nodiscard]] BytesPerSecond parse_bytes_per_second(std::string_view text, const std::string& place);
[[nodiscard]] Seconds parse_seconds(std::string_view text, const std::string& place);
[[nodiscard]] FlopsPerSecond parse_flops_per_second(std::string_view text, const std::string& place);
[[nodiscard]] Watts parse_watts(std::string_view text, const std::string& place);
/// A plain number; understands k, M, G/B, T suffixes ("14.8T", "2048", "1e12").
[[nodiscard]] double parse_count(std::string_view text, const std::string& place);

/// Quantity to text for people: four significant digits, decimal prefix, unit always written.
[[nodiscard]] std::string to_text(Bytes value);
[[nodiscard]] std::string to_text(BytesPerSecond value);
[[nodiscard]] std::string to_text(Seconds value);
[[nodiscard]] std::string to_text(FlopsPerSecond value);
[[nodiscard]] std::string to_text(Watts value);
/// "14.8 T", "61", "272.8 G".
[[nodiscard]] std::string count_text(double value);

}  // namespace orrery
