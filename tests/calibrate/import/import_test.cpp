#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>

#include "calibrate/import/benchmark_log.hpp"
#include "calibrate/import/kineto_trace.hpp"
#include "calibrate/import/measured_table.hpp"
#include "calibrate/import/nccl_tests.hpp"
#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"
#include "tests/calibrate/import/complaint.hpp"

namespace orrery {
namespace {

const std::string kData = std::string(ORRERY_SOURCE_DIR) + "/tests/data/";

using test::complaint;

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const ImportedOperator* find(const Imported& in, const std::string& name) {
  for (const ImportedOperator& op : in.operators)
    if (op.name == name) return &op;
  return nullptr;
}

double mean_us(const ImportedOperator& op) {
  double sum = 0;
  for (const double s : op.seconds) sum += s;
  return 1e6 * sum / static_cast<double>(op.seconds.size());
}

std::int64_t skipped(const Imported& in) {
  std::int64_t sum = 0;
  for (const auto& [reason, count] : in.skipped) sum += count;
  return sum;
}

// The little trace has two instances of the phase "layer", each with product A (10 and 14 us), product A
// again (20 and 24) and a copy (1 and 3), and one kernel outside (5): means 12, 22, 2 and 5.
TEST(Kineto, NthLaunchInAPhaseIsOneOperator) {
  const Imported in = import_kineto(read_file(kData + "kineto_small.json"), "small", {});
  ASSERT_EQ(in.operators.size(), 4U);
  EXPECT_NEAR(mean_us(*find(in, "layer / gemm<T> / 1")), 12, 1e-9);
  EXPECT_NEAR(mean_us(*find(in, "layer / gemm<T> / 2")), 22, 1e-9);
  EXPECT_NEAR(mean_us(*find(in, "layer / Memcpy DtoD  / 1")), 2, 1e-9);
  EXPECT_NEAR(mean_us(*find(in, "alone")), 5, 1e-9);
  // 20 events: 7 on the device, 7 launches, 2 phases, 1 operator with shapes, 3 others.
  EXPECT_EQ(skipped(in), 13);
}

TEST(Kineto, ShapesOfTheProfilerGiveAProductItsClass) {
  const Imported in = import_kineto(read_file(kData + "kineto_small.json"), "small", {});
  const ImportedOperator* op = find(in, "layer / gemm<T> / 1");
  ASSERT_NE(op, nullptr);
  EXPECT_EQ(op->op_class, "gemm.bf16");
  EXPECT_EQ(op->shape, (Shape{{"k", 64}, {"m", 128}, {"n", 256}}));
}

TEST(Kineto, NamesApplyWhereTheirKernelsAre) {
  KernelNames book = parse_kernel_names(
      R"({"schema": "orrery.kernel-names/1", "needs": ["gemm<T>"], "names": [
          {"phase": "layer", "kernel": "gemm", "occurrence": 2, "name": "down", "class": "gemm.fp8-block",
           "shape": {"m": 1, "n": 2, "k": 3}}]})",
      "names");
  const std::string text = read_file(kData + "kineto_small.json");
  const Imported named = import_kineto(text, "small", {book});
  ASSERT_NE(find(named, "down"), nullptr);
  EXPECT_EQ(find(named, "down")->op_class, "gemm.fp8-block");
  book.needs = {"another program"};
  EXPECT_EQ(find(import_kineto(text, "small", {book}), "down"), nullptr);
}

TEST(Kineto, BadTracesAreNamedWithTheirPlace) {
  const auto text_of = [](const std::string& text) {
    return complaint([&] { return import_kineto(text, "t.json", {}); });
  };
  const std::string small = read_file(kData + "kineto_small.json");
  EXPECT_TRUE(has(text_of(small.substr(0, 300)), "t.json:"));            // cut off: line and column
  EXPECT_TRUE(has(text_of(R"({"resourceSpans": []})"), "traceEvents"));  // some other tool's
  EXPECT_TRUE(has(text_of(R"({"traceEvents": []})"), "no device activity"));
  EXPECT_TRUE(
      has(text_of(R"({"traceEvents": [{"ph": "X", "cat": "kernel", "name": "k", "ts": 1, "dur": -2}]})"),
          "t.json#/traceEvents/0/dur: found -2"));
  EXPECT_TRUE(has(text_of(R"({"traceEvents": [{"ph": "X", "cat": "kernel", "name": "k", "ts": 1}]})"),
                  "#/traceEvents/0/dur"));
}

