#include "planner/cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/report/table.hpp"

namespace orrery::cli {
namespace {

constexpr std::size_t kWidth = 100;

std::string examples_text(const std::vector<Example>& examples) {
  std::string out = "Examples:\n";
  for (const Example& example : examples)
    out += fmt::format("  {}\n      {}\n", example.command, example.what);
  return out;
}

std::string option_head(const OptionInfo& option) {
  std::string head = option.letter.empty() ? "    " : option.letter + ", ";
  head += option.name;
  if (!option.value.empty()) head += " " + option.value;
  return head;
}

std::string entry(const std::string& head, const std::string& what, std::size_t room) {
  const std::string text = fmt::format("  {:<{}}  ", head, room);
  return text + indented(wrapped(what, kWidth - text.size()), text.size()) + "\n";
}

}  // namespace

std::string help_text(const CommandInfo& command) {
  std::string usage = "orrery " + command.name;
  for (const PositionalInfo& word : command.positionals)
    usage += word.required ? " " + word.name : " [" + word.name + "]";
  std::string out = examples_text(command.examples);
  out += fmt::format("\n{}\n\nUsage: {} [options]\n", command.summary, usage);
  std::size_t room = 0;
  for (const OptionInfo& option : command.options) room = std::max(room, option_head(option).size());
  for (const PositionalInfo& word : command.positionals) out += entry(word.name, word.what, room);
  out += "\nOptions:\n";
  for (const OptionInfo& option : command.options) out += entry(option_head(option), option.what, room);
  return out;
}

std::string first_steps() {
  return "Examples:\n"
         "  orrery list models\n"
         "  orrery simulate docs/examples/deepseek-v3-2048-h800.json\n"
         "  orrery simulate --model llama-3-8b --cluster h100-sxm-ib400 --gpus 64 --tp 2 --gbs 256\n"
         "  orrery config show docs/examples/deepseek-v3-2048-h800.json\n"
         "  orrery export --as schedule-csv --schedule dualpipe --pp 8 --microbatches 20\n";
}

std::string program_help() {
  std::string out = first_steps();
  out +=
      "\norrery simulates the training of large models on clusters of GPUs.\n\nUsage: orrery COMMAND "
      "[options]\n";
  std::size_t room = 0;
  for (const CommandInfo& command : commands()) room = std::max(room, command.name.size());
  for (const CommandInfo& command : commands()) out += entry(command.name, command.summary, room);
  out += "\n'orrery COMMAND --help' tells more; 'orrery --version' names version and commit.\n";
  out +=
      "Exit codes: 0 fine, 1 internal error, 2 usage, 3 invalid input, 4 nothing feasible, 5 partial,\n"
      "130 interrupted.\n";
  return out;
}

}  // namespace orrery::cli
