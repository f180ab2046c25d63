#include "planner/cli/plan_buying.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "planner/buying_text.hpp"
#include "planner/cli/environment.hpp"
#include "planner/cli/options.hpp"
#include "planner/cli/output.hpp"
#include "planner/training_run.hpp"
#include "sim/base/check.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/units_text.hpp"

namespace orrery::cli {
namespace {

constexpr const char* kAsking[] = {"--finish-within", "--budget", "--clusters",         "--counts",
                                   "--node-gpus",     "--nics",   "--oversubscription", "--power-cap",
                                   "--price",         "--pay"};

std::vector<std::string> parts_of(const Invocation& call, const char* option) {
  std::vector<std::string> parts;
  if (!call.has(option)) return parts;
  std::string_view rest = call.options.at(option).back();
  while (true) {
    const std::size_t comma = rest.find(',');
    std::string part(rest.substr(0, comma));
    if (part.empty())
      throw InputError(option,
                       fmt::format("found '{}', expected values separated by commas", call.get(option)));
    if (std::find(parts.begin(), parts.end(), part) == parts.end()) parts.push_back(std::move(part));
    if (comma == std::string_view::npos) return parts;
    rest.remove_prefix(comma + 1);
  }
}

std::vector<double> numbers_of(const Invocation& call, const char* option, double least, double most) {
  std::vector<double> values;
  for (const std::string& part : parts_of(call, option)) {
    const double value = parse_count(part, option);
    if (!(value >= least) || !(value <= most))
      throw InputError(option, fmt::format("found '{}', expected {:g} to {:g}", part, least, most));
    values.push_back(value);
  }
  return values;
}

std::vector<std::int64_t> wholes_of(const Invocation& call, const char* option, double most) {
  std::vector<std::int64_t> values;
  for (const double value : numbers_of(call, option, 1, most)) {
    if (value != static_cast<double>(static_cast<std::int64_t>(value)))
      throw InputError(option, fmt::format("found '{:g}', expected whole numbers", value));
    values.push_back(static_cast<std::int64_t>(value));
  }
  return values;
}

std::vector<PowerCap> caps_of(const Invocation& call) {
  std::vector<PowerCap> caps;
  for (const std::string& part : parts_of(call, "--power-cap")) {
    PowerCap cap{.text = part};
    if (part.ends_with('%')) {
      cap.share = parse_count(part.substr(0, part.size() - 1), "--power-cap") / 100;
      if (!(cap.share > 0) || cap.share > 1)
        throw InputError("--power-cap",
                         fmt::format("found '{}', expected above 0 % and at most 100 %", part));
    } else {
      cap.watts = parse_watts(part, "--power-cap").value;
    }
    caps.push_back(std::move(cap));
  }
  return caps;
}

std::vector<std::pair<std::string, double>> prices_of(const Invocation& call) {
  std::vector<std::pair<std::string, double>> prices;
  const std::vector<std::string> known = list_profiles("gpu", profile_folders());
  const auto given = call.options.find("--price");
  if (given == call.options.end()) return prices;
  for (const std::string& text : given->second) {
    const std::size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    if (equals == std::string::npos)
      throw InputError("--price", fmt::format("found '{}', expected GPU=USD, such as h100-sxm=2.5", text));
    if (std::find(known.begin(), known.end(), name) == known.end())
      throw InputError("--price", fmt::format("found GPU '{}', expected one of {}{}", name, join(known),
                                              did_you_mean(name, known)));
    const double usd = parse_count(text.substr(equals + 1), "--price");
    if (!(usd > 0) || usd > 1e6)
      throw InputError("--price", fmt::format("found '{}', expected USD per GPU-hour above 0", text));
    prices.emplace_back(name, usd);
  }
  return prices;
}

BuyingSpace space_of(const Invocation& call) {
  BuyingSpace space;
  const std::vector<std::string> known = list_profiles("cluster", profile_folders());
  const std::vector<std::string> asked = parts_of(call, "--clusters");
  if (asked.empty() || asked == std::vector<std::string>{"all"}) {
    space.profiles = asked.empty() && call.has("--cluster") ? std::vector{call.get("--cluster")} : known;
  } else {
    space.profiles = asked;
  }
  for (const std::string& name : space.profiles) (void)load_cluster(name, profile_folders());
  space.gpus = wholes_of(call, "--counts", 1e7);
  if (space.gpus.empty() && call.has("--gpus")) space.gpus = wholes_of(call, "--gpus", 1e7);
  if (space.gpus.empty()) space.gpus = usual_gpu_counts();
  space.gpus_per_node = wholes_of(call, "--node-gpus", 4096);
  space.nics_per_gpu = numbers_of(call, "--nics", 1e-3, 64);
  space.oversubscription = numbers_of(call, "--oversubscription", 1, 1e6);
  space.power_cap = caps_of(call);
  return space;
}

/// The scenario's cluster only says what its own GPUs cost; where there is none any will do.
Scenario scenario_of(Invocation call, const BuyingSpace& space) {
  if (call.positional(0).empty()) {
    if (!call.has("--cluster")) call.options["--cluster"] = {space.profiles.front()};
    if (!call.has("--gpus")) call.options["--gpus"] = {std::to_string(space.gpus.front())};
  }
  return read_scenario(call, 0).scenario;
}

BuyingRequest request_of(const Invocation& call) {
  BuyingRequest r;
  r.space = space_of(call);
  r.scenario = scenario_of(call, r.space);
  if (!(r.scenario.training.tokens > 0))
    throw InputError("training.tokens",
                     "is missing: a run needs an end, give it in the scenario or with --tokens 15T");
  if (call.has("--finish-within")) {
    r.finish_within_days = parse_seconds(call.get("--finish-within"), "--finish-within").value / 86400;
    if (!(*r.finish_within_days > 0))
      throw InputError("--finish-within", fmt::format("found '{}', expected a time above 0, such as 60d",
                                                      call.get("--finish-within")));
  }
  if (call.has("--budget")) {
    r.budget_usd = parse_count(call.get("--budget"), "--budget");
    if (!(*r.budget_usd > 0))
      throw InputError("--budget",
                       fmt::format("found '{}', expected USD above 0, such as 6M", call.get("--budget")));
  }
  if (call.has("--pay")) {
    const std::vector<std::string>& names = payment_names();
    const auto at = std::find(names.begin(), names.end(), call.get("--pay"));
    if (at == names.end())
      throw InputError("--pay", fmt::format("found '{}', expected one of {}{}", call.get("--pay"),
                                            join(names), did_you_mean(call.get("--pay"), names)));
    r.payment = static_cast<Payment>(at - names.begin());
  }
  r.objective = parse_metric(call.get("--objective", "usd"), "--objective");
  const Metric allowed[] = {Metric::kUsd, Metric::kDays, Metric::kEnergy, Metric::kCarbon, Metric::kGpus};
  if (std::find(std::begin(allowed), std::end(allowed), r.objective) == std::end(allowed))
    throw InputError("--objective", fmt::format("found '{}', expected usd, days, energy, carbon or gpus when "
                                                "clusters are compared",
                                                call.get("--objective")));
  r.prices = prices_of(call);
  r.run_data = find_run_data(profile_folders());
  r.load_cluster = [](const std::string& name) { return load_cluster(name, profile_folders()); };
  return r;
}

void write(const Invocation& call, const BuyingRequest& r, const BuyingReport& report, double elapsed_s) {
  const std::string format = call.get("--format", "table");
  const bool each = call.has("--verbose");
  if (format == "json") return emit(call, buying_json(r, report, program_info(), elapsed_s));
  if (format == "table") return emit(call, buying_text(r, report, each));
  std::vector<Table> tables{refusals_table(report, each)};
  if (report.found()) tables = {offers_table(r, report), offer_front_table(r, report), tables.front()};
  if (format == "csv") return emit(call, to_tidy_csv(tables));
  std::string text;
  for (const Table& t : tables) text += to_markdown(t) + "\n";
  emit(call, text);
}

}  // namespace

std::vector<OptionInfo> buying_options() {
  return {
      {.name = "--finish-within",
       .value = "TIME",
       .what = "look for a cluster: the run ends within, such as 60d"},
      {.name = "--budget", .value = "USD", .what = "look for a cluster: the run costs at most, such as 6M"},
      {.name = "--clusters", .value = "A,B", .what = "profiles to choose from; default: all there are"},
      {.name = "--counts",
       .value = "N,M",
       .what = "numbers of GPUs; default: 2 and 3 times powers of two from 8 to 65,536"},
      {.name = "--node-gpus", .value = "N,M", .what = "GPUs of an NVLink domain; default: the profile's"},
      {.name = "--nics", .value = "N,M", .what = "NICs of a GPU, each as the profile's; default 1"},
      {.name = "--oversubscription",
       .value = "R,S",
       .what = "of the network between nodes; default: the profile's"},
      {.name = "--power-cap",
       .value = "W|%",
       .what = "power limits of a GPU, such as 500W,80%; default: the board's own"},
      {.name = "--price",
       .value = "GPU=USD",
       .what = "rent of a GPU-hour, in front of the scenario's and the price list's",
       .repeats = true},
      {.name = "--pay",
       .value = "HOW",
       .what = "what counts as money: rent (default), own (share of the machines' life, energy, room), "
               "purchase (the machines new)"}};
}

bool asks_for_clusters(const Invocation& call) {
  return std::any_of(std::begin(kAsking), std::end(kAsking), [&](const char* o) { return call.has(o); });
}

int run_buying(const Invocation& call, const std::function<SearchSpace(const Scenario&)>& layouts,
               const std::function<bool()>& stop, std::size_t threads) {
  const auto begin = std::chrono::steady_clock::now();
  BuyingRequest r = request_of(call);
  r.layouts = layouts;
  r.stop = stop;
  r.threads = threads;
  if (call.has("--top")) r.top = static_cast<std::size_t>(parse_count(call.get("--top"), "--top"));
  const auto limits = call.options.find("--constraint");
  if (limits != call.options.end()) {
    for (const std::string& text : limits->second) {
      if (const auto constraint = parse_constraint(text, "--constraint"))
        r.constraints.push_back(*constraint);
    }
  }
  const bool quiet = call.has("--quiet");
  const bool terminal = talks_to_a_person();
  if (!quiet && terminal) {
    r.progress = [](std::size_t decided, std::size_t all, const std::string& best) {
      std::fprintf(
          stderr, "\r\033[K%s",
          fmt::format("[{} of {} clusters]{}{}", decided, all, best.empty() ? "" : " best ", best).c_str());
      if (decided == all) std::fputs("\r\033[K", stderr);
      std::fflush(stderr);
    };
  }
  const BuyingReport report = find_clusters(r);
  const double elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  write(call, r, report, elapsed);
  note(call, fmt::format("{} clusters, {} layouts decided in {:.1f} s on {} threads", report.offers.size(),
                         count_text(static_cast<double>(report.layouts)), elapsed, threads));
  if (!report.complete) {
    note(call, "interrupted: the best so far");
    return kInterrupted;
  }
  if (!report.found()) {
    note(call, "no cluster asked fits");
    return kNothingFeasible;
  }
  hint(call, "next: --format json -o buying.json keeps the scenario of every cluster listed");
  return kFine;
}

}  // namespace orrery::cli
