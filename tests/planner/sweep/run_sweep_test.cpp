#include "planner/sweep/run_sweep.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>

#include "planner/crew.hpp"
#include "planner/sweep/sweep_output.hpp"
#include "planner/sweep/sweep_store.hpp"

namespace orrery {
namespace {

/// Layouts of a small model: some run, tp 3 does not divide, tp 64 exceeds the GPUs, "fast" is no precision.
const std::string kSweep = R"({"schema": "orrery.sweep/1",
  "base": {"schema": "orrery.scenario/1", "model": "llama-3-8b", "cluster": {"profile": "h100-sxm-ib400", "gpus": 16},
           "training": {"global_batch_size": 32}, "layout": {"recompute": "full"}},
  "axes": {"layout.tp": [1, 2, 3, 64], "layout.pp": [1, 2], "training.precision": ["bf16", "fast"]}})";

class Silent final : public SweepObserver {
 public:
  void progress(const SweepProgress&) override { ++ticks; }
  void notice(const std::string& line) override { notices.push_back(line); }
  [[nodiscard]] bool stop() const override { return stop_after >= 0 && ticks >= stop_after; }
  [[nodiscard]] bool abandon() const override { return false; }
  int ticks = 0;
  int stop_after = -1;
  std::vector<std::string> notices;
};

struct Outcome {
  std::string lines;
  SweepProgress progress;
};

Outcome sweep(int threads, const std::string& name, int stop_after = -1, bool resume = false) {
  const std::string path = testing::TempDir() + "/" + name + ".journal";
  if (!resume) std::filesystem::remove(path);
  const SweepSpec spec = parse_sweep(kSweep, "s.json", {});
  const SweepPoints points(spec);
  SweepItems items(spec.mode, {}, {.roots = {ORRERY_SOURCE_DIR "/hwprofiles"}},
                   {.version = "1", .commit = "c"});
  const SweepList list = list_items(spec, points, items, threads);
  Journal journal(path, sweep_hash(spec), "test", resume);
  Silent observer;
  observer.stop_after = stop_after;
  SweepRun run(spec, points, list, items, journal, find_objective("tokens_per_s", "test"), observer);
  ThreadPool pool(threads, [&](const std::string& job) { return items.work(job); });
  pool.run(run);
  Outcome out{.lines = {}, .progress = run.progress()};
  run.for_each_row([&](std::uint64_t item, const SweepRow& row) { out.lines += sweep_json_line(item, row); });
  return out;
}

TEST(RunSweep, InfeasibleAndWrongItemsAreRowsWithReasons) {
  const Outcome out = sweep(1, "rows");
  const SweepProgress& p = out.progress;
  EXPECT_EQ(p.total, 16U);
  EXPECT_EQ(p.done, 16U);
  EXPECT_EQ(p.errors, 8U);  // half of the items have the precision "fast"
  EXPECT_EQ(p.ok, 4U);      // tp 1 and 2, pp 1 and 2
  EXPECT_EQ(p.infeasible, 4U);
  EXPECT_NE(out.lines.find("\"code\":\"tensor-parallel\""), std::string::npos) << out.lines;
  EXPECT_NE(out.lines.find("found 'fast', expected one of bf16"), std::string::npos);
  EXPECT_NE(out.lines.find("\"item\":15,"), std::string::npos);
}

TEST(RunSweep, ResultsDependNeitherOnThreadsNorOnInterruptions) {
  const Outcome whole = sweep(1, "whole");
  EXPECT_EQ(whole.lines, sweep(3, "threads").lines);
  const Outcome part = sweep(1, "part", 2);
  EXPECT_LT(part.progress.done, 16U);
  const Outcome rest = sweep(2, "part", -1, true);
  EXPECT_GT(rest.progress.remembered, 0U);
  EXPECT_EQ(rest.lines, whole.lines);
  EXPECT_EQ(rest.progress.best, whole.progress.best);
}

TEST(RunSweep, RowsReadBackAsTheyWereWritten) {
  const std::string lines = sweep(2, "back").lines;
  std::size_t at = 0;
  std::uint64_t item = 0;
  while (at < lines.size()) {
    const std::size_t end = lines.find('\n', at);
    const std::string line = lines.substr(at, end - at);
    const SweepRow row = parse_row("{" + line.substr(line.find(',') + 1));
    EXPECT_EQ(sweep_json_line(item, row), line + "\n");
    EXPECT_EQ(sweep_cells(item, row).size(), sweep_columns().size());
    at = end + 1;
    ++item;
  }
  EXPECT_EQ(item, 16U);
}

TEST(Crew, EveryJobComesBackOnce) {
  std::atomic<int> worked{0};
  Crew crew(3, [&](const std::string& job) {
    ++worked;
    return job + job;
  });
  for (unsigned long long i = 0; i < 100; ++i) crew.give(i, std::to_string(i));
  std::vector<int> seen(100, 0);
  for (int i = 0; i < 100; ++i) {
    Crew::Result result;
    ASSERT_TRUE(crew.take(result, std::chrono::seconds(10)));
    EXPECT_EQ(result.text, std::to_string(result.number) + std::to_string(result.number));
    ++seen[result.number];
  }
  EXPECT_EQ(seen, std::vector<int>(100, 1));
  EXPECT_EQ(worked, 100);
  EXPECT_EQ(crew.idle(), 3);
}

}  // namespace
}  // namespace orrery