// Facts of DeepSeek's public DualPipe training trace (mean us of four layers), read from it by hand before.
TEST(Kineto, DualPipeTraceGivesItsOperatorTable) {
  const std::filesystem::path trace =
      std::filesystem::path(ORRERY_SOURCE_DIR) / "../shared/data/deepseek-dualpipe-train-trace.json.gz";
  if (!std::filesystem::exists(trace)) GTEST_SKIP() << "the trace is not in ../shared/data";
  const std::string names = std::string(ORRERY_SOURCE_DIR) + "/hwprofiles/names/deepseek-v3-dualpipe.json";
  const Imported in =
      import_kineto(read_maybe_gzip(trace.string()), "trace", {parse_kernel_names(read_file(names), names)});
  const std::vector<std::pair<const char*, double>> table{{"q_a", 104},
                                                          {"kv_a", 53},
                                                          {"q_b", 372},
                                                          {"kv_b", 244},
                                                          {"attention core forward", 1237},
                                                          {"o_proj", 901},
                                                          {"router", 46},
                                                          {"top-k, pass 1", 70},
                                                          {"top-k, pass 2", 70},
                                                          {"shared gate+up", 259},
                                                          {"shared down", 138},
                                                          {"permute bookkeeping, count", 70},
                                                          {"permute bookkeeping, map", 171},
                                                          {"expand received tokens forward", 192},
                                                          {"expand received gradients", 173},
                                                          {"routed gate+up", 1862},
                                                          {"SwiGLU, weight and cast, routed", 139},
                                                          {"routed down", 1035},
                                                          {"unpermute and reduce forward", 318},
                                                          {"unpermute and reduce backward", 342},
                                                          {"pack SwiGLU inputs, routed", 180},
                                                          {"pack SwiGLU inputs, shared", 27},
                                                          {"unpack SwiGLU inputs, routed", 170},
                                                          {"unpack SwiGLU inputs, shared", 26},
                                                          {"shared down input grad", 126},
                                                          {"routed down input grad", 864},
                                                          {"SwiGLU forward and backward, routed", 332},
                                                          {"routed gate+up input grad", 1969},
                                                          {"shared gate+up input grad", 240},
                                                          {"shared down weight grad", 181},
                                                          {"shared gate+up weight grad", 370},
                                                          {"o_proj input grad", 927},
                                                          {"o_proj weight grad", 1499},
                                                          {"q_b recomputed", 374},
                                                          {"kv_b recomputed", 244},
                                                          {"attention core backward", 3779},
                                                          {"attention backward preprocess", 256},
                                                          {"attention backward dQ convert", 219},
                                                          {"q_b input grad", 332},
                                                          {"q_b weight grad", 462},
                                                          {"kv_b input grad", 220},
                                                          {"kv_b weight grad", 222},
                                                          {"q_a input grad", 111},
                                                          {"q_a weight grad", 136},
                                                          {"kv_a input grad", 65},
                                                          {"kv_a weight grad", 70},
                                                          {"router input grad", 40},
                                                          {"router weight grad", 47},
                                                          {"pack attention output", 186},
                                                          {"unpack attention output", 140},
                                                          {"dispatch layout", 102},
                                                          {"notify before dispatch forward", 2242},
                                                          {"dispatch forward", 4346},
                                                          {"gradient dispatch, layout known", 3405},
                                                          {"gradient combine", 6368},
                                                          {"combine forward", 5994}};
  for (const auto& [name, us] : table) {
    const ImportedOperator* op = find(in, name);
    ASSERT_NE(op, nullptr) << name;
    EXPECT_EQ(op->seconds.size(), 4U) << name;
    // The table is rounded to whole microseconds.
    EXPECT_NEAR(mean_us(*op), us, std::max(0.01 * us, 0.51)) << name;
  }
}

