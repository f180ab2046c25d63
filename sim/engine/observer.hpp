#pragma once

#include "sim/base/ids.hpp"
#include "sim/engine/sim_time.hpp"

namespace orrery {

/// Watches a run as it happens. Calls come in the order of time; within one instant in the order that
/// engine.hpp states. An observer changes nothing.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void started(TaskId task, SimTime now) = 0;
  virtual void finished(TaskId task, SimTime now) = 0;
};

}  // namespace orrery
