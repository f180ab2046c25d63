#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gui/core/ink.hpp"
#include "gui/core/scene.hpp"
#include "gui/core/time_axis.hpp"

namespace orrery::gui {

/// Most slices a timeline opens; beyond that it says so and shows a coarser level.
inline constexpr std::size_t kMostSlices = 20'000'000;

/// Slices of one row in the order of time, none over another, as columns: 22 bytes a slice.
struct SliceRow {
  std::vector<std::int64_t> begin;  ///< picoseconds
  std::vector<std::int64_t> end;
  std::vector<Ink> ink;           ///< a category; kIdle does not count as busy
  std::vector<Ink> second;        ///< lower half of an overlapped pair, else kNone
  std::vector<std::int32_t> ref;  ///< the maker's own number

  [[nodiscard]] std::size_t size() const { return begin.size(); }
  void add(std::int64_t from, std::int64_t to, Ink what, std::int32_t reference, Ink half = Ink::kNone);
  void reserve(std::size_t n);
};

/// Sums along a row, so that any stretch of time is answered without looking at its slices: busy time
/// exactly, the category that prevails from shares of buckets with 8 to 32 slices on average. Refers to the
/// row, which must stay. 8 bytes a slice and 14 a bucket: with the row's own columns less than 32 bytes a
/// slice.
class RowIndex {
 public:
  RowIndex() = default;
  explicit RowIndex(const SliceRow& row);

  [[nodiscard]] const SliceRow& row() const { return *row_; }
  /// The first slice that ends after `t`; size() when none does.
  [[nodiscard]] std::size_t first_after(std::int64_t t) const;
  /// The slice that holds `t`, or -1.
  [[nodiscard]] std::int64_t at(std::int64_t t) const;
  /// Busy picoseconds between `a` and `b`.
  [[nodiscard]] std::int64_t busy(std::int64_t a, std::int64_t b) const;
  /// The busy category with the most time between `a` and `b`; kIdle where nothing is busy.
  [[nodiscard]] Ink prevailing(std::int64_t a, std::int64_t b) const;
  /// One column a pixel over the whole width of the axis.
  [[nodiscard]] std::vector<StripColumn> columns(const TimeAxis& axis) const;
  [[nodiscard]] std::size_t bytes() const;

 private:
  [[nodiscard]] std::int64_t busy_before(std::int64_t t, std::size_t at) const;
  [[nodiscard]] std::size_t bucket(std::int64_t t) const;
  static constexpr std::size_t kBusy = static_cast<std::size_t>(Ink::kIdle);
  using Sums = std::array<std::int64_t, kBusy>;
  [[nodiscard]] static Ink most_of(const Sums& sums);
  [[nodiscard]] Ink prevailing_between(std::int64_t a, std::int64_t b, std::size_t from,
                                       std::size_t to) const;
  void sweep(const TimeAxis& axis, std::size_t slice, std::vector<StripColumn>& out) const;
  void jump(const TimeAxis& axis, std::size_t slice, std::vector<StripColumn>& out) const;

  const SliceRow* row_ = nullptr;
  std::int64_t origin_ = 0;
  int shift_ = 0;  ///< a bucket is 2^shift_ picoseconds
  std::size_t buckets_ = 0;
  std::vector<std::int64_t> busy_;    ///< [slice]: busy time before it
  std::vector<std::uint32_t> first_;  ///< [bucket]: first slice that ends after its start
  std::vector<std::uint8_t> shares_;  ///< [bucket * kBusy + category]: of the bucket, in 255ths, rounded up
};

/// Busy share as a column shows it: 0 only where nothing runs, 255 only where nothing waits.
[[nodiscard]] std::uint8_t busy_level(std::int64_t busy, std::int64_t length);

}  // namespace orrery::gui
