#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/hw/sourced.hpp"

/// Measured times of communication inside a node: collectives, and the exchange of experts' tokens.
namespace orrery {

/// One protocol of the library, for messages from a size on (NCCL has LL, LL128 and Simple).
struct CollectiveProtocol {
  double from_bytes = 0;   ///< sent by one GPU; 0 for the first
  double latency_s = 0;    ///< of the smallest message
  double bytes_per_s = 0;  ///< of one GPU, that the largest messages approach
  double overlap = 1;      ///< p: t^p = latency^p + (bytes / rate)^p
};

/// Time of one collective on a number of GPUs of one node, by the bytes that one GPU sends: B (n - 1)/n of an
/// all-gather, reduce-scatter or all-to-all of B bytes, twice that of an all-reduce, B of a send-receive.
struct CollectiveCurve {
  std::string operation;  ///< one of `collective_names()`
  std::int64_t gpus = 2;
  std::vector<CollectiveProtocol> protocols;  ///< in the order of `from_bytes`, at least one
  Origin origin = Origin::kFitted;
  std::string source;
  std::string date;
  std::string note;
  std::optional<double> median_error;  ///< relative, of the fit
  std::optional<double> p90_error;
  std::int64_t points = 0;
};

/// Links of another speed than the measured ones.
struct LinkScale {
  double rate = 1;     ///< bandwidth over that of the measurement
  double latency = 1;  ///< latency over that of the measurement
};

/// The protocol of the largest `from_bytes` that is not above `sent` counts, but never less time than the
/// one before needs for the most it carries, so that time grows with bytes. Rates are multiplied by
/// `scale.rate`, latencies by `scale.latency`; where protocols change stays.
[[nodiscard]] double collective_seconds(std::span<const CollectiveProtocol> protocols, double sent,
                                        LinkScale scale = {});

/// Bytes one GPU sends of a buffer of `bytes` on n GPUs, as above.
[[nodiscard]] double sent_bytes(const std::string& operation, double bytes, double n);

/// All that was measured in a node of a cluster.
struct CollectiveCurves {
  double link_bytes_per_s = 0;  ///< rate x efficiency of the tier inside the node that the curves belong to
  double link_latency_s = 0;    ///< latency of the same tier
  std::vector<CollectiveCurve> curves;

  /// The curves of an operation, by growing number of GPUs.
  [[nodiscard]] std::vector<const CollectiveCurve*> of(const std::string& operation) const;
};

/// Seconds of an operation on n >= 2 GPUs of a node, `sent` bytes by each. Between two measured numbers of
/// GPUs the logarithm of the time is interpolated in the logarithm of n; above the largest the largest
/// counts, with latencies in proportion to log n (assumed); below the smallest the smallest. Empty: the
/// operation has no curve.
[[nodiscard]] std::optional<double> measured_seconds(const CollectiveCurves& curves,
                                                     const std::string& operation, double sent, double n,
                                                     LinkScale scale = {});

/// "all-gather", "all-reduce", "all-to-all", "reduce-scatter", "send-recv".
[[nodiscard]] const std::vector<std::string>& collective_names();

/// Exchange of experts' tokens inside a node (dispatch or combine) on a number of SMs:
///   t^p = (latency + row row_s)^p + moving^p
///   moving^q = (B / rate)^q + (tokens (targets + own_rows) (row + row_bytes) / (SMs sm_rate))^q
/// with B the bytes one GPU sends, own ones counted (tokens x distinct target GPUs x row), and row the bytes
/// of one token. The SMs touch each token's row more often than it crosses a link: read and copied by the
/// sender of a dispatch, summed up and written by the receiver of a combine.
struct ExchangeCurve {
  double latency_s = 0;
  double row_s = 0;        ///< s/B of a row, before anything else moves
  double overlap = 1;      ///< p
  double bytes_per_s = 0;  ///< of the links of one GPU
  double sm_bytes_per_s = 0;
  double sm_overlap = 1;                     ///< q
  double own_rows = 0;                       ///< rows of a token that SMs move beside those sent
  double row_bytes = 0;                      ///< what an SM does for a row besides, in bytes
  std::int64_t least_sms = 1, most_sms = 1;  ///< measured; outside the nearest of them counts
  double link_bytes_per_s = 0;  ///< nvlink_*_bytes_per_s of the cluster that the curve belongs to
  double link_latency_s = 0;    ///< latency of its tier inside the node
  Origin origin = Origin::kFitted;
  std::string source;
  std::string date;
  std::string note;
  std::optional<double> median_error;
  std::optional<double> p90_error;
  std::int64_t points = 0;
};

struct ExchangeSize {
  double tokens = 0;     ///< of one GPU
  double row_bytes = 0;  ///< of one token
  double targets = 0;    ///< distinct GPUs that a token goes to, the own one counted
  double sms = 0;
};

/// Seconds of one exchange; `scale.rate` multiplies the rate of the links, `scale.latency` the latency.
[[nodiscard]] double exchange_seconds(const ExchangeCurve& curve, const ExchangeSize& size,
                                      LinkScale scale = {});

}  // namespace orrery
