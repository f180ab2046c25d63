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
  [[nodiscard]] double flops() const { return 2 * m * n * k; }
};

std::vector<Row> measured() {
  std::ifstream in(ORRERY_SOURCE_DIR "/tests/data/gemm_power_h200_bf16.csv");
  std::vector<Row> rows;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line[0] == '#' || line[0] == 'm') continue;
    std::replace(line.begin(), line.end(), ',', ' ');
    std::istringstream cells(line);
    Row r;
    cells >> r.m >> r.n >> r.k >> r.seconds >> r.watts;
    r.seconds *= 1e-3;
    rows.push_back(r);
  }
  return rows;
}

/// Board power of one product that runs for the measured time.
double model_w(const Row& row, const PowerFigures& figures) {
  const double energy = joules(
      {.flops = row.flops(), .memory_bytes = 2 * (row.m * row.k + row.n * row.k + row.m * row.n)}, figures);
  TaskGraphBuilder b;
  b.add_task({.lane = b.add_lane("gpu"), .duration = to_sim_time(Seconds{row.seconds})});
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

// Forty measured products for each tenth of the peak (989 TFLOP/s). The medians of single readings are noisy:
// a board shows the mean of its last second, which short rows do not fill.
TEST(MeasuredPower, MediansOfH200sBf16ProductsAreWithinTenPercentUpTo80PercentOfThePeak) {
  const PowerFigures figures =
      load_gpu_profile(std::filesystem::path(ORRERY_SOURCE_DIR "/hwprofiles/gpu/h200-sxm.json")).power;
  std::array<std::vector<double>, 8> real;
  std::array<std::vector<double>, 8> model;
  for (const Row& row : measured()) {
    const auto bin = static_cast<std::size_t>(row.flops() / row.seconds / 98.9e12);
    ASSERT_LT(bin, real.size());
    real[bin].push_back(row.watts);
    model[bin].push_back(model_w(row, figures));
  }
  for (std::size_t bin = 0; bin < real.size(); ++bin) {
    ASSERT_GE(real[bin].size(), 39U);  // one row at an edge moved with the rounding of its time
    EXPECT_NEAR(median(model[bin]) / median(real[bin]), 1, 0.10)
        << 10 * bin << " %: measured " << median(real[bin]) << " W";
  }
}

}  // namespace
}  // namespace orrery
