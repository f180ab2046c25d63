#pragma once

#include <functional>
#include <string>
#include <vector>

namespace orrery {

/// Does one job: text in, text out. Called by several threads at once; an exception leaves the program with a
/// message, so it catches what a job may do wrong and tells it in the result.
using Work = std::function<std::string(const std::string& job)>;

/// Where a pool gets its jobs and hands its results. Every function is called by the thread that called
/// `WorkPool::run`.
class JobStream {
 public:
  JobStream() = default;
  JobStream(const JobStream&) = delete;
  JobStream& operator=(const JobStream&) = delete;
  virtual ~JobStream() = default;

  /// The next job; false when there are no more, or when the run is to end early.
  virtual bool next(std::string& job) = 0;
  /// A result, in any order; what it belongs to stands in the text. May throw: the pool lets the jobs in
  /// flight end and passes the exception on.
  virtual void done(const std::string& result) = 0;
  /// Nobody could do this job: every process that tried was lost.
  virtual void lost(const std::string& job, const std::string& why) = 0;
  /// Something to tell people, such as the loss of a process.
  virtual void notice(const std::string& line) = 0;
  /// Called at least a few times per second.
  virtual void tick() = 0;
  /// Asked between jobs: true ends the run without waiting for the jobs in flight.
  [[nodiscard]] virtual bool abandon() const = 0;
};

/// Does jobs in parallel: on threads, or on the processes of a cluster. Which worker does which job is open,
/// so a result must depend on its job alone.
class WorkPool {
 public:
  WorkPool() = default;
  WorkPool(const WorkPool&) = delete;
  WorkPool& operator=(const WorkPool&) = delete;
  virtual ~WorkPool() = default;

  /// Runs until the stream has no more jobs and every result is handed back.
  virtual void run(JobStream& stream) = 0;
  /// "4 threads", "16 processes with 1 thread each".
  [[nodiscard]] virtual std::string describe() const = 0;
};

}  // namespace orrery
