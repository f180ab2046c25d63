#include "calibrate/import/nccl_tests.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

const std::vector<std::string>& operations() {
  static const std::vector<std::string> kAll{"all-reduce", "all-gather", "reduce-scatter", "all-to-all",
                                             "send-recv",  "broadcast",  "reduce"};
  return kAll;
}

/// "all_reduce_perf", "AllReduce", "out/alltoall.txt" -> name of the operation, "" when none is in it.
std::string operation_in(std::string_view text) {
  std::string plain;
  for (const char c : text)
    if (std::isalpha(static_cast<unsigned char>(c)) != 0)
      plain += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const std::vector<std::pair<std::string, std::string>> marks{
      {"allreduce", "all-reduce"}, {"allgather", "all-gather"}, {"reducescatter", "reduce-scatter"},
      {"alltoall", "all-to-all"},  {"sendrecv", "send-recv"},   {"broadcast", "broadcast"}};
  for (const auto& [mark, name] : marks)
    if (plain.find(mark) != std::string::npos) return name;
  return {};
}

/// What each GPU sends, as bus bandwidth counts it.
double wire_bytes(const std::string& operation, double bytes, double gpus) {
  const double share = (gpus - 1) / gpus;
  if (operation == "all-reduce") return 2 * bytes * share;
  if (operation == "send-recv" || operation == "broadcast" || operation == "reduce") return bytes;
  return bytes * share;
}

constexpr double kMostBytes = 1e15;  ///< of one message; more is no size
constexpr const char* kBytesWanted = "a whole number of bytes, 0 to 1e15";

class Collected {
 public:
  Collected(Imported& out, std::string operation) : out_(out), operation_(std::move(operation)) {}

  void add(std::int64_t gpus, std::int64_t bytes, const std::string& type, double time_us, double wrong,
           const std::string& where, const std::string& row_operation = {}) {
    const std::string& operation = row_operation.empty() ? operation_ : row_operation;
    if (bytes == 0) {
      out_.skip("messages of 0 bytes");
      return;
    }
    const double seconds = execution_seconds(time_us, 1e-6, "us", where);
    if (wrong > 0)
      throw InputError(where,
                       fmt::format("found {:g} wrong elements: a wrong result is no measurement", wrong));
    ImportedOperator op{.name = "collective " + operation,
                        .op_class = "collective." + operation,
                        .shape = {{"gpus", gpus}, {"bytes", bytes}},
                        .dtype = type,
                        .seconds = {seconds}};
    op.bytes = wire_bytes(operation, static_cast<double>(bytes), static_cast<double>(gpus));
    for (ImportedOperator& known : out_.operators) {
      if (known.op_class != op.op_class || known.shape != op.shape || known.dtype != op.dtype) continue;
      known.seconds.push_back(op.seconds.front());
      return;
    }
    out_.operators.push_back(std::move(op));
  }

