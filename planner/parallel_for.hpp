#pragma once

#include <cstddef>
#include <functional>

namespace orrery {

/// Calls `work(worker, index)` once for every index below `count`, on up to `threads` threads; workers are
/// numbered from 0 and none is used by two threads at a time. Which worker gets which index is open, so
/// results must not depend on it. The exception of the lowest index is thrown on when all are done.
void parallel_for(std::size_t threads, std::size_t count,
                  const std::function<void(std::size_t worker, std::size_t index)>& work);

/// Cores this process may use, at least 1.
[[nodiscard]] std::size_t available_threads();

}  // namespace orrery
