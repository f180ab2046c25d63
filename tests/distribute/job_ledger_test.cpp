#include "planner/distribute/job_ledger.hpp"

#include <gtest/gtest.h>

namespace orrery {
namespace {

TEST(JobLedger, ALostProcessGivesItsJobBackOnce) {
  JobLedger ledger(3);
  for (int rank = 0; rank < 3; ++rank) ledger.joined(rank, 1);
  const auto a = ledger.add("a");
  ledger.given(a, 1);
  EXPECT_EQ(ledger.free_slots(1), 0);
  const JobLedger::Loss loss = ledger.lose(1);
  EXPECT_EQ(loss.again, 1);
  EXPECT_TRUE(loss.given_up.empty());
  EXPECT_EQ(ledger.free_slots(1), 0);
  JobLedger::Number number = 99;
  std::string job;
  ASSERT_TRUE(ledger.again(number, job));
  EXPECT_EQ(number, a);
  EXPECT_EQ(job, "a");
  EXPECT_FALSE(ledger.again(number, job));
  ledger.given(a, 2);
  EXPECT_TRUE(ledger.finished(a, 2));
  EXPECT_EQ(ledger.free_slots(2), 1);
  EXPECT_TRUE(ledger.all_done());
}

TEST(JobLedger, AJobThatTwoProcessesWereLostWithIsGivenUp) {
  JobLedger ledger(3);
  for (int rank = 0; rank < 3; ++rank) ledger.joined(rank, 1);
  const auto a = ledger.add("a");
  ledger.given(a, 1);
  (void)ledger.lose(1);
  JobLedger::Number number = 0;
  std::string job;
  ASSERT_TRUE(ledger.again(number, job));
  ledger.given(number, 2);
  const JobLedger::Loss loss = ledger.lose(2);
  EXPECT_EQ(loss.again, 0);
  EXPECT_EQ(loss.given_up, std::vector<std::string>{"a"});
  EXPECT_TRUE(ledger.all_done());
}

TEST(JobLedger, ALateAnswerOfAProcessGivenUpCountsAndIsNotDoneTwice) {
  JobLedger ledger(2);
  ledger.joined(0, 1);
  ledger.joined(1, 1);
  const auto a = ledger.add("a");
  ledger.given(a, 1);
  (void)ledger.lose(1);
  EXPECT_TRUE(ledger.finished(a, 1));
  JobLedger::Number number = 0;
  std::string job;
  EXPECT_FALSE(ledger.again(number, job));
  EXPECT_TRUE(ledger.all_done());
  EXPECT_FALSE(ledger.finished(a, 1));
  EXPECT_EQ(ledger.free_slots(1), 0);  // it stays lost
}

TEST(JobLedger, ADuplicateOnAnotherProcessFreesItsSlot) {
  JobLedger ledger(3);
  for (int rank = 0; rank < 3; ++rank) ledger.joined(rank, 1);
  const auto a = ledger.add("a");
  ledger.given(a, 1);
  (void)ledger.lose(1);
  JobLedger::Number number = 0;
  std::string job;
  ASSERT_TRUE(ledger.again(number, job));
  ledger.given(a, 2);
  EXPECT_TRUE(ledger.finished(a, 1));
  EXPECT_FALSE(ledger.finished(a, 2));
  EXPECT_EQ(ledger.free_slots(2), 1);
}

}  // namespace
}  // namespace orrery
