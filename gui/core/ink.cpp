#include "gui/core/ink.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace orrery::gui {
namespace {

constexpr std::array<Category, kCategoryCount> kCategories{{
    {Ink::kForward, "forward", 'F', Pattern::kPlain},
    {Ink::kBackwardInput, "backward", 'B', Pattern::kPlain},
    {Ink::kBackwardWeight, "weight gradient", 'W', Pattern::kPlain},
    {Ink::kRecompute, "recompute", 'R', Pattern::kDiagonal},
    {Ink::kExpert, "expert all-to-all", 'E', Pattern::kDots},
    {Ink::kPipeline, "pipeline message", 'P', Pattern::kBar},
    {Ink::kTensor, "tensor and context parallel", 'T', Pattern::kBar},
    {Ink::kOptimizer, "data parallel, optimizer", 'O', Pattern::kCross},
    {Ink::kHost, "host", 'H', Pattern::kPlain},
    {Ink::kOther, "other", 'X', Pattern::kPlain},
    {Ink::kIdle, "waiting", '-', Pattern::kHatch},
}};

constexpr std::size_t kInks = static_cast<std::size_t>(Ink::kNone) + 1;
using Palette = std::array<std::uint32_t, kInks>;

constexpr Palette kLight{
    0x0072B2, 0xE69F00, 0x009E73, 0x56B4E9, 0xCC79A7, 0xF0E442, 0x6B3F16, 0xD55E00, 0x8C8C8C, 0x666666,
    0xB9B9B9, 0xFFFFFF, 0xF6F7F9, 0xD5D8DD, 0x1B1E23, 0x5A6069, 0x000000, 0x7B2FBE, 0x7B2FBE, 0x9C1F5C,
    0xB00020, 0x1F6F3A, 0x9A3F00, 0xC00000, 0x0072B2, 0x7B2FBE, 0x8A8A8A, 0x000000,
};
constexpr Palette kDark{
    0x3E9BDB, 0xE69F00, 0x1DBE91, 0x8AD0F8, 0xDB96BD, 0xF0E442, 0x9A5A3A, 0xF07A2A, 0x9A9A9A, 0xB0B0B0,
    0x6A6F77, 0x1C1F24, 0x23272D, 0x3B414A, 0xECEFF3, 0xA8B0BB, 0xFFFFFF, 0xC79BFF, 0xC79BFF, 0xFF8FC0,
    0xFF8A80, 0x7FE0A0, 0xFFB27A, 0xFF6B6B, 0x3E9BDB, 0xC79BFF, 0x9AA0A8, 0x000000,
};
constexpr Palette kHighContrast{
    0x3DA5FF, 0xFFB000, 0x00D68F, 0x9FDCFF, 0xFF9BD2, 0xFFF04D, 0x8B4A2B, 0xFF7A33, 0xC0C0C0, 0xE0E0E0,
    0x909090, 0x000000, 0x0D0D0D, 0x808080, 0xFFFFFF, 0xE6E6E6, 0xFFFFFF, 0xFFFF00, 0xFFFF00, 0xFF66FF,
    0xFF5555, 0x66FF99, 0xFFB066, 0xFF4040, 0x3DA5FF, 0xFFFF00, 0xC0C0C0, 0x000000,
};
constexpr Palette kPrint{
    0x4A4A4A, 0xA8A8A8, 0x6E6E6E, 0x8C8C8C, 0x5C5C5C, 0xC4C4C4, 0x7D7D7D, 0x333333, 0x999999, 0x888888,
    0xBDBDBD, 0xFFFFFF, 0xFAFAFA, 0xD0D0D0, 0x000000, 0x444444, 0x000000, 0x000000, 0x707070, 0x303030,
    0x000000, 0x303030, 0x303030, 0x000000, 0x4A4A4A, 0x222222, 0x8A8A8A, 0x000000,
};

double linear(std::uint32_t part) {
  const double c = part / 255.0;
  return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}

}  // namespace

const Category& category(Ink ink) {
  return kCategories[std::min(static_cast<std::size_t>(ink), kCategories.size() - 1)];
}

std::string_view theme_name(Theme theme) {
  switch (theme) {
    case Theme::kLight: return "light";
    case Theme::kDark: return "dark";
    case Theme::kHighContrast: return "high-contrast";
    case Theme::kPrint: return "print";
  }
  return "light";
}

std::uint32_t colour(Theme theme, Ink ink) {
  const auto i = static_cast<std::size_t>(ink);
  switch (theme) {
    case Theme::kLight: return kLight[i];
    case Theme::kDark: return kDark[i];
    case Theme::kHighContrast: return kHighContrast[i];
    case Theme::kPrint: return kPrint[i];
  }
  return kLight[i];
}

double luminance(std::uint32_t rgb) {
  return 0.2126 * linear((rgb >> 16) & 255) + 0.7152 * linear((rgb >> 8) & 255) + 0.0722 * linear(rgb & 255);
}

double contrast(std::uint32_t a, std::uint32_t b) {
  const double x = luminance(a) + 0.05;
  const double y = luminance(b) + 0.05;
  return x > y ? x / y : y / x;
}

std::uint32_t text_on(std::uint32_t rgb) {
  return contrast(rgb, 0x000000) >= contrast(rgb, 0xFFFFFF) ? 0x000000 : 0xFFFFFF;
}

std::uint32_t mixed(std::uint32_t bottom, std::uint32_t top, double share) {
  std::uint32_t out = 0;
  for (unsigned shift : {16U, 8U, 0U}) {
    const double b = (bottom >> shift) & 255;
    const double t = (top >> shift) & 255;
    out |= static_cast<std::uint32_t>(std::lround(b + (t - b) * std::clamp(share, 0.0, 1.0))) << shift;
  }
  return out;
}

}  // namespace orrery::gui
