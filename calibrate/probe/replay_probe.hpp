#pragma once

#include <map>

#include "calibrate/probe/probe.hpp"

namespace orrery {

/// Answers from a file of samples: programs and tests run without a GPU. A case that the file does not hold
/// is a failure of class kNotRecorded; of equal cases the last row counts.
class ReplayProbe : public Probe {
 public:
  explicit ReplayProbe(SampleFile file);
  [[nodiscard]] About about() const override;
  [[nodiscard]] Answer run(const Case& what, const Effort& effort) override;

 private:
  About about_;
  std::map<Case, Answer> answers_;
};

}  // namespace orrery
