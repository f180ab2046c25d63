#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "planner/work_pool.hpp"

namespace orrery {

/// Makes the work of a process from a text that process 0 sends to all. May throw: the process ends with the
/// message.
using WorkFactory = std::function<Work(const std::string& setup)>;

/// The processes that a launcher (mpirun, srun) started together. Process 0 gives out the jobs, keeps the
/// results and computes, too; the others ask for one job after the other. All talk to process 0 alone, by
/// messages between two, so that the loss of one process harms nobody else.
class ProcessGroup {
 public:
  ProcessGroup() = default;
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;
  /// Sends the others home and leaves the group.
  virtual ~ProcessGroup() = default;

  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;

  /// On process 0: a pool over all processes. `threads` of its own (0: none) compute, `setup` goes to the
  /// others. A process that is silent for `patience` counts as lost: its job is given to another one, and a
  /// job that two processes were lost with is given up.
  [[nodiscard]] virtual std::unique_ptr<WorkPool> pool(int threads, Work work, std::string setup,
                                                       std::chrono::milliseconds patience) = 0;
  /// On the others: works on `threads` threads until process 0 sends home or is silent for `patience`.
  /// Returns whether it was sent home.
  virtual bool serve(int threads, const WorkFactory& factory, std::chrono::milliseconds patience) = 0;
  /// Whether a process was lost: MPI could not end in order, so the program has to end by itself.
  [[nodiscard]] virtual bool harmed() const = 0;
};

/// Empty where this program can run on many processes, else the reason why not.
[[nodiscard]] std::string distribution_missing();
/// Joins the processes that were started together (MPI_Init). Call once, and only under a launcher.
[[nodiscard]] std::unique_ptr<ProcessGroup> join_process_group();

}  // namespace orrery
