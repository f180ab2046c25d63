#include "gui/core/trace_overlay.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "sim/base/check.hpp"

namespace orrery::gui {
namespace {

using nlohmann::json;

constexpr double kPsPerMicrosecond = 1e6;
constexpr double kMostPs = 9e18;
constexpr std::size_t kMostDepth = 8;

struct Event {
  std::int64_t begin = 0, end = 0;
  const json* source = nullptr;
};

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// Thread of an event as "pid/tid".
std::string thread_of(const json& event) {
  const std::string pid = event.contains("pid") ? text_of(event.at("pid")) : "0";
  const std::string tid = event.contains("tid") ? text_of(event.at("tid")) : "0";
  return pid + "/" + tid;
}

}  // namespace

Ink ink_of_name(const std::string& name) {
  std::string low = name;
  std::transform(low.begin(), low.end(), low.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  static constexpr std::array<std::pair<std::string_view, Ink>, 12> kWords{{{"dispatch", Ink::kExpert},
                                                                            {"combine", Ink::kExpert},
                                                                            {"all_to_all", Ink::kExpert},
                                                                            {"alltoall", Ink::kExpert},
                                                                            {"send", Ink::kPipeline},
                                                                            {"recv", Ink::kPipeline},
                                                                            {"nccl", Ink::kOptimizer},
                                                                            {"wgrad", Ink::kBackwardWeight},
                                                                            {"adam", Ink::kOptimizer},
                                                                            {"backward", Ink::kBackwardInput},
                                                                            {"bwd", Ink::kBackwardInput},
                                                                            {"gemm", Ink::kForward}}};
  for (const auto& [word, ink] : kWords) {
    if (low.find(word) != std::string::npos) return ink;
  }
  return Ink::kOther;
}

TraceOverlay read_trace(const std::string& text, const std::string& place) {
  json root;
  try {
    root = json::parse(text);
  } catch (const json::parse_error& error) {
    throw InputError(fmt::format("{}: byte {}", place, error.byte), "is no JSON");
  }
  if (root.is_object() && root.contains("traceEvents")) root = json(std::move(root.at("traceEvents")));
  if (!root.is_array()) throw InputError(place, "is no Chrome trace: expected 'traceEvents' with a list");
  TraceOverlay out;
  out.place = place;
  std::map<std::string, std::vector<Event>> threads;
  std::map<std::string, std::string> names;
  double first = 1e300;
  const auto complete = [](const json& e) {
    return e.is_object() && e.contains("ph") && e.at("ph") == "X" && e.contains("ts") &&
           e.at("ts").is_number() && e.contains("dur") && e.at("dur").is_number() &&
           e.at("dur").get<double>() >= 0;
  };
  for (const json& e : root) {
    if (complete(e)) first = std::min(first, e.at("ts").get<double>());
  }
  for (const json& e : root) {
    if (e.is_object() && e.contains("name") && e.at("name") == "thread_name" && e.contains("args") &&
        e.at("args").contains("name"))
      names[thread_of(e)] = text_of(e.at("args").at("name"));
    if (!complete(e)) {
      ++out.left_out;
      continue;
    }
    const double begin = (e.at("ts").get<double>() - first) * kPsPerMicrosecond;
    const double end = begin + e.at("dur").get<double>() * kPsPerMicrosecond;
    if (!(end < kMostPs)) {
      ++out.left_out;
      continue;
    }
    threads[thread_of(e)].push_back({std::llround(begin), std::llround(end), &e});
    ++out.events;
  }
  if (out.events == 0) throw InputError(place, "has no complete event (\"ph\": \"X\" with ts and dur)");
  if (out.events > kMostSlices)
    throw InputError(place, fmt::format("has {} events, expected at most {}; export a part of it", out.events,
                                        kMostSlices));
  for (auto& [thread, events] : threads) {
    std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.end > b.end;
    });
    std::vector<std::unique_ptr<TimelineRow>> depths;
    for (const Event& e : events) {
      std::size_t d = 0;
      while (d < depths.size() && !depths[d]->slices.end.empty() && depths[d]->slices.end.back() > e.begin)
        ++d;
      if (d >= kMostDepth) {
        ++out.left_out;
        continue;
      }
      if (d == depths.size()) {
        auto row = std::make_unique<TimelineRow>();
        const auto name = names.find(thread);
        row->name = fmt::format("trace {}{}", name == names.end() ? thread : name->second + " " + thread,
                                d == 0 ? "" : fmt::format(" depth {}", d));
        row->kind = RowKind::kTrace;
        depths.push_back(std::move(row));
      }
      const std::string label = e.source->contains("name") ? text_of(e.source->at("name")) : "";
      depths[d]->slices.add(e.begin, std::max(e.end, e.begin + 1), ink_of_name(label),
                            static_cast<std::int32_t>(depths[d]->labels.size()));
      depths[d]->labels.push_back(label);
      out.length_ps = std::max(out.length_ps, e.end);
    }
    for (auto& row : depths) {
      row->index = RowIndex(row->slices);
      out.rows.rows.push_back(std::move(row));
    }
  }
  return out;
}

}  // namespace orrery::gui
