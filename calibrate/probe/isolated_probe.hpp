#pragma once

#include "calibrate/probe/child_process.hpp"
#include "calibrate/probe/probe.hpp"

namespace orrery {

/// Times after which the measuring process is given up.
struct Patience {
  double start_s = 120;  ///< making the probe: loading libraries, creating contexts
  double case_s = 60;    ///< one case, on top of what its Effort asks for
  double step_s = 5;     ///< each different kernel of a sequence, on top of that: set-up and verification
};

/// Runs another probe in a process of its own, so that nothing that happens there can stop the measurement: a
/// kernel that never ends is a time-out (the process is killed and a new one made for the next case), a crash
/// and a lost device are failures of their case alone. The probe is made in the child; this process never
/// touches the device.
class IsolatedProbe : public Probe {
 public:
  IsolatedProbe(ProbeFactory factory, Patience patience = {});
  /// Starts the first process. Empty if all is well, else why there is no probe.
  [[nodiscard]] std::string start();
  [[nodiscard]] About about() const override { return about_; }
  [[nodiscard]] Answer run(const Case& what, const Effort& effort) override;
  [[nodiscard]] Answer run_sequence(const Sequence& sequence, const Effort& effort) override;

 private:
  [[nodiscard]] Answer ask(const std::string& question, double patience);

  ProbeFactory factory_;
  Patience patience_;
  About about_;
  ChildProcess child_;
};

}  // namespace orrery