TEST(Gzip, CutOffArchivesAreRefused) {
  const std::string file = testing::TempDir() + "import_test.gz";
  gzFile gz = gzopen(file.c_str(), "wb");
  const std::string text(100000, 'x');
  gzwrite(gz, text.data(), static_cast<unsigned>(text.size()));
  gzclose(gz);
  EXPECT_EQ(read_maybe_gzip(file), text);
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  EXPECT_TRUE(has(complaint([&] { return read_maybe_gzip(file); }), "cut off"));
  std::ofstream(file, std::ios::trunc).flush();
  EXPECT_TRUE(has(complaint([&] { return read_maybe_gzip(file); }), "empty"));
  EXPECT_TRUE(has(complaint([&] { return read_maybe_gzip(file + ".none"); }), ".none"));
}

TEST(Tables, ProductsBecomeClassesAndTheRestIsCounted) {
  const Imported in = import_table(
      "# source: somewhere\ndtype,m,n,k,latency_ms\nbfloat16,1,2,3,0.5\n"
      "fp8_block,128,128,128,0.25\nnvfp4,1,1,1,9\nbfloat16,1,2,3,0.7\n",
      "t.csv");
  ASSERT_EQ(in.operators.size(), 2U);
  EXPECT_EQ(in.operators[0].op_class, "gemm.bf16");
  EXPECT_EQ(in.operators[0].seconds, (std::vector<double>{0.5e-3, 0.7e-3}));
  EXPECT_EQ(in.operators[0].flops, 12);
  EXPECT_EQ(in.operators[1].name, kQuantiseInside);
  EXPECT_EQ(in.skipped.at("dtype nvfp4 has no operator class"), 1);
  EXPECT_EQ(in.about.at("source"), "somewhere");
}

// 512 int8 elements on 4 GPUs: 512 bytes, of which all-gather sends 3/4 = 384; 256 halves are as many.
TEST(Tables, CollectivesCountWhatAGpuSends) {
  const Imported in = import_table(
      "op,dtype,gpus,message_elements,latency_ms\nall_gather,int8,4,512,0.01\nall_reduce,half,4,256,0.02\n",
      "n.csv");
  EXPECT_EQ(in.operators[0].bytes, 384);
  EXPECT_EQ(in.operators[1].bytes, 768);
}

TEST(Tables, ExpertLayersThatLoseToMoreWorkAreCountedNotRead) {
  // Half of the layer (tp 2) takes 3 ms where all of it takes 1: a fallback. A quarter (tp 4) in 1.2 ms is
  // within the noise of 1.25 that is allowed.
  const std::string head =
      "kernel_source,moe_dtype,num_tokens,hidden_size,inter_size,topk,num_experts,moe_tp_size,moe_ep_size,"
      "distribution,latency\n";
  const std::string layer = "moe_torch_flow_cutlass,bfloat16,64,5120,8192,1,16,";
  const Imported in = import_table(
      head + layer + "1,1,balanced,1.0\n" + layer + "2,1,balanced,3.0\n" + layer + "4,1,balanced,1.2\n",
      "t.csv");
  ASSERT_EQ(in.operators.size(), 2U);
  EXPECT_EQ(in.operators[0].shape.at("etp"), 1);
  EXPECT_EQ(in.operators[1].shape.at("etp"), 4);
  ASSERT_EQ(in.skipped.size(), 1U);
}

