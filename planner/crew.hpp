#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "planner/work_pool.hpp"

namespace orrery {

/// Some threads that do jobs; one other thread gives and takes. Jobs carry a number of the giver's choice.
class Crew {
 public:
  struct Result {
    unsigned long long number = 0;
    std::string text;
  };

  /// With 0 threads nothing is ever idle.
  Crew(int threads, Work work);
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  /// Waits for the jobs in flight, unless they were left behind.
  ~Crew();
  /// Threads go on with what they do and nobody waits for them: before the process ends.
  void leave_behind();

  void give(unsigned long long number, std::string job);
  /// Waits up to `patience` for a result.
  [[nodiscard]] bool take(Result& out, std::chrono::microseconds patience);
  /// Threads without a job.
  [[nodiscard]] int idle() const;
  [[nodiscard]] int threads() const { return static_cast<int>(threads_.size()); }

 private:
  /// What threads and giver share; threads that were left behind keep it.
  struct Shared {
    Work work;
    std::mutex mutex;
    std::condition_variable wanted, ready;
    std::deque<std::pair<unsigned long long, std::string>> jobs;
    std::deque<Result> results;
    int given = 0;  ///< jobs given and not yet taken back
    bool over = false;
  };
  static void serve(Shared& shared);

  std::shared_ptr<Shared> shared_;
  std::vector<std::thread> threads_;
};

/// A pool of the threads of this process.
class ThreadPool final : public WorkPool {
 public:
  ThreadPool(int threads, Work work);
  void run(JobStream& stream) override;
  [[nodiscard]] std::string describe() const override;

 private:
  int threads_;
  Work work_;
};

}  // namespace orrery
