#include "sim/layout/pipeline_layout.hpp"

#include <gtest/gtest.h>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

using Layers = std::vector<std::int64_t>;

TEST(PipelineLayout, ReadsStagesOfTheMegatronNotation) {
  EXPECT_EQ(parse_pipeline_layout("Et|tt|tL", "x"), (Layers{1, 2, 1}));
  EXPECT_EQ(parse_pipeline_layout("Et*3|(tt|)*2,tmL", "x"), (Layers{3, 2, 2, 1}));
  EXPECT_EQ(parse_pipeline_layout("E|(t*4|)*15,tmL", "x"),
            (Layers{0, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 1}));
  EXPECT_EQ(parse_pipeline_layout("E, t*2, L", "x"), (Layers{2}));
}

TEST(PipelineLayout, TextAndParseAreInverses) {
  for (const Layers& layers : {Layers{4, 4, 1}, Layers{0, 1, 12}, Layers{3}}) {
    EXPECT_EQ(parse_pipeline_layout(pipeline_layout_text(layers, 1), "x"), layers);
  }
  EXPECT_EQ(pipeline_layout_text({4, 1, 0}, 1), "Et*4|t|mL");
}

TEST(PipelineLayout, RefusesWhatTheNotationDoesNotHave) {
  for (const char* text : {"", "tL", "Et", "Et|xL", "Et*|L", "Et*0|L", "E(t|L", "Et)|L", "EtL|t", "Et|E|L",
                           "Em|tL", "Etm t L", "E(((t)*99999)*99999)*99999L"}) {
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
