#include "gui/core/run_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "planner/training_run.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/lower/lower.hpp"

namespace orrery::gui {
namespace {

constexpr int kNicBins = 1000;

std::unique_ptr<TimelineRow> counter_row(std::string name, std::string note, int rank, Counter counter) {
  auto row = std::make_unique<TimelineRow>();
  row->name = std::move(name);
  row->note = std::move(note);
  row->kind = RowKind::kCounter;
  row->rank = rank;
  row->counter = std::move(counter);
  return row;
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
  complete_run(result_.metrics, scenario_, find_run_data(profiles));
  const std::int64_t pipeline_gpus = std::max<std::int64_t>(1, scenario_.layout.pp);
  replicas_ = std::max<std::int64_t>(1, scenario_.gpus / pipeline_gpus);
  if (feasible()) {
    for (const PublishedRun& run : load_published(profiles)) {
      if (is_about(run, scenario_)) comparisons_.push_back({run, compare(run, metrics(), scenario_)});
    }
    bubbles_ = bubble_causes(*result_.step, *result_.timeline);
    memory_ = memory_over_time(scenario_, result_);
    pipeline_ = pipeline_rows(result_);
    cluster_ = cluster_rows(pipeline_, replicas_);
    critical_ = critical_row(result_);
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

std::int64_t RunView::makespan() const {
  return result_.timeline ? result_.timeline->makespan.ps : 0;
}

int RunView::ranks() const {
  return result_.step ? result_.step->ranks : 0;
}

const LevelRows& RunView::rows(Level level, int rank) const {
  if (!feasible() || level == Level::kPipeline) return pipeline_;
  if (level == Level::kCluster) return cluster_;
  const int wanted = std::clamp(rank, 0, ranks() - 1);
  LevelRows& made = level == Level::kRank ? streams_ : operators_;
  if (made.rows.empty() || made.rank != wanted)
    made = stream_rows(result_, wanted, level == Level::kOperators);
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
    counters_.rows.push_back(counter_row(fmt::format("rank {} memory", wanted), "GB, 10^9 B", wanted,
                                         memory_counter(memory_[at], metrics().memory_capacity)));
  }
  counters_.rows.push_back(counter_row(fmt::format("rank {} NIC load", wanted), "% of nominal", wanted,
                                       nic_load(result_, scenario_, wanted, kNicBins)));
  return counters_;
}

Counter nic_load(const SimResult& result, const Scenario& scenario, int rank, int bins) {
  Counter c{.t = {}, .value = {}, .unit = "%", .limit = 1, .scale = 100};
  const Timeline& timeline = *result.timeline;
  const double whole = std::max(1.0, static_cast<double>(timeline.makespan.ps));
  const double bin_ps = whole / bins;
  std::vector<double> bytes(static_cast<std::size_t>(bins), 0.0);
  for (int lane = 0; lane < kLaneCount; ++lane) {
    for (TaskId task : timeline.graph.lane_tasks(result.step->lane(RankId{rank}, static_cast<Lane>(lane)))) {
      const CostedItem* item = result.step->item_of(task);
      if (item == nullptr || item->scale_out_bytes <= 0) continue;
      const auto begin = static_cast<double>(timeline.start[task.at()].ps);
      const auto end = static_cast<double>(timeline.end[task.at()].ps);
      if (end <= begin) continue;
      const double rate = item->scale_out_bytes / (end - begin);
      for (auto b = static_cast<std::size_t>(begin / bin_ps); b < bytes.size(); ++b) {
        const double from = std::max(begin, static_cast<double>(b) * bin_ps);
        const double to = std::min(end, static_cast<double>(b + 1) * bin_ps);
        if (to <= from) break;
        bytes[b] += rate * (to - from);
      }
    }
  }
  const double capacity = scenario.cluster.scale_out.bytes_per_s.value * bin_ps * 1e-12;
  for (std::size_t b = 0; b < bytes.size(); ++b) {
    c.t.push_back(static_cast<std::int64_t>(static_cast<double>(b) * bin_ps));
    c.value.push_back(capacity > 0 ? bytes[b] / capacity : 0);
  }
  return c;
}

}  // namespace orrery::gui
