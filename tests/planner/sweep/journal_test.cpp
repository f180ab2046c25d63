#include "planner/sweep/journal.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"

namespace orrery {
namespace {

const std::string kOne(32, '1');
const std::string kTwo(32, '2');

class JournalTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove(path_); }
  void TearDown() override { std::filesystem::remove(path_); }

  [[nodiscard]] std::string text() const { return read_file(path_); }
  void put(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }
  void write_two() const {
    Journal journal(path_, "sweep", "program", false);
    journal.append(kOne, "{\"n\":1}");
    journal.append(kTwo, "{\"n\":2}");
  }
  [[nodiscard]] std::string error(const std::string& sweep, const std::string& program, bool resume) const {
    try {
      const Journal journal(path_, sweep, program, resume);
    } catch (const InputError& failure) {
      return failure.what();
    }
    return {};
  }

  std::string path_ =
      testing::TempDir() + "/" + testing::UnitTest::GetInstance()->current_test_info()->name() + ".journal";
};

TEST_F(JournalTest, RowsAreReadBackByTheirKey) {
  write_two();
  const Journal journal(path_, "sweep", "program", true);
  EXPECT_EQ(journal.size(), 2U);
  EXPECT_EQ(journal.row(kOne), "{\"n\":1}");
  EXPECT_EQ(journal.row(kTwo), "{\"n\":2}");
  EXPECT_EQ(journal.recovered(), "");
}

// A kill or a full disk can end the file after any byte: what was whole stays, the rest goes, and the file
// grows on.
TEST_F(JournalTest, EveryTornEndIsCutOffAndWhatWasWholeIsKept) {
  write_two();
  const std::string whole = text();
  const std::size_t header = whole.find('\n') + 1;
  const std::size_t first = whole.find('\n', header) + 1;
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    put(whole.substr(0, size));
    Journal journal(path_, "sweep", "program", true);
    ASSERT_EQ(journal.size(), size == whole.size() ? 2U : size >= first ? 1U : 0U) << size;
    const bool torn = size != 0 && size != header && size != first && size != whole.size();
    ASSERT_EQ(journal.recovered().empty(), !torn) << size << journal.recovered();
    if (!journal.has(kOne)) journal.append(kOne, "{\"n\":1}");
    if (!journal.has(kTwo)) journal.append(kTwo, "{\"n\":2}");
    ASSERT_EQ(journal.row(kTwo), "{\"n\":2}");
    ASSERT_EQ(text(), whole) << size;
  }
}

TEST_F(JournalTest, ADamagedLineInTheMiddleIsPassedOverAndReported) {
  write_two();
  std::string bytes = text();
  bytes[bytes.find("\"n\":1") + 4] = '7';
  put(bytes);
  const Journal journal(path_, "sweep", "program", true);
  EXPECT_FALSE(journal.has(kOne));
  EXPECT_EQ(journal.row(kTwo), "{\"n\":2}");
  EXPECT_EQ(journal.recovered().find("1 damaged line of "), 0U) << journal.recovered();
}

TEST_F(JournalTest, ZerosAfterAPowerCutAreCutOff) {
  write_two();
  put(text() + std::string(4096, '\0'));
  const Journal journal(path_, "sweep", "program", true);
  EXPECT_EQ(journal.size(), 2U);
  EXPECT_EQ(journal.recovered().find("1 damaged line of 4096 bytes"), 0U);
}

TEST_F(JournalTest, TheSecondOfTwoProcessesIsRefused) {
  const Journal first(path_, "sweep", "program", false);
  EXPECT_NE(error("sweep", "program", true).find("another process is running a sweep with this journal"),
            std::string::npos);
}

TEST_F(JournalTest, WhatIsNotOursIsRefusedAndLeftAlone) {
  write_two();
  const std::string before = text();
  EXPECT_NE(error("other", "program", true).find("is the journal of another sweep"), std::string::npos);
  EXPECT_NE(error("sweep", "newer", true).find("was written by program, this is newer"), std::string::npos);
  EXPECT_NE(error("sweep", "program", false).find("holds 2 results of this sweep already; --resume goes on"),
            std::string::npos);
  EXPECT_EQ(text(), before);
  put("a letter to my aunt");
  EXPECT_NE(error("sweep", "program", true).find("is not a journal of orrery"), std::string::npos);
  EXPECT_EQ(text(), "a letter to my aunt");
}

TEST_F(JournalTest, AFullDiskIsSaid) {
  try {
    const Journal journal("/dev/full", "sweep", "program", false);
    FAIL() << "the full device took a line";
  } catch (const InputError& failure) {
    EXPECT_NE(
        std::string(failure.what()).find("/dev/full: the journal cannot be written: No space left on device"),
        std::string::npos)
        << failure.what();
  }
}

}  // namespace
}  // namespace orrery
