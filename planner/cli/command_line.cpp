#include "planner/cli/command_line.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/suggest.hpp"

namespace orrery::cli {
namespace {

/// Where CLI11 puts the values of one option.
struct Slot {
  const OptionInfo* info = nullptr;
  CLI::Option* option = nullptr;
  std::vector<std::string> values;
};

void check_choice(const std::string& what, const std::string& value,
                  const std::vector<std::string>& choices) {
  if (choices.empty() || std::find(choices.begin(), choices.end(), value) != choices.end()) return;
  throw UsageError(
      fmt::format("{}: found '{}', expected {}{}", what, value, join(choices), did_you_mean(value, choices)));
}

[[noreturn]] void unknown_option(const CommandInfo& command, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> known;
  for (const OptionInfo& option : command.options) {
    known.push_back(option.name);
    if (!option.letter.empty()) known.push_back(option.letter);
  }
  throw UsageError(
      fmt::format("unknown option '{}' of 'orrery {}'{}", name, command.name, did_you_mean(name, known)));
}

void take_positionals(const CommandInfo& command, const std::vector<std::string>& words, Invocation& call) {
  for (const std::string& word : words) {
    if (word.size() > 1 && word.front() == '-') unknown_option(command, word);
  }
  for (const std::string& word : words) {
    if (call.positionals.size() == command.positionals.size())
      throw UsageError(fmt::format("unexpected word '{}' after 'orrery {}'", word, command.name));
    const PositionalInfo& info = command.positionals[call.positionals.size()];
    check_choice(info.name, word, info.choices);
    call.positionals.push_back(word);
  }
  for (std::size_t i = call.positionals.size(); i < command.positionals.size(); ++i) {
    const PositionalInfo& info = command.positionals[i];
    if (!info.required) continue;
    throw UsageError(fmt::format("'orrery {}' needs {}: {}", command.name, info.name,
                                 info.choices.empty() ? info.what : join(info.choices)));
  }
}

void take_options(std::vector<Slot>& slots, Invocation& call) {
  for (Slot& slot : slots) {
    if (slot.option->count() == 0) continue;
    if (slot.info->value.empty()) {
      call.options[slot.info->name] = {""};
      continue;
    }
    if (!slot.info->repeats && slot.values.size() > 1)
      throw UsageError(
          fmt::format("{} is given {} times; give it once", slot.info->name, slot.values.size()));
    for (const std::string& value : slot.values) check_choice(slot.info->name, value, slot.info->choices);
    call.options[slot.info->name] = slot.values;
  }
}

}  // namespace

Invocation parse_command_line(const CommandInfo& command, std::vector<std::string> words) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  std::vector<Slot> slots(command.options.size());
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const OptionInfo& info = command.options[i];
    const std::string names = info.letter.empty() ? info.name : info.letter + "," + info.name;
    slots[i].info = &info;
    if (info.value.empty()) {
      slots[i].option = app.add_flag(names);
    } else {
      slots[i].option = app.add_option(names, slots[i].values)
                            ->expected(1)
                            ->allow_extra_args(false)
                            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
  }
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  try {
    app.parse(std::move(words));
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what());
  }
  Invocation call{.command = &command, .positionals = {}, .options = {}};
  take_options(slots, call);
  if (!call.has("--help")) take_positionals(command, app.remaining(), call);
  return call;
}

}  // namespace orrery::cli
