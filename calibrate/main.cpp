#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iostream>

#include <fmt/format.h>
#include "calibrate/commands.hpp"
#include "calibrate/measure.hpp"
#include "calibrate/probe/probe.hpp"

#include "sim/base/check.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/units_text.hpp"

namespace orrery {
namespace {

constexpr const char* kExamples = R"(examples:
  orrery calibrate                                        measure this machine's GPU (needs one)
  orrery calibrate import --kineto trace.json.gz          operators of a PyTorch profiler trace
  orrery calibrate import --nccl-tests all_reduce.txt     collectives measured by nccl-tests
  orrery calibrate fit samples.csv --base h100.json -o my-gpu.json
  orrery calibrate fit samples.csv --base h100-sxm -o gpu.json --cluster h100-sxm-ib400 --cluster-output node.json
  orrery calibrate check my-gpu.json --samples table.csv  predicted against measured
  orrery calibrate plot my-gpu.json --samples samples.csv -o page.html
)";

std::string today() {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm day{};
  gmtime_r(&now, &day);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", &day);
  return text;
}

/// The shipped profiles: <program>/../share/orrery/hwprofiles, else those of the source tree.
std::string shipped(const char* folder) {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path installed =
      program.parent_path().parent_path() / "share/orrery/hwprofiles" / folder;
  if (!error && std::filesystem::is_directory(installed, error)) return installed.string();
  return std::string(ORRERY_SOURCE_PROFILES) + "/" + folder;
}

/// A profile by path, or by the name of a shipped one.
std::string profile_path(const std::string& name, const char* kind = "gpu") {
  if (name.empty() || std::filesystem::exists(name)) return name;
  const std::string path = shipped(kind) + "/" + name + ".json";
  if (std::filesystem::exists(path)) return path;
  std::vector<std::string> known;
  if (std::filesystem::is_directory(shipped(kind)))
    for (const auto& entry : std::filesystem::directory_iterator(shipped(kind)))
      if (entry.path().extension() == ".json") known.push_back(entry.path().stem().string());
  std::sort(known.begin(), known.end());
  throw InputError(name, fmt::format("no such file, and no shipped {} profile of that name: {}{}",
                                     std::string_view(kind) == "gpu" ? "GPU" : kind, join(known),
                                     did_you_mean(name, known)));
}

struct Commands {
  CLI::App app{"Measures kernels, imports what others measured, and fits hardware profiles."};
  MeasureOptions measure;
  std::string budget = "10min";
  ImportOptions import;
  FitCommandOptions fit;
  CheckOptions check;
  PlotOptions plot;
  CLI::App *measure_app = nullptr, *import_app = nullptr, *fit_app = nullptr, *check_app = nullptr,
           *plot_app = nullptr;

  Commands() {
    app.name("orrery calibrate");
    app.footer(kExamples);
    app.require_subcommand(0, 1);
    add_measure();
    add_import();
    add_fit();
    add_check_and_plot();
  }

  void add_measure() {
    measure_app = app.add_subcommand("measure", "Measure this machine's GPU; the default");
    measure_app->add_option("--budget", budget, "Time to spend, e.g. 10min");
    measure_app->add_option("--model", measure.models, "Models whose shapes are measured");
    measure_app->add_option("--class", measure.classes, "Only classes that begin so");
    measure_app->add_option("-o,--output", measure.output, "File of samples");
    measure_app->add_flag("--resume", measure.resume, "Go on with an interrupted run");
    measure_app->add_option("--seed", measure.seed, "Of the random operands");
    measure_app->add_option("--gpus", measure.gpus, "GPUs of this node for collectives");
  }

  void add_import() {
    import_app = app.add_subcommand("import", "Turn foreign traces, logs and tables into samples");
    import_app->add_option("--kineto", import.kineto, "Trace of the PyTorch profiler, .json or .json.gz");
    import_app->add_option("--nccl-tests", import.nccl_tests,
                           "Output of nccl-tests or rccl-tests, text or JSON");
    import_app->add_option("--table", import.tables, "CSV of measured kernels");
    import_app->add_option("--log", import.logs, "Output of DeepGEMM's or DeepEP's tests");
    import_app->add_option("--operation", import.operation,
                           "Collective of an nccl-tests file that does not say it");
    import_app->add_option("--precision", import.precision, "Of products in a log: fp8-block or bf16");
    import_app->add_option("--gpus", import.gpus, "Ranks of a DeepEP log");
    import_app->add_option("--names", import.names, "Names of kernels of a known program (JSON)");
    import_app->add_option("--format", import.format, "table, json or csv (csv: samples for `fit`)")
        ->check(CLI::IsMember({"table", "json", "csv"}));
    import_app->add_option("-o,--output", import.output, "File, or - for standard output");
  }

