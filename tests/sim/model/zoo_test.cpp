#include "sim/model/zoo.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "sim/base/check.hpp"
#include "sim/model/param_count.hpp"
#include "sim/model/zoo_files.hpp"
#include "tests/sim/model/config_texts.hpp"

namespace orrery {
namespace {

std::string complaint(const std::string& name) {
  try {
    (void)load_model(name, ".");
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

double relative_error(std::int64_t computed, double published) {
  return std::abs(static_cast<double>(computed) / published - 1);
}

TEST(Zoo, HoldsEveryModelSortedByName) {
  EXPECT_EQ(zoo().size(), 35U);
  EXPECT_TRUE(std::is_sorted(zoo().begin(), zoo().end(),
                             [](const ZooEntry& a, const ZooEntry& b) { return a.name < b.name; }));
}

TEST(Zoo, EmbeddedTextsAreTheFilesOfTheSourceTree) {
  const std::filesystem::path folder = std::filesystem::path(ORRERY_SOURCE_DIR) / "sim" / "model" / "zoo";
  std::size_t files = 0;
  for (const auto& item : std::filesystem::directory_iterator(folder)) {
    if (item.path().extension() != ".json") continue;
    ++files;
    std::ifstream in(item.path(), std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    const ZooEntry* entry = find_in_zoo(item.path().stem().string());
    ASSERT_NE(entry, nullptr) << item.path() << " is not in the list of sim/model/CMakeLists.txt";
    EXPECT_EQ(entry->text, text) << item.path();
  }
  EXPECT_EQ(files, zoo_files().size());
}

TEST(Zoo, TotalsAreWithinTheRoundingOfThePublishedFigures) {
  for (const ZooEntry& entry : zoo()) {
    const std::int64_t total = count_params(load_model(entry.name, ".").spec).total();
    EXPECT_LE(relative_error(total, entry.published_parameters), entry.published_precision)
        << entry.name << ": " << total << " computed, " << entry.published_parameters << " published";
  }
}

TEST(Zoo, ActiveParametersAreWithinTheRoundingOfThePublishedFigures) {
  int checked = 0;
  for (const ZooEntry& entry : zoo()) {
    const LoadedModel model = load_model(entry.name, ".");
    EXPECT_EQ(model.spec.moe.has_value(), entry.published_active.has_value()) << entry.name;
    if (!entry.published_active) continue;
    const ParamCount count = count_params(model.spec);
    const std::int64_t active =
        entry.active_without_lookup ? count.active_without_lookup() : count.active_per_token();
    EXPECT_LE(relative_error(active, *entry.published_active), entry.published_active_precision)
        << entry.name << ": " << active << " computed, " << *entry.published_active << " published";
    ++checked;
  }
  EXPECT_EQ(checked, 12);
}

// Two totals that are published to the last digit, and two that follow from the layers by hand.
TEST(Zoo, ExactTotalsAreReproduced) {
  const auto total = [](const char* name) { return count_params(load_model(name, ".").spec).total(); };
  EXPECT_EQ(total("bloom-176b"), 176'247'271'424);
  EXPECT_EQ(total("gpt-neox-20b"), 20'554'567'680);
  // Llama-2-7B: 2 x 32000 x 4096 + 32 x (4 x 4096^2 + 3 x 4096 x 11008 + 2 x 4096) + 4096
  EXPECT_EQ(total("llama-2-7b"), 6'738'415'616);
  // GPT-2 XL: (50257 + 1024) x 1600 + 48 x (12 x 1600^2 + 13 x 1600) + 2 x 1600
  EXPECT_EQ(total("gpt2-xl"), 1'557'611'200);
}

TEST(Zoo, EveryEntryNamesItsSource) {
  for (const ZooEntry& entry : zoo()) EXPECT_FALSE(entry.source.empty()) << entry.name;
}

TEST(Zoo, ReasoningModelHasTheShapeOfItsBase) {
  ModelSpec r1 = load_model("deepseek-r1", ".").spec;
  EXPECT_EQ(r1.name, "deepseek-r1");
  r1.name = "deepseek-v3";
  EXPECT_EQ(r1, load_model("deepseek-v3", ".").spec);
}

TEST(Zoo, NamesResolveBeforePathsAndRelativePathsStartAtTheGivenFolder) {
  const std::filesystem::path folder = test::make_folder("zoo");
  std::filesystem::create_directories(folder / "mine");
  std::filesystem::create_directories(folder / "gpt2-xl");
  std::ofstream(folder / "mine" / "config.json") << test::kTinyLlama;
  std::ofstream(folder / "gpt2-xl" / "config.json") << test::kTinyLlama;
  EXPECT_EQ(load_model("mine", folder).spec.name, "mine");
  EXPECT_EQ(load_model("mine/config.json", folder).spec.hidden, 8);
  EXPECT_EQ(load_model((folder / "mine").string(), "elsewhere").spec.hidden, 8);
  EXPECT_EQ(load_model("gpt2-xl", folder).spec.hidden, 1600);
  EXPECT_EQ(load_model("./gpt2-xl", folder).spec.hidden, 8);
  std::filesystem::remove_all(folder);
}

TEST(Zoo, UnknownNameSuggestsTheNearestModelAndTheList) {
  EXPECT_EQ(complaint("deepsek-v3"),
            "model: found 'deepsek-v3', expected a built-in model, a config.json or a folder that holds one; "
            "did you "
            "mean 'deepseek-v3'? ('orrery list models' shows the built-in ones)");
  EXPECT_NE(complaint("deepseek-ai/DeepSeek-V3").find("did you mean 'deepseek-v3'?"), std::string::npos);
  EXPECT_NE(complaint("zzzzzz").find("'orrery list models'"), std::string::npos);
  EXPECT_NE(complaint("").find("found an empty name"), std::string::npos);
}

}  // namespace
}  // namespace orrery
