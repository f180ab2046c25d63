#include "sim/layout/pipeline_layout.hpp"

#include <gtest/gtest.h>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

using Layers = std::vector<std::int64_t>;

Layers layers_of(const char* text) {
  return parse_pipeline_layout(text, "x").layers;
}

TEST(PipelineLayout, ReadsStagesOfTheMegatronNotation) {
  EXPECT_EQ(layers_of("Et|tt|tL"), (Layers{1, 2, 1}));
  EXPECT_EQ(layers_of("Et*3|(tt|)*2,tmL"), (Layers{3, 2, 2, 1}));
  EXPECT_EQ(layers_of("E|(t*4|)*15,tmL"), (Layers{0, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 1}));
  EXPECT_EQ(layers_of("E, t*2, L"), (Layers{2}));
}

TEST(PipelineLayout, PlacesMtpModulesAndLossOnStagesOfTheirOwn) {
  // 1 + 29 stages of layers, one of the MTP module, one of the loss.
  const PipelineLayout cut = parse_pipeline_layout("Et*3|(tt|)*29,m|L", "x");
  ASSERT_EQ(cut.layers.size(), 32U);
  EXPECT_EQ(cut.mtp_stage, 30);
  EXPECT_EQ(cut.mtp_modules, 1);
  EXPECT_EQ(cut.layers[30] + cut.layers[31], 0);
  // In the last stage, before the loss, is the usual place.
  EXPECT_EQ(parse_pipeline_layout("Et|tmL", "x").mtp_stage, -1);
  EXPECT_EQ(parse_pipeline_layout("Et|tmm|L", "x"),
            (PipelineLayout{.layers = {1, 1, 0}, .mtp_stage = 1, .mtp_modules = 2}));
}

TEST(PipelineLayout, TextAndParseAreInverses) {
  for (const PipelineLayout& cut : {PipelineLayout{.layers = {4, 4, 1}, .mtp_modules = 1},
                                    PipelineLayout{.layers = {0, 1, 12}, .mtp_modules = 0},
                                    PipelineLayout{.layers = {3, 0, 0}, .mtp_stage = 1, .mtp_modules = 2}}) {
    EXPECT_EQ(parse_pipeline_layout(pipeline_layout_text(cut), "x"), cut);
  }
  EXPECT_EQ(pipeline_layout_text({.layers = {4, 1, 0}, .mtp_modules = 1}), "Et*4|t|mL");
  EXPECT_EQ(pipeline_layout_text({.layers = {4, 1, 0, 0}, .mtp_stage = 2, .mtp_modules = 1}), "Et*4|t|m|L");
}

TEST(PipelineLayout, RefusesWhatTheNotationDoesNotHave) {
  for (const char* text : {"", "tL", "Et", "Et|xL", "Et*|L", "Et*0|L", "E(t|L", "Et)|L", "EtL|t", "Et|E|L",
                           "Em|tL", "Etm t L", "Etm|mL", "E(((t)*99999)*99999)*99999L"}) {
    EXPECT_THROW((void)parse_pipeline_layout(text, "layout.pipeline_layout"), InputError) << text;
  }
}

TEST(PipelineLayout, NamesTheColumn) {
  try {
    (void)parse_pipeline_layout("Et|xL", "layout.pipeline_layout");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_STREQ(error.place().c_str(), "layout.pipeline_layout:4");
  }
}

}  // namespace
}  // namespace orrery
