#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "gui/core/ink.hpp"

// Contrast, and what people see who lack a kind of cone.

namespace orrery::gui {
namespace {

using Triple = std::array<double, 3>;
using Matrix = std::array<Triple, 3>;

/// Machado, Oliveira, Fernandes 2009, "A Physiologically-based Model for Simulation of Color Vision
/// Deficiency", severity 1.0, on linear RGB.
constexpr Matrix kProtanopia{
    {{0.152286, 1.052583, -0.204868}, {0.114503, 0.786281, 0.099216}, {-0.003882, -0.048116, 1.051998}}};
constexpr Matrix kDeuteranopia{
    {{0.367322, 0.860646, -0.227968}, {0.280085, 0.672501, 0.047413}, {-0.011820, 0.042940, 0.968881}}};
constexpr Matrix kTritanopia{
    {{1.255528, -0.076749, -0.178779}, {-0.078411, 0.930809, 0.147602}, {0.004733, 0.691367, 0.303900}}};
constexpr Matrix kUsual{{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}};

double linear(std::uint32_t part) {
  const double c = part / 255.0;
  return c <= 0.04045 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
}

/// CIE L*a*b* (D65) of what is seen of a colour.
Triple seen(std::uint32_t rgb, const Matrix& by) {
  const Triple v{linear((rgb >> 16) & 255), linear((rgb >> 8) & 255), linear(rgb & 255)};
  Triple w{};
  for (std::size_t i = 0; i < 3; ++i)
    w[i] = std::clamp(by[i][0] * v[0] + by[i][1] * v[1] + by[i][2] * v[2], 0.0, 1.0);
  const auto f = [](double t) { return t > 0.008856 ? std::cbrt(t) : 7.787 * t + 16.0 / 116; };
  const double x = f((0.4124 * w[0] + 0.3576 * w[1] + 0.1805 * w[2]) / 0.95047);
  const double y = f(0.2126 * w[0] + 0.7152 * w[1] + 0.0722 * w[2]);
  const double z = f((0.0193 * w[0] + 0.1192 * w[1] + 0.9505 * w[2]) / 1.08883);
  return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

double distance(const Triple& a, const Triple& b) {
  return std::sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) +
                   (a[2] - b[2]) * (a[2] - b[2]));
}

TEST(Ink, CategoriesStayApartForTheColourBlind) {
  // A distance of 2.3 is just noticed; the nearest pair of any theme and kind of vision is 11.8 apart,
  // backward and optimizer for deuteranopes in the dark.
  constexpr double kLeast = 11;
  for (const Theme theme : {Theme::kLight, Theme::kDark, Theme::kHighContrast}) {
    for (const Matrix& vision : {kUsual, kProtanopia, kDeuteranopia, kTritanopia}) {
      for (int a = 0; a < static_cast<int>(Ink::kHost); ++a) {
        for (int b = 0; b < a; ++b)
          EXPECT_GE(distance(seen(colour(theme, static_cast<Ink>(a)), vision),
                             seen(colour(theme, static_cast<Ink>(b)), vision)),
                    kLeast)
              << theme_name(theme) << ": " << category(static_cast<Ink>(a)).name << " and "
              << category(static_cast<Ink>(b)).name;
      }
    }
  }
}

TEST(Ink, WhatWasTakenForTensorParallelWasOneColourWithTheOptimizerForProtanopes) {
  // The reason why the brown is not the one of the usual eight (A6761D): 2.9 to vermilion.
  EXPECT_LT(distance(seen(0xA6761D, kProtanopia), seen(0xD55E00, kProtanopia)), 3);
  EXPECT_GT(distance(seen(colour(Theme::kLight, Ink::kTensor), kProtanopia), seen(0xD55E00, kProtanopia)),
            25);
}

TEST(Ink, InPrintALetterOrAPatternTellsGreysApart) {
  for (int a = 0; a < kCategoryCount; ++a) {
    for (int b = 0; b < a; ++b)
      EXPECT_NE(category(static_cast<Ink>(a)).letter, category(static_cast<Ink>(b)).letter);
  }
}

TEST(Ink, ContrastOfTextAndGraphicsHoldsInEveryTheme) {
  for (int t = 0; t < kThemeCount; ++t) {
    const auto theme = static_cast<Theme>(t);
    const std::uint32_t ground = colour(theme, Ink::kBackground);
    for (Ink ink :
         {Ink::kText, Ink::kMutedText, Ink::kHit, Ink::kArrowIn, Ink::kArrowOut, Ink::kMark, Ink::kSelection})
      EXPECT_GE(contrast(colour(theme, ink), ground), ink == Ink::kText || ink == Ink::kMutedText ? 4.5 : 3.0)
          << theme_name(theme) << " " << static_cast<int>(ink);
    for (int c = 0; c < kCategoryCount; ++c)
      EXPECT_GE(contrast(text_on(colour(theme, static_cast<Ink>(c))), colour(theme, static_cast<Ink>(c))),
                4.5)
          << theme_name(theme) << " " << c;
  }
}

}  // namespace
}  // namespace orrery::gui
