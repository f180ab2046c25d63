#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

/// The subcommands of orrery-calibrate behind the command line; each returns an exit code and throws
/// InputError for what the user gave it.
namespace orrery {

struct ImportOptions {
  std::vector<std::string> kineto, nccl_tests, tables, logs;  ///< files, each with its format
  std::string operation;                                      ///< of nccl-tests files that do not say it
  std::string precision = "fp8-block";                        ///< of products in logs
  std::int64_t gpus = 0;                                      ///< of all-to-all logs
  std::vector<std::string> names;                             ///< kernel names, besides those shipped
  std::string names_folder;                                   ///< shipped kernel names; may be missing
  std::string format = "table";                               ///< table, json, csv
  std::string output = "-";
};
/// `import`: one file, or several of which the operators are joined; what was not used is said.
[[nodiscard]] int run_import(const ImportOptions& options, std::ostream& out, std::ostream& log);

struct FitCommandOptions {
  std::vector<std::string> samples;  ///< files of samples or measured tables
  std::string base;                  ///< profile to start from
  std::string name;                  ///< of the new profile, default that of the output file
  std::string source, date;          ///< provenance; default what the files say
  std::int64_t points = 0;           ///< fit so many random points per class, the rest is held out; 0: all
  std::uint64_t seed = 1;
  std::string output;             ///< profile to write; empty: report only
  std::string cluster;            ///< cluster profile to start from
  std::string cluster_output;     ///< cluster profile to write
  std::vector<std::string> keep;  ///< classes whose curve stays that of `base`
  std::string clocks;             ///< profile whose clocks in long runs are taken; empty: they are fitted
  bool parameters = false;
};
/// `fit`: every class of the samples, its errors in a table, the profiles of GPU and cluster when asked for.
/// Exit code 5 when a class could not be fitted.
[[nodiscard]] int run_fit(const FitCommandOptions& options, std::ostream& out, std::ostream& log);

struct CheckOptions {
  std::string profile;
  std::vector<std::string> samples;
  std::vector<std::string> exclude;  ///< samples that the profile was fitted on
  std::int64_t count = 200;          ///< random cases
  std::uint64_t seed = 7;
};
/// `check`: predicted against measured for a random subset that the fit never saw.
[[nodiscard]] int run_check(const CheckOptions& options, std::ostream& out);

struct PlotOptions {
  std::string profile;
  std::vector<std::string> samples;
  std::string output = "calibration.html";
};
/// `plot`: one HTML page with drawings inside it, or the drawings as one SVG, by the ending of `output`.
/// InputError for other endings.
[[nodiscard]] int run_plot(const PlotOptions& options, std::ostream& log);

}  // namespace orrery
