#include "sim/schedule/messages.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "sim/schedule/generators.hpp"
#include "sim/schedule/validate.hpp"

namespace orrery {
namespace {

Action act(ActionKind kind, int stage, int microbatch) {
  return {.kind = kind, .stage = StageId{stage}, .microbatch = MicrobatchId{microbatch}};
}

/// The batches of a rank, each as "+out of stage 0, mb 1" words: s sends, r receives, F outputs, B gradients.
std::vector<std::vector<std::string>> words_of(const MessageBatches& all, std::size_t rank) {
  std::vector<std::vector<std::string>> out;
  for (const auto& batch : all.batches[rank]) {
    out.emplace_back();
    for (const std::uint32_t m : batch) {
      const Message& message = all.messages[m];
      out.back().push_back((message.sender == RankId{rank} ? "s" : "r") +
                           std::string(message.gradient ? "B" : "F") + std::to_string(message.from.value) +
                           "." + std::to_string(message.microbatch.value));
    }
  }
  return out;
}

TEST(Messages, OfTwoRanksOfOneForwardOneBackward) {
  // Rank 0: F0 F1 B0 B1. Rank 1: F0 B0 F1 B1. Receives go onto the list before a step, sends after it.
  const MessageBatches m = rendezvous_batches(make_schedule("1f1b", 2, 1, 2));
  using Words = std::vector<std::vector<std::string>>;
  EXPECT_EQ(words_of(m, 0), (Words{{}, {"sF0.0"}, {"sF0.1", "rB1.0"}, {"rB1.1"}, {}}));
  EXPECT_EQ(words_of(m, 1), (Words{{"rF0.0"}, {}, {"sB1.0", "rF0.1"}, {}, {"sB1.1"}}));
}

TEST(Messages, EveryBoundaryBetweenRanksIsCrossedOnceEachWay) {
  for (const GeneratorInfo& info : generators()) {
    const Schedule schedule = make_schedule(info.name, 4, info.default_vpp, 8);
    const MessageBatches all = rendezvous_batches(schedule);
    std::size_t expected = 0;
    for (int s = 0; s + 1 < schedule.stages; ++s) {
      for (int m = 0; m < schedule.microbatches; ++m) {
        if (schedule.rank_of(StageId{s}, MicrobatchId{m}) !=
            schedule.rank_of(StageId{s + 1}, MicrobatchId{m}))
          expected += 2;
      }
    }
    EXPECT_EQ(all.messages.size(), expected) << info.name;
    std::vector<int> sent(all.messages.size());
    std::vector<int> received(all.messages.size());
    for (std::size_t r = 0; r < all.batches.size(); ++r) {
      EXPECT_EQ(all.batches[r].size(), schedule.ranks[r].size() + 1);
      for (const auto& batch : all.batches[r]) {
        for (const std::uint32_t m : batch) {
          (all.messages[m].sender == RankId{r} ? sent : received)[m]++;
          EXPECT_TRUE(all.messages[m].sender == RankId{r} || all.messages[m].receiver == RankId{r});
        }
      }
    }
    EXPECT_EQ(std::count(sent.begin(), sent.end(), 1), static_cast<long>(sent.size())) << info.name;
    EXPECT_EQ(std::count(received.begin(), received.end(), 1), static_cast<long>(received.size()))
        << info.name;
  }
}

TEST(Messages, DualPipeWithHeldSendsNeverDeadlocks) {
  for (int p = 2; p <= 32; p += 2) {
    for (int n : {2 * p, 2 * p + 2, 120}) {
      if (n < 2 * p) continue;
      const Schedule schedule = make_schedule("dualpipe", p, 1, n);
      EXPECT_EQ(rendezvous_deadlock(schedule, rendezvous_batches(schedule)), std::nullopt) << p << " " << n;
    }
    const Schedule v = make_schedule("dualpipev", p, 2, 2 * p + 1);
    EXPECT_EQ(rendezvous_deadlock(v, rendezvous_batches(v)), std::nullopt) << p;
  }
}

TEST(Messages, WhichSchedulesRunUnderThePlainRule) {
  // Where the plain rule deadlocks, real code orders its messages otherwise; then it is infeasible here.
  std::map<std::string, bool> runs;
  for (const GeneratorInfo& info : generators()) {
    const Schedule schedule = make_schedule(info.name, 4, info.default_vpp, 12);
    runs[info.name] = !rendezvous_deadlock(schedule, rendezvous_batches(schedule)).has_value();
  }
  for (const char* name : {"gpipe", "1f1b", "zb-h1", "chimera", "dualpipe", "dualpipev"})
    EXPECT_TRUE(runs.at(name)) << name;
  // These run further ahead than their neighbours take: they need receives that are issued earlier.
  for (const char* name : {"interleaved-1f1b", "zb-h2", "zb-v"}) EXPECT_FALSE(runs.at(name)) << name;
}

TEST(Messages, ADeadlockNamesTheCircle) {
  // Rank 0 runs microbatch 0 first, rank 1 microbatch 1. As an order of work that is fine: rank 1 waits for
  // F1. But rank 0 issues the send of its first output before F1 and waits for rank 1 to take it, which is
  // still waiting for the second.
  Schedule s = make_schedule("gpipe", 2, 1, 2);
  s.name = "by hand";
  s.ranks[1] = {alone(act(ActionKind::kForward, 1, 1)), alone(act(ActionKind::kForward, 1, 0)),
                alone(act(ActionKind::kBackward, 1, 0)), alone(act(ActionKind::kBackward, 1, 1))};
  ASSERT_FALSE(validate(s));
  const auto circle = rendezvous_deadlock(s, rendezvous_batches(s));
  ASSERT_TRUE(circle);
  EXPECT_EQ(*circle,
            "  rank 0 before step 1 (0F1) waits for the output of stage 0, microbatch 0, which rank 1 issues "
            "before "
            "step 1 (1F0)\n"
            "  rank 1 before step 0 (1F1) waits for the output of stage 0, microbatch 1, which rank 0 issues "
            "before "
            "step 2 (0B0)\n");
}

// The published program of one DualPipe rank with its messages, written apart from the pass: what step() of
// deepseek-ai/DualPipe dualpipe.py lists, and where it issues the list.
class Published {
 public:
  Published(int ranks, int chunks, int rank)
      : ranks_(ranks),
        rank_(rank),
        half_(chunks / 2),
        c_(std::min(rank, ranks - 1 - rank)),
        left_(rank < ranks / 2) {}

