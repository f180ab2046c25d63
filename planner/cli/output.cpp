#include "planner/cli/output.hpp"

#include <cstdio>

#include "planner/cli/environment.hpp"
#include "sim/base/fields.hpp"

namespace orrery::cli {
namespace {

std::string formatted(const Invocation& call, const Table& table) {
  const std::string format = call.get("--format", "table");
  if (format == "json") return to_json_text(table);
  if (format == "csv") return to_csv(table);
  if (format == "md") return to_markdown(table);
  return to_plain(table);
}

}  // namespace

void emit(const Invocation& call, const std::string& text) {
  const std::string path = call.get("--output", "-");
  if (path != "-") {
    write_file(path, text);
    note(call, "wrote " + path);
    return;
  }
  const bool whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!whole || std::fflush(stdout) != 0) throw InputError("standard output", "cannot be written");
}

void emit(const Invocation& call, const Table& table) {
  emit(call, formatted(call, table));
}

void note(const Invocation& call, const std::string& line) {
  if (!call.has("--quiet")) std::fprintf(stderr, "%s\n", line.c_str());
}

void hint(const Invocation& call, const std::string& line) {
  if (talks_to_a_person()) note(call, line);
}

}  // namespace orrery::cli
