#include "planner/cli/sweep_results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "planner/cli/environment.hpp"
#include "planner/cli/output.hpp"
#include "planner/cli/row_writer.hpp"
#include "planner/sweep/sweep_output.hpp"
#include "planner/sweep/sweep_store.hpp"
#include "sim/base/fields.hpp"
#include "sim/base/units_text.hpp"

namespace orrery::cli {
namespace {

std::string format_by_ending(const std::string& path) {
  static const std::map<std::string, std::string> kEndings{
      {".json", "json"}, {".ndjson", "ndjson"}, {".jsonl", "ndjson"}, {".csv", "csv"},
      {".md", "md"},     {".sqlite", "sqlite"}, {".db", "sqlite"}};
  const auto found = kEndings.find(std::filesystem::path(path).extension().string());
  return found == kEndings.end() ? "table" : found->second;
}

/// The rows with the best values of the objective; of equal ones the first.
std::vector<RankedRow> best_rows(const SweepRun& run, const ResultRequest& request) {
  const int better = sweep_metrics()[request.objective].better;
  std::vector<RankedRow> best;
  const auto gain = [&](const RankedRow& r) { return *r.row.metrics[request.objective] * better; };
  run.for_each_row([&](std::uint64_t item, const SweepRow& row) {
    if (request.objective >= row.metrics.size() || !row.metrics[request.objective]) return;
    RankedRow ranked{.item = item, .row = row};
    const auto at =
        std::upper_bound(best.begin(), best.end(), ranked,
                         [&](const RankedRow& a, const RankedRow& b) { return gain(a) > gain(b); });
    best.insert(at, std::move(ranked));
    if (best.size() > request.top) best.pop_back();
  });
  return best;
}

/// Number of items by status, infeasible ones by reason.
std::vector<std::pair<std::string, std::uint64_t>> counts_of(const SweepRun& run) {
  std::map<std::string, std::uint64_t> by_reason;
  std::uint64_t ok = 0;
  run.for_each_row([&](std::uint64_t, const SweepRow& row) {
    if (row.status == "ok") {
      ++ok;
    } else {
      ++by_reason[row.status == "infeasible" ? "infeasible: " + row.reason_code : row.status];
    }
  });
  std::vector<std::pair<std::string, std::uint64_t>> out{{"feasible", ok}};
  out.insert(out.end(), by_reason.begin(), by_reason.end());
  return out;
}

/// The first of the items that have an error, for people.
std::string first_error(const SweepRun& run) {
  std::string text;
  run.for_each_row([&](std::uint64_t item, const SweepRow& row) {
    if (!text.empty() || row.status == "ok" || row.status == "infeasible") return;
    text = fmt::format("The first error, item {}: {}", item, row.reason);
  });
  return text;
}

std::vector<Table> people_tables(const SweepSpec& spec, const SweepRun& run, const ResultRequest& request) {
  const std::vector<RankedRow> best = best_rows(run, request);
  std::vector<Table> tables;
  if (!best.empty()) {
    tables.push_back(best_table(spec, best, request.objective));
  } else if (run.progress().ok > 0) {
    tables.push_back({.key = "best",
                      .title = "Best",
                      .columns = {},
                      .rows = {},
                      .notes = {fmt::format("No item has a value of {}: an input of it is not given.",
                                            sweep_metrics()[request.objective].name)}});
  }
  tables.push_back(status_table(counts_of(run)));
  const std::string error = first_error(run);
  if (!error.empty()) tables.back().notes.push_back(error);
  return tables;
}

std::string people_text(const SweepSpec& spec, const SweepRun& run, const ResultRequest& request) {
  std::string out;
  for (const Table& table : people_tables(spec, run, request)) {
    if (!out.empty()) out += "\n";
    out += request.format == "md" ? to_markdown(table) : to_plain(table);
  }
  return out;
}

void write_json(const SweepSpec& spec, const SweepRun& run, const ResultRequest& request, RowWriter& out) {
  const ProgramInfo program = program_info();
  Json counts = Json::object();
  for (const auto& [status, count] : counts_of(run)) counts[status] = count;
  Json best = Json::array();
  for (const RankedRow& ranked : best_rows(run, request)) best.push_back(ranked.item);
  Json units = Json::object();
  for (const SweepMetric& metric : sweep_metrics()) units[std::string(metric.name)] = metric.unit;
  const Json head{{"schema", "orrery.sweep-result/1"},
                  {"program", {{"version", program.version}, {"commit", program.commit}}},
                  {"sweep", sweep_hash(spec)},
                  {"items", run.progress().total},
                  {"counts", std::move(counts)},
                  {"objective", sweep_metrics()[request.objective].name},
                  {"best", std::move(best)},
                  {"units", std::move(units)}};
  std::string text = head.dump();
  text.pop_back();
  out.write(text + ",\"rows\":[\n");
  bool first = true;
  run.for_each_row([&](std::uint64_t item, const SweepRow& row) {
    std::string line = sweep_json_line(item, row);
    line.pop_back();
    out.write((first ? "" : ",\n") + line);
    first = false;
  });
  out.write("\n]}\n");
}

void write_store(const SweepSpec& spec, const SweepRun& run, const ResultRequest& request) {
  const ProgramInfo program = program_info();
  const std::unique_ptr<SweepStore> store =
      make_sweep_store(request.path, {{"schema", "orrery.sweep-store/1"},
                                      {"program", "orrery " + program.version + " " + program.commit},
                                      {"sweep", sweep_hash(spec)},
                                      {"file", spec.place}});
  run.for_each_row([&](std::uint64_t item, const SweepRow& row) { store->add(item, row); });
  store->finish();
}

std::string axis_text(const SweepAxis& axis) {
  if (axis.interval)
    return fmt::format("{:g} to {:g}{}", axis.interval->low, axis.interval->high,
                       axis.interval->logarithmic ? ", drawn in the logarithm" : ", drawn evenly");
  std::string out;
  for (std::size_t i = 0; i < axis.points.size(); ++i) {
    if (i > 0) out += ", ";
    if (i == 6 && axis.points.size() > 8) {
      i = axis.points.size() - 1;
      out += "... ";
    }
    for (std::size_t k = 0; k < axis.keys.size(); ++k) out += (k > 0 ? " + " : "") + axis.points[i][k];
  }
  return out;
}

}  // namespace

ResultRequest result_request(const Invocation& call, const SweepSpec& spec) {
  ResultRequest request;
  request.path = call.get("--output", "-");
  request.format = call.has("--format") ? call.get("--format") : format_by_ending(request.path);
  if (request.format == "sqlite" && request.path == "-")
    throw UsageError("--format sqlite needs a file: -o rows.sqlite");
  if (request.format == "sqlite" && !sweep_store_missing().empty()) throw UsageError(sweep_store_missing());
  const std::string name = call.get("--objective", spec.objective.empty() ? "tokens_per_s" : spec.objective);
  request.objective = find_objective(name, "--objective");
  const double top = parse_count(call.get("--top", "10"), "--top");
  if (!(top >= 1) || top > 1e6 || top != static_cast<double>(static_cast<std::size_t>(top)))
    throw InputError("--top",
                     fmt::format("found '{}', expected a whole number from 1 to 1000000", call.get("--top")));
  request.top = static_cast<std::size_t>(top);
  return request;
}

void check_output(const ResultRequest& request) {
  if (request.format == "sqlite") {
    (void)make_sweep_store(request.path, {});
  } else {
    RowWriter::check(request.path);
  }
}

void write_results(const Invocation& call, const SweepSpec& spec, const SweepRun& run,
                   const ResultRequest& request) {
  if (request.format == "sqlite") {
    write_store(spec, run, request);
  } else {
    RowWriter out(request.path);
    if (request.format == "table" || request.format == "md") out.write(people_text(spec, run, request));
    if (request.format == "json") write_json(spec, run, request, out);
    if (request.format == "csv") out.write(sweep_csv_head());
    run.for_each_row([&](std::uint64_t item, const SweepRow& row) {
      if (request.format == "csv") out.write(sweep_csv_line(item, row));
      if (request.format == "ndjson") out.write(sweep_json_line(item, row));
    });
    out.finish();
  }
  if (request.path != "-") note(call, "wrote " + request.path);
}

void print_best(const SweepSpec& spec, const SweepRun& run, const ResultRequest& request) {
  ResultRequest plain = request;
  plain.format = "table";
  std::FILE* to = request.path == "-" && request.format == "table" ? stdout : stderr;
  std::fputs(people_text(spec, run, plain).c_str(), to);
}

std::string dry_run_text(const SweepSpec& spec, const SweepPoints& points, const SweepList& list,
                         const std::string& journal, const ResultRequest& request) {
  Table axes{.key = "axes",
             .title = "Axes",
             .columns = {{.key = "keys", .title = "keys", .number = false},
                         {.key = "values", .title = "number"},
                         {.key = "list", .title = "values", .number = false}},
             .rows = {},
             .notes = {}};
  for (const SweepAxis& axis : spec.axes) {
    std::string keys;
    for (const std::string& key : axis.keys) keys += (keys.empty() ? "" : " + ") + key;
    axes.rows.push_back(
        {keys, axis.interval ? std::string("any") : std::to_string(axis.points.size()), axis_text(axis)});
  }
  std::string grid = points.grid() == 0 ? "" : fmt::format(" of {} in the grid", points.grid());
  axes.notes.push_back(fmt::format("{} items{}, {} with wrong input. Nothing was simulated.", points.count(),
                                   grid, list.errors));
  for (std::uint64_t i = 0; i < list.items.size(); ++i) {
    if (!list.items[i].failed) continue;
    axes.notes.push_back(fmt::format("The first wrong one, item {}: {}", i, list.items[i].failed->reason));
    break;
  }
  axes.notes.push_back(fmt::format("Journal: {}. Results: {} as {}.", journal,
                                   request.path == "-" ? "standard output" : request.path, request.format));
  return to_plain(axes);
}

}  // namespace orrery::cli
