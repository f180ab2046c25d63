// Reading tables of published runs, and the rules that turn a row into something to simulate.
#include <gtest/gtest.h>

#include <filesystem>

#include "planner/published_table.hpp"
#include "planner/table_case.hpp"
#include "planner/table_model.hpp"
#include "sim/base/check.hpp"
#include "sim/base/csv.hpp"

namespace orrery {
namespace {

const std::string kHeader =
    "id,source,model,layers,hidden,heads,kv_heads,ffn,vocab,experts,seq_len,precision,gpu,n_gpus,"
    "interconnect,"
    "tp,cp,pp,vpp,ep,etp,dp,zero_stage,schedule,recompute,mbs,gbs_sequences,measured_metric,measured_value,"
    "unit,notes\n";
const std::string kRow =
    "a,somebody,GPT 1B,24,2048,16,,,,,2048,bf16,H100-80GB-SXM,8,,1,,1,,,,,,,,1,64,step_time,1.5,s,\n";

ProfileFolders folders() {
  return {{std::filesystem::path(ORRERY_SOURCE_DIR) / "hwprofiles"}};
}

std::string problem_of(const std::string& text) {
  try {
    (void)parse_published_table(text, "runs.csv");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

/// The row above, for a test to change.
PublishedRow row() {
  return parse_published_table(kHeader + kRow, "runs.csv").front();
}

Scenario scenario_of(const PublishedRow& r) {
  std::variant<TableCase, Skip> read = table_case(r, folders());
  if (const Skip* skip = std::get_if<Skip>(&read)) ADD_FAILURE() << skip->text;
  return std::holds_alternative<TableCase>(read) ? std::get<TableCase>(read).scenario : Scenario{};
}

std::optional<SkipReason> reason_of(const PublishedRow& r) {
  const std::variant<TableCase, Skip> read = table_case(r, folders());
  const Skip* skip = std::get_if<Skip>(&read);
  return skip == nullptr ? std::nullopt : std::optional(skip->reason);
}

TEST(Csv, QuotedCellsHoldCommasLineEndsAndQuotes) {
  const auto records = parse_csv_records("a,\"b,\n\"\"c\"\"\"\r\n\n,d\n", "f");
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0][1].text, "b,\n\"c\"");
  EXPECT_EQ(records[1][0].text, "");
  EXPECT_EQ(records[1][1].text, "d");
  // The quoted cell has a line end, then comes an empty line: the last record is in line 4.
  EXPECT_EQ(place_of_cell("f", records[1][1]), "f:4:2");
}

TEST(Csv, AByteOrderMarkAndAMissingLastLineEndChangeNothing) {
  const auto records = parse_csv_records("\xEF\xBB\xBFid,x\n1,2", "f");
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0][0].text, "id");
  EXPECT_EQ(records[1][1].text, "2");
}

