#include "planner/export/chrome_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <string>

#include "sim/base/check.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/lower/lower.hpp"

// Trace Event Format (complete events "X" and metadata events "M"), times in microseconds. One process per
// pipeline rank, one thread per lane, one event per task that takes time; a step of the program stands as an
// event of its own on the thread "schedule". The text is written directly: a trace of a million events is a
// stream, not a tree.

namespace orrery {
namespace {

constexpr int kScheduleThread = 0;  // lanes follow from 1 on

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

/// Picoseconds as microseconds with six digits, exactly.
std::string microseconds(std::int64_t ps) {
  return fmt::format("{}.{:06}", ps / 1000000, ps % 1000000);
}

class Writer {
 public:
  explicit Writer(std::ostream& out) : out_(out) {}

  void event(const std::string& body) {
    buffer_ += first_ ? "\n{" : ",\n{";
    first_ = false;
    buffer_ += body;
    buffer_ += '}';
    if (buffer_.size() > 1U << 20) flush();
  }
  void raw(std::string_view text) { buffer_ += text; }
  void flush() {
    out_ << buffer_;
    buffer_.clear();
  }

 private:
  std::ostream& out_;
  std::string buffer_;
  bool first_ = true;
};

void name_threads(const LoweredStep& step, Writer& w) {
  static constexpr const char* kNames[kLaneCount] = {
      "compute",        "communication",       "NIC messages",   "host",
      "weight gathers", "gradient reductions", "copies to host", "copies from host"};
  for (int r = 0; r < step.ranks; ++r) {
    w.event(
        fmt::format(R"("ph":"M","name":"process_name","pid":{},"args":{{"name":"pipeline rank {}"}})", r, r));
    w.event(fmt::format(R"("ph":"M","name":"process_sort_index","pid":{},"args":{{"sort_index":{}}})", r, r));
    w.event(fmt::format(R"("ph":"M","name":"thread_name","pid":{},"tid":{},"args":{{"name":"schedule"}})", r,
                        kScheduleThread));
    for (int lane = 0; lane < kLaneCount; ++lane) {
      w.event(fmt::format(R"("ph":"M","name":"thread_name","pid":{},"tid":{},"args":{{"name":"{}"}})", r,
                          lane + 1, kNames[lane]));
    }
  }
}

void write_steps(const LoweredStep& step, const Timeline& timeline, Writer& w) {
  for (const PlacedStep& placed : step.steps) {
    const std::int64_t begin = timeline.end[placed.begin.at()].ps;
    const std::int64_t end = end_of(placed, step, timeline).ps;
    w.event(fmt::format(
        R"("ph":"X","name":{},"cat":"schedule","pid":{},"tid":{},"ts":{},"dur":{},"args":{{"stage":{},"microbatch":{}}})",
        json_text(to_text(placed.step)), placed.rank.value, kScheduleThread, microseconds(begin),
        microseconds(end - begin), placed.step.first.stage.value, placed.step.first.microbatch.value));
  }
}

void write_tasks(const LoweredStep& step, const Timeline& timeline, Writer& w) {
  const TaskGraph& graph = timeline.graph;
  for (std::size_t t = 0; t < graph.task_count(); ++t) {
    const TaskId task{t};
    const std::int64_t length = timeline.end[t].ps - timeline.start[t].ps;
    if (length == 0) continue;
    const std::int32_t lane = graph.lane(task).value;
    std::string args;
    if (const CostedItem* item = step.item_of(task)) {
      args = fmt::format(R"("class":{},"alone_us":{})", json_text(item->op_class),
                         microseconds(item->duration.ps));
      if (item->flops > 0) args += fmt::format(R"(,"flops":{:.0f})", item->flops);
      if (item->bytes > 0) args += fmt::format(R"(,"bytes":{:.0f})", item->bytes);
      if (item->scale_out_bytes > 0) args += fmt::format(R"(,"nic_bytes":{:.0f})", item->scale_out_bytes);
    }
    const std::int32_t tag = graph.tag(task);
    if (tag >= 0)
      args += fmt::format(R"({}"step":{})", args.empty() ? "" : ",",
                          json_text(to_text(step.steps[static_cast<std::size_t>(tag)].step)));
    w.event(fmt::format(R"("ph":"X","name":{},"cat":"{}","pid":{},"tid":{},"ts":{},"dur":{},"args":{{{}}})",
                        json_text(graph.name(task)), lane % kLaneCount == 0 ? "compute" : "transfer",
                        lane / kLaneCount, lane % kLaneCount + 1, microseconds(timeline.start[t].ps),
                        microseconds(length), args));
  }
}

}  // namespace

void write_chrome_trace(const SimResult& result, std::ostream& out) {
  SIM_CHECK(result.step != nullptr && result.timeline != nullptr, "only a feasible result has a timeline");
  Writer w(out);
  w.raw(R"({"displayTimeUnit":"ms","otherData":{"program":"orrery"},"traceEvents":[)");
  name_threads(*result.step, w);
  write_steps(*result.step, *result.timeline, w);
  write_tasks(*result.step, *result.timeline, w);
  w.raw("\n]}\n");
  w.flush();
}

}  // namespace orrery
