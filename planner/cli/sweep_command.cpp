#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <thread>

#include "planner/cli/command.hpp"
#include "planner/cli/environment.hpp"
#include "planner/cli/launcher.hpp"
#include "planner/cli/options.hpp"
#include "planner/cli/output.hpp"
#include "planner/cli/row_writer.hpp"
#include "planner/cli/sweep_progress.hpp"
#include "planner/cli/sweep_results.hpp"
#include "planner/crew.hpp"
#include "planner/distribute/distribute.hpp"
#include "planner/sweep/run_sweep.hpp"
#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/units_text.hpp"

namespace orrery::cli {
namespace {

constexpr int kMostThreads = 1024;

int threads_of(const Invocation& call) {
  if (!call.has("--jobs")) {
    if (launched_processes() > 1) return 1;
    return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  }
  const double value = parse_count(call.get("--jobs"), "--jobs");
  if (value < 1 || value > kMostThreads || value != static_cast<int>(value))
    throw InputError("--jobs", fmt::format("found '{}', expected a whole number from 1 to {}",
                                           call.get("--jobs"), kMostThreads));
  return static_cast<int>(value);
}

std::chrono::milliseconds patience_of(const Invocation& call) {
  const Seconds patience = parse_seconds(call.get("--patience", "30s"), "--patience");
  if (!(patience.value >= 1) || patience.value > 86400)
    throw InputError("--patience", fmt::format("found '{}', expected 1s to 1d", call.get("--patience")));
  return std::chrono::milliseconds(static_cast<std::int64_t>(patience.value * 1000));
}

SweepSpec read_spec(const Invocation& call) {
  const std::string path = call.positional(0);
  const bool pipe = path == "-";
  const std::string text = pipe ? std::string(std::istreambuf_iterator<char>(std::cin), {}) : read_file(path);
  const std::string place = pipe ? "standard input" : path;
  if (text.find_first_not_of(" \t\r\n") == std::string::npos)
    throw InputError(place, "is empty, expected a sweep in JSON");
  SweepSpec spec =
      parse_sweep(text, place, pipe ? std::filesystem::path{} : std::filesystem::path(path).parent_path());
  add_base_overrides(spec, overrides_of(call));
  return spec;
}

std::string journal_path(const Invocation& call) {
  if (call.has("--journal")) return call.get("--journal");
  const std::string path = call.positional(0);
  if (path == "-") throw UsageError("a sweep from standard input needs --journal FILE");
  return std::filesystem::path(path).replace_extension(".journal").string();
}

/// The processes that were started together, or nullptr where this one is alone. UsageError where they cannot
/// talk.
std::unique_ptr<ProcessGroup> join_others() {
  const int launched = launched_processes();
  if (launched == 1) return nullptr;
  const std::string missing = distribution_missing();
  if (!missing.empty())
    throw UsageError(
        fmt::format("started as {} processes, but {}; start one process and use -j", launched, missing));
  std::unique_ptr<ProcessGroup> group = join_process_group();
  if (group->size() != launched)
    throw UsageError(
        fmt::format("started as {} processes, but MPI sees {}: with srun try --mpi=pmix or --mpi=pmi2, or "
                    "start with mpirun",
                    launched, group->size()));
  return group;
}

/// Life of a process that is not the first: works until it is sent home.
int serve(const Invocation& call, ProcessGroup& group) {
  std::shared_ptr<SweepItems> items;
  const bool orderly = group.serve(
      threads_of(call),
      [&](const std::string& setup) -> Work {
        items = SweepItems::from_setup(setup, profile_folders());
        return [items](const std::string& job) { return items->work(job); };
      },
      patience_of(call));
  if (group.harmed()) std::_Exit(orderly ? kFine : kInternalError);
  return kFine;
}

int exit_code(const Invocation& call, const SweepProgress& p) {
  if (p.errors > 0) note(call, fmt::format("{} items have wrong input; their rows say why", p.errors));
  if (p.failed > 0)
    note(call, fmt::format("{} items met a fault of orrery; please report it with the reason in their rows",
                           p.failed));
  if (p.lost > 0)
    note(call, fmt::format("{} items were lost with their processes; --resume runs them again", p.lost));
  if (p.errors + p.failed + p.lost > 0) return kPartial;
  if (p.ok > 0) return kFine;
  note(call, "nothing feasible; the rows say why");
  return kNothingFeasible;
}

int finish(const Invocation& call, const SweepSpec& spec, const SweepRun& run, Journal& journal,
           const ResultRequest& request, ProgressPrinter& printer) {
  printer.clear();
  journal.sync();
  const SweepProgress& p = run.progress();
  const bool cut_short = p.done < p.total;
  if (cut_short) {
    note(call, fmt::format("interrupted: {} of {} items are done and in {}; --resume goes on", p.done,
                           p.total, journal.path()));
    print_best(spec, run, request);
    std::fflush(nullptr);
    return kInterrupted;
  }
  write_results(call, spec, run, request);
  note(call,
       fmt::format("{} items: {} feasible, {} infeasible, {} with errors; {} of them remembered, {:.1f} s",
                   p.total, p.ok, p.infeasible, p.errors + p.failed + p.lost, p.remembered,
                   printer.elapsed_s()));
  return exit_code(call, p);
}

int coordinate(const Invocation& call, ProcessGroup* group) {
  const SweepSpec spec = read_spec(call);
  const ResultRequest request = result_request(call, spec);
  const int threads = threads_of(call);
  const SweepPoints points(spec);
  SweepItems items(spec.mode, spec.folder, profile_folders(), program_info());
  const Interruption interruption;
  ProgressPrinter printer(call.has("--quiet"), request.objective);
  const SweepList list = list_items(spec, points, items, threads, &Interruption::happened);
  if (Interruption::happened()) {
    note(call, "interrupted before the first item was given out");
    return kInterrupted;
  }
  if (call.has("--dry-run")) {
    emit(call, dry_run_text(spec, points, list, journal_path(call), request));
    return list.errors > 0 ? kPartial : kFine;
  }
  check_output(request);
  const ProgramInfo program = program_info();
  Journal journal(journal_path(call), sweep_hash(spec),
                  fmt::format("orrery {} {}", program.version, program.commit), call.has("--resume"));
  if (!journal.recovered().empty()) printer.notice(journal.path() + ": " + journal.recovered());
  SweepRun run(spec, points, list, items, journal, request.objective, printer);
  const Work work = [&items](const std::string& job) { return items.work(job); };
  std::unique_ptr<WorkPool> pool;
  if (group != nullptr) {
    pool = group->pool(threads, work, items.setup(), patience_of(call));
  } else {
    pool = std::make_unique<ThreadPool>(threads, work);
  }
  if (call.has("--verbose"))
    note(call, fmt::format("{} items, {} remembered, on {}", run.progress().total, run.progress().remembered,
                           pool->describe()));
  pool->run(run);
  const int code = finish(call, spec, run, journal, request, printer);
  // Threads may still be at work, or MPI cannot end without the process that is gone.
  if (code == kInterrupted || (group != nullptr && group->harmed())) {
    std::fflush(nullptr);
    std::_Exit(code);
  }
  return code;
}

int run(const Invocation& call) {
  const std::unique_ptr<ProcessGroup> group = join_others();
  if (group != nullptr && group->rank() != 0) return serve(call, *group);
  return coordinate(call, group.get());
}

std::vector<OptionInfo> own_options() {
  return {{.name = "--resume", .what = "go on where the journal ends"},
          {.name = "--jobs",
           .letter = "-j",
           .value = "N",
           .what = "threads; all cores, under mpirun and srun one a process"},
          {.name = "--journal",
           .value = "FILE",
           .what = "results as they arrive; beside the sweep, ending in .journal"},
          {.name = "--objective",
           .value = "COLUMN",
           .what = "what tells which item is best: " + join(objective_names())},
          {.name = "--top", .value = "N", .what = "rows in the table of the best, 10 when left out"},
          {.name = "--dry-run", .what = "show axes, number of items and wrong ones; simulate nothing"},
          {.name = "--patience",
           .value = "TIME",
           .what = "silence after which a process counts as lost, 30s when left out"}};
}

}  // namespace

CommandInfo sweep_command() {
  std::vector<OptionInfo> common = common_options();
  for (OptionInfo& option : common) {
    if (option.name != "--format") continue;
    option.what = "table (default), json, ndjson, csv, md or sqlite; by the ending of -o when left out";
    option.choices = {"table", "json", "ndjson", "csv", "md", "sqlite"};
  }
  return {
      .name = "sweep",
      .summary =
          "A grid or sample of scenarios: clusters, models, layouts, settings; can be killed and resumed.",
      .examples = {{"orrery sweep docs/examples/sweeps/llama-3-8b-layouts.json",
                    "the best layouts of a small grid"},
                   {"orrery sweep docs/examples/sweeps/llama-3-8b-layouts.json --resume -o rows.csv",
                    "go on after a kill, every item as a line of CSV"},
                   {"orrery sweep SWEEP.json -o rows.sqlite", "a database to query"},
                   {"orrery sweep SWEEP.json --dry-run", "axes and number of items"},
                   {"mpirun -n 64 orrery sweep SWEEP.json -o rows.ndjson",
                    "on 64 processes; srun does as well"}},
      .positionals = {{.name = "SWEEP.json",
                       .what = "what to vary; - reads standard input",
                       .required = true}},
      .options = own_options() + scenario_options() + std::move(common),
      .run = run};
}

}  // namespace orrery::cli