TEST(Tables, BadRowsAreNamedWithLineAndColumn) {
  const auto text_of = [](const std::string& rows) {
    return complaint([&] { return import_table("dtype,m,n,k,latency_ms\n" + rows, "t.csv"); });
  };
  EXPECT_TRUE(has(text_of("bfloat16,1,2,3,-0.5\n"), "t.csv:2:16: found '-0.5'"));
  EXPECT_TRUE(has(text_of("bfloat16,1,2,3,nan\n"), "latency_ms"));
  EXPECT_TRUE(has(text_of("bfloat16,1.5,2,3,1\n"), "t.csv:2:10"));
  EXPECT_TRUE(has(text_of("bfloat16,1,2\n"), "found 3 cells, expected 5"));
  EXPECT_TRUE(has(text_of("\"bfloat16\",1,2,3,1\n"), "quote"));
  EXPECT_TRUE(has(text_of(""), "no row"));
  const std::string wrong =
      complaint([] { return import_table("dtype,m,n,latency_ms\nbfloat16,1,2,3\n", "t.csv"); });
  EXPECT_TRUE(has(wrong, "The nearest is 'products', which also needs k")) << wrong;
  EXPECT_TRUE(has(complaint([] { return import_table("", "t.csv"); }), "no header"));
}

constexpr const char* kNccl = R"(# nccl-tests version 2.17.6 nccl-headers=22809 nccl-library=22809
# Collective test starting: all_reduce_perf
# nThread 1 nGpus 2 minBytes 1024 maxBytes 2048 step: 2(factor)
#  Rank  0 Group  0 Pid 1 on host device  0 [0000:04:00] NVIDIA H100
#  Rank  1 Group  0 Pid 1 on host device  1 [0000:05:00] NVIDIA H100
#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
        1024           256     float     sum      -1    10.00    0.10    0.10      0    11.00    0.09    0.09      0
        2048           512     float     sum      -1    12.50    0.16    0.16      0    11.50    0.18    0.18    N/A
# Out of bounds values : 0 OK
)";

TEST(NcclTests, TextGivesOutOfPlaceTimes) {
  const Imported in = import_nccl_tests(kNccl, "run.txt", "");
  ASSERT_EQ(in.operators.size(), 2U);
  EXPECT_EQ(in.operators[0].op_class, "collective.all-reduce");
  EXPECT_EQ(in.operators[0].shape, (Shape{{"bytes", 1024}, {"gpus", 2}}));
  EXPECT_DOUBLE_EQ(in.operators[0].seconds[0], 10e-6);
  EXPECT_DOUBLE_EQ(in.operators[0].bytes, 1024);  // 2 (n - 1)/n of the buffer
  EXPECT_EQ(in.skipped.at("in-place results"), 2);
}

TEST(NcclTests, JsonOfBothProgramsIsRead) {
  const Imported nccl = import_nccl_tests(
      R"({"config": {"devices": [{}, {}, {}, {}]}, "results": [{"size": 4096, "count": 1024, "type": "float",
          "out_of_place": {"time": 20.0, "alg_bw": 0.2, "bus_bw": 0.15, "nwrong": 0}, "in_place": {}}]})",
      "all_gather.json", "");
  EXPECT_EQ(nccl.operators.at(0).op_class, "collective.all-gather");
  EXPECT_DOUBLE_EQ(nccl.operators.at(0).bytes, 3072);
  const Imported rccl = import_nccl_tests(
      R"([{"name": "AllReduce", "ranks": 8, "size": 1024, "type": "float", "inPlace": 0, "time": 9.5, "busBw": 1},
          {"name": "AllReduce", "ranks": 8, "size": 1024, "type": "float", "inPlace": 1, "time": 9.0, "busBw": 1}])",
      "r.json", "");
  ASSERT_EQ(rccl.operators.size(), 1U);
  EXPECT_EQ(rccl.operators[0].shape.at("gpus"), 8);
}

TEST(NcclTests, BadInputIsNamed) {
  const auto text_of = [](std::string text, const std::string& from, const std::string& to) {
    if (!from.empty()) text.replace(text.find(from), from.size(), to);
    return complaint([&] { return import_nccl_tests(text, "run.txt", ""); });
  };
  EXPECT_TRUE(has(text_of("hello\n", "", ""), "is no output of nccl-tests"));
  EXPECT_TRUE(has(text_of(kNccl, "10.00    0.10", "-1.00    0.10"), "run.txt:7: found a time of -1"));
  EXPECT_TRUE(has(text_of(kNccl, "all_reduce_perf", "some_perf"), "--operation"));
  EXPECT_TRUE(has(text_of(kNccl, "0    11.00", "3    11.00"), "wrong"));
  EXPECT_TRUE(has(complaint([] { return import_nccl_tests(kNccl, "run.txt", "all-reduc"); }), "all-reduce"));
  EXPECT_TRUE(has(complaint([] { return import_nccl_tests(R"({"results": 3})", "x.json", ""); }), "x.json"));
}

