#pragma once

#include <string>

#include "planner/cli/command.hpp"
#include "planner/sweep/run_sweep.hpp"
#include "planner/sweep/sweep_points.hpp"

namespace orrery::cli {

/// How the results of a sweep are wanted.
struct ResultRequest {
  std::string format;  ///< table, json, ndjson, csv, md or sqlite
  std::string path;    ///< "-": standard output
  std::size_t objective = 0;
  std::size_t top = 10;
};

/// From --format, -o, --objective and --top. UsageError or InputError for what does not fit together.
[[nodiscard]] ResultRequest result_request(const Invocation& call, const SweepSpec& spec);
/// Whether the results can be written, found out before the work: InputError if not.
void check_output(const ResultRequest& request);
void write_results(const Invocation& call, const SweepSpec& spec, const SweepRun& run,
                   const ResultRequest& request);
/// The best so far: to standard output where nothing else is to go there, else to standard error.
void print_best(const SweepSpec& spec, const SweepRun& run, const ResultRequest& request);
/// What --dry-run shows.
[[nodiscard]] std::string dry_run_text(const SweepSpec& spec, const SweepPoints& points,
                                       const SweepList& list, const std::string& journal,
                                       const ResultRequest& request);

}  // namespace orrery::cli
