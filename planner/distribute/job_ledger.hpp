#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

namespace orrery {

/// Who works on which job: the bookkeeping of a pool over processes, free of messages and clocks.
class JobLedger {
 public:
  using Number = unsigned long long;

  explicit JobLedger(int processes) : processes_(static_cast<std::size_t>(processes)) {}

  /// A process says how many jobs it takes at a time.
  void joined(int rank, int slots);
  [[nodiscard]] int free_slots(int rank) const;

  /// Enters a new job.
  [[nodiscard]] Number add(std::string job);
  /// The oldest job that was taken back from a lost process; false where there is none.
  [[nodiscard]] bool again(Number& number, std::string& job);
  void given(Number number, int rank);
  /// True for the first result of a job; false where it came before, or was given up.
  [[nodiscard]] bool finished(Number number, int rank);

  struct Loss {
    int again = 0;                      ///< jobs that others will do
    std::vector<std::string> given_up;  ///< jobs that a second process was lost with
  };
  /// A process is gone, with what it was working on.
  [[nodiscard]] Loss lose(int rank);
  [[nodiscard]] bool is_lost(int rank) const { return processes_[static_cast<std::size_t>(rank)].lost; }
  /// Every job entered has its result or was given up.
  [[nodiscard]] bool all_done() const { return open_.empty(); }

 private:
  struct Process {
    int slots = 0;
    int busy = 0;
    bool lost = false;
  };
  struct Job {
    std::string text;
    int rank = -1;
    int losses = 0;
  };
  std::vector<Process> processes_;
  std::map<Number, Job> open_;
  std::deque<Number> again_;
  Number next_ = 0;
};

}  // namespace orrery
