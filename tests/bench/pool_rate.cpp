// How many jobs per second the coordinator of a distributed sweep can give out, with jobs that do nothing,
// and how fast the journal takes rows. Figures for docs/scaling.md.
//   mpirun -n N pool_rate [JOBS]     or     pool_rate [JOBS] for one process
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>

#include "planner/crew.hpp"
#include "planner/distribute/distribute.hpp"
#include "planner/stable_hash.hpp"
#include "planner/sweep/journal.hpp"

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Jobs as long as those of a sweep; results as long as its rows.
class Stream final : public orrery::JobStream {
 public:
  explicit Stream(int jobs) : left_(jobs) {}
  bool next(std::string& job) override {
    if (left_ == 0) return false;
    --left_;
    job.assign(1000, 'j');
    return true;
  }
  void done(const std::string& result) override {
    bytes += result.size();
    ++results;
  }
  void lost(const std::string&, const std::string&) override {}
  void notice(const std::string& line) override { std::fprintf(stderr, "%s\n", line.c_str()); }
  void tick() override {}
  [[nodiscard]] bool abandon() const override { return false; }
  std::size_t bytes = 0;
  int results = 0;

 private:
  int left_;
};

std::string echo(const std::string&) {
  return std::string(1200, 'r');
}

void measure_pool(orrery::WorkPool& pool, int jobs) {
  Stream stream(jobs);
  const Clock::time_point start = Clock::now();
  const std::clock_t before = std::clock();
  pool.run(stream);
  const double time = seconds_since(start);
  const double busy = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
  std::printf("%s: %d jobs in %.2f s, %.0f jobs/s; this process %.1f us of CPU a job\n",
              pool.describe().c_str(), stream.results, time, jobs / time, 1e6 * busy / jobs);
}

void measure_journal() {
  constexpr int kRows = 50000;
  const std::string path = (std::filesystem::temp_directory_path() / "pool_rate.journal").string();
  std::filesystem::remove(path);
  const std::string row(1200, 'r');
  const Clock::time_point start = Clock::now();
  {
    orrery::Journal journal(path, "rate", "rate", false);
    for (int i = 0; i < kRows; ++i) journal.append(orrery::stable_hash(std::to_string(i)), row);
    journal.sync();
  }
  const double time = seconds_since(start);
  std::printf("journal: %d rows of 1,200 bytes in %.2f s, %.0f rows/s, %.0f MB/s\n", kRows, time,
              kRows / time, kRows * 1251.0 / time / 1e6);
  const Clock::time_point again = Clock::now();
  const orrery::Journal journal(path, "rate", "rate", true);
  std::printf("journal read again: %.2f s\n", seconds_since(again));
  std::filesystem::remove(path);
}

}  // namespace

int main(int argc, char** argv) {
  const int jobs = argc > 1 ? std::atoi(argv[1]) : 20000;
  const auto patience = std::chrono::seconds(30);
  if (std::getenv("OMPI_COMM_WORLD_SIZE") == nullptr) {
    orrery::ThreadPool pool(1, echo);
    measure_pool(pool, jobs);
    measure_journal();
    return 0;
  }
  const auto group = orrery::join_process_group();
  if (group == nullptr) {
    std::fprintf(stderr, "%s\n", orrery::distribution_missing().c_str());
    return 1;
  }
  if (group->rank() != 0) {
    group->serve(
        1, [](const std::string&) { return echo; }, patience);
    return 0;
  }
  // Process 0 gives out and computes nothing, so that every job is two messages.
  measure_pool(*group->pool(0, echo, "", patience), jobs);
}