  void add_fit() {
    fit_app = app.add_subcommand("fit", "Fit models to samples; with -o a hardware profile");
    fit_app->add_option("samples", fit.samples, "Files of samples or measured tables")->required();
    fit_app->add_option("--base", fit.base, "GPU profile to start from, a path or a shipped name")
        ->required();
    fit_app->add_option("-o,--output", fit.output, "GPU profile to write");
    auto* cluster = fit_app->add_option(
        "--cluster", fit.cluster,
        "Cluster profile to start from, a path or a shipped name: collectives, exchanges, host link");
    auto* cluster_output =
        fit_app->add_option("--cluster-output", fit.cluster_output, "Cluster profile to write");
    cluster->needs(cluster_output);
    cluster_output->needs(cluster);
    fit_app->add_option("--name", fit.name, "Name of the profile, default that of the file");
    fit_app->add_option("--source", fit.source, "Where the samples are from");
    fit_app->add_option("--date", fit.date, "Date of the samples, YYYY-MM-DD");
    fit_app->add_option("--points", fit.points, "Fit so many random points a class, hold out the rest");
    fit_app->add_option("--seed", fit.seed, "Of that choice and of the folds");
    fit_app->add_option(
        "--clocks", fit.clocks,
        "GPU profile of the same chip and power limit whose clocks in long runs products take");
    fit_app->add_option("--keep", fit.keep, "Class whose curve stays that of --base; may be repeated");
    fit_app->add_flag("-v,--parameters", fit.parameters, "Show parameters with intervals");
  }

  void add_check_and_plot() {
    check_app = app.add_subcommand("check", "Predicted against measured on cases the fit never saw");
    check_app->add_option("profile", check.profile, "GPU profile")->required();
    check_app->add_option("--samples,--table", check.samples,
                          "Measured cases; without: measure (needs a GPU)");
    check_app->add_option("--exclude", check.exclude, "Samples that the profile was fitted on");
    check_app->add_option("--count", check.count, "Random cases")->check(CLI::PositiveNumber);
    check_app->add_option("--seed", check.seed, "Of the choice");
    plot_app = app.add_subcommand("plot", "An HTML page: roofline, efficiency, residuals, power");
    plot_app->add_option("profile", plot.profile, "GPU profile")->required();
    plot_app->add_option("--samples,--table", plot.samples, "Measured cases to draw beside the curves");
    plot_app->add_option("-o,--output", plot.output, "Page to write");
  }

  int start_measuring() {
    measure.budget = parse_seconds(budget, "--budget");
    measure.date = today();
    measure.tool = "orrery-calibrate " ORRERY_VERSION;
    return run_measure(
        measure, [this] { return make_cuda_probe(0, measure.seed); }, std::cout, std::cerr);
  }

  int run_check_command() {
    check.profile = profile_path(check.profile);
    if (!check.samples.empty()) return run_check(check, std::cout);
    const ProbeOrReason probe = make_cuda_probe(0, 1);
    throw InputError(
        "check",
        (probe.probe == nullptr ? "no GPU to measure on: " + probe.reason : std::string("measure first")) +
            ". Name measured cases with --samples (from `orrery calibrate measure` on the "
            "device, or a table)");
  }

  int run() {
    if (import_app->parsed()) {
      import.names_folder = shipped("names");
      return run_import(import, std::cout, std::cerr);
    }
    if (fit_app->parsed()) {
      fit.base = profile_path(fit.base);
      fit.cluster = profile_path(fit.cluster, "cluster");
      if (!fit.clocks.empty()) fit.clocks = profile_path(fit.clocks);
      return run_fit(fit, std::cout, std::cerr);
    }
    if (check_app->parsed()) return run_check_command();
    if (plot_app->parsed()) {
      plot.profile = profile_path(plot.profile);
      return run_plot(plot, std::cerr);
    }
    return start_measuring();
  }
};

int guarded(int argc, char** argv) {
  constexpr int kUsage = 2, kInvalidInput = 3, kInternalError = 1;
  Commands commands;
  try {
    commands.app.parse(argc, argv);
    return commands.run();
  } catch (const CLI::Success& success) {
    return commands.app.exit(success);
  } catch (const CLI::ParseError& error) {
    std::cerr << "error: " << error.what() << "\n'orrery calibrate --help' shows commands and options.\n";
    return kUsage;
  } catch (const InputError& error) {
    std::cout.flush();
    std::cerr << "error: " << error.what() << "\n";
    return kInvalidInput;
  } catch (const std::exception& error) {
    std::cerr << "internal error: " << error.what()
              << "\nThis is a fault of orrery; please report it with the command line and the input.\n";
    return kInternalError;
  }
}

}  // namespace
}  // namespace orrery

int main(int argc, char** argv) {
  return orrery::guarded(argc, argv);
}
