#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "gui/core/headline.hpp"
#include "gui/core/report_file.hpp"
#include "planner/report/document_json.hpp"
#include "sim/report/report_json.hpp"
#include "sim/report/table.hpp"
#include "tests/gui/support.hpp"

// The window and the command line say the same about ten scenarios.

namespace orrery::gui {
namespace {

std::string run_program(const std::string& arguments) {
  const std::string command =
      "ORRERY_PROFILES='" ORRERY_SOURCE_DIR "/hwprofiles' '" ORRERY_PROGRAM "' " + arguments;
  std::string out;
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  std::array<char, 65536> buffer{};
  for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;)
    out.append(buffer.data(), n);
  pclose(pipe);
  return out;
}

TEST(Agreement, TenScenariosHaveTheNumbersOfTheCommandLine) {
  using Edits = std::vector<std::pair<std::string, std::string>>;
  const std::vector<std::pair<std::size_t, Edits>> cases{
      {0, {}},
      {0, {{"layout.schedule", "1f1b"}}},
      {0, {{"layout.pp", "8"}, {"training.global_batch_size", "7680"}}},
      {0, {{"routing.kind", "skewed"}, {"routing.max_over_mean", "1.126"}}},
      {0, {{"layout.recompute", "none"}}},
      {0, {{"economics.usd_per_gpu_hour", "3.1"}, {"economics.pue", "1.4"}}},
      {1, {}},
      {2, {}},
      {2, {{"layout.zero_stage", "2"}}},
      {3, {}},
  };
  for (const auto& [which, edits] : cases) {
    Input input = example_input(which);
    std::string arguments = "simulate '" ORRERY_SOURCE_DIR "/docs/examples/" +
                            std::string(examples()[which].name) + ".json' --format json -q";
    for (const auto& [key, value] : edits) {
      input.edits.push_back({key, value, "edit"});
      arguments += " --set '" + key + "=" + value + "'";
    }
    SCOPED_TRACE(arguments);
    const auto run = Workbench::make_run(input, test_profiles());
    nlohmann::json cli = nlohmann::json::parse(run_program(arguments));
    nlohmann::json gui = nlohmann::json::parse(result_json(run->metrics(), run->scenario(), {}));
    cli.erase("program");
    gui.erase("program");
    EXPECT_TRUE(cli == gui);
    if (!run->feasible()) continue;
    const std::vector<Tile> tiles = headline(*run, nullptr);
    EXPECT_EQ(tiles[0].value, digits_text(cli["step"]["time_s"].get<double>()) + " s");
    EXPECT_EQ(tiles[1].value, digits_text(cli["throughput"]["tokens_per_s_per_gpu"].get<double>()));
  }
}

TEST(Agreement, TheReportHasTheFiguresOfTheCommandLine) {
  const std::string text = run_program(
      "report '" ORRERY_SOURCE_DIR "/docs/examples/deepseek-v3-2048-h800.json' --no-runs --format json -q");
  const Document cli = parse_document(text, "command line");
  const Document gui = run_report(*deepseek(), test_profiles(), {"example", "test", "orrery report"}, false);
  EXPECT_GT(gui.figures.size(), 50U);
  EXPECT_TRUE(gui.figures == cli.figures);
}

TEST(Headline, EveryTileHasAUnitABadgeAndAFormula) {
  for (const Tile& t : headline(*deepseek(), deepseek().get())) {
    EXPECT_FALSE(t.badge.empty()) << t.key;
    ASSERT_FALSE(t.derivation.empty()) << t.key;
    EXPECT_EQ(t.derivation[0].first, "formula") << t.key;
    EXPECT_NE(t.against.find("+0.0 % to B"), std::string::npos) << t.key;
  }
  EXPECT_LE(bottlenecks(*deepseek()).size(), 3U);
}

}  // namespace
}  // namespace orrery::gui
