#include "gui/core/slices.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace orrery::gui {
namespace {

/// Slices that a bucket has at least, on average.
constexpr std::size_t kPerBucket = 8;
/// A stretch with fewer slices is answered by looking at each of them.
constexpr std::size_t kFewSlices = 16;

bool is_busy(Ink ink) {
  return ink < Ink::kIdle;
}

std::int64_t right_edge(const TimeAxis& axis, std::size_t column, std::int64_t left) {
  return std::max(left + 1, std::int64_t{std::llround(axis.t(axis.left + static_cast<double>(column) + 1))});
}

}  // namespace

void SliceRow::add(std::int64_t from, std::int64_t to, Ink what, std::int32_t reference, Ink half) {
  begin.push_back(from);
  end.push_back(to);
  ink.push_back(what);
  second.push_back(half);
  ref.push_back(reference);
}

void SliceRow::reserve(std::size_t n) {
  begin.reserve(n);
  end.reserve(n);
  ink.reserve(n);
  second.reserve(n);
  ref.reserve(n);
}

RowIndex::RowIndex(const SliceRow& row) : row_(&row) {
  const std::size_t n = row.size();
  if (n == 0) return;
  origin_ = row.begin.front();
  const std::int64_t length = std::max<std::int64_t>(1, row.end.back() - origin_);
  std::int64_t wanted = 1;
  while (static_cast<std::size_t>(wanted) * 2 * kPerBucket <= n) wanted *= 2;
  // A power of two, so that finding a bucket is a shift.
  while ((length >> shift_) >= wanted) ++shift_;
  buckets_ = static_cast<std::size_t>(length >> shift_) + 1;
  busy_.resize(n + 1);
  first_.assign(buckets_ + 1, static_cast<std::uint32_t>(n));
  shares_.assign(buckets_ * kBusy, 0);
  Sums sums{};           // of the bucket that is open
  std::size_t open = 0;  // buckets before it have their shares
  const auto start_of = [&](std::size_t b) { return origin_ + (static_cast<std::int64_t>(b) << shift_); };
  // Closes all buckets that end at or before `t`; `slice` is the first that ends after it.
  const auto close_until = [&](std::int64_t t, std::size_t slice) {
    while (open < buckets_ && start_of(open + 1) <= t) {
      for (std::size_t c = 0; c < kBusy; ++c)
        shares_[open * kBusy + c] =
            static_cast<std::uint8_t>((sums[c] * 255 + (std::int64_t{1} << shift_) - 1) >> shift_);
      sums = {};
      ++open;
      first_[open] = static_cast<std::uint32_t>(slice);
    }
  };
  first_[0] = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const bool busy = is_busy(row.ink[i]);
    const auto c = static_cast<std::size_t>(row.ink[i]);
    busy_[i + 1] = busy_[i] + (busy ? row.end[i] - row.begin[i] : 0);
    close_until(row.begin[i], i);
    // The slice may cross borders of buckets: every bucket gets its own part.
    std::int64_t from = row.begin[i];
    while (open < buckets_ && start_of(open + 1) < row.end[i]) {
      const std::int64_t border = start_of(open + 1);
      if (busy) sums[c] += border - from;
      from = border;
      close_until(border, i);
    }
    if (busy) sums[c] += row.end[i] - from;
  }
  close_until(start_of(buckets_), n);
}

std::size_t RowIndex::bucket(std::int64_t t) const {
  if (t <= origin_) return 0;
  return std::min(static_cast<std::size_t>((t - origin_) >> shift_), buckets_);
}

std::size_t RowIndex::first_after(std::int64_t t) const {
  if (buckets_ == 0 || t < origin_) return 0;
  const std::size_t b = bucket(t);
  const auto low = row_->end.begin() + first_[b];
  const auto high = b < buckets_ ? row_->end.begin() + std::min<std::ptrdiff_t>(
                                                           static_cast<std::ptrdiff_t>(row_->size()),
                                                           static_cast<std::ptrdiff_t>(first_[b + 1]) + 1)
                                 : row_->end.end();
  return static_cast<std::size_t>(std::upper_bound(low, high, t) - row_->end.begin());
}

std::int64_t RowIndex::at(std::int64_t t) const {
  const std::size_t i = first_after(t);
  if (buckets_ == 0 || i >= row_->size() || row_->begin[i] > t) return -1;
  return static_cast<std::int64_t>(i);
}

std::int64_t RowIndex::busy_before(std::int64_t t, std::size_t at) const {
  if (at >= row_->size()) return busy_.back();
  // A busy slice is as long as the sum grows, one that waits adds nothing: its end says enough.
  return busy_[at] + std::max<std::int64_t>(0, busy_[at + 1] - busy_[at] - (row_->end[at] - t));
}

std::int64_t RowIndex::busy(std::int64_t a, std::int64_t b) const {
  if (buckets_ == 0 || b <= a) return 0;
  return busy_before(b, first_after(b)) - busy_before(a, first_after(a));
}

