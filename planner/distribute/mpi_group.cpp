#include <mpi.h>

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "planner/crew.hpp"
#include "planner/distribute/distribute.hpp"
#include "planner/distribute/job_ledger.hpp"

namespace orrery {
namespace {

using Clock = std::chrono::steady_clock;
using Number = unsigned long long;

enum Tag : int { kSetup = 1, kJob, kResult, kHello, kBeat, kHome };

constexpr std::chrono::milliseconds kBeatEvery{500};
/// After a message others follow soon: ask busily for so long, then take rests.
constexpr std::chrono::microseconds kBusy{100};
constexpr std::chrono::microseconds kRest{300};

/// Messages between two processes. A send never waits for the other side, who may be gone.
class Mail {
 public:
  struct Letter {
    int from = 0;
    int tag = 0;
    std::string text;
  };

  void send(int to, int tag, std::string text) {
    outgoing_.push_back({std::move(text), MPI_REQUEST_NULL});
    Outgoing& o = outgoing_.back();
    MPI_Isend(o.text.data(), static_cast<int>(o.text.size()), MPI_CHAR, to, tag, MPI_COMM_WORLD, &o.request);
    clean();
  }

  bool receive(Letter& out) {
    int there = 0;
    MPI_Status status;
    if (MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &status) != MPI_SUCCESS || there == 0)
      return false;
    int size = 0;
    MPI_Get_count(&status, MPI_CHAR, &size);
    out = {.from = status.MPI_SOURCE,
           .tag = status.MPI_TAG,
           .text = std::string(static_cast<std::size_t>(size), '\0')};
    return MPI_Recv(out.text.data(), size, MPI_CHAR, out.from, out.tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE) ==
           MPI_SUCCESS;
  }

  /// Tries to get everything out for a while.
  void flush(std::chrono::milliseconds patience) {
    const Clock::time_point until = Clock::now() + patience;
    while (!outgoing_.empty() && Clock::now() < until) {
      clean();
      if (!outgoing_.empty()) std::this_thread::sleep_for(kRest);
    }
  }

 private:
  struct Outgoing {
    std::string text;
    MPI_Request request;
  };
  void clean() {
    int sent = 1;
    while (!outgoing_.empty()) {
      if (MPI_Test(&outgoing_.front().request, &sent, MPI_STATUS_IGNORE) == MPI_SUCCESS && sent == 0) return;
      outgoing_.pop_front();
    }
  }
  std::deque<Outgoing> outgoing_;  // a deque: texts keep their place
};

std::string with_number(Number number, const std::string& text) {
  return std::to_string(number) + "\n" + text;
}

std::pair<Number, std::string> split_number(const std::string& text) {
  const std::size_t end = text.find('\n');
  return {std::stoull(text.substr(0, end)), text.substr(end + 1)};
}

/// Process 0: gives out jobs and watches who is alive.
class MpiPool final : public WorkPool {
 public:
  MpiPool(Mail& mail, int size, int threads, Work work, std::string setup, std::chrono::milliseconds patience,
          bool& harmed)
      : mail_(mail),
        size_(size),
        threads_(threads),
        work_(std::move(work)),
        setup_(std::move(setup)),
        patience_(patience),
        harmed_(harmed) {}

  [[nodiscard]] std::string describe() const override {
    return std::to_string(size_) + " processes, the first with " + std::to_string(threads_) +
           (threads_ == 1 ? " thread" : " threads");
  }

  void run(JobStream& stream) override {
    Crew crew(threads_, work_);
    JobLedger ledger(size_);
    ledger.joined(0, threads_);
    last_heard_.assign(static_cast<std::size_t>(size_), Clock::now());
    for (int to = 1; to < size_; ++to) mail_.send(to, kSetup, setup_);
    bool home = false;
    try {
      while (!stream.abandon() && !(ledger.all_done() && !more_)) {
        hand_out(stream, ledger, crew);
        collect(stream, ledger, crew);
        watch(stream, ledger);
        stream.tick();
      }
      if (stream.abandon()) crew.leave_behind();
      home = true;
      send_home(ledger);
    } catch (...) {
      if (!home) send_home(ledger);
      throw;
    }
  }

 private:
  void hand_out(JobStream& stream, JobLedger& ledger, Crew& crew) {
    for (int rank = 0; rank < size_; ++rank) {
      while (ledger.free_slots(rank) > 0) {
        std::string job;
        Number number = 0;
        if (!ledger.again(number, job)) {
          if (more_) more_ = stream.next(job);
          if (!more_) return;
          number = ledger.add(job);
        }
        ledger.given(number, rank);
        if (rank == 0) {
          crew.give(number, std::move(job));
        } else {
          mail_.send(rank, kJob, with_number(number, job));
        }
      }
    }
  }

