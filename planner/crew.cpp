#include "planner/crew.hpp"

namespace orrery {

Crew::Crew(int threads, Work work) : shared_(std::make_shared<Shared>()) {
  shared_->work = std::move(work);
  threads_.reserve(static_cast<std::size_t>(threads));
  for (int i = 0; i < threads; ++i) threads_.emplace_back([shared = shared_] { serve(*shared); });
}

Crew::~Crew() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->over = true;
    shared_->jobs.clear();
  }
  shared_->wanted.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Crew::leave_behind() {
  for (std::thread& thread : threads_) thread.detach();
}

void Crew::give(unsigned long long number, std::string job) {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->jobs.emplace_back(number, std::move(job));
    ++shared_->given;
  }
  shared_->wanted.notify_one();
}

bool Crew::take(Result& out, std::chrono::microseconds patience) {
  std::unique_lock lock(shared_->mutex);
  if (!shared_->ready.wait_for(lock, patience, [this] { return !shared_->results.empty(); })) return false;
  out = std::move(shared_->results.front());
  shared_->results.pop_front();
  --shared_->given;
  return true;
}

int Crew::idle() const {
  const std::lock_guard lock(shared_->mutex);
  return threads() - shared_->given;
}

void Crew::serve(Shared& shared) {
  std::unique_lock lock(shared.mutex);
  while (true) {
    shared.wanted.wait(lock, [&] { return shared.over || !shared.jobs.empty(); });
    if (shared.over) return;
    auto [number, job] = std::move(shared.jobs.front());
    shared.jobs.pop_front();
    lock.unlock();
    Result result{.number = number, .text = shared.work(job)};
    lock.lock();
    shared.results.push_back(std::move(result));
    shared.ready.notify_one();
  }
}

ThreadPool::ThreadPool(int threads, Work work) : threads_(threads), work_(std::move(work)) {}

std::string ThreadPool::describe() const {
  return std::to_string(threads_) + (threads_ == 1 ? " thread" : " threads");
}

void ThreadPool::run(JobStream& stream) {
  constexpr std::chrono::milliseconds kTick{100};
  Crew crew(threads_, work_);
  bool more = true;
  while (!stream.abandon()) {
    std::string job;
    while (more && crew.idle() > 0) {
      more = stream.next(job);
      if (more) crew.give(0, std::move(job));
    }
    if (!more && crew.idle() == crew.threads()) return;
    Crew::Result result;
    if (crew.take(result, kTick)) stream.done(result.text);
    stream.tick();
  }
  crew.leave_behind();
}

}  // namespace orrery
