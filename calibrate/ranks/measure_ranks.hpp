#pragma once

#include <iosfwd>
#include <string>

#include "calibrate/measure.hpp"
#include "calibrate/ranks/rank_probe.hpp"

namespace orrery {

struct RankMeasureOptions {
  MeasureOptions measure;
  std::string host;  ///< of this process, without blanks
  RankPatience patience;
};

/// `measure` started as several processes, one for each GPU: collectives over them (sweep/collective_plan).
/// Process 0 measures with budget and journal as `measure` does and prints; the others serve. `agent` must
/// have been asked `about` already. The exit code: on process 0 that of the report, 5 also when ranks are
/// missing; on the others 0 when they were sent home, else 5. InputError as in `measure`, on process 0 alone.
[[nodiscard]] int run_measure_ranks(const RankMeasureOptions& options, Messenger& messenger, RankAgent& agent,
                                    std::ostream& out, std::ostream& progress);

}  // namespace orrery
