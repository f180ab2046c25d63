#pragma once

#include <span>
#include <string>
#include <string_view>

namespace orrery {

/// Damerau-Levenshtein distance (optimal string alignment), case-insensitive.
[[nodiscard]] int edit_distance(std::string_view a, std::string_view b);

/// The candidate nearest to `word`; ties go to the earlier candidate. Empty when `candidates` is empty
/// or nothing is near (distance above max(2, a third of the word)).
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string> candidates);

/// "; did you mean 'X'?" or an empty string.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

/// "a, b, c".
[[nodiscard]] std::string join(std::span<const std::string> words, std::string_view separator = ", ");

}  // namespace orrery