constexpr const char* kLog = R"(Testing GEMM:
 > Perf (m= 4096, n= 7168, k=16384):  710 us | throughput: 1358 TFLOPS,  390 GB/s
 > Perf (m=    64, n=  2112, k=  7168, layout=NT, BF16, acc=0):     9.2 us |  206 TFLOPS | 1688 GB/s | 1.2x cuBLAS
 > Perf (num_groups=4, expected_m_per_group=8192, n=4096, k=7168): 1483 us | throughput: 1297 TFLOPS, 400 GB/s
[config] num_tokens=4096, hidden=7168, num_topk_groups=4, num_topk=8
[tuning] SMs 24, NVL chunk 4: 306.74 GB/s (NVL), 1010.48 us
[tuning] Best dispatch (FP8): SMs 24, NVL chunk 30, 352.43 GB/s (NVL), t: 453.49 us
[tuning] Best combine: SMs 20, NVL chunk 4, RDMA chunk 16: 240 + 2380 us, 58.20 GB/s (RDMA), 190.0 GB/s (NVL)
[tuning] Best dispatch (BF16): SMs 16, NVL chunk 20, RDMA chunk 16: 43.24 GB/s (RDMA), 141.14 GB/s (NVL)
[rank 0] Dispatch bandwidth: 23.49 GB/s, avg_t=319.75 us | Combine bandwidth: 25.14 GB/s, avg_t=578.22 us
[rank 1] Dispatch bandwidth: 24.02 GB/s, avg_t=312.25 us | Combine bandwidth: 24.83 GB/s, avg_t=585.38 us
)";

TEST(BenchmarkLogs, GiveProductsAndExchanges) {
  const Imported in = import_benchmark_log(kLog, "log", 8, "fp8-block");
  ASSERT_EQ(in.operators.size(), 7U);
  EXPECT_EQ(in.operators[0].op_class, "gemm.fp8-block");
  EXPECT_DOUBLE_EQ(in.operators[0].seconds[0], 710e-6);
  EXPECT_EQ(in.operators[2].op_class, "grouped-gemm.fp8-block");
  EXPECT_EQ(in.operators[2].shape.at("groups"), 4);
  EXPECT_EQ(in.operators[3].op_class, "communication.dispatch");
  EXPECT_EQ(in.operators[3].shape.at("top_k"), 8);
  EXPECT_DOUBLE_EQ(in.operators[4].seconds[0], 2380e-6);  // the notify of 240 us is not part of it
  EXPECT_EQ(in.operators[4].shape.at("between_nodes"), 1);
  EXPECT_NEAR(mean_us(in.operators[5]), 316, 1e-9);
  EXPECT_EQ(in.skipped.at("settings tried while tuning"), 1);
  EXPECT_EQ(in.skipped.at("best settings whose line has a rate but no time"), 1);
}

TEST(BenchmarkLogs, BadInputIsNamed) {
  const auto text_of = [](const std::string& text) {
    return complaint([&] { return import_benchmark_log(text, "log", 0, "fp8-block"); });
  };
  EXPECT_TRUE(has(text_of("nothing here\n"), "holds no line of DeepGEMM"));
  EXPECT_TRUE(has(text_of(" > Perf (m= 4096, n= 7168, k="), "log:1"));
  EXPECT_TRUE(has(text_of(" > Perf (m=1, n=1, k=1): -3 us |\n"), "-3"));
  EXPECT_TRUE(has(complaint([] { return import_benchmark_log(kLog, "log", 0, "fp4"); }), "--precision"));
}

}  // namespace
}  // namespace orrery
