#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

/// What a measurement is asked and what it answers. These values are all that probes, importers, fits and
/// files of samples have in common; they name no library and no device type.
namespace orrery {

/// Named sizes of a kernel, in elements unless the name says otherwise: {"m", 4096}, {"k", 7168},
/// {"bytes", 1 << 20}, {"sms", 24}. Names are lower case with '_'; the order is alphabetical.
using Shape = std::map<std::string, std::int64_t, std::less<>>;

/// One thing to measure. Two cases are the same measurement when all members are equal.
struct Case {
  std::string op_class = {};  ///< as in a hardware profile: "gemm.fp8-block", "attention-mla.forward"
  std::string name = {};      ///< which kernel serves it: "cublaslt", "own mma.sync", "nccl send-recv"
  Shape shape = {};           ///< sizes; `groups` experts of m rows each in grouped products
  std::string dtype = {};     ///< of the operands: "bf16", "fp8-e4m3"; the mode of scaling is in the class
  bool cold_l2 = false;       ///< the L2 cache is flushed before every execution
  bool sustained = false;  ///< executed back to back for seconds, so that clocks settle under the power cap
  bool operator==(const Case&) const = default;
  auto operator<=>(const Case&) const = default;
};

/// Size `name` of the shape; 0 if it has none.
[[nodiscard]] std::int64_t size_of(const Shape& shape, std::string_view name);
/// "k=7168 m=4096 n=2112".
[[nodiscard]] std::string to_text(const Shape& shape);
/// Inverse of to_text. InputError at `place`.
[[nodiscard]] Shape parse_shape(std::string_view text, const std::string& place);
/// For people: "gemm.bf16 cublaslt bf16 k=7168 m=4096 n=2112, cold L2".
[[nodiscard]] std::string to_text(const Case& c);

/// Reasons for which a GPU lowers its clocks, as bits of `Sample::throttle` (bits of NVML, same values).
enum ThrottleReason : std::uint64_t {
  kThrottleIdle = 0x1,
  kThrottleApplicationClocks = 0x2,
  kThrottlePowerCap = 0x4,
  kThrottleHardwareSlowdown = 0x8,
  kThrottleSyncBoost = 0x10,
  kThrottleThermalSoftware = 0x20,
  kThrottleThermalHardware = 0x40,
  kThrottlePowerBrake = 0x80,
  kThrottleDisplayClocks = 0x100,
};
/// "power cap, thermal (software)"; "none" for 0.
[[nodiscard]] std::string throttle_text(std::uint64_t reasons);

/// One timed repetition. What could not be read is absent, not zero.
struct Sample {
  double seconds = 0;  ///< of one execution; where several were timed together, their mean
  std::optional<double> sm_clock_hz;
  std::optional<double> memory_clock_hz;
  std::optional<double> watts;            ///< of the board, as NVML averages it
  std::optional<std::uint64_t> throttle;  ///< OR of ThrottleReason while it ran
  bool outlier = false;  ///< far from the median of its case; kept here, left out by those who fit
  bool operator==(const Sample&) const = default;
};

/// The answer of a case that could be measured. Never empty.
struct Samples {
  std::vector<Sample> values;
  std::int64_t executions = 1;  ///< timed together in each sample
  double flops = 0;             ///< of one execution, multiply-adds count two; 0: not counted
  double bytes = 0;             ///< device memory that one execution must read and write; for collectives the
                                ///< bytes that one GPU sends; 0: not counted
  /// Relative error ||out - reference|| / ||reference|| found before timing, and what was allowed. Absent
  /// where nothing was computed (launches) or the samples come from a file that does not say.
  std::optional<double> error;
  std::optional<double> error_limit;
  std::string note;  ///< how it was done, what limits it: "stopped by time, relative error 3.1 %"
  bool operator==(const Samples&) const = default;
};

enum class FailureClass : std::uint8_t {
  kUnsupported,  ///< this device or library cannot do it
  kOutOfMemory,
  kWrongResult,  ///< differs from the reference; was not timed
  kTimeOut,      ///< did not come back
  kDeviceLost,   ///< the GPU no longer answers
  kRankFailed,   ///< a rank of a collective failed; the message names it
  kCrashed,      ///< the measuring process died, or a kernel made it useless
  kNotReached,   ///< the budget was spent before its turn
  kNotRecorded,  ///< a replay has no samples of it
  kOther,
};

/// The answer of a case that could not be measured.
struct Failure {
  FailureClass kind = FailureClass::kOther;
  std::string message;  ///< what happened, with the error text of the library
  bool operator==(const Failure&) const = default;
};
[[nodiscard]] const char* to_text(FailureClass kind);  ///< "out-of-memory"

using Answer = std::variant<Samples, Failure>;

/// A case with its answer: one row of a file of samples.
struct Outcome {
  Case what;
  Answer answer;
  bool operator==(const Outcome&) const = default;
};

/// Facts about a measurement as text by name: "device", "driver", "cuda", "date", "seed", "tool".
using About = std::map<std::string, std::string, std::less<>>;

/// A file of samples.
struct SampleFile {
  About about;
  std::vector<Outcome> outcomes;
  bool operator==(const SampleFile&) const = default;
};

/// Median of the seconds of the samples that are no outliers (of all, if all are marked).
[[nodiscard]] double median_seconds(const Samples& samples);
/// Marks samples whose seconds are further from the median than `limit` times the scaled median absolute
/// deviation (1.4826 MAD) and than 1 % of the median. Hampel's rule; 5 is wide. Fewer than 5 samples: no
/// mark.
void mark_outliers(Samples& samples, double limit = 5);

/// CSV of format orrery.samples-csv/1 (docs/formats/samples-csv.md): lines "# name: value", a header line,
/// one row per outcome; lists inside a cell are separated by spaces. Numbers are written so that reading
/// gives back the same bits: parse_samples(to_csv(f)) == f, except that a line end inside a text becomes a
/// blank.
[[nodiscard]] std::string to_csv(const SampleFile& file);
[[nodiscard]] std::string csv_head(const About& about);     ///< the part before the rows
[[nodiscard]] std::string csv_row(const Outcome& outcome);  ///< one line with its line end
/// InputError with place:line:column, the value found and what was expected: wrong or missing columns,
/// negative or non-finite times, lists of different lengths, unknown failure classes, no samples in a row.
[[nodiscard]] SampleFile parse_samples(std::string_view text, const std::string& place);

}  // namespace orrery