TEST(Csv, StrayAndMissingQuotesAreFoundWhereTheyStand) {
  const auto what = [](const char* text) -> std::string {
    try {
      (void)parse_csv_records(text, "f");
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_TRUE(what("a,b\nc,x\"y\n").starts_with("f:2:4: found a quote inside")) << what("a,b\nc,x\"y\n");
  EXPECT_TRUE(what("a,\"b\"c\n").starts_with("f:1:6: expected a comma")) << what("a,\"b\"c\n");
  EXPECT_TRUE(what("a,\"b\nc\n").starts_with("f:1:3: the quote that opens")) << what("a,\"b\nc\n");
}

TEST(PublishedTable, EmptyCellsStayEmpty) {
  const PublishedRow r = row();
  EXPECT_EQ(r.line, 2U);
  EXPECT_EQ(r.model, "GPT 1B");
  EXPECT_EQ(r.layers, 24);
  EXPECT_EQ(r.value, 1.5);
  EXPECT_FALSE(r.kv_heads.has_value());
  EXPECT_FALSE(r.cp.has_value());
}

TEST(PublishedTable, AMissingColumnIsNamedWithTheNearestThere) {
  std::string header = kHeader;
  header.replace(header.find("n_gpus"), 6, "n_gpu");
  EXPECT_EQ(problem_of(header + kRow), "runs.csv:1:1: column 'n_gpus' is missing; there is 'n_gpu'");
  std::string twice = kHeader;
  twice.replace(twice.find("notes"), 5, "unit");
  EXPECT_EQ(problem_of(twice + kRow),
            "runs.csv:1:" + std::to_string(twice.rfind("unit") + 1) + ": column 'unit' stands twice");
}

TEST(PublishedTable, AWrongCellIsNamedWithItsPlace) {
  std::string bad = kRow;
  bad.replace(bad.find("24,"), 2, "2x");
  EXPECT_EQ(problem_of(kHeader + bad),
            "runs.csv:2:19: found '2x' in column 'layers', expected a whole number from 1 to 10000, or "
            "nothing");
  std::string negative = kRow;
  negative.replace(negative.find("1.5"), 3, "nan");
  EXPECT_NE(problem_of(kHeader + negative).find("found 'nan' in column 'measured_value'"), std::string::npos);
  EXPECT_NE(problem_of(kHeader + "a,b\n").find("runs.csv:2:3: the row that starts in line 2 has 2 cells"),
            std::string::npos);
  EXPECT_EQ(problem_of(""), "runs.csv: is empty, expected a table of published runs in CSV");
  EXPECT_EQ(problem_of(kHeader), "runs.csv: has a header and no rows");
}

TEST(TableCase, AllThreeUnitsGiveTheSameStep) {
  PublishedRow r = row();
  const auto seconds = [&] { return std::get<TableCase>(table_case(r, folders())).measured_step_s; };
  EXPECT_DOUBLE_EQ(seconds(), 1.5);
  // 64 sequences on 8 GPUs in 1.5 s: 5.333 sequences, 10,923 tokens per GPU and second.
  r.metric = "throughput_per_gpu";
  r.unit = "samples/s/GPU";
  r.value = 64 / 1.5 / 8;
  EXPECT_DOUBLE_EQ(seconds(), 1.5);
  r.unit = "tokens/s/GPU";
  r.value = 64 * 2048 / 1.5 / 8;
  EXPECT_DOUBLE_EQ(seconds(), 1.5);
}

TEST(TableCase, WhatAnEmptyCellStandsForIsWrittenDown) {
  const Scenario s = scenario_of(row());
  std::string names;
  for (const Scenario::Assumed& a : s.assumed) names += a.name + "=" + a.value + " ";
  EXPECT_EQ(names, "kv_heads=16 ffn=8192 vocab=51200 cp=1 zero_stage=1 recompute=none ");
}

TEST(TableCase, TheFeedForwardFollowsFromTheFamilyOfTheName) {
  PublishedRow r = row();
  r.ffn = 5632;
  r.vocab = 32'000;
  EXPECT_EQ(scenario_of(r).model.feed_forward, FeedForwardKind::kPlain);
  r.model = "LLAMA2-7B";
  EXPECT_EQ(scenario_of(r).model.feed_forward, FeedForwardKind::kGated);
  r.model = "Nemotron-4 15B";
  EXPECT_EQ(scenario_of(r).model.feed_forward, FeedForwardKind::kPlain);
  EXPECT_EQ(scenario_of(r).model.position, PositionKind::kRotary);
  r.model = "16B dense";
  EXPECT_EQ(reason_of(r), SkipReason::kModel);
}

TEST(TableCase, ModelsWithExpertsAreFoundByTheirNameHoweverWritten) {
  PublishedRow r = row();
  r.model = "Qwen3_235B_a22B";
  r.layers.reset();
  r.hidden = 4096;
  r.experts = 128;
  r.ep = 8;
  r.tp = 2;
  const Scenario s = scenario_of(r);
  EXPECT_EQ(s.model.layers, 94);
  EXPECT_EQ(s.layout.ep, 8);
  EXPECT_EQ(s.layout.etp, 2);  // empty: as tp
  r.layers = 10;               // a truncated stand-in
  EXPECT_EQ(scenario_of(r).model.layers, 10);
  r.hidden = 4097;
  EXPECT_EQ(reason_of(r), SkipReason::kModel);
  r.model = "GPT OSS 120B";
  r.layers = 36;
  r.hidden = 2880;
  EXPECT_EQ(scenario_of(r).model.sliding_window, 128);
}

TEST(TableCase, MixedPrecisionsAreWhatTheirMatrixProductsRunIn) {
  PublishedRow r = row();
  const auto precision = [&](const char* text) {
    r.precision = text;
    return scenario_of(r).training.precision;
  };
  EXPECT_EQ(precision("amp_bf16"), Precision::kBf16);
  EXPECT_EQ(precision("bf16 (pure)"), Precision::kBf16);
  EXPECT_EQ(precision("fp16"), Precision::kFp16);
  EXPECT_EQ(precision("fp8-mixed"), Precision::kFp8Tensor);
  EXPECT_EQ(precision("FP8/BF16"), Precision::kFp8Tensor);
  r.precision = "NVFP4";
  EXPECT_EQ(reason_of(r), SkipReason::kPrecision);
  r.precision = "";  // on H100 it may be 8 or 16 bits
  EXPECT_EQ(reason_of(r), SkipReason::kCell);
  r.gpu = "A100-80GB-SXM";
  EXPECT_EQ(scenario_of(r).training.precision, Precision::kBf16);
}

TEST(TableCase, TextsOfZeroScheduleAndRecomputeAreRead) {
  PublishedRow r = row();
  r.zero_stage = "FSDP-8";
  EXPECT_EQ(scenario_of(r).layout.zero_stage, 3);
  r.zero_stage = "2 (FSDP SHARD_GRAD_OP)";
  EXPECT_EQ(scenario_of(r).layout.zero_stage, 2);
  r.zero_stage = "3 + CPU optimizer offload";
  EXPECT_EQ(reason_of(r), SkipReason::kFeature);
  r.zero_stage = "";
  r.recompute = "selective (norm, act)";
  EXPECT_TRUE(scenario_of(r).layout.recompute.norms);
  EXPECT_FALSE(scenario_of(r).layout.recompute.attention_core);
  r.recompute = "selective (attention) + sequence parallel";
  EXPECT_TRUE(scenario_of(r).layout.recompute.attention_core);
  r.pp = 4;
  r.vpp = 3;
  EXPECT_EQ(scenario_of(r).layout.schedule, "interleaved-1f1b");
  r.vpp.reset();
  r.schedule = "ZB-1p";
  EXPECT_EQ(scenario_of(r).layout.schedule, "zb-h1");
  r.schedule = "interleaved-1F1B";  // how many stages a rank has is not stated
  EXPECT_EQ(reason_of(r), SkipReason::kCell);
  r.schedule = "brand-new";
  EXPECT_EQ(reason_of(r), SkipReason::kSchedule);
}

TEST(TableCase, SequenceParallelismIsOnExceptWhereItDidNotExist) {
  PublishedRow r = row();
  EXPECT_FALSE(scenario_of(r).layout.sequence_parallel);
  r.tp = 4;
  EXPECT_TRUE(scenario_of(r).layout.sequence_parallel);
  r.notes = "baseline: full recompute, no sequence parallel";
  EXPECT_FALSE(scenario_of(r).layout.sequence_parallel);
  r.notes = "";
  r.source = "BigScience BLOOM-176B chronicles";
  EXPECT_FALSE(scenario_of(r).layout.sequence_parallel);
}

TEST(TableCase, AStatedNetworkReplacesThatOfTheProfile) {
  // 4 x 100 Gbit/s = 50 GB/s a node; 8 x 400 Gbit/s = 400 GB/s.
  EXPECT_DOUBLE_EQ(node_bytes_per_s("4x100Gb RoCE inter-node"), 50e9);
  EXPECT_DOUBLE_EQ(node_bytes_per_s("NVLink; 4x Omni-Path 100G per node"), 50e9);
  EXPECT_DOUBLE_EQ(node_bytes_per_s("NVLink4 900GB/s; 8x400Gb/s IB"), 400e9);
  EXPECT_DOUBLE_EQ(node_bytes_per_s("NVLink4; IB 8x50 GB/s"), 400e9);
  EXPECT_DOUBLE_EQ(node_bytes_per_s("NVSwitch; 8x CX-7 NDR 400Gb/s"), 400e9);
  EXPECT_DOUBLE_EQ(node_bytes_per_s("8x HDR200 IB per DGX A100"), 0);
  EXPECT_DOUBLE_EQ(node_bytes_per_s("RoCE"), 0);
  PublishedRow r = row();
  r.interconnect = "4x100Gb";
  EXPECT_DOUBLE_EQ(scenario_of(r).cluster.scale_out.bytes_per_s.value, 50e9 / 8);
}

TEST(TableCase, TheSourceNamesTheTrainingProgram) {
  PublishedRow r = row();
  EXPECT_EQ(scenario_of(r).stack.name, "");
  r.source = "Zero Bubble PP (2401.10241)";
  EXPECT_EQ(scenario_of(r).stack.name, "megatron-2021");
  EXPECT_TRUE(scenario_of(r).training.dropout);
  r.source = "Korthikanti et al. 2205.05198";
  EXPECT_EQ(scenario_of(r).training.attention, AttentionKernel::kUnfused);
  r.source = "NVIDIA NeMo performance docs 24.07";
  EXPECT_EQ(scenario_of(r).training.gradients, GradientFormat::kFp32);
  r.precision = "FP8";
  EXPECT_EQ(scenario_of(r).training.gradients, GradientFormat::kBf16);
}

TEST(TableCase, WholeStepGraphsAreThoseOfTheContainer) {
  PublishedRow r = row();
  r.source = "Megatron-Bridge perf summary";
  r.precision = "MXFP8";
  r.model = "Qwen3_30B_a3B";
  r.layers = 48;
  r.experts = 128;
  r.ep = 8;
  r.gpu = "GB200";
  r.notes = "Pre-Training; NeMo container 26.04.01; dropless";
  EXPECT_EQ(scenario_of(r).stack.name, "nemo-2025");
  EXPECT_EQ(scenario_of(r).training.expert_calls, ExpertCalls::kPerExpert);
  r.notes = "Pre-Training; NeMo container 26.06; dropless";
  EXPECT_EQ(scenario_of(r).stack.name, "megatron-bridge-2026");
  EXPECT_EQ(scenario_of(r).training.expert_calls, ExpertCalls::kGrouped);
  r.precision = "FP8";
  EXPECT_EQ(scenario_of(r).stack.name, "nemo-2025");
}

TEST(TableCase, VariantsOfAGpuAreTheShippedOneWithWhatDiffers) {
  PublishedRow r = row();
  r.gpu = "H100-96GB-HBM2e-500W";
  EXPECT_EQ(scenario_of(r).cluster.gpu.power.cap_w.value, 500);
  r.gpu = "A100-40GB";
  r.precision = "bf16";
  EXPECT_LT(scenario_of(r).cluster.gpu.memory_bytes.value, 43e9);
  // 256 GPUs do not fill domains of 72: 64 of each are used.
  r.gpu = "GB200";
  r.gpus = 256;
  r.dp.reset();
  EXPECT_EQ(scenario_of(r).cluster.gpus_per_node, 64);
  r.gpus = 8;
  EXPECT_EQ(scenario_of(r).cluster.gpus_per_node, 72);
}

TEST(TableCase, WhatIsNotASpeedOfPreTrainingOnAKnownGpuIsSkippedWithItsReason) {
  PublishedRow r = row();
  r.metric = "mfu";
  EXPECT_EQ(reason_of(r), SkipReason::kMetric);
  r = row();
  r.unit = "days";
  EXPECT_EQ(reason_of(r), SkipReason::kMetric);
  r = row();
  r.notes = "LoRA; rank 16";
  EXPECT_EQ(reason_of(r), SkipReason::kTask);
  r = row();
  r.gpu = "TPU-v5p";
  EXPECT_EQ(reason_of(r), SkipReason::kGpu);
  r = row();
  r.mbs.reset();
  EXPECT_EQ(reason_of(r), SkipReason::kCell);
}

}  // namespace
}  // namespace orrery
