#include <fmt/format.h>
#include <fmt/ostream.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <ostream>

#include "calibrate/commands.hpp"
#include "calibrate/profile/build_cluster.hpp"
#include "calibrate/profile/build_profile.hpp"
#include "calibrate/profile/direct_figures.hpp"
#include "calibrate/profile/sparse_classes.hpp"
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

/// Before minutes of fitting: whether `file` can be written. InputError.
void check_writable(const std::string& file) {
  const std::filesystem::path folder = std::filesystem::path(file).parent_path();
  if (!folder.empty() && !std::filesystem::is_directory(folder))
    throw InputError(file, fmt::format("found no folder '{}' to write to; make it first", folder.string()));
  if (std::filesystem::is_directory(file))
    throw InputError(file, "is a folder, expected a file name to write");
}

/// The cluster to start from; its GPU has to be the one that the models know.
ClusterProfile load_base_cluster(const std::string& file, const GpuProfile& base) {
  ClusterProfile cluster = read_cluster_file(file);
  if (cluster.gpu_name != base.name)
    throw InputError(file + "#/gpu",
                     fmt::format("found a cluster of '{}', expected one of the GPU of --base, "
                                 "'{}'",
                                 cluster.gpu_name, base.name));
  return cluster;
}

bool has_burst_twin(const SortedSamples& sorted, const ClassPoints& data) {
  return data.sustained && std::any_of(sorted.classes.begin(), sorted.classes.end(), [&](const auto& other) {
           return other.op_class == data.op_class && !other.sustained;
         });
}

/// Fits that only a cluster profile can hold, for people.
std::string names_of_cluster_fits(const std::vector<ClassFit>& fits) {
  std::string names;
  for (const ClassFit& f : fits) {
    if (!is_of_cluster(f.data.op_class)) continue;
    names += (names.empty() ? "" : ", ") + f.data.op_class;
    if (f.data.gpus > 0) names += fmt::format(" x{}", f.data.gpus);
  }
  return names;
}

void write_profiles(const FitCommandOptions& options, const GpuProfile& base,
                    const std::optional<ClusterProfile>& base_cluster, const std::vector<ClassFit>& fits,
                    const std::vector<ClassPoints>& sparse, const DirectFigures& direct,
                    const SampleSource& source, std::ostream& log) {
  const auto stem = [](const std::string& file) { return std::filesystem::path(file).stem().string(); };
  std::vector<std::string> unplaced;
  std::string gpu_text, cluster_text;
  GpuProfile profile = base;
  if (!options.output.empty()) {
    profile = build_profile(base, fits, direct, source, unplaced);
    scale_sparse(profile, sparse, source, unplaced);
    profile.name = options.name.empty() ? stem(options.output) : options.name;
    gpu_text = to_json_text(profile);
  }
  if (base_cluster) {
    ClusterProfile cluster = build_cluster(*base_cluster, fits, direct, source, unplaced);
    cluster.name =
        options.output.empty() && !options.name.empty() ? options.name : stem(options.cluster_output);
    cluster.gpu_name = profile.name;
    cluster_text = to_json_text(cluster);
  }
  // Both texts are there before the first is written.
  const auto of_cluster = static_cast<std::size_t>(std::count_if(
      fits.begin(), fits.end(), [](const ClassFit& f) { return is_of_cluster(f.data.op_class); }));
  if (!options.output.empty()) {
    write_file(options.output, gpu_text);
    fmt::print(log, "{}: {} classes fitted into the profile '{}'\n", options.output, fits.size() - of_cluster,
               profile.name);
  }
  if (base_cluster) {
    write_file(options.cluster_output, cluster_text);
    fmt::print(log, "{}: {} curves fitted into the cluster '{}'{}\n", options.cluster_output, of_cluster,
               stem(options.cluster_output),
               direct.host_link_bytes_per_s ? ", and its link to the host measured" : "");
  } else {
    const char* how = "of a cluster, not of a GPU: --cluster BASE and --cluster-output FILE write them";
    if (of_cluster > 0) unplaced.push_back(fmt::format("{}: {}", names_of_cluster_fits(fits), how));
    if (direct.host_link_bytes_per_s)
      unplaced.push_back(
          fmt::format("copies to and from the host ({:.3g} B/s): {}", *direct.host_link_bytes_per_s, how));
  }
  if (options.output.empty() && direct.of_gpu())
    unplaced.push_back("launches and contention: -o FILE writes them into a GPU profile");
  for (const std::string& name : unplaced) fmt::print(log, "  not written: {}\n", name);
}

void print_parameters(const ClassFit& f, std::ostream& out) {
  for (const FittedParameter& p : f.fit.parameters)
    fmt::print(out, "      {:<24} {:>11.4g} {:<7} {}\n", p.name, p.value, p.unit,
               p.at_bound       ? "at its bound: the data do not hold it"
               : p.high > p.low ? fmt::format("95 % between {:.4g} and {:.4g}", p.low, p.high)
                                : "no interval");
  fmt::print(out, "      {}\n",
             f.fit.surface.correction.empty() ? "no correction by size" : describe(f.fit.surface));
}

}  // namespace

