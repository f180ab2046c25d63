#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "calibrate/probe/sample.hpp"

namespace orrery {

/// How long to go on with one case.
struct Effort {
  double relative_error = 0.01;  ///< stop when the standard error of the median is below this part of it
  int min_samples = 5;
  int max_samples = 60;
  double max_seconds = 1.0;  ///< spent in timed executions, warm-up not counted
  double sustained_seconds =
      3.0;  ///< length of the run of a sustained case, most of it before the first sample
  bool operator==(const Effort&) const = default;
};

/// Kernels that run one after the other as one piece of work. Steps of the same case share its operands.
struct SequenceStep {
  Case what;
  int repeats = 1;  ///< executions in a row
  bool operator==(const SequenceStep&) const = default;
};
struct Sequence {
  Case what;  ///< a name for the whole: class "layer", the model, the sizes it was made of
  std::vector<SequenceStep> steps;
};

/// The one interface to whatever is measured: a GPU, a file of recorded samples, a synthetic device.
///
/// `run` verifies the result of the kernel against a reference of higher precision first, and times it only
/// if it is right. What the device does wrong is a Failure, never an exception; a case is never dropped.
class Probe {
 public:
  Probe() = default;
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  virtual ~Probe() = default;

  /// What is measured: at least "device" and "probe" ("cuda", "synthetic", "replay").
  [[nodiscard]] virtual About about() const = 0;
  [[nodiscard]] virtual Answer run(const Case& what, const Effort& effort) = 0;
  /// Verifies every different step as `run` does, then times the whole sequence, from the first kernel to the
  /// end of the last. A step that fails fails the sequence, and the message names it. Probes that hold
  /// recorded cases only answer kUnsupported.
  [[nodiscard]] virtual Answer run_sequence(const Sequence& sequence, const Effort& effort);
};

/// A probe, or why there is none.
struct ProbeOrReason {
  std::unique_ptr<Probe> probe;
  std::string reason;  ///< set when `probe` is null: "built without CUDA", "no GPU: ..."
};

/// The GPU `device` of this machine. Defined by probe/cuda/cuda_probe.cpp where CUDA was found at build time,
/// else by probe/no_cuda.cpp, which says so. `seed` makes the random operands.
[[nodiscard]] ProbeOrReason make_cuda_probe(int device, std::uint64_t seed);

/// Makes a probe, once per measuring process.
using ProbeFactory = std::function<ProbeOrReason()>;

}  // namespace orrery
