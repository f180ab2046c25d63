#include <gtest/gtest.h>

#include "sim/base/check.hpp"
#include "tests/sim/report/scenarios.hpp"

namespace orrery {
namespace {

using test::least;
using test::parse;
using test::with;

/// The message of the InputError that `run` throws.
template <class Run>
std::string message(Run run) {
  try {
    run();
  } catch (const InputError& error) {
    return error.what();
  }
  return "(no error)";
}

std::string setting(const std::string& key, const std::string& value) {
  return message([&] { (void)with(key, value); });
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(ScenarioErrors, NameFileAndPointer) {
  const std::string text =
      message([] { (void)parse(R"({"schema": "orrery.scenario/1", "layout": {"pp": "8"}})"); });
  EXPECT_TRUE(has(text, "test.json#/layout/pp: found \"8\", expected a whole number")) << text;
}

TEST(ScenarioErrors, NameTheOptionThatSetTheValue) {
  const std::string text = message([] { (void)parse(least(), {{"layout.pp", "0", "--pp"}}); });
  EXPECT_TRUE(text.starts_with("--pp: found 0, expected a number from 1")) << text;
}

TEST(ScenarioErrors, UnknownKeysSuggestTheNearest) {
  EXPECT_TRUE(has(setting("layout.shedule", "1f1b"), "did you mean 'schedule'"));
  EXPECT_TRUE(has(setting("trainig.tokens", "1"), "did you mean 'training'"));
  const std::string top = message([] { (void)parse(R"({"schema": "orrery.scenario/1", "modle": "x"})"); });
  EXPECT_TRUE(top.starts_with("test.json#/modle: unknown key 'modle'")) << top;
}

TEST(ScenarioErrors, SizesAreWholePositiveAndBounded) {
  for (const char* key :
       {"layout.tp", "layout.cp", "layout.pp", "layout.vpp", "layout.ep", "layout.etp", "layout.dp",
        "layout.microbatch_size", "cluster.gpus", "training.global_batch_size", "training.sequence_length"}) {
    for (const char* value : {"0", "-1", "1.5", "1e18", "NaN", "\"4\"", "true", "[4]"})
      EXPECT_TRUE(has(setting(key, value), "expected")) << key << " = " << value;
  }
}

TEST(ScenarioErrors, OtherLimits) {
  EXPECT_TRUE(has(setting("layout.zero_stage", "4"), "from 0 to 3"));
  EXPECT_TRUE(has(setting("economics.pue", "0.9"), "expected"));
  EXPECT_TRUE(has(setting("economics.usd_per_kwh", "-0.1"), "at least 0"));
  EXPECT_TRUE(has(setting("training.tokens", "0"), "positive"));
  EXPECT_TRUE(has(setting("routing.max_over_mean", "0.5"), "expected"));
  EXPECT_TRUE(has(setting("layout.sequence_parallel", "1"), "true or false"));
}

TEST(ScenarioErrors, SkewNeedsItsKindAndItsNumber) {
  EXPECT_TRUE(has(setting("routing.kind", "skewed"), "max_over_mean: is missing"));
  EXPECT_TRUE(has(setting("routing.max_over_mean", "1.5"), "balanced"));
}

TEST(ScenarioErrors, UnknownNamesSuggestTheNearest) {
  EXPECT_TRUE(has(setting("model", "llama-3-8bb"), "--set model: found 'llama-3-8bb'"));
  EXPECT_TRUE(has(setting("cluster.profile", "h100-sxm-ib40"), "did you mean 'h100-sxm-ib400'"));
  EXPECT_TRUE(has(setting("layout.schedule", "1f1bb"), "did you mean '1f1b'"));
  EXPECT_TRUE(has(setting("layout.recompute", "selectiv"), "did you mean 'selective'"));
  EXPECT_TRUE(has(setting("training.precision", "bf61"), "did you mean 'bf16'"));
}

TEST(ScenarioErrors, MissingThingsSayHowToGiveThem) {
  const std::string no_model = message([] { (void)parse(""); });
  EXPECT_TRUE(has(no_model, "'model' is missing") && has(no_model, "--model")) << no_model;
  const std::string no_batch = setting("training.global_batch_size", "null");
  EXPECT_TRUE(has(no_batch, "'training.global_batch_size' is missing") && has(no_batch, "--gbs")) << no_batch;
}

TEST(ScenarioErrors, OverrideInsideAPlainValue) {
  EXPECT_TRUE(has(setting("model.layers", "4"), "'model' is a plain value"));
  EXPECT_TRUE(has(setting("layout..pp", "4"), "expected a dotted key"));
}

TEST(ScenarioErrors, NumbersNoDoubleHoldsAreMalformed) {
  const std::string text = message([] { (void)parse(R"({"schema": "orrery.scenario/1", "model": 1e999})"); });
  EXPECT_TRUE(text.starts_with("test.json: malformed JSON")) << text;
}

}  // namespace
}  // namespace orrery
