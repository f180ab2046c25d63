#pragma once

#include <string>
#include <string_view>

namespace orrery {

/// FNV-1a of the bytes of `text` (http://www.isthe.com/chongo/tech/comp/fnv/), the same on every machine: 128
/// bits as 32 hexadecimal digits, for names of things ...
[[nodiscard]] std::string stable_hash(std::string_view text);
/// ... and 64 bits as 16 digits, to notice damage.
[[nodiscard]] std::string checksum(std::string_view text);

}  // namespace orrery
