#include <fmt/format.h>

#include "planner/cli/command.hpp"
#include "planner/cli/environment.hpp"
#include "planner/cli/options.hpp"
#include "planner/cli/output.hpp"
#include "sim/base/suggest.hpp"
#include "sim/layout/layout.hpp"
#include "sim/model/zoo.hpp"
#include "sim/schedule/generators.hpp"

namespace orrery::cli {
namespace {

/// What may stand after an option: its choices, or names for those that take one; empty: a file or a number.
std::vector<std::string> values_of(const OptionInfo& option) {
  if (!option.choices.empty()) return option.choices;
  std::vector<std::string> names;
  if (option.name == "--model") {
    for (const ZooEntry& entry : zoo()) names.push_back(entry.name);
  } else if (option.name == "--cluster") {
    names = list_profiles("cluster", profile_folders());
  } else if (option.name == "--stack") {
    names = list_profiles("stack", profile_folders());
  } else if (option.name == "--schedule" || option.name == "--schedules") {
    for (const GeneratorInfo& info : generators()) names.push_back(info.name);
  } else if (option.name == "--precision") {
    names = precision_names();
  } else if (option.name == "--recompute") {
    names = {"none", "selective", "full", "deepseek-v3"};
  } else if (option.name == "--as") {
    names = {"chrome-trace", "schedule-csv"};
  } else if (option.name == "--zero") {
    names = {"0", "1", "2", "3"};
  } else if (option.name == "--mtp") {
    names = {"true", "false"};
  }
  return names;
}

std::string command_names() {
  std::vector<std::string> names;
  for (const CommandInfo& command : commands()) names.push_back(command.name);
  return join(names, " ");
}

/// All words a command may be followed by.
std::string words_of(const CommandInfo& command) {
  std::vector<std::string> words;
  for (const PositionalInfo& word : command.positionals)
    words.insert(words.end(), word.choices.begin(), word.choices.end());
  for (const OptionInfo& option : command.options) {
    words.push_back(option.name);
    if (!option.letter.empty()) words.push_back(option.letter);
  }
  return join(words, " ");
}

std::string bash() {
  std::string options;
  std::string seen;
  for (const CommandInfo& command : commands()) {
    for (const OptionInfo& option : command.options) {
      const std::string values = join(values_of(option), " ");
      if (values.empty() || seen.find(option.name + " ") != std::string::npos) continue;
      seen += option.name + " ";
      options += fmt::format("    {}) COMPREPLY=($(compgen -W \"{}\" -- \"$current\")); return ;;\n",
                             option.name, values);
    }
  }
  std::string words;
  for (const CommandInfo& command : commands())
    words += fmt::format("    {}) words=\"{}\" ;;\n", command.name, words_of(command));
  return fmt::format(R"(# bash completion of orrery: source <(orrery completions bash)
_orrery() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} words
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{} --help --version" -- "$current"))
    return
  fi
  case $previous in
{}  esac
  case ${{COMP_WORDS[1]}} in
{}  esac
  COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current"))
}}
complete -o filenames -F _orrery orrery
)",
                     command_names(), options, words);
}

std::string quoted(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return "'" + out + "'";
}

/// Text inside the brackets of a zsh argument specification.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh() {
  std::string out =
      "#compdef orrery\n# zsh completion of orrery: orrery completions zsh > ~/.zfunc/_orrery\n_orrery() {\n";
  out += "  local -a commands\n  commands=(\n";
  for (const CommandInfo& command : commands())
    out += "    " + quoted(command.name + ":" + zsh_text(command.summary)) + "\n";
  out += "  )\n  if (( CURRENT == 2 )); then _describe command commands; return; fi\n  case $words[2] in\n";
  for (const CommandInfo& command : commands()) {
    out += fmt::format("    {}) _arguments -s '*:file:_files'", command.name);
    std::size_t place = 1;
    for (const PositionalInfo& word : command.positionals) {
      ++place;
      if (!word.choices.empty())
        out += fmt::format(" \\\n      {}", quoted(fmt::format("{}:{}:({})", place, zsh_text(word.name),
                                                               join(word.choices, " "))));
    }
    for (const OptionInfo& option : command.options) {
      const std::string values = join(values_of(option), " ");
      std::string end;
      if (!option.value.empty())
        end = fmt::format(":{}:{}", zsh_text(option.value), values.empty() ? "_files" : "(" + values + ")");
      const std::string what = "[" + zsh_text(option.what) + "]" + end;
      const char* many = option.repeats ? "*" : "";
      out += " \\\n      " + quoted(many + option.name + what);
      if (!option.letter.empty()) out += " \\\n      " + quoted(option.letter + what);
    }
    out += " ;;\n";
  }
  return out + "  esac\n}\n_orrery \"$@\"\n";
}

std::string fish() {
  std::string out = "# fish completion of orrery: orrery completions fish | source\n";
  for (const CommandInfo& command : commands())
    out += fmt::format("complete -c orrery -n __fish_use_subcommand -f -a {} -d {}\n", command.name,
                       quoted(command.summary));
  for (const CommandInfo& command : commands()) {
    const std::string when = quoted("__fish_seen_subcommand_from " + command.name);
    for (const PositionalInfo& word : command.positionals) {
      if (!word.choices.empty())
        out += fmt::format("complete -c orrery -n {} -a {}\n", when, quoted(join(word.choices, " ")));
    }
    for (const OptionInfo& option : command.options) {
      const std::string values = join(values_of(option), " ");
      out += fmt::format("complete -c orrery -n {} -l {}", when, option.name.substr(2));
      if (!option.letter.empty()) out += " -s " + option.letter.substr(1);
      if (!option.value.empty()) out += values.empty() ? " -r" : " -x -a " + quoted(values);
      out += " -d " + quoted(option.what) + "\n";
    }
  }
  return out;
}

int run(const Invocation& call) {
  if (call.has("--format")) throw UsageError("completions writes a shell script; leave --format out");
  if (call.has("--set")) throw UsageError("completions has no scenario to change; leave --set out");
  const std::string shell = call.positional(0);
  if (shell == "bash") emit(call, bash());
  if (shell == "zsh") emit(call, zsh());
  if (shell == "fish") emit(call, fish());
  return kFine;
}

}  // namespace

CommandInfo completions_command() {
  return {.name = "completions",
          .summary = "Completion of commands, options and names for a shell.",
          .examples = {{"source <(orrery completions bash)", "for this shell"},
                       {"orrery completions fish | source", "for fish"}},
          .positionals = {{.name = "SHELL",
                           .what = "bash, zsh or fish",
                           .choices = {"bash", "zsh", "fish"},
                           .required = true}},
          .options = common_options(),
          .run = run};
}

}  // namespace orrery::cli