 private:
  Imported& out_;
  std::string operation_;
};

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t at = 0;
  while ((at = line.find_first_not_of(" \t\r", at)) != std::string_view::npos) {
    const std::size_t end = std::min(line.find_first_of(" \t\r", at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

bool number(std::string_view word, double& value) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  return error == std::errc{} && end == word.data() + word.size();
}

std::string demand_operation(const std::string& asked, const std::string& found, const std::string& place) {
  if (!asked.empty()) {
    const auto& all = operations();
    if (std::find(all.begin(), all.end(), asked) == all.end())
      throw InputError("--operation", fmt::format("found '{}', expected one of {}{}", asked, join(all),
                                                  did_you_mean(asked, all)));
    return asked;
  }
  if (!found.empty()) return found;
  throw InputError(place,
                   fmt::format("does not say which collective it measured; add --operation with one of {}",
                               join(operations())));
}

void read_text(std::string_view text, const std::string& place, const std::string& asked, Imported& out) {
  struct Row {
    std::int64_t bytes;
    std::string type;
    double time, wrong;
    std::size_t line;
  };
  std::vector<Row> rows;
  std::int64_t gpus = 0;
  std::string found;
  bool seen_header = false;
  std::size_t columns = 0, time_column = 0;  ///< of the header, 0: not seen
  std::size_t line_number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line_number;
    const std::vector<std::string_view> words = words_of(line);
    if (words.empty()) continue;
    if (words[0] == "#") {
      if (words.size() > 1 && words[1] == "Rank") ++gpus;
      if (line.find("algbw") != std::string_view::npos) {
        seen_header = true;
        columns = words.size() - 1;
        const auto time = std::find(words.begin(), words.end(), "time");
        time_column = time == words.end() ? 0 : static_cast<std::size_t>(time - words.begin()) - 1;
      }
      if (line.find("Collective test starting") != std::string_view::npos) found = operation_in(line);
      continue;
    }
    double bytes = 0, count = 0;
    const std::string where = fmt::format("{}:{}", place, line_number);
    const bool is_row = words.size() >= 2 && number(words[0], bytes) && number(words[1], count);
    if (is_row && seen_header && words.size() < columns)
      throw InputError(where,
                       fmt::format("found {} cells, expected {} as in the header; was the output cut off?",
                                   words.size(), columns));
    if (words.size() < 8 || !is_row) {
      if (line.find("_perf") != std::string_view::npos && found.empty()) found = operation_in(line);
      out.skip("lines that are no rows of the table");
      continue;
    }
    // size count type [redop] [root] time algbw busbw #wrong time ...: the first number after the words.
    std::size_t at = 3;
    double time = 0;
    const bool has_root = words.size() >= 10;
    at = time_column > 0 ? time_column : has_root ? 5 : 4;
    while (at < words.size() && !number(words[at], time)) ++at;
    if (at >= words.size()) throw InputError(where, "found no time in this row; was it cut off?");
    if (!(bytes >= 0 && bytes <= kMostBytes))
      throw InputError(where, fmt::format("found a size of {}, expected {}", words[0], kBytesWanted));
    double wrong = 0;
    if (at + 3 < words.size()) (void)number(words[at + 3], wrong);
    rows.push_back({static_cast<std::int64_t>(bytes), std::string(words[2]), time, wrong, line_number});
    out.skip("in-place results");
  }
  if (!seen_header || rows.empty())
    throw InputError(place,
                     "is no output of nccl-tests or rccl-tests: expected a table with the columns size, "
                     "count, type, time, algbw, busbw");
  if (gpus < 2)
    throw InputError(
        place, fmt::format("names {} GPUs, expected a line '#  Rank ...' for each of at least 2", gpus));
  const std::string operation = demand_operation(asked, found.empty() ? operation_in(place) : found, place);
  Collected collected(out, operation);
  for (const Row& row : rows)
    collected.add(gpus, row.bytes, row.type, row.time, row.wrong, fmt::format("{}:{}", place, row.line));
}

[[noreturn]] void fail_json(const Json& row, const char* key, const std::string& where, const char* wanted) {
  throw InputError(where + "/" + key, fmt::format("found {:.60}, expected {}",
                                                  row.contains(key) ? row[key].dump() : "nothing", wanted));
}

double json_number(const Json& row, const char* key, const std::string& where) {
  if (!row.contains(key) || !row[key].is_number()) fail_json(row, key, where, "a number");
  return row[key].get<double>();
}

std::int64_t json_count(const Json& row, const char* key, const std::string& where, double least,
                        const char* wanted) {
  if (!row.contains(key) || !row[key].is_number()) fail_json(row, key, where, wanted);
  const auto value = row[key].get<double>();
  if (!(value >= least && value <= kMostBytes) || value != std::floor(value))
    fail_json(row, key, where, wanted);
  return static_cast<std::int64_t>(value);
}

/// A text, "" where the key is missing.
std::string json_text(const Json& row, const char* key, const std::string& where) {
  if (!row.contains(key)) return {};
  if (!row[key].is_string()) fail_json(row, key, where, "a text");
  return row[key].get<std::string>();
}

void read_nccl_json(const Json& json, const std::string& place, const std::string& asked, Imported& out) {
  std::int64_t gpus = 0;
  for (const Json* holder : {&json, json.contains("config") ? &json["config"] : &json})
    if (holder->contains("devices") && (*holder)["devices"].is_array())
      gpus = static_cast<std::int64_t>((*holder)["devices"].size());
  if (gpus < 2) throw InputError(place + "#/devices", "expected a list of at least 2 devices");
  const std::string operation = demand_operation(asked, operation_in(place), place);
  Collected collected(out, operation);
  std::size_t index = 0;
  for (const Json& row : json["results"]) {
    const std::string where = place + "#/results/" + std::to_string(index++);
    if (!row.is_object())
      throw InputError(where, fmt::format("found {:.60}, expected an object", row.dump()));
    if (row.contains("in_place")) out.skip("in-place results");
    if (!row.contains("out_of_place") || !row["out_of_place"].is_object()) {
      out.skip("rows without an out-of-place result");
      continue;
    }
    const Json& body = row["out_of_place"];
    const double wrong =
        body.contains("nwrong") && body["nwrong"].is_number() ? body["nwrong"].get<double>() : 0;
    collected.add(gpus, json_count(row, "size", where, 0, kBytesWanted), json_text(row, "type", where),
                  json_number(body, "time", where + "/out_of_place"), wrong, where + "/out_of_place/time");
  }
}

void read_rccl_json(const Json& json, const std::string& place, const std::string& asked, Imported& out) {
  Collected collected(out, asked);
  std::size_t index = 0;
  for (const Json& row : json) {
    const std::string where = place + "#/" + std::to_string(index++);
    if (!row.is_object() || !row.contains("busBw") || !row.contains("ranks"))
      throw InputError(where,
                       "expected an object with size, ranks, time and busBw, as rccl-tests writes them");
    if (row.contains("inPlace") && row["inPlace"].is_number() && row["inPlace"].get<int>() != 0) {
      out.skip("in-place results");
      continue;
    }
    const std::string operation = demand_operation(asked, operation_in(json_text(row, "name", where)), where);
    const double wrong = row.contains("wrong") && row["wrong"].is_number() ? row["wrong"].get<double>() : 0;
    collected.add(json_count(row, "ranks", where, 2, "a whole number of at least 2 ranks"),
                  json_count(row, "size", where, 0, kBytesWanted), json_text(row, "type", where),
                  json_number(row, "time", where), wrong, where + "/time", operation);
  }
}

}  // namespace

Imported import_nccl_tests(std::string_view text, const std::string& place, const std::string& operation) {
  Imported out{.source = place, .kind = "nccl-tests"};
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string_view::npos && (text[first] == '{' || text[first] == '[')) {
    const Json json = parse_json(text, place);
    if (json.is_object() && json.contains("results") && json["results"].is_array()) {
      read_nccl_json(json, place, operation, out);
    } else if (json.is_array() && !json.empty()) {
      read_rccl_json(json, place, operation, out);
    } else {
      throw InputError(place, "is no JSON of nccl-tests (an object with 'results') or rccl-tests (a list)");
    }
  } else {
    read_text(text, place, operation, out);
  }
  if (out.operators.empty()) throw InputError(place, "holds no result that can be used");
  return out;
}

}  // namespace orrery
