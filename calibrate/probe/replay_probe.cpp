#include "calibrate/probe/replay_probe.hpp"

namespace orrery {

ReplayProbe::ReplayProbe(SampleFile file) : about_(std::move(file.about)) {
  for (Outcome& outcome : file.outcomes) answers_.insert_or_assign(outcome.what, std::move(outcome.answer));
}

About ReplayProbe::about() const {
  About out = about_;
  const auto recorded = about_.find("probe");
  out["probe"] = "replay";
  out["recorded_by"] = recorded == about_.end() ? "unknown" : recorded->second;
  if (!out.contains("device")) out["device"] = "unknown";
  return out;
}

Answer ReplayProbe::run(const Case& what, const Effort&) {
  const auto found = answers_.find(what);
  if (found == answers_.end())
    return Failure{FailureClass::kNotRecorded, "the file of samples holds no " + to_text(what)};
  return found->second;
}

}  // namespace orrery
