#include "gui/core/run_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "planner/training_run.hpp"
#include "sim/base/work_control.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/lower/lower.hpp"

namespace orrery::gui {
namespace {

constexpr int kLoadBins = 1000;

std::unique_ptr<TimelineRow> counter_row(std::string name, std::string note, int rank, Counter counter) {
  auto row = std::make_unique<TimelineRow>();
  row->name = std::move(name);
  row->note = std::move(note);
  row->kind = RowKind::kCounter;
  row->rank = rank;
  row->counter = std::move(counter);
  return row;
}

double peak_of(const Counter& c) {
  return c.value.empty() ? 0 : *std::max_element(c.value.begin(), c.value.end());
}

/// The kernels' bytes are of device memory, those of the rest cross a link.
bool is_transfer(TaskKind kind) {
  return kind != TaskKind::kOffload && kind != TaskKind::kCompute && kind != TaskKind::kRecompute &&
         kind != TaskKind::kOptimizer;
}

Counter memory_counter(const MemoryOverTime& memory, double capacity) {
  Counter c{.t = memory.t_ps, .value = memory.activations, .unit = "GB", .limit = capacity, .scale = 1e-9};
  for (double& v : c.value) v += memory.fixed;
  return c;
}

}  // namespace

RunView::RunView(Scenario scenario, std::vector<InputRow> inputs, const ProfileFolders& profiles)
    : scenario_(std::move(scenario)), inputs_(std::move(inputs)) {
  const auto began = std::chrono::steady_clock::now();
  result_ = simulate(scenario_);
  check_control();
  complete_run(result_.metrics, scenario_, find_run_data(profiles));
  const std::int64_t pipeline_gpus = std::max<std::int64_t>(1, scenario_.layout.pp);
  replicas_ = std::max<std::int64_t>(1, scenario_.gpus / pipeline_gpus);
  if (feasible()) {
    for (const PublishedRun& run : load_published(profiles)) {
      if (is_about(run, scenario_)) comparisons_.push_back({run, compare(run, metrics(), scenario_)});
    }
    check_control();
    bubbles_ = bubble_causes(*result_.step, *result_.timeline);
    memory_ = memory_over_time(scenario_, result_);
    check_control();
    period_ = step_period(*result_.step, *result_.timeline);
    extent_ = result_.timeline->makespan.ps;
    for (int r = 0; r < ranks(); ++r) extent_ = std::max(extent_, window(r).end);
    pipeline_ = std::make_shared<LevelRows>(pipeline_rows(result_, period_));
    check_control();
    cluster_ = std::make_shared<LevelRows>(cluster_rows(*pipeline_, replicas_));
    // Steps that overlap have no single chain that sets the step time.
    if (!steps_overlap()) critical_ = critical_row(result_);
  }
  seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

const ComparisonRow* RunView::published(const std::string& key, const PublishedRun** run) const {
  for (const Comparison& c : comparisons_) {
    for (const ComparisonRow& row : c.rows) {
      if (row.published.key != key) continue;
      if (run != nullptr) *run = &c.run;
      return &row;
    }
  }
  return nullptr;
}

int RunView::ranks() const {
  return result_.step ? result_.step->ranks : 0;
}

std::shared_ptr<const LevelRows> RunView::shared_rows(Level level, int rank) const {
  if (!feasible() || level == Level::kPipeline) return pipeline_;
  if (level == Level::kCluster) return cluster_;
  const int wanted = std::clamp(rank, 0, ranks() - 1);
  std::shared_ptr<const LevelRows>& made = level == Level::kRank ? streams_ : operators_;
  if (!made || made->rank != wanted)
    made = std::make_shared<LevelRows>(stream_rows(result_, wanted, level == Level::kOperators));
  return made;
}

const LevelRows& RunView::counters(int rank) const {
  if (!feasible()) return counters_;
  const int wanted = std::clamp(rank, 0, ranks() - 1);
  if (!counters_.rows.empty() && counters_.rank == wanted) return counters_;
  counters_.rows.clear();
  counters_.rank = wanted;
  const auto at = static_cast<std::size_t>(wanted);
  if (at < memory_.size()) {
    counters_.rows.push_back(
        counter_row(fmt::format("rank {} memory", wanted),
                    fmt::format("peak {:.1f} of {:.1f} GB (10^9 B)", memory_[at].peak() * 1e-9,
                                metrics().memory_capacity * 1e-9),
                    wanted, memory_counter(memory_[at], metrics().memory_capacity)));
  }
  if (Counter power = power_counter(metrics(), scenario_, wanted); !power.t.empty()) {
    std::string note = fmt::format("peak {:.0f} of {:.0f} W a GPU", peak_of(power), power.limit);
    counters_.rows.push_back(
        counter_row(fmt::format("rank {} power", wanted), std::move(note), wanted, std::move(power)));
  }
  for (const Link link : {Link::kNic, Link::kNvlink}) {
    Counter load = link_load(result_, scenario_, wanted, link, kLoadBins, extent_);
    const double peak = peak_of(load);
    if (peak <= 0 && link == Link::kNvlink) continue;
    const Tier& tier = link == Link::kNic ? scenario_.cluster.scale_out : scenario_.cluster.scale_up;
    std::string note = fmt::format("peak {:.0f} % of {:.4g} GB/s", 100 * peak, tier.bytes_per_s.value * 1e-9);
    counters_.rows.push_back(
        counter_row(fmt::format("rank {} {} load", wanted, link == Link::kNic ? "NIC" : "NVLink"),
                    std::move(note), wanted, std::move(load)));
  }
  return counters_;
}

Counter link_load(const SimResult& result, const Scenario& scenario, int rank, Link link, int bins,
                  std::int64_t extent_ps) {
  Counter c{.t = {}, .value = {}, .unit = "%", .limit = 1, .scale = 100};
  const Timeline& timeline = *result.timeline;
  const double bin_ps = std::max(1.0, static_cast<double>(extent_ps)) / bins;
  std::vector<double> bytes(static_cast<std::size_t>(bins), 0.0);
  for (int lane = 0; lane < kLaneCount; ++lane) {
    for (TaskId task : timeline.graph.lane_tasks(result.step->lane(RankId{rank}, static_cast<Lane>(lane)))) {
      const CostedItem* item = result.step->item_of(task);
      if (item == nullptr || !is_transfer(item->kind)) continue;
      const double moved =
          link == Link::kNic ? item->scale_out_bytes : std::max(0.0, item->bytes - item->scale_out_bytes);
      const auto begin = static_cast<double>(timeline.start[task.at()].ps);
      const auto end = static_cast<double>(timeline.end[task.at()].ps);
      if (end <= begin || moved <= 0) continue;
      const double rate = moved / (end - begin);
      for (auto b = static_cast<std::size_t>(begin / bin_ps); b < bytes.size(); ++b) {
        const double from = std::max(begin, static_cast<double>(b) * bin_ps);
        const double to = std::min(end, static_cast<double>(b + 1) * bin_ps);
        if (to <= from) break;
        bytes[b] += rate * (to - from);
      }
    }
  }
  const Tier& tier = link == Link::kNic ? scenario.cluster.scale_out : scenario.cluster.scale_up;
  const double capacity = tier.bytes_per_s.value * bin_ps * 1e-12;
  for (std::size_t b = 0; b < bytes.size(); ++b) {
    c.t.push_back(static_cast<std::int64_t>(static_cast<double>(b) * bin_ps));
    c.value.push_back(capacity > 0 ? bytes[b] / capacity : 0);
  }
  return c;
}

Counter power_counter(const Metrics& metrics, const Scenario& scenario, int rank) {
  Counter c{.t = {}, .value = {}, .unit = "W", .limit = scenario.cluster.gpu.power.cap_w.value, .scale = 1};
  const auto at = static_cast<std::size_t>(std::max(0, rank));
  if (at >= metrics.power.rank_by_bin_w.size()) return c;
  c.value = metrics.power.rank_by_bin_w[at];
  for (std::size_t b = 0; b < c.value.size(); ++b)
    c.t.push_back(static_cast<std::int64_t>(static_cast<double>(b) * metrics.power.bin_s * 1e12));
  return c;
}

}  // namespace orrery::gui
