#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <functional>

#include "planner/cli/command.hpp"
#include "planner/cli/environment.hpp"
#include "planner/cli/options.hpp"
#include "planner/cli/output.hpp"
#include "sim/base/fields.hpp"
#include "sim/model/param_count.hpp"
#include "sim/model/zoo.hpp"
#include "sim/report/published.hpp"
#include "sim/simulate.hpp"

namespace orrery::cli {
namespace {

/// Off by more than this from a published step time, the installation is suspect.
constexpr double kSelfCheckError = 0.15;

std::string check_profiles(const std::string& kind) {
  const ProfileFolders folders = profile_folders();
  const std::vector<std::string> names = list_profiles(kind, folders);
  if (names.empty()) throw InputError(folders.roots.back().string(), "holds no " + kind + " profile");
  if (kind == "cluster") {
    for (const std::string& name : names) (void)load_cluster(name, folders);
  }
  if (kind == "published") (void)load_published(folders);
  return fmt::format("{} in {}", names.size(), folders.roots.front().string());
}

std::string check_models() {
  std::size_t close = 0;
  for (const ZooEntry& entry : zoo()) {
    const auto total = static_cast<double>(count_params(load_model(entry.name, "").spec).total());
    if (std::abs(total / entry.published_parameters - 1) < 0.05) ++close;
  }
  return fmt::format("{} built in, {} within 5 % of the published size", zoo().size(), close);
}

std::string check_writing() {
  const std::filesystem::path probe = std::filesystem::current_path() / ".orrery-doctor";
  write_file(probe, "");
  std::filesystem::remove(probe);
  return "the current folder can be written";
}

/// DeepSeek-V3's published step, simulated.
std::string check_published_step() {
  std::vector<Override> overrides;
  for (const auto& [key, value] :
       std::initializer_list<std::pair<const char*, const char*>>{{"model", "deepseek-v3"},
                                                                  {"cluster.profile", "h800-sxm-ib400"},
                                                                  {"cluster.gpus", "2048"},
                                                                  {"layout.pp", "16"},
                                                                  {"layout.ep", "64"},
                                                                  {"layout.schedule", "dualpipe"},
                                                                  {"layout.recompute", "deepseek-v3"},
                                                                  {"training.global_batch_size", "15360"},
                                                                  {"training.precision", "fp8-block"}})
    overrides.push_back({key, value, "self-check"});
  const ProfileFolders folders = profile_folders();
  const Scenario scenario = parse_scenario("", "self-check", {folders, {}}, overrides);
  const SimResult result = simulate(scenario);
  if (result.metrics.infeasible) throw InputError("self-check", result.metrics.infeasible->text);
  for (const PublishedRun& run : load_published(folders)) {
    if (!is_about(run, scenario)) continue;
    for (const ComparisonRow& row : compare(run, result.metrics, scenario)) {
      if (row.published.key != "step.time_s") continue;
      const std::string text = fmt::format("{} s a step, {:+.1f} % of the published {:g} s",
                                           digits_text(row.computed), 100 * row.error(), row.published.value);
      if (std::abs(row.error()) > kSelfCheckError) throw InputError("self-check", text);
      return text;
    }
  }
  return fmt::format("{} s a step, no published figure found", digits_text(result.metrics.step_time_s));
}

int run(const Invocation& call) {
  if (call.has("--set")) throw UsageError("doctor has no scenario to change; leave --set out");
  Table t{.key = "doctor",
          .title = "",
          .columns = {{"check", "check", false}, {"state", "state", false}, {"detail", "detail", false}},
          .rows = {{"program", "ok", version_line()}},
          .notes = {}};
  bool fine = true;
  const std::vector<std::pair<const char*, std::function<std::string()>>> checks{
      {"cluster profiles", [] { return check_profiles("cluster"); }},
      {"GPU profiles", [] { return check_profiles("gpu"); }},
      {"published runs", [] { return check_profiles("published"); }},
      {"models", check_models},
      {"writing", check_writing},
      {"DeepSeek-V3 step", check_published_step}};
  for (const auto& [name, check] : checks) {
    try {
      t.rows.push_back({name, "ok", check()});
    } catch (const InputError& error) {
      t.rows.push_back({name, "wrong", error.what()});
      fine = false;
    }
  }
  emit(call, t);
  return fine ? kFine : kInvalidInput;
}

}  // namespace

CommandInfo doctor_command() {
  return {.name = "doctor",
          .summary = "Checks this installation: data files, models, a published run.",
          .examples = {{"orrery doctor", "exit code 3 when something is wrong"},
                       {"orrery doctor --format json", "for programs"}},
          .positionals = {},
          .options = common_options(),
          .run = run};
}

}  // namespace orrery::cli