int run_fit(const FitCommandOptions& options, std::ostream& out, std::ostream& log) {
  const SampleInput input = load_samples(options.samples);
  if (options.base.empty())
    throw InputError("",
                     "no --base: the models need the SMs, peaks and bandwidth of the device; name a GPU "
                     "profile, e.g. --base hwprofiles/gpu/h100-sxm.json");
  check_writable(options.output);
  check_writable(options.cluster_output);
  if (!options.output.empty() && options.output == options.cluster_output)
    throw InputError(options.output,
                     "is named for the GPU profile and for the cluster profile; name two files");
  const GpuProfile base = load_gpu_profile(options.base);
  check_kept(options.keep, base);
  std::optional<ClusterProfile> base_cluster;
  if (!options.cluster.empty()) base_cluster = load_base_cluster(options.cluster, base);
  std::optional<GpuProfile> clocks;
  if (!options.clocks.empty()) clocks = load_gpu_profile(options.clocks);
  const SortedSamples sorted = sort_samples(input.files);
  const DirectFigures direct = direct_figures(input.files);
  if (base_cluster && !direct.host_link_bytes_per_s &&
      std::none_of(sorted.classes.begin(), sorted.classes.end(),
                   [](const ClassPoints& c) { return is_of_cluster(c.op_class); }))
    throw InputError("--cluster",
                     "found no collective, exchange or copy to the host among the samples, "
                     "expected some: nothing else belongs into a cluster profile");
  if (sorted.classes.empty() && !direct.of_gpu() && !direct.host_link_bytes_per_s) {
    std::string reasons;
    for (const auto& [reason, count] : direct.unused) reasons += fmt::format("; {} ({})", reason, count);
    for (const auto& [reason, count] : input.skipped) reasons += fmt::format("; {} ({})", reason, count);
    for (const auto& [reason, count] : sorted.unused) reasons += fmt::format("; {} ({})", reason, count);
    throw InputError(options.samples.front(), "holds no sample that a model covers" + reasons);
  }

  std::vector<ClassFit> fits;
  std::vector<ClassPoints> sparse;
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
    if (is_sparse(part, base)) {
      fmt::print(out,
                 "{:<32} {:>6} too few for a curve of their own: they scale that of the nearest relative\n",
                 label, part.points.size());
      sparse.push_back(part);
      continue;
    }
    try {
      ClassFit f = fit_class(part, base, {.seed = options.seed}, clocks ? &*clocks : nullptr);
      const Quality held = quality_on(f.model, f.fit, rest);
      const Quality &cv = f.fit.cross_validated, &in = f.fit.in_sample;
      fmt::print(out, "{:<32} {:>6} {:>14} {:>14} {:>8} {:>14}  {}\n", label, part.points.size(),
                 percent(cv.median) + " / " + percent(cv.p90), percent(in.median) + " / " + percent(in.p90),
                 rest.size(), rest.empty() ? "-" : percent(held.median) + " / " + percent(held.p90),
                 to_text(f.fit.stop));
      if (options.parameters) print_parameters(f, out);
      fits.push_back(std::move(f));
    } catch (const InputError& error) {
      fmt::print(out, "{:<32} {:>6} not fitted: {}\n", label, part.points.size(), error.problem());
      // A few kept-up runs are there to show clocks and watts; the bursts carry the curve.
      if (!has_burst_twin(sorted, all)) failed.push_back(label);
    }
  }
  fmt::print(out, "relative errors in %, of predicted against measured time (power: watts)\n");
  for (const auto& [reason, count] : input.skipped) fmt::print(log, "  not used: {:>8}  {}\n", count, reason);
  for (const auto& [reason, count] : sorted.unused) fmt::print(log, "  not used: {:>8}  {}\n", count, reason);
  for (const auto& [reason, count] : direct.unused) fmt::print(log, "  not used: {:>8}  {}\n", count, reason);
  if (fits.empty() && sparse.empty() && !sorted.classes.empty())
    throw InputError(options.samples.front(), "no class could be fitted; see the lines above");

  if (!options.output.empty() || base_cluster) {
    // Where a class was measured both ways, bursts carry the curve: their clocks are known to be free.
    std::vector<ClassFit> chosen;
    for (ClassFit& f : fits)
      if (!has_burst_twin(sorted, f.data)) chosen.push_back(std::move(f));
    const std::string file = std::filesystem::path(options.samples.front()).filename().string();
    const SampleSource source{.source = options.source.empty() ? input.about("source", file) : options.source,
                              .date = options.date.empty() ? input.about("date", "unknown") : options.date,
                              .hash = input.hash};
    write_profiles(options, base, base_cluster, chosen, sparse, direct, source, log);
  }
  return failed.empty() ? 0 : 5;
}

}  // namespace orrery
