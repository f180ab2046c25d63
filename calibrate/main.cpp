#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <initializer_list>
#include <iostream>

#include <fmt/format.h>
#include "calibrate/check_measured.hpp"
#include "calibrate/commands.hpp"
#include "calibrate/layer/layer_check.hpp"
#include "calibrate/measure.hpp"
#include "calibrate/probe/probe.hpp"
#include "calibrate/ranks/measure_ranks.hpp"

#include "sim/base/check.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/units_text.hpp"

namespace orrery {
namespace {

constexpr const char* kTool = "orrery-calibrate " ORRERY_VERSION;

constexpr const char* kExamples = R"(examples:
  orrery calibrate                                        measure this machine's GPU (needs one)
  orrery calibrate import --kineto trace.json.gz          operators of a PyTorch profiler trace
  orrery calibrate import --nccl-tests all_reduce.txt     collectives measured by nccl-tests
  orrery calibrate fit samples.csv --base h100.json -o my-gpu.json
  orrery calibrate fit samples.csv --base h100-sxm -o gpu.json --cluster h100-sxm-ib400 --cluster-output node.json
  orrery calibrate check my-gpu.json --samples table.csv  predicted against measured
  orrery calibrate check my-gpu.json                      the same, measured now on this machine's GPU
  orrery calibrate check my-gpu.json --layer              a whole layer of DeepSeek-V3 as one sequence
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

/// The first of these variables that holds a number, else -1. They are set by launchers.
int launcher_number(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* text = std::getenv(name);
    if (text != nullptr && *text >= '0' && *text <= '9') return std::atoi(text);
  }
  return -1;
}
int launched_processes() {
  return std::max(1, launcher_number({"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"}));
}
int launched_rank() {
  return std::max(0, launcher_number({"OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID"}));
}

std::string host_name() {
  char text[256] = {};
  return gethostname(text, sizeof text - 1) == 0 ? text : "unnamed";
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
  MeasureOptions check_measure;
  std::string check_budget = "10min";
  bool mpi = false;
  bool check_layer = false;
  LayerCheckOptions layer;
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
    measure_app->add_flag("--mpi", mpi,
                          "Collectives over the GPUs of all processes of mpirun or srun, one process "
                          "for each; the default when started as several");
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
    check_app->add_option("--budget", check_budget, "Time to spend on measuring, e.g. 10min");
    check_app->add_option("--model", check_measure.models,
                          "Models whose shapes are measured; --layer: the model");
    check_app->add_option("--class", check_measure.classes, "Measure only classes that begin so");
    check_measure.output = "check-samples.csv";
    check_app->add_option("-o,--output", check_measure.output, "File of the samples measured");
    check_app->add_flag("--resume", check_measure.resume, "Go on with an interrupted run");
    check_app->add_flag("--layer", check_layer,
                        "Measure one layer forward and backward as one sequence of kernels");
    check_app->add_option("--precision", layer.precision, "--layer: bf16, fp8-block or fp8-tensor");
    check_app->add_option("--sequence", layer.layer.sequence, "--layer: tokens of the sequence")
        ->check(CLI::PositiveNumber);
    check_app->add_option("--ep", layer.layer.ep, "--layer: expert parallel")->check(CLI::PositiveNumber);
    check_app->add_option("--recompute", layer.layer.recompute, "--layer: recomputation policy");
    plot_app = app.add_subcommand("plot", "A page or drawing: roofline, efficiency, residuals, power");
    plot_app->add_option("profile", plot.profile, "GPU profile")->required();
    plot_app->add_option("--samples,--table", plot.samples, "Measured cases to draw beside the curves");
    plot_app->add_option("-o,--output", plot.output,
                         "File to write: .html (page with the table of curves) or .svg (drawings alone)");
  }

  /// One process of several: collectives over the GPUs of all of them.
  int measure_ranks() {
    const int processes = launched_processes();
    if (const std::string missing = messenger_missing(); !missing.empty())
      throw InputError("measure", "was started as several processes, but " + missing);
    const std::string host = host_name();
    RankAgent agent(make_nccl_communicator);
    agent.begin("about");  // forked before MPI begins
    RankMeasureOptions options{.measure = measure, .host = host, .patience = {}};
    const std::unique_ptr<Messenger> messenger = join_messenger(
        options.patience.start_s,
        fmt::format("rank {} of {} ({}): another process did not come within {:g} s, so MPI cannot start",
                    launched_rank(), processes, host, options.patience.start_s));
    if (messenger->size() != processes)
      throw InputError("measure", fmt::format("was started as {} processes, but MPI sees {}: with srun try "
                                              "--mpi=pmix, else the mpirun of the MPI it was built with",
                                              processes, messenger->size()));
    const int code = run_measure_ranks(options, *messenger, agent, std::cout, std::cerr);
    if (messenger->given_up()) {  // MPI cannot end in order
      agent.abort();
      std::cout.flush();
      std::_Exit(code);
    }
    return code;
  }

  int start_measuring() {
    measure.budget = parse_seconds(budget, "--budget");
    measure.date = today();
    measure.tool = kTool;
    if (mpi || launched_processes() > 1) return measure_ranks();
    return run_measure(
        measure, [this] { return make_cuda_probe(0, measure.seed); }, std::cout, std::cerr);
  }

  int run_check_command() {
    check.profile = profile_path(check.profile);
    if (!check.samples.empty()) {
      if (check_layer) throw InputError("--layer", "measures; found --samples beside it, name only one");
      return run_check(check, std::cout);
    }
    check_measure.command = "check";
    check_measure.without_gpu =
        check_layer
            ? "`check` compares with measured cases that --samples names"
            : "name measured cases with --samples (from `orrery calibrate measure` on the device, or a "
              "table)";
    check_measure.budget = parse_seconds(check_budget, "--budget");
    check_measure.seed = check.seed;
    check_measure.date = today();
    check_measure.tool = kTool;
    const ProbeFactory factory = [this] { return make_cuda_probe(0, check_measure.seed); };
    if (!check_layer) return run_check_measuring(check, check_measure, factory, std::cout, std::cerr);
    layer.profile = check.profile;
    if (check_app->count("--model") > 0) {
      if (check_measure.models.size() != 1) throw InputError("--model", "--layer takes one model");
      layer.model = check_measure.models.front();
    }
    return run_layer_check(layer, check_measure, factory, std::cout, std::cerr);
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
