#include "planner/cli/launcher.hpp"

#include <charconv>
#include <cstdlib>
#include <string_view>

namespace orrery::cli {
namespace {

/// The first of these variables that holds a number, else -1.
int first_number(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const char* text = std::getenv(name);
    if (text == nullptr) continue;
    const std::string_view view(text);
    int value = 0;
    const auto [rest, error] = std::from_chars(view.data(), view.data() + view.size(), value);
    if (error == std::errc{} && rest == view.data() + view.size() && value >= 0) return value;
  }
  return -1;
}

}  // namespace

int launched_processes() {
  const int found = first_number({"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"});
  return found > 1 ? found : 1;
}

bool is_first_process() {
  if (launched_processes() == 1) return true;
  return first_number({"OMPI_COMM_WORLD_RANK", "PMI_RANK", "SLURM_PROCID"}) <= 0;
}

}  // namespace orrery::cli
