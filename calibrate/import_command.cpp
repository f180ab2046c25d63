#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <ostream>

#include "calibrate/commands.hpp"
#include "calibrate/import/benchmark_log.hpp"
#include "calibrate/import/kineto_trace.hpp"
#include "calibrate/import/measured_table.hpp"
#include "calibrate/import/nccl_tests.hpp"
#include "sim/base/fields.hpp"

namespace orrery {
namespace {

std::vector<KernelNames> load_names(const ImportOptions& options) {
  std::vector<KernelNames> names;
  for (const std::string& path : options.names) names.push_back(parse_kernel_names(read_file(path), path));
  const std::filesystem::path folder = options.names_folder;
  if (options.names_folder.empty() || !std::filesystem::is_directory(folder)) return names;
  std::vector<std::filesystem::path> shipped;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".json") shipped.push_back(entry.path());
  std::sort(shipped.begin(), shipped.end());
  for (const std::filesystem::path& path : shipped) {
    names.push_back(parse_kernel_names(read_file(path), path.string()));
    names.back().place = path.filename().string();
  }
  return names;
}

void join_into(Imported& all, Imported one) {
  if (all.source.empty()) {
    all = std::move(one);
    return;
  }
  all.source += ", " + one.source;
  if (all.kind != one.kind) all.kind = "several";
  all.about.insert(one.about.begin(), one.about.end());
  for (ImportedOperator& op : one.operators) all.operators.push_back(std::move(op));
  for (const auto& [reason, count] : one.skipped) all.skip(reason, count);
}

double mean_us(const ImportedOperator& op) {
  return 1e6 * std::accumulate(op.seconds.begin(), op.seconds.end(), 0.0) /
         static_cast<double>(op.seconds.size());
}

/// For people: the operators that take most time.
std::string table(const Imported& imported) {
  constexpr std::size_t kRows = 60;
  std::vector<const ImportedOperator*> order;
  for (const ImportedOperator& op : imported.operators) order.push_back(&op);
  const auto total = [](const ImportedOperator& op) {
    return mean_us(op) * static_cast<double>(op.seconds.size());
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](const auto* a, const auto* b) { return total(*a) > total(*b); });
  double all = 0;
  for (const ImportedOperator& op : imported.operators) all += total(op);
  std::string out =
      fmt::format("{:>12} {:>6} {:>7} {:<28} {}\n", "mean us", "count", "share", "class", "operator");
  for (std::size_t i = 0; i < std::min(kRows, order.size()); ++i) {
    const ImportedOperator& op = *order[i];
    std::string name = op.name.size() > 90 ? op.name.substr(0, 87) + "..." : op.name;
    if (!op.op_class.empty()) name += "  " + to_text(op.shape);
    out += fmt::format("{:>12.1f} {:>6} {:>6.1f}% {:<28} {}\n", mean_us(op), op.seconds.size(),
                       100 * total(op) / all, op.op_class.empty() ? "-" : op.op_class, name);
  }
  if (order.size() > kRows)
    out += fmt::format("{} more operators; --format json or csv shows all\n", order.size() - kRows);
  return out;
}

}  // namespace

int run_import(const ImportOptions& options, std::ostream& out, std::ostream& log) {
  Imported all;
  const std::vector<KernelNames> names =
      options.kineto.empty() ? std::vector<KernelNames>{} : load_names(options);
  for (const std::string& path : options.kineto)
    join_into(all, import_kineto(read_maybe_gzip(path), path, names));
  for (const std::string& path : options.nccl_tests)
    join_into(all, import_nccl_tests(read_maybe_gzip(path), path, options.operation));
  for (const std::string& path : options.tables) join_into(all, import_table(read_maybe_gzip(path), path));
  for (const std::string& path : options.logs)
    join_into(all, import_benchmark_log(read_maybe_gzip(path), path, options.gpus, options.precision));
  if (all.source.empty())
    throw InputError("", "no file was given; name one with --kineto, --nccl-tests, --table or --log");

  if (all.operators.empty()) {
    std::string reasons;
    for (const auto& [reason, count] : all.skipped)
      reasons += fmt::format("{}{} ({})", reasons.empty() ? "" : "; ", reason, count);
    throw InputError(all.source, "holds nothing that can be used: " + reasons);
  }
  std::string text;
  if (options.format == "json") {
    text = to_json_text(all);
  } else if (options.format == "csv") {
    text = to_csv(to_samples(all));
  } else {
    text = table(all);
  }
  if (options.output == "-") {
    out << text;
  } else {
    write_file(options.output, text);
  }
  std::int64_t executions = 0;
  for (const ImportedOperator& op : all.operators) executions += static_cast<std::int64_t>(op.seconds.size());
  fmt::print(log, "{}: {} operators, {} executions\n", all.source, all.operators.size(), executions);
  for (const auto& [reason, count] : all.skipped) fmt::print(log, "  not used: {:>8}  {}\n", count, reason);
  if (options.format == "csv") {
    const auto classless = std::count_if(all.operators.begin(), all.operators.end(),
                                         [](const ImportedOperator& op) { return op.op_class.empty(); });
    if (classless > 0)
      fmt::print(log, "  not used: {:>8}  operators without a class (name them with --names)\n", classless);
  }
  return 0;
}

}  // namespace orrery
