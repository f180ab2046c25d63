#include "planner/parallel_for.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "sim/base/work_control.hpp"

namespace orrery {

void parallel_for(std::size_t threads, std::size_t count,
                  const std::function<void(std::size_t, std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr error;
  std::size_t failed = count;
  const WorkControl* const control = current_control();
  const auto run = [&](std::size_t worker) {
    const ControlScope scope(control);
    while (true) {
      const std::size_t i = next.fetch_add(1);
      if (i >= count) return;
      try {
        check_control();
        work(worker, i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (i < failed) {
          failed = i;
          error = std::current_exception();
        }
      }
    }
  };
  std::vector<std::thread> others;
  for (std::size_t w = 1; w < std::min(threads, count); ++w) others.emplace_back(run, w);
  run(0);
  for (std::thread& other : others) other.join();
  if (error) std::rethrow_exception(error);
}

std::size_t available_threads() {
  return std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

}  // namespace orrery
