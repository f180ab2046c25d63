#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <ostream>

#include "calibrate/commands.hpp"
#include "calibrate/profile/build_profile.hpp"
#include "calibrate/sample_input.hpp"
#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

/// The first `count` of a seeded order are fitted, the rest is held out.
ClassPoints take(const ClassPoints& all, std::int64_t count, std::uint64_t seed,
                 std::vector<Observation>& rest) {
  if (count <= 0 || static_cast<std::size_t>(count) >= all.points.size()) return all;
  ClassPoints part = all;
  part.points.clear();
  const std::vector<std::size_t> order = shuffled(all.points.size(), seed);
  for (std::size_t i = 0; i < order.size(); ++i)
    (i < static_cast<std::size_t>(count) ? part.points : rest).push_back(all.points[order[i]]);
  return part;
}

std::string percent(double part) {
  return fmt::format("{:.1f}", 100 * part);
}

/// Name in a profile of the curve that the samples of a class give.
std::string curve_name(const std::string& op_class) {
  const std::string layers = "moe-layer.";
  return op_class.rfind(layers, 0) == 0 ? "grouped-gemm." + op_class.substr(layers.size()) : op_class;
}

void check_kept(const std::vector<std::string>& keep, const GpuProfile& base) {
  std::vector<std::string> known;
  for (const OperatorCurve& c : base.operators) known.push_back(c.op_class);
  for (const std::string& name : keep)
    if (base.find(name) == nullptr)
      throw InputError("--keep", fmt::format("found '{}', expected a class of the profile {}: {}{}", name,
                                             base.name, join(known), did_you_mean(name, known)));
}

void print_parameters(const ClassFit& f, std::ostream& out) {
  for (const FittedParameter& p : f.fit.parameters)
    fmt::print(out, "      {:<24} {:>11.4g} {:<7} {}\n", p.name, p.value, p.unit,
               p.at_bound       ? "at its bound: the data do not hold it"
               : p.high > p.low ? fmt::format("95 % between {:.4g} and {:.4g}", p.low, p.high)
                                : "no interval");
}

}  // namespace

int run_fit(const FitCommandOptions& options, std::ostream& out, std::ostream& log) {
  const SampleInput input = load_samples(options.samples);
  if (options.base.empty())
    throw InputError("",
                     "no --base: the models need the SMs, peaks and bandwidth of the device; name a GPU "
                     "profile, e.g. --base hwprofiles/gpu/h100-sxm.json");
  // Before minutes of fitting.
  const std::filesystem::path folder = std::filesystem::path(options.output).parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder))
    throw InputError(options.output,
                     fmt::format("found no folder '{}' to write to; make it first", folder.string()));
  if (std::filesystem::is_directory(options.output))
    throw InputError(options.output, "is a folder, expected a file name to write");
  const GpuProfile base = load_gpu_profile(options.base);
  check_kept(options.keep, base);
  std::optional<GpuProfile> clocks;
  if (!options.clocks.empty()) clocks = load_gpu_profile(options.clocks);
  const SortedSamples sorted = sort_samples(input.files);
  if (sorted.classes.empty()) {
    std::string reasons;
    for (const auto& [reason, count] : input.skipped) reasons += fmt::format("; {} ({})", reason, count);
    for (const auto& [reason, count] : sorted.unused) reasons += fmt::format("; {} ({})", reason, count);
    throw InputError(options.samples.front(), "holds no sample that a model covers" + reasons);
  }

  std::vector<ClassFit> fits;
  std::vector<std::string> failed;
  fmt::print(out, "{:<32} {:>6} {:>14} {:>14} {:>8} {:>14}  {}\n", "class", "points", "cv median/p90",
             "in-sample", "held out", "median/p90", "ended");
  for (const ClassPoints& all : sorted.classes) {
    std::vector<Observation> rest;
    const ClassPoints part = take(all, options.points, options.seed, rest);
    const std::string label = all.op_class + (all.gpus > 0 ? fmt::format(" x{}", all.gpus) : "") +
                              (all.sustained ? " sustained" : "");
    if (std::find(options.keep.begin(), options.keep.end(), curve_name(all.op_class)) != options.keep.end()) {
      fmt::print(out, "{:<32} {:>6} not fitted: --keep leaves the curve of {}\n", label, part.points.size(),
                 base.name);
      continue;
    }
    try {
      ClassFit f = fit_class(part, base, {.seed = options.seed}, clocks ? &*clocks : nullptr);
      const Quality held = quality_on(f.model, f.fit.values(), rest);
      const Quality &cv = f.fit.cross_validated, &in = f.fit.in_sample;
      fmt::print(out, "{:<32} {:>6} {:>14} {:>14} {:>8} {:>14}  {}\n", label, part.points.size(),
                 percent(cv.median) + " / " + percent(cv.p90), percent(in.median) + " / " + percent(in.p90),
                 rest.size(), rest.empty() ? "-" : percent(held.median) + " / " + percent(held.p90),
                 to_text(f.fit.stop));
      if (options.parameters) print_parameters(f, out);
      fits.push_back(std::move(f));
    } catch (const InputError& error) {
      fmt::print(out, "{:<32} {:>6} not fitted: {}\n", label, part.points.size(), error.problem());
      failed.push_back(label);
    }
  }
  fmt::print(out, "relative errors in %, of predicted against measured time (power: watts)\n");
  for (const auto& [reason, count] : input.skipped) fmt::print(log, "  not used: {:>8}  {}\n", count, reason);
  for (const auto& [reason, count] : sorted.unused) fmt::print(log, "  not used: {:>8}  {}\n", count, reason);
  if (fits.empty())
    throw InputError(options.samples.front(), "no class could be fitted; see the lines above");

  if (!options.output.empty()) {
    // Where a class was measured both ways, bursts carry the curve: their clocks are known to be free.
    std::vector<ClassFit> chosen;
    for (ClassFit& f : fits) {
      const bool twice =
          f.data.sustained && std::any_of(fits.begin(), fits.end(), [&](const ClassFit& other) {
            return other.data.op_class == f.data.op_class && !other.data.sustained;
          });
      if (!twice) chosen.push_back(f);
    }
    const std::string file = std::filesystem::path(options.samples.front()).filename().string();
    const SampleSource source{.source = options.source.empty() ? input.about("source", file) : options.source,
                              .date = options.date.empty() ? input.about("date", "unknown") : options.date,
                              .hash = input.hash};
    std::vector<std::string> unplaced;
    GpuProfile profile = build_profile(base, chosen, source, unplaced);
    profile.name =
        options.name.empty() ? std::filesystem::path(options.output).stem().string() : options.name;
    write_file(options.output, to_json_text(profile));
    fmt::print(log, "{}: {} classes fitted into the profile '{}'\n", options.output,
               chosen.size() - unplaced.size(), profile.name);
    for (const std::string& name : unplaced) fmt::print(log, "  not written: {}\n", name);
  }
  return failed.empty() ? 0 : 5;
}

}  // namespace orrery