Ink RowIndex::most_of(const Sums& sums) {
  const auto most = std::max_element(sums.begin(), sums.end());
  return *most > 0 ? static_cast<Ink>(most - sums.begin()) : Ink::kIdle;
}

Ink RowIndex::prevailing_between(std::int64_t a, std::int64_t b, std::size_t from, std::size_t to) const {
  Sums sums{};
  if (to <= from + kFewSlices) {
    for (std::size_t i = from; i <= to && i < row_->size(); ++i) {
      const std::int64_t part = std::min(b, row_->end[i]) - std::max(a, row_->begin[i]);
      if (part > 0 && is_busy(row_->ink[i])) sums[static_cast<std::size_t>(row_->ink[i])] += part;
    }
    return most_of(sums);
  }
  std::array<std::uint32_t, kBusy> shares{};
  const std::size_t last = std::min(bucket(b - 1), buckets_ - 1);
  for (std::size_t at = bucket(a); at <= last; ++at) {
    for (std::size_t c = 0; c < kBusy; ++c) shares[c] += shares_[at * kBusy + c];
  }
  std::copy(shares.begin(), shares.end(), sums.begin());
  return most_of(sums);
}

Ink RowIndex::prevailing(std::int64_t a, std::int64_t b) const {
  if (buckets_ == 0 || b <= a) return Ink::kIdle;
  return prevailing_between(a, b, first_after(a), first_after(b));
}

std::vector<StripColumn> RowIndex::columns(const TimeAxis& axis) const {
  const auto n = static_cast<std::size_t>(std::max(0.0, std::floor(axis.width)));
  std::vector<StripColumn> out(n);
  if (buckets_ == 0) return out;
  const std::size_t first = first_after(std::llround(axis.t0));
  const std::size_t last = first_after(std::llround(axis.t1));
  if (last - std::min(first, last) < kFewSlices * n)
    sweep(axis, first, out);
  else
    jump(axis, first, out);
  return out;
}

/// Looks at every slice in view once.
void RowIndex::sweep(const TimeAxis& axis, std::size_t slice, std::vector<StripColumn>& out) const {
  const SliceRow& row = *row_;
  std::int64_t a = std::llround(axis.t(axis.left));
  for (std::size_t i = 0; i < out.size() && slice < row.size(); ++i) {
    const std::int64_t b = right_edge(axis, i, a);
    Sums sums{};
    std::int64_t busy = 0;
    while (slice < row.size() && row.begin[slice] < b) {
      const std::int64_t part = std::min(b, row.end[slice]) - std::max(a, row.begin[slice]);
      if (part > 0 && is_busy(row.ink[slice])) {
        busy += part;
        sums[static_cast<std::size_t>(row.ink[slice])] += part;
      }
      if (row.end[slice] > b) break;
      ++slice;
    }
    if (busy > 0) out[i] = {most_of(sums), busy_level(busy, b - a)};
    a = b;
  }
}

/// Looks at the sums only, however many slices are in view.
void RowIndex::jump(const TimeAxis& axis, std::size_t slice, std::vector<StripColumn>& out) const {
  // What a column needs lies far from what the one before needed: ask the memory for it early.
  constexpr std::size_t kAhead = 12;
  const double column_ps = axis.per_pixel();
  std::int64_t a = std::llround(axis.t(axis.left));
  std::int64_t before = busy_before(a, slice);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto soon = static_cast<std::int64_t>(axis.t0 + static_cast<double>(i + kAhead) * column_ps);
    const std::size_t at = std::min<std::size_t>(first_[bucket(soon)], row_->size() - 1);
    // Where in its bucket the slice lies is not known yet: two lines of each.
    const std::size_t beside = std::min(at + 8, row_->size() - 1);
    __builtin_prefetch(&row_->end[at]);
    __builtin_prefetch(&row_->end[beside]);
    __builtin_prefetch(&busy_[at]);
    __builtin_prefetch(&busy_[beside]);
    __builtin_prefetch(&shares_[std::min(bucket(soon), buckets_ - 1) * kBusy]);
    const std::int64_t b = right_edge(axis, i, a);
    const std::size_t next = first_after(b);
    const std::int64_t upto = busy_before(b, next);
    if (upto > before) out[i] = {prevailing_between(a, b, slice, next), busy_level(upto - before, b - a)};
    a = b;
    before = upto;
    slice = next;
  }
}

std::size_t RowIndex::bytes() const {
  return busy_.size() * sizeof(busy_[0]) + first_.size() * sizeof(first_[0]) +
         shares_.size() * sizeof(shares_[0]);
}

std::uint8_t busy_level(std::int64_t busy, std::int64_t length) {
  if (busy <= 0 || length <= 0) return 0;
  if (busy >= length) return 255;
  const double share = static_cast<double>(busy) / static_cast<double>(length);
  return static_cast<std::uint8_t>(std::clamp(std::lround(share * 255), 1L, 254L));
}

}  // namespace orrery::gui
