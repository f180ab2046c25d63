#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>

#include "planner/cli/command.hpp"
#include "planner/cli/environment.hpp"
#include "planner/cli/options.hpp"
#include "planner/cli/output.hpp"
#include "planner/cli/plan_buying.hpp"
#include "planner/parallel_for.hpp"
#include "planner/plan_json.hpp"
#include "planner/training_run.hpp"
#include "sim/base/fields.hpp"
#include "sim/base/units_text.hpp"

namespace orrery::cli {
namespace {

using Clock = std::chrono::steady_clock;

std::atomic<int> interrupts{0};

void on_interrupt(int) {
  // The second one ends the program at once.
  if (++interrupts > 1) std::_Exit(kInterrupted);
}

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::string split_left(double seconds) {
  if (seconds < 90) return fmt::format("~{:.0f} s left", seconds);
  if (seconds < 5400) return fmt::format("~{:.0f} min left", seconds / 60);
  return fmt::format("~{:.0f} h left", seconds / 3600);
}

/// One line on standard error, after a second and then now and again; on a terminal it stays in place.
class ProgressLine {
 public:
  ProgressLine(bool quiet, std::string unit)
      : quiet_(quiet), unit_(std::move(unit)), terminal_(talks_to_a_person()) {}
  ~ProgressLine() {
    if (shown_ && terminal_) std::fputs("\r\033[K", stderr);
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  void show(const SearchProgress& p) {
    const double now = seconds_since(begin_);
    if (quiet_ || now < next_ || p.candidates == 0) return;
    next_ = now + (terminal_ ? 0.5 : 10.0);
    const double share = static_cast<double>(p.decided) / static_cast<double>(p.candidates);
    std::string text = fmt::format("[{:.1f} % of {} layouts] {} evaluated", 100 * share,
                                   count_text(static_cast<double>(p.candidates)), p.evaluated);
    if (p.best) text += fmt::format(", best {:.5g}{}", *p.best, unit_);
    if (share > 0.01 && now > 3) text += ", " + split_left(now * (1 - share) / share);
    std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", text.c_str());
    std::fflush(stderr);
    shown_ = true;
  }

 private:
  bool quiet_;
  std::string unit_;
  bool terminal_;
  bool shown_ = false;
  Clock::time_point begin_ = Clock::now();
  double next_ = 1;
};

std::vector<std::string> all_of(const Invocation& call, const char* option) {
  const auto found = call.options.find(option);
  return found == call.options.end() ? std::vector<std::string>{} : found->second;
}

struct SpaceOption {
  const char* option;
  const char* key;
  const char* what;
};
constexpr SpaceOption kSpaceOptions[] = {
    {"--tp", "tp", "tensor parallel sizes"},
    {"--cp", "cp", "context parallel sizes"},
    {"--pp", "pp", "numbers of pipeline ranks"},
    {"--vpp", "vpp", "stages per pipeline rank"},
    {"--ep", "ep", "expert parallel sizes"},
    {"--etp", "etp", "tensor parallel sizes inside an expert"},
    {"--zero", "zero", "ZeRO stages"},
    {"--mbs", "mbs", "sequences of a microbatch"},
    {"--schedule", "schedule", "schedules"},
    {"--recompute", "recompute", "policies; operators of one joined by +, as norms+activation"},
    {"--offload", "offload",
     "sets of optimizer and activations, as none,optimizer+activations; or all; none when left out"},
    {"--precision", "precision", "precisions; default: the scenario's"},
    {"--sp", "sp", "sequence parallelism, 0 and 1"},
    {"--sms", "sms", "SMs for communication in overlapped schedules, or auto"},
    {"--placement", "placement", "of layers: balanced, even, light-ends"}};

SearchSpace space_of(const Invocation& call, const Scenario& scenario) {
  SearchSpace space = default_space(scenario);
  if (call.has("--space")) {
    const std::string path = call.get("--space");
    read_space(space, read_file(path), path);
  }
  for (const std::string& keys : all_of(call, "--keep")) {
    std::string_view rest = keys;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      pin(space, std::string(rest.substr(0, comma)), scenario, "--keep");
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
  }
  for (const SpaceOption& o : kSpaceOptions) {
    if (call.has(o.option)) restrict_space(space, o.key, call.get(o.option), o.option);
  }
  for (const std::string& rule : all_of(call, "--forbid")) {
    std::vector<LayoutCondition>& conditions = space.forbidden.emplace_back();
    std::string_view rest = rule;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      conditions.push_back(parse_condition(rest.substr(0, comma), "--forbid"));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
  }
  for (const std::string& text : all_of(call, "--constraint")) {
    if (!parse_constraint(text, "--constraint"))
      space.demanded.push_back(parse_condition(text, "--constraint"));
  }
  return space;
}

int count_option(const Invocation& call, const char* option, int otherwise, int most) {
  if (!call.has(option)) return otherwise;
  const double n = parse_count(call.get(option), option);
  if (!(n >= 1) || n > most || n != static_cast<int>(n))
    throw InputError(option,
                     fmt::format("found '{}', expected a whole number from 1 to {}", call.get(option), most));
  return static_cast<int>(n);
}

std::size_t threads_of(const Invocation& call) {
  return static_cast<std::size_t>(count_option(call, "--jobs", static_cast<int>(available_threads()), 1024));
}

PlanRequest request_of(const Invocation& call, Scenario scenario) {
  PlanRequest r;
  r.space = space_of(call, scenario);
  r.scenario = std::move(scenario);
  if (variants_of(r.space).empty())
    throw InputError("--vpp", "the space is empty: none of the schedules has so many stages per rank");
  r.objective = parse_objective(call.get("--objective", "step"), "--objective");
  for (const std::string& text : all_of(call, "--constraint")) {
    if (const auto constraint = parse_constraint(text, "--constraint")) r.constraints.push_back(*constraint);
  }
  if (call.has("--front")) {
    std::string_view rest = call.options.at("--front").back();
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      r.front.push_back(parse_metric(rest.substr(0, comma), "--front"));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
    if (r.front.size() < 2 || r.front.size() > 3)
      throw InputError("--front", "expected two or three metrics separated by commas, such as days,memory");
  }
  r.front_points = count_option(call, "--front-points", r.front_points, 1000);
  r.top = static_cast<std::size_t>(count_option(call, "--top", 5, 1000));
  r.threads = threads_of(call);
  r.auto_schedule = call.has("--auto-schedule");
  r.sensitivity = !call.has("--no-sensitivity");
  return r;
}

void write(const Invocation& call, const PlanReport& report, double elapsed_s) {
  const std::string format = call.get("--format", "table");
  if (format == "json") return emit(call, plan_json(report, program_info(), elapsed_s));
  if (format == "table") return emit(call, plan_text(report));
  const std::vector<Table> tables =
      report.found() ? std::vector<Table>{best_table(report), front_table(report), funnel_table(report)}
                     : std::vector<Table>{funnel_table(report)};
  if (format == "csv") return emit(call, to_tidy_csv(tables));
  std::string text;
  for (const Table& t : tables) text += to_markdown(t) + "\n";
  emit(call, text);
}

/// Which cluster, where the options ask for one.
int run_clusters(const Invocation& call) {
  (void)count_option(call, "--top", 5, 1000);
  interrupts = 0;
  const auto before = std::signal(SIGINT, on_interrupt);
  const int code = run_buying(
      call, [&](const Scenario& s) { return space_of(call, s); }, [] { return interrupts > 0; },
      threads_of(call));
  std::signal(SIGINT, before);
  return code;
}

int run(const Invocation& call) {
  if (asks_for_clusters(call)) return run_clusters(call);
  const Clock::time_point begin = Clock::now();
  PlanRequest request = request_of(call, read_scenario(call, 0).scenario);
  request.run_data = find_run_data(profile_folders());
  interrupts = 0;
  const auto before = std::signal(SIGINT, on_interrupt);
  ProgressLine line(call.has("--quiet"), request.objective.text == "step" ? " s" : "");
  request.stop = [] { return interrupts > 0; };
  request.progress = [&](const SearchProgress& p) { line.show(p); };
  const PlanReport report = plan_layouts(request);
  std::signal(SIGINT, before);
  const double elapsed_s = seconds_since(begin);
  write(call, report, elapsed_s);
  note(call,
       fmt::format("{} layouts decided in {:.1f} s on {} threads",
                   count_text(static_cast<double>(report.search.candidates)), elapsed_s, request.threads));
  if (interrupts > 0) {
    note(call, "interrupted: the best so far");
    return kInterrupted;
  }
  if (!report.found()) {
    note(call, "nothing feasible in the space");
    return kNothingFeasible;
  }
  hint(call,
       "next: -o plan.json --format json keeps the answer; 'orrery simulate' with the layout's options shows "
       "its step");
  return kFine;
}

}  // namespace

CommandInfo plan_command() {
  std::vector<OptionInfo> options{
      {.name = "--objective",
       .value = "O",
       .what = "step (default), days, usd, energy, carbon, mfu, memory, headroom; a sum such as "
               "usd+20000*days; a "
               "row such as "
               "days:1%,memory: the least memory within 1 % of the fewest days"},
      {.name = "--constraint",
       .value = "C",
       .what = "such as days<=60, usd<=6M, memory<=76GB, power<=20MW, tp<=8; may be repeated",
       .repeats = true},
      {.name = "--top", .value = "N", .what = "layouts to list, default 5"},
      {.name = "--front",
       .value = "A,B",
       .what = "Pareto front of two or three metrics, such as days,memory"},
      {.name = "--front-points", .value = "N", .what = "at most so many points of it, default 6"},
      {.name = "--space", .value = "FILE", .what = "lists of the space in JSON, schema orrery.space/1"},
      {.name = "--keep",
       .value = "KEYS",
       .what = "as the scenario has them, such as tp,ep,recompute",
       .repeats = true},
      {.name = "--forbid",
       .value = "RULE",
       .what = "leave out layouts that meet all conditions, such as schedule=dualpipe,pp<8",
       .repeats = true}};
  for (const SpaceOption& o : kSpaceOptions)
    options.push_back({.name = o.option, .value = "A,B..C", .what = std::string("search these ") + o.what});
  options.push_back({.name = "--jobs",
                     .letter = "-j",
                     .value = "N",
                     .what = "threads; the answer does not depend on them"});
  options = std::move(options) + buying_options();
  options.push_back({.name = "--auto-schedule", .what = "also try the searched schedule on the best layout"});
  options.push_back(
      {.name = "--no-sensitivity", .what = "spare what would flip the choice and how robust it is"});
  // Degrees and policies are searched here; the rest of the scenario is given as elsewhere.
  for (const OptionInfo& option : scenario_options()) {
    const bool searched = std::any_of(options.begin(), options.end(),
                                      [&](const OptionInfo& o) { return o.name == option.name; });
    if (!searched && option.name != "--dp") options.push_back(option);
  }
  return {.name = "plan",
          .summary = "The best layout of a model on a cluster, with proof.",
          .examples = {{"orrery plan docs/examples/deepseek-v3-2048-h800.json",
                        "every layout of DeepSeek-V3 on 2,048 H800"},
                       {"orrery plan run.json --objective days:1%,memory --constraint memory<=76GB",
                        "the least memory within 1 % of the shortest run"},
                       {"orrery plan run.json --tp 1,2,4..8 --schedule 1f1b,zb-v --keep recompute --top 10",
                        "a smaller space"},
                       {"orrery plan run.json --finish-within 60d --budget 6M",
                        "the cluster instead: type, number and network of the GPUs"},
                       {"orrery plan run.json --front days,memory --format json -o plan.json",
                        "trade-offs, for programs"}},
          .positionals = {{.name = "SCENARIO.json",
                           .what = "scenario, or a result that holds one; - reads standard input"}},
          .options = std::move(options) + common_options(),
          .run = run};
}

}  // namespace orrery::cli