  void collect(JobStream& stream, JobLedger& ledger, Crew& crew) {
    Crew::Result own;
    const bool busy = Clock::now() - active_ < kBusy;
    while (crew.take(own, busy ? std::chrono::microseconds{0} : kRest)) {
      active_ = Clock::now();
      if (ledger.finished(own.number, 0)) stream.done(own.text);
      if (ledger.free_slots(0) > 0) break;
    }
    Mail::Letter letter;
    while (mail_.receive(letter)) {
      last_heard_[static_cast<std::size_t>(letter.from)] = Clock::now();
      if (letter.tag == kHello) {
        active_ = Clock::now();
        ledger.joined(letter.from, std::stoi(letter.text));
      } else if (letter.tag == kResult) {
        active_ = Clock::now();
        const auto [number, text] = split_number(letter.text);
        if (ledger.finished(number, letter.from)) stream.done(text);
        return;  // its sender wants a new job
      }
    }
  }

  void watch(JobStream& stream, JobLedger& ledger) {
    const Clock::time_point now = Clock::now();
    if (now - watched_ < kBeatEvery) return;
    watched_ = now;
    for (int rank = 1; rank < size_; ++rank) {
      if (ledger.is_lost(rank)) continue;
      mail_.send(rank, kBeat, "");
      if (now - last_heard_[static_cast<std::size_t>(rank)] < patience_) continue;
      harmed_ = true;
      const JobLedger::Loss loss = ledger.lose(rank);
      stream.notice("process " + std::to_string(rank) + " of " + std::to_string(size_) +
                    " is lost (silent for " + std::to_string(patience_.count() / 1000) + " s); " +
                    std::to_string(loss.again) + " item(s) it was working on go to another process");
      for (const std::string& job : loss.given_up)
        stream.lost(job, "two processes were lost while they worked on it");
    }
  }

  void send_home(const JobLedger& ledger) {
    for (int rank = 1; rank < size_; ++rank) {
      if (!ledger.is_lost(rank)) mail_.send(rank, kHome, harmed_ ? "harmed" : "");
    }
    mail_.flush(std::chrono::seconds{2});
  }

  Mail& mail_;
  int size_;
  int threads_;
  Work work_;
  std::string setup_;
  std::chrono::milliseconds patience_;
  bool& harmed_;
  bool more_ = true;
  std::vector<Clock::time_point> last_heard_;
  Clock::time_point watched_ = Clock::now();
  Clock::time_point active_ = Clock::now();
};

class MpiGroup final : public ProcessGroup {
 public:
  MpiGroup() {
    int level = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &level);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
  }
  ~MpiGroup() override {
    if (rank_ == 0 && !pooled_) {  // an error before the work began
      for (int to = 1; to < size_; ++to) mail_.send(to, kHome, "");
      mail_.flush(std::chrono::seconds{2});
    }
    if (!harmed_) MPI_Finalize();
  }

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }
  [[nodiscard]] bool harmed() const override { return harmed_; }

  std::unique_ptr<WorkPool> pool(int threads, Work work, std::string setup,
                                 std::chrono::milliseconds patience) override {
    pooled_ = true;
    return std::make_unique<MpiPool>(mail_, size_, threads, std::move(work), std::move(setup), patience,
                                     harmed_);
  }

  bool serve(int threads, const WorkFactory& factory, std::chrono::milliseconds patience) override {
    std::unique_ptr<Crew> crew;
    Clock::time_point heard = Clock::now();
    Clock::time_point beat = heard;
    Clock::time_point active = heard;
    while (true) {
      const Clock::time_point now = Clock::now();
      Mail::Letter letter;
      while (mail_.receive(letter)) {
        heard = active = now;
        if (letter.tag == kHome) {
          harmed_ = letter.text == "harmed";
          return true;
        }
        if (letter.tag == kSetup) {
          crew = std::make_unique<Crew>(threads, factory(letter.text));
          mail_.send(0, kHello, std::to_string(threads));
        }
        if (letter.tag == kJob) {
          auto [number, job] = split_number(letter.text);
          crew->give(number, std::move(job));
        }
      }
      answer(crew.get(), now - active < kBusy, active);
      if (crew != nullptr && now - beat > kBeatEvery) {
        mail_.send(0, kBeat, "");
        beat = now;
      }
      // Before the first message process 0 may be busy with a long list of items.
      if (crew != nullptr && now - heard > patience) {
        harmed_ = true;
        crew->leave_behind();
        return false;
      }
    }
  }

 private:
  void answer(Crew* crew, bool busy, Clock::time_point& active) {
    if (crew == nullptr) return std::this_thread::sleep_for(kRest);
    Crew::Result result;
    if (!crew->take(result, busy ? std::chrono::microseconds{0} : kRest)) return;
    mail_.send(0, kResult, with_number(result.number, result.text));
    active = Clock::now();
  }

  Mail mail_;
  int rank_ = 0;
  int size_ = 1;
  bool pooled_ = false;
  bool harmed_ = false;
};

}  // namespace

std::string distribution_missing() {
  return {};
}

std::unique_ptr<ProcessGroup> join_process_group() {
  return std::make_unique<MpiGroup>();
}

}  // namespace orrery
