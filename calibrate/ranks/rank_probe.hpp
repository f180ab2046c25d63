#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "calibrate/probe/probe.hpp"
#include "calibrate/ranks/messenger.hpp"
#include "calibrate/ranks/rank_agent.hpp"

namespace orrery {

/// Seconds after which something is given up.
struct RankPatience {
  double start_s = 120;   ///< until every process has come and made its communicator
  double join_s = 60;     ///< ranks finding one another
  double step_s = 30;     ///< one verification, or one batch of executions on top of what it should take
  double silence_s = 20;  ///< a process that says nothing, not even that it lives
  double grace_s = 0.5;   ///< after a failure, for others that fail with it
};

/// Collectives over the ranks of several nodes, one process for each GPU. Runs in process 0, asks the agents
/// of all, and never waits without an end: a rank that fails, hangs, dies or never came ends a case as
/// kRankFailed (or kOutOfMemory) with its number, host and reason. When nobody comes back, the ranks that got
/// least far are named. After a failure every rank of the case gets a new process. A process that is lost is
/// not asked again, and cases that need it say so.
class RankProbe : public Probe {
 public:
  /// `host` of this process; `agent` must have been asked `about` already.
  RankProbe(Messenger& messenger, RankAgent& agent, std::string host, RankPatience patience);
  /// Waits for all processes. Empty if cases can be measured, else why not; ranks that did not come are named
  /// in about()["missing_ranks"].
  [[nodiscard]] std::string gather();

  [[nodiscard]] About about() const override { return about_; }
  /// `gpus` ranks, the same number on each of the first `nodes` hosts (shape; without `nodes` one).
  [[nodiscard]] Answer run(const Case& what, const Effort& effort) override;

  /// Ranks on each host, in order of the hosts' first rank; only those that came.
  [[nodiscard]] std::vector<int> ranks_of_hosts() const;
  [[nodiscard]] bool harmed() const { return harmed_; }
  /// Sends the others home.
  void dismiss();

 private:
  using Clock = std::chrono::steady_clock;
  struct Rank {
    std::string host;
    int device = 0;     ///< its number among the ranks of its host
    std::string lost;   ///< why it is not asked any more
    bool gone = false;  ///< its process itself: nothing is sent to it either
    Clock::time_point heard = {};
    std::string reply;  ///< of the step under way; empty: none yet
    int progress = 0;   ///< steps that may wait for others, begun
    std::string at;
  };
  struct StepFailed {
    Failure failure;
  };

  void receive_all();
  void take(int rank, const std::string& text);
  void ask(int rank, const std::string& request);
  void wait_for(const std::vector<int>& ranks, const std::string& step, double seconds);
  [[nodiscard]] Failure failure_of(const std::vector<int>& ranks) const;
  [[nodiscard]] Failure late(const std::vector<int>& ranks, const std::string& step, double seconds) const;
  void mark_silent(const std::vector<int>& ranks);
  [[nodiscard]] std::string name(int rank) const;
  [[nodiscard]] std::vector<int> choose(const Case& what) const;
  [[nodiscard]] Answer measure(const Case& what, const Effort& effort, const std::vector<int>& ranks);
  [[nodiscard]] double run_once(const std::vector<int>& ranks, int repeats, double expected_s);

  Messenger& messenger_;
  RankAgent& agent_;
  RankPatience patience_;
  std::vector<Rank> ranks_;
  About about_;
  Clock::time_point beat_ = {};
  long number_ = 0;  ///< of the step under way; replies to others are late and do not count
  bool harmed_ = false;
};

/// The other processes: say hello, pass requests on to the agent, say that they live. Returns whether process
/// 0 sent them home in order; false when it was silent for `patience.silence_s` (before its first word for
/// `start_s` besides), or when the group was harmed.
[[nodiscard]] bool serve_ranks(Messenger& messenger, RankAgent& agent, const std::string& host,
                               const RankPatience& patience);

}  // namespace orrery
