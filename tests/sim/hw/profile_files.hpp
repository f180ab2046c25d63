#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"
#include "sim/hw/cluster.hpp"

namespace orrery::test {

inline std::filesystem::path shipped_root() {
  return std::filesystem::path(ORRERY_SOURCE_DIR) / "hwprofiles";
}
inline ProfileFolders shipped_folders() {
  return ProfileFolders{.roots = {shipped_root()}};
}
inline Json shipped_json(const std::string& kind, const std::string& name) {
  return load_json(shipped_root() / kind / (name + ".json"));
}

/// A folder with gpu/ and cluster/ of its own, removed at the end of the test.
class ScratchProfiles {
 public:
  ScratchProfiles() {
    const auto* info = ::testing::UnitTest::GetInstance()->current_test_info();
    root_ = std::filesystem::path(::testing::TempDir()) /
            (std::string("orrery_hw_") + info->test_suite_name() + "_" + info->name());
    std::filesystem::remove_all(root_);
    std::filesystem::create_directories(root_ / "gpu");
    std::filesystem::create_directories(root_ / "cluster");
  }
  ~ScratchProfiles() { std::filesystem::remove_all(root_); }
  ScratchProfiles(const ScratchProfiles&) = delete;
  ScratchProfiles& operator=(const ScratchProfiles&) = delete;

  std::filesystem::path write(const std::string& kind, const std::string& name,
                              const std::string& text) const {
    const std::filesystem::path path = root_ / kind / (name + ".json");
    write_file(path, text);
    return path;
  }
  [[nodiscard]] ProfileFolders folders() const { return ProfileFolders{.roots = {root_}}; }

 private:
  std::filesystem::path root_;
};

/// "<place>: <problem>" of the InputError that `action` throws; empty when it throws none.
template <class Action>
std::string input_error(Action action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

inline void expect_has(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' is not in: " << text;
}

}  // namespace orrery::test
