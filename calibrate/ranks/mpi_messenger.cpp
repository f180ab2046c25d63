#include <mpi.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <list>
#include <mutex>
#include <thread>

#include "calibrate/ranks/messenger.hpp"

namespace orrery {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kTag = 1;

/// Ends the process when it is not told within a time that all is well: nothing else can get out of a start
/// of MPI that waits for a process that never comes.
class Watchdog {
 public:
  Watchdog(double seconds, const std::string& message)
      : thread_([this, seconds, message] {
          std::unique_lock lock(mutex_);
          if (changed_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return well_; }))
            return;
          std::fprintf(stderr, "%s\n", message.c_str());
          std::fflush(stderr);
          _exit(5);
        }) {}
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      well_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool well_ = false;
  std::thread thread_;
};

class MpiMessenger final : public Messenger {
 public:
  MpiMessenger() {
    int level = 0;
    MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &level);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
  }
  ~MpiMessenger() override {
    if (!given_up_) MPI_Finalize();
  }

  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return size_; }

  void send(int to, std::string text) override {
    outgoing_.push_back({std::move(text), MPI_REQUEST_NULL});
    Outgoing& o = outgoing_.back();
    MPI_Isend(o.text.data(), static_cast<int>(o.text.size()), MPI_CHAR, to, kTag, MPI_COMM_WORLD, &o.request);
    clean();
  }

  bool receive(Letter& out) override {
    clean();
    int there = 0;
    MPI_Status status;
    if (MPI_Iprobe(MPI_ANY_SOURCE, kTag, MPI_COMM_WORLD, &there, &status) != MPI_SUCCESS || there == 0)
      return false;
    int size = 0;
    MPI_Get_count(&status, MPI_CHAR, &size);
    out = {.from = status.MPI_SOURCE, .text = std::string(static_cast<std::size_t>(size), '\0')};
    return MPI_Recv(out.text.data(), size, MPI_CHAR, out.from, kTag, MPI_COMM_WORLD, MPI_STATUS_IGNORE) ==
           MPI_SUCCESS;
  }

  void flush(double seconds) override {
    const Clock::time_point until =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    while (!outgoing_.empty() && Clock::now() < until) {
      clean();
      if (!outgoing_.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  void give_up() override { given_up_ = true; }
  [[nodiscard]] bool given_up() const override { return given_up_; }

 private:
  struct Outgoing {
    std::string text;
    MPI_Request request;
  };
  /// Forgets what has left. A message to a process that is gone stays, and stops no other.
  void clean() {
    std::erase_if(outgoing_, [](Outgoing& o) {
      int sent = 0;
      return MPI_Test(&o.request, &sent, MPI_STATUS_IGNORE) != MPI_SUCCESS || sent != 0;
    });
  }

  std::list<Outgoing> outgoing_;  // a list: texts keep their place
  int rank_ = 0;
  int size_ = 1;
  bool given_up_ = false;
};

}  // namespace

std::string messenger_missing() {
  return {};
}

std::unique_ptr<Messenger> join_messenger(double patience_s, const std::string& late) {
  const Watchdog watchdog(patience_s, late);
  return std::make_unique<MpiMessenger>();
}

}  // namespace orrery
