#include "planner/distribute/job_ledger.hpp"

#include <algorithm>
#include <utility>

namespace orrery {

void JobLedger::joined(int rank, int slots) {
  processes_[static_cast<std::size_t>(rank)].slots = slots;
}

int JobLedger::free_slots(int rank) const {
  const Process& process = processes_[static_cast<std::size_t>(rank)];
  return process.lost ? 0 : process.slots - process.busy;
}

JobLedger::Number JobLedger::add(std::string job) {
  open_.emplace(next_, Job{.text = std::move(job)});
  return next_++;
}

bool JobLedger::again(Number& number, std::string& job) {
  if (again_.empty()) return false;
  number = again_.front();
  again_.pop_front();
  job = open_.at(number).text;
  return true;
}

void JobLedger::given(Number number, int rank) {
  open_.at(number).rank = rank;
  ++processes_[static_cast<std::size_t>(rank)].busy;
}

bool JobLedger::finished(Number number, int rank) {
  Process& process = processes_[static_cast<std::size_t>(rank)];
  if (!process.lost) --process.busy;
  const auto job = open_.find(number);
  if (job == open_.end()) return false;
  if (job->second.rank != rank) {
    // It was taken back meanwhile: waits for another process, or is being done there a second time.
    const auto waiting = std::find(again_.begin(), again_.end(), number);
    if (waiting != again_.end()) again_.erase(waiting);
  }
  open_.erase(job);
  return true;
}

JobLedger::Loss JobLedger::lose(int rank) {
  Process& process = processes_[static_cast<std::size_t>(rank)];
  process.lost = true;
  process.busy = 0;
  Loss loss;
  for (auto job = open_.begin(); job != open_.end();) {
    if (job->second.rank != rank) {
      ++job;
      continue;
    }
    job->second.rank = -1;
    if (++job->second.losses >= 2) {
      loss.given_up.push_back(std::move(job->second.text));
      job = open_.erase(job);
      continue;
    }
    again_.push_back(job->first);
    ++loss.again;
    ++job;
  }
  return loss;
}

}  // namespace orrery
