#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "sim/base/fields.hpp"

namespace orrery {
namespace {

namespace fs = std::filesystem;

class Files : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = fs::path(testing::TempDir()) / (std::string("orrery_files_") + test->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  [[nodiscard]] std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), {}));
  }
  fs::path folder_;
};

TEST_F(Files, WrittenTextIsReadBackAndNothingElseIsLeft) {
  const std::string text("one\r\ntwo\0three", 14);
  write_file(folder_ / "a.json", text);
  EXPECT_EQ(read_file(folder_ / "a.json"), text);
  write_file(folder_ / "a.json", "short");
  EXPECT_EQ(read_file(folder_ / "a.json"), "short");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Files, AFailedWriteLeavesTheOldFileAndNoHalfOne) {
  write_file(folder_ / "a.json", "old");
  // The temporary neighbour cannot be opened: a folder stands in its place.
  fs::create_directories(folder_ / "a.json.part");
  EXPECT_THROW(write_file(folder_ / "a.json", "new"), InputError);
  EXPECT_EQ(read_file(folder_ / "a.json"), "old");
  EXPECT_FALSE(fs::is_regular_file(folder_ / "a.json.part"));
}

TEST_F(Files, AMissingFolderOrAFolderAsFileIsAnInputError) {
  try {
    write_file(folder_ / "no" / "a.json", "x");
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_EQ(error.place(), (folder_ / "no" / "a.json").string());
    EXPECT_NE(error.problem().find("cannot be written"), std::string::npos);
  }
  EXPECT_FALSE(fs::exists(folder_ / "no"));
  EXPECT_THROW(write_file(folder_, "x"), InputError);
  EXPECT_THROW((void)read_file(folder_), InputError);
  EXPECT_THROW((void)read_file(folder_ / "absent.json"), InputError);
}

TEST_F(Files, ALinkKeepsPointingAtItsTarget) {
  write_file(folder_ / "target", "old");
  fs::create_symlink(folder_ / "target", folder_ / "link");
  write_file(folder_ / "link", "new");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(read_file(folder_ / "target"), "new");
}

TEST_F(Files, ADeviceIsWrittenToAndNotReplaced) {
  // A link to the null device: even a mistake here replaces only the link.
  fs::create_symlink("/dev/null", folder_ / "sink");
  write_file(folder_ / "sink", "text");
  EXPECT_TRUE(fs::is_symlink(folder_ / "sink"));
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Files, JsonErrorsNameTheFile) {
  write_file(folder_ / "bad.json", "{\n  \"a\": }\n");
  try {
    (void)load_json(folder_ / "bad.json");
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_EQ(error.place(), (folder_ / "bad.json").string() + ":2:8");
  }
}

}  // namespace
}  // namespace orrery
