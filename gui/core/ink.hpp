#pragma once

#include <cstdint>
#include <string_view>

namespace orrery::gui {

/// What a colour stands for. Everything that is drawn names an ink; a theme says what it looks like.
enum class Ink : std::uint8_t {
  // Categories of time, in the order of legends.
  kForward,
  kBackwardInput,
  kBackwardWeight,
  kRecompute,
  kExpert,
  kPipeline,
  kTensor,
  kOptimizer,
  kHost,
  kOther,
  kIdle,  ///< waiting; never busy
  // The rest of a picture.
  kBackground,
  kRowStripe,
  kGrid,
  kText,
  kMutedText,
  kFrame,
  kSelection,
  kArea,
  kMark,
  kHit,
  kArrowIn,
  kArrowOut,
  kLimit,
  kHeat,
  kCurve,
  kGhost,
  kNone,
};
inline constexpr int kCategoryCount = static_cast<int>(Ink::kIdle) + 1;

/// A second channel beside colour.
enum class Pattern : std::uint8_t { kPlain, kDiagonal, kDots, kBar, kCross, kHatch };

/// A category of time as legends show it. `letter` stands in slices too narrow for more.
struct Category {
  Ink ink = Ink::kOther;
  std::string_view name;
  char letter = '-';
  Pattern pattern = Pattern::kPlain;
};
/// `ink` is one of the categories.
[[nodiscard]] const Category& category(Ink ink);

enum class Theme : std::uint8_t { kLight, kDark, kHighContrast, kPrint };
inline constexpr int kThemeCount = 4;
[[nodiscard]] std::string_view theme_name(Theme theme);

/// 0xRRGGBB. The categories are the Okabe-Ito colours and a brown, which stay apart for the colour-blind; the
/// print theme has greys in the same order of lightness.
[[nodiscard]] std::uint32_t colour(Theme theme, Ink ink);
/// Relative luminance of WCAG 2.1, 0 to 1.
[[nodiscard]] double luminance(std::uint32_t rgb);
/// Contrast of WCAG 2.1, 1 to 21.
[[nodiscard]] double contrast(std::uint32_t a, std::uint32_t b);
/// Black or white, whichever stands out more on `rgb`.
[[nodiscard]] std::uint32_t text_on(std::uint32_t rgb);
/// `share` of `top` over `bottom`, 0 to 1.
[[nodiscard]] std::uint32_t mixed(std::uint32_t bottom, std::uint32_t top, double share);

}  // namespace orrery::gui
