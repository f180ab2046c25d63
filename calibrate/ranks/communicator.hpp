#pragma once

#include <functional>
#include <memory>
#include <string>

#include "calibrate/probe/sample.hpp"

namespace orrery {

/// Where a rank stands in a communicator.
struct RankPlace {
  int index = 0;
  int count = 1;
  int device = 0;  ///< GPU of its host
};

/// What the comparison of a collective's result on one rank found.
struct RankVerified {
  double error = 0;  ///< relative, as in Samples
  double limit = 0;
};

/// Ends a step with its failure; thrown by communicators, caught by the process that serves them.
struct RankFailure {
  Failure failure;
};

/// Told before every step that may wait for others: when nobody comes back, the rank that was told least is
/// the one that the others wait for.
using RankProgress = std::function<void(const std::string& step)>;

/// One rank's end of a collective among several: NCCL on a GPU, or a stand-in of the tests. Lives in a
/// process of its own and may wait for the other ranks for ever; throws RankFailure.
class Communicator {
 public:
  Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;
  virtual ~Communicator() = default;

  [[nodiscard]] virtual About about() = 0;  ///< "device", "nccl", ...
  /// Printable text that the first rank makes and all ranks are given to find one another.
  [[nodiscard]] virtual std::string unique_id() = 0;
  /// Meets the others and makes operands of the case.
  virtual void join(const Case& what, const std::string& id, const RankPlace& place) = 0;
  /// Executes once and compares this rank's result with what it must be.
  [[nodiscard]] virtual RankVerified verify() = 0;
  /// `repeats` executions; seconds of one, as this rank saw them.
  [[nodiscard]] virtual double run(int repeats) = 0;
  /// Leaves the others in order; another `join` may follow.
  virtual void leave() = 0;
};

/// Makes the communicator of this process, or throws RankFailure.
using CommunicatorFactory = std::function<std::unique_ptr<Communicator>(RankProgress progress)>;

/// NCCL over the GPUs of all ranks. Defined by probe/cuda/nccl_rank.cpp where CUDA and NCCL were found at
/// build time, else by files that throw kUnsupported with the reason.
[[nodiscard]] std::unique_ptr<Communicator> make_nccl_communicator(RankProgress progress);

}  // namespace orrery