  std::vector<std::vector<std::string>> run(int chunks) {
    const int h = ranks_ / 2;
    const bool mid = c_ == h - 1;
    for (int i = 0; i < 2 * (h - c_ - 1); ++i) forward(0);
    receive_forward(0);
    for (int i = 0; i < c_ + 1; ++i) {
      forward(0, false, mid);
      receive_forward(0);
      forward(1, true, !mid || i < c_);
      if (!mid) send_forward(0);
    }
    for (int i = 0; i < h - c_ - 1; ++i) {
      backward(1);
      receive_forward(1);
      issue();
      forward(1, false);
    }
    for (int i = 0; i < chunks / 2 - ranks_ + c_ + 1; ++i) {
      if (i == 0 && mid) {
        forward(0, false, false);
        send_forward(1);
        backward(1, false);
        send_forward(0);
        send_backward(1);
      } else {
        pair(0, 1, i > 0);
      }
      pair(1, 0);
    }
    for (int i = 0; i < h - c_ - 1; ++i) {
      backward(1);
      pair(1, 0);
    }
    for (int i = 0; i < 2 * (c_ + 1); ++i) backward(i % 2 == 0 ? 1 : 0);
    for (int i = 0; i < h - c_ - 1; ++i) {
      issue();
      backward(0);
    }
    for (int i = 0; i < c_ + 1; ++i) issue();
    issue();
    return std::move(batches_);
  }

 private:
  void forward(int phase, bool receive = true, bool send = true) {
    if (receive) receive_forward(phase);
    issue();
    if (send) send_forward(phase);
  }
  void backward(int phase, bool send = true) {
    receive_backward(phase);
    issue();
    if (send) send_backward(phase);
  }
  void pair(int f, int b, bool receive = true) {
    if (receive) receive_forward(f);
    receive_backward(b);
    issue();
    send_forward(f);
    send_backward(b);
  }
  // Phase 0 of the left half runs rightward: its stage is the rank's number, the other phase's counts from
  // the end.
  [[nodiscard]] bool rightward(int phase) const { return left_ == (phase == 0); }
  [[nodiscard]] int stage(int phase) const { return rightward(phase) ? rank_ : ranks_ - 1 - rank_; }
  [[nodiscard]] int chunk(int phase, int count) const { return (rightward(phase) ? 0 : half_) + count; }
  void put(char way, char what, int from, int phase, int count) {
    if (from >= 0 && from < ranks_)
      list_.push_back(std::string{way, what} + std::to_string(from) + "." +
                      std::to_string(chunk(phase, count)));
  }
  void receive_forward(int p) { put('r', 'F', stage(p) - 1, p, counts_[0][p]++); }
  void send_forward(int p) {
    const int n = counts_[1][p]++;
    if (stage(p) + 1 < ranks_) put('s', 'F', stage(p), p, n);
  }
  void receive_backward(int p) { put('r', 'B', stage(p) + 1, p, counts_[2][p]++); }
  void send_backward(int p) {
    const int n = counts_[3][p]++;
    if (stage(p) > 0) put('s', 'B', stage(p), p, n);
  }
  void issue() {
    batches_.push_back(std::move(list_));
    list_.clear();
  }

  int ranks_, rank_, half_, c_;
  bool left_;
  int counts_[4][2] = {};
  std::vector<std::string> list_;
  std::vector<std::vector<std::string>> batches_;
};

TEST(Messages, OfDualPipeAreThePublishedOnesBatchByBatch) {
  for (int p = 2; p <= 32; p += 2) {
    for (int n : {2 * p, 2 * p + 2, 3 * p}) {
      const MessageBatches made = rendezvous_batches(make_schedule("dualpipe", p, 1, n));
      for (int r = 0; r < p; ++r) {
        ASSERT_EQ(words_of(made, static_cast<std::size_t>(r)), Published(p, n, r).run(n))
            << p << " " << n << " " << r;
      }
    }
  }
}

}  // namespace
}  // namespace orrery
