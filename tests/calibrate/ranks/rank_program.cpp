// `measure` over several processes with a communicator that exists only as numbers and files: what
// rank_sweep.sh starts under mpirun.
//   rank_program FOLDER OUTPUT RANKS_PER_HOST [KIND:INDEX:STEP ...]
// KIND fail, hang, kill, wrong, no-memory: the rank with this index does so at STEP (join, verify, run) of
// every case over the whole group. KIND die: the process itself is killed in the middle of the second case it
// takes part in.
#include <sys/types.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>
#include <vector>

#include "calibrate/probe/work.hpp"
#include "calibrate/ranks/measure_ranks.hpp"
#include "sim/base/check.hpp"

namespace orrery {
namespace {

struct Fault {
  std::string kind, step;
  int index = -1;
};

/// Ranks meet by files in a folder; a rank that does not come keeps the others waiting for ever, as in NCCL.
class SyntheticCommunicator final : public Communicator {
 public:
  SyntheticCommunicator(std::filesystem::path folder, std::vector<Fault> faults, int processes, pid_t parent,
                        RankProgress progress)
      : folder_(std::move(folder)),
        faults_(std::move(faults)),
        processes_(processes),
        parent_(parent),
        progress_(std::move(progress)) {}

  About about() override { return {{"device", "synthetic ranks"}}; }
  std::string unique_id() override { return std::to_string(getpid()) + "-" + std::to_string(++ids_); }
  void join(const Case& what, const std::string& id, const RankPlace& place) override {
    what_ = what;
    id_ = id;
    place_ = place;
    step_ = 0;
    if (place.device < 0 || place.device >= 2) throw RankFailure{{FailureClass::kOther, "no such device"}};
    meet("join");
  }
  RankVerified verify() override {
    meet("verify");
    return {.error = has_fault("wrong", "verify") ? 0.5 : 0.001, .limit = 0.01};
  }
  double run(int repeats) override {
    for (int i = 0; i < std::min(repeats, 3); ++i) meet("run");
    const double gpus = place_.count,
                 nodes = std::max<double>(1, static_cast<double>(size_of(what_.shape, "nodes")));
    // 2 us a peer, 100 GB/s inside a host, 25 GB/s between hosts; the last rank is the slowest by 1 %.
    const double seconds = 2e-6 * (gpus - 1) + work_of(what_).bytes / (nodes > 1 ? 25e9 : 100e9);
    return place_.index + 1 == place_.count ? 1.01 * seconds : seconds;
  }
  void leave() override {}

 private:
  [[nodiscard]] bool has_fault(const std::string& kind, const std::string& step) const {
    if (place_.count != processes_) return false;
    for (const Fault& f : faults_)
      if (f.kind == kind && f.index == place_.index && f.step == step) return true;
    return false;
  }
  void meet(const std::string& step) {
    if (has_fault("fail", step)) throw RankFailure{{FailureClass::kRankFailed, "unhandled system error"}};
    if (has_fault("no-memory", step)) throw RankFailure{{FailureClass::kOutOfMemory, "memory of 7 bytes"}};
    if (has_fault("kill", step)) std::raise(SIGKILL);
    if (has_fault("die", step)) kill(parent_, SIGKILL);
    while (has_fault("hang", step)) pause();
    progress_(step);
    const std::string name = id_ + "." + std::to_string(step_++);
    std::ofstream(folder_ / (name + "." + std::to_string(place_.index))) << "here";
    for (int peer = 0; peer < place_.count; ++peer)
      while (!std::filesystem::exists(folder_ / (name + "." + std::to_string(peer))))
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  std::filesystem::path folder_;
  std::vector<Fault> faults_;
  int processes_;
  pid_t parent_;
  RankProgress progress_;
  Case what_;
  std::string id_;
  RankPlace place_;
  int step_ = 0, ids_ = 0;
};

int run(int argc, char** argv) {
  if (argc < 4) return 2;
  std::vector<Fault> faults;
  for (int i = 4; i < argc; ++i) {
    std::istringstream in(argv[i]);
    Fault f;
    std::string index;
    std::getline(in, f.kind, ':');
    std::getline(in, index, ':');
    std::getline(in, f.step);
    f.index = std::stoi(index);
    faults.push_back(f);
  }
  const char* size = std::getenv("OMPI_COMM_WORLD_SIZE");
  const char* launched = std::getenv("OMPI_COMM_WORLD_RANK");
  const int processes = size == nullptr ? 1 : std::atoi(size),
            rank = launched == nullptr ? 0 : std::atoi(launched);
  const pid_t parent = getpid();
  RankAgent agent([&, parent](RankProgress progress) -> std::unique_ptr<Communicator> {
    return std::make_unique<SyntheticCommunicator>(argv[1], faults, processes, parent, std::move(progress));
  });
  agent.begin("about");
  RankMeasureOptions options;
  options.host = "node" + std::to_string(rank / std::atoi(argv[3]));
  options.patience = {.start_s = 10, .join_s = 3, .step_s = 2, .silence_s = 3, .grace_s = 0.3};
  options.measure.output = argv[2];
  options.measure.classes = {"collective.all-reduce"};
  options.measure.effort = {.relative_error = 0.01, .min_samples = 5, .max_samples = 6, .max_seconds = 1};
  options.measure.tool = "test";
  const std::unique_ptr<Messenger> messenger = join_messenger(
      options.patience.start_s, "rank " + std::to_string(rank) + ": another process did not come");
  const int code = run_measure_ranks(options, *messenger, agent, std::cout, std::cerr);
  if (messenger->given_up()) {
    agent.abort();
    std::cout.flush();
    std::_Exit(code);
  }
  return code;
}

}  // namespace
}  // namespace orrery

int main(int argc, char** argv) {
  try {
    return orrery::run(argc, argv);
  } catch (const orrery::InputError& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 3;
  }
}
