#include "calibrate/import/kineto_trace.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "sim/base/fields.hpp"

namespace orrery {
namespace {

struct Range {
  double begin = 0, end = 0;
  std::string name;
};

struct Activity {
  std::string name;   ///< full
  std::string brief;  ///< without template tail, arguments and return type
  std::string kind;   ///< "kernel", "gpu_memcpy", "gpu_memset"
  std::string stream, grid, block;
  double launched = 0;  ///< microseconds; when the host started it, NaN when the trace does not say
  double seconds = 0;
  std::int64_t correlation = -1, external = -1;
};

struct Events {
  std::vector<Activity> activities;
  std::map<std::int64_t, double> launches;  ///< correlation -> microseconds
  std::vector<Range> phases;
  std::map<std::int64_t, std::pair<std::string, Json>> shaped;  ///< external id -> operator, Input Dims
};

double number_of(const Json& event, const char* key, const std::string& where) {
  const auto it = event.find(key);
  if (it == event.end() || !it->is_number())
    throw InputError(where + "/" + key, fmt::format("found {}, expected a number of microseconds",
                                                    it == event.end() ? "nothing" : it->dump()));
  const auto value = it->get<double>();
  if (!std::isfinite(value)) throw InputError(where + "/" + key, "found a number that is not finite");
  return value;
}

std::string text_of(const Json& event, const char* key) {
  const auto it = event.find(key);
  if (it == event.end()) return {};
  return it->is_string() ? it->get<std::string>() : it->dump();
}

std::int64_t integer_of(const Json& args, const char* key) {
  const auto it = args.find(key);
  return it != args.end() && it->is_number_integer() ? it->get<std::int64_t>() : -1;
}

std::string sizes_text(const Json& args, const char* key) {
  const auto it = args.find(key);
  if (it == args.end() || !it->is_array()) return {};
  std::string out;
  for (const Json& n : *it) out += (out.empty() ? "" : " ") + n.dump();
  return out;
}

/// "void ns::kernel<T, 3>(int*)" -> "ns::kernel<T, 3>".
std::string brief_name(const std::string& name) {
  std::size_t begin = name.rfind("void ", 0) == 0 ? 5 : 0;
  int depth = 0;
  for (std::size_t i = begin; i < name.size(); ++i) {
    if (name[i] == '<') ++depth;
    if (name[i] == '>') --depth;
    if (name[i] == '(' && depth <= 0 && i > begin) {
      if (name.compare(i, 21, "(anonymous namespace)") == 0) continue;
      return name.substr(begin, i - begin);
    }
  }
  return name.substr(begin);
}

Activity read_activity(const Json& event, const std::string& category, const std::string& where) {
  Activity a;
  a.kind = category;
  const auto name = event.find("name");
  if (name == event.end() || !name->is_string())
    throw InputError(where + "/name", fmt::format("found {}, expected the name of a kernel as a text",
                                                  name == event.end() ? "nothing" : name->dump()));
  a.name = name->get<std::string>();
  a.brief = brief_name(a.name);
  const double duration = number_of(event, "dur", where);
  if (duration < 0)
    throw InputError(where + "/dur", fmt::format("found {:g}, expected a duration of at least 0", duration));
  if (duration > 0) a.seconds = execution_seconds(duration, 1e-6, "us", where + "/dur");
  const auto args = event.find("args");
  if (args != event.end() && args->is_object()) {
    a.stream = text_of(*args, "stream");
    a.grid = sizes_text(*args, "grid");
    a.block = sizes_text(*args, "block");
    a.correlation = integer_of(*args, "correlation");
    a.external = integer_of(*args, "External id");
  }
  if (a.stream.empty()) a.stream = text_of(event, "tid");
  return a;
}

Events read_events(const Json& trace, const std::string& place, Imported& out) {
  const Json* list = trace.is_array() ? &trace : nullptr;
  if (trace.is_object() && trace.contains("traceEvents")) list = &trace["traceEvents"];
  if (list == nullptr || !list->is_array())
    throw InputError(place,
                     "is not a Kineto trace: expected an object with a list 'traceEvents', as "
                     "torch.profiler's export_chrome_trace writes it");
  Events events;
  const std::string prefix = place + (trace.is_array() ? "#" : "#/traceEvents");
  std::size_t index = 0;
  for (const Json& event : *list) {
    const std::string where = prefix + "/" + std::to_string(index++);
    if (!event.is_object())
      throw InputError(where, fmt::format("found {:.60}, expected an event as an object", event.dump()));
    const std::string phase = text_of(event, "ph"), category = text_of(event, "cat");
    if (phase != "X") {
      out.skip(phase == "s" || phase == "f" ? "flow arrows" : "metadata and instants");
      continue;
    }
    if (category == "kernel" || category == "gpu_memcpy" || category == "gpu_memset") {
      Activity activity = read_activity(event, category, where);
      if (activity.seconds > 0)
        events.activities.push_back(std::move(activity));
      else
        out.skip("device activity of 0 us");
      continue;
    }
    const auto args = event.find("args");
    const bool has_args = args != event.end() && args->is_object();
    if (category == "cuda_runtime" || category == "cuda_driver") {
      if (has_args) {
        const std::int64_t id = integer_of(*args, "correlation");
        if (id >= 0) events.launches[id] = number_of(event, "ts", where);
      }
      out.skip("host calls (used for launch times)");
    } else if (category == "user_annotation") {
      const double begin = number_of(event, "ts", where);
      events.phases.push_back({begin, begin + number_of(event, "dur", where), text_of(event, "name")});
      out.skip("annotations (used as phases)");
    } else if (category == "cpu_op" && has_args && args->contains("Input Dims")) {
      events.shaped[integer_of(*args, "External id")] = {text_of(event, "name"), (*args)["Input Dims"]};
      out.skip("host operators (used for shapes)");
    } else {
      out.skip(category.empty() ? "events without a category" : "events of category '" + category + "'");
    }
  }
  if (events.activities.empty())
    throw InputError(place, fmt::format("holds {} events but no device activity (category kernel, gpu_memcpy "
                                        "or gpu_memset); was the trace taken with ProfilerActivity.CUDA?",
                                        index));
  return events;
}

/// The innermost annotation around a launch: the shortest that holds it; equal lengths, the earlier in file.
const Range* phase_at(const std::vector<Range>& phases, double launched) {
  const Range* best = nullptr;
  for (const Range& r : phases) {
    if (launched < r.begin || launched > r.end) continue;
    if (best == nullptr || r.end - r.begin < best->end - best->begin) best = &r;
  }
  return best;
}

/// Class and shape of a product from the profiler's record of its inputs; false when there is none.
bool shape_from_inputs(const Events& events, const Activity& a, ImportedOperator& op) {
  const auto it = events.shaped.find(a.external);
  if (it == events.shaped.end()) return false;
  const auto& [name, dims] = it->second;
  const std::size_t first = name == "aten::addmm" ? 1 : 0;
  if (name != "aten::mm" && name != "aten::addmm" && name != "aten::bmm") return false;
  if (!dims.is_array() || dims.size() < first + 2) return false;
  const Json &left = dims[first], &right = dims[first + 1];
  const std::size_t rank = name == "aten::bmm" ? 3 : 2;
  if (!left.is_array() || !right.is_array() || left.size() != rank || right.size() != rank) return false;
  for (const Json* side : {&left, &right})
    for (const Json& n : *side)
      if (!n.is_number_integer() || n.get<std::int64_t>() < 1) return false;
  if (rank == 3) op.shape["groups"] = left[0].get<std::int64_t>();
  op.shape["m"] = left[rank - 2].get<std::int64_t>();
  op.shape["k"] = left[rank - 1].get<std::int64_t>();
  op.shape["n"] = right[rank - 1].get<std::int64_t>();
  op.op_class = rank == 3 ? "grouped-gemm.bf16" : "gemm.bf16";
  return true;
}

const KernelName* find_name(const std::vector<const KernelNames*>& books, const std::string& phase,
                            const std::string& kernel, std::int64_t occurrence) {
  for (const KernelNames* book : books) {
    for (const KernelName& n : book->names) {
      if (!n.phase.empty() && n.phase != phase) continue;
      if (n.occurrence != 0 && n.occurrence != occurrence) continue;
      if (kernel.find(n.kernel) != std::string::npos) return &n;
    }
  }
  return nullptr;
}

std::vector<const KernelNames*> applicable(const std::vector<KernelNames>& names, const Events& events) {
  std::vector<const KernelNames*> out;
  for (const KernelNames& book : names) {
    const bool all = std::all_of(book.needs.begin(), book.needs.end(), [&](const std::string& need) {
      return std::any_of(events.activities.begin(), events.activities.end(),
                         [&](const Activity& a) { return a.name.find(need) != std::string::npos; });
    });
    if (all) out.push_back(&book);
  }
  return out;
}

/// Launch order; kernels without a launch keep the order of the file behind it.
void sort_by_launch(Events& events) {
  for (Activity& a : events.activities) {
    const auto it = events.launches.find(a.correlation);
    a.launched = it == events.launches.end() ? std::nan("") : it->second;
  }
  std::stable_sort(events.activities.begin(), events.activities.end(),
                   [](const Activity& a, const Activity& b) {
                     const bool known_a = std::isfinite(a.launched), known_b = std::isfinite(b.launched);
                     if (known_a != known_b) return known_a;
                     if (!known_a) return false;
                     return std::tie(a.launched, a.correlation) < std::tie(b.launched, b.correlation);
                   });
}

void set_grid(const Activity& a, ImportedOperator& op) {
  const char* keys[] = {"grid_x", "grid_y", "grid_z"};
  std::size_t at = 0;
  for (const char* key : keys) {
    if (at >= a.grid.size()) break;
    op.shape[key] = std::strtoll(a.grid.c_str() + at, nullptr, 10);
    at = a.grid.find(' ', at);
    if (at == std::string::npos) break;
    ++at;
  }
}

KernelName kernel_name_of(const Json& item) {
  KernelName n{.phase = item.value("phase", ""),
               .kernel = item.value("kernel", ""),
               .occurrence = item.value("occurrence", std::int64_t{0}),
               .name = item.value("name", ""),
               .op_class = item.value("class", ""),
               .dtype = item.value("dtype", ""),
               .shape = {}};
  if (item.contains("shape"))
    for (const auto& [key, value] : item["shape"].items()) n.shape[key] = value.get<std::int64_t>();
  return n;
}

}  // namespace

KernelNames parse_kernel_names(std::string_view text, const std::string& place) {
  const Json json = parse_json(text, place);
  KernelNames book;
  book.place = place;
  const auto fail = [&](const std::string& pointer, const std::string& what) {
    throw InputError(place + "#" + pointer, what);
  };
  if (!json.is_object() || json.value("schema", "") != "orrery.kernel-names/1")
    fail("/schema", "expected 'orrery.kernel-names/1'");
  if (!json.contains("needs") || !json["needs"].is_array()) fail("/needs", "expected a list of texts");
  for (const Json& need : json["needs"]) {
    if (!need.is_string()) fail("/needs", "found " + need.dump() + ", expected a list of texts");
    book.needs.push_back(need.get<std::string>());
  }
  if (!json.contains("names") || !json["names"].is_array()) fail("/names", "expected a list");
  for (std::size_t i = 0; i < json["names"].size(); ++i) {
    const Json& item = json["names"][i];
    const std::string pointer = "/names/" + std::to_string(i);
    if (!item.is_object() || !item.contains("kernel") || !item.contains("name"))
      fail(pointer, "expected an object with 'kernel' and 'name'");
    try {
      book.names.push_back(kernel_name_of(item));
    } catch (const Json::exception&) {
      fail(pointer, "found " + item.dump() +
                        ", expected texts, and whole numbers for 'occurrence' and the sizes of 'shape'");
    }
  }
  return book;
}

Imported import_kineto(std::string_view text, const std::string& place,
                       const std::vector<KernelNames>& names) {
  const Json trace = parse_json(text, place);
  Imported out{.source = place, .kind = "kineto"};
  Events events = read_events(trace, place, out);
  if (trace.is_object() && trace.contains("deviceProperties") && trace["deviceProperties"].is_array() &&
      !trace["deviceProperties"].empty())
    out.about["device"] = text_of(trace["deviceProperties"][0], "name");
  sort_by_launch(events);
  const std::vector<const KernelNames*> books = applicable(names, events);
  for (const KernelNames* book : books) out.about["names"] = book->place;

  std::map<std::tuple<double, std::string, std::string>, std::int64_t> seen;  // instance, phase, kernel
  std::map<std::vector<std::string>, std::size_t> place_of;
  std::vector<std::string> grids;
  for (const Activity& a : events.activities) {
    const Range* range = std::isfinite(a.launched) ? phase_at(events.phases, a.launched) : nullptr;
    const std::string phase = range == nullptr ? "" : range->name;
    const std::int64_t occurrence = range == nullptr ? 0 : ++seen[{range->begin, phase, a.brief}];
    const std::vector<std::string> key =
        range != nullptr ? std::vector<std::string>{phase, a.brief, std::to_string(occurrence)}
                         : std::vector<std::string>{"", a.name, a.grid, a.block, a.stream};
    const auto [it, fresh] = place_of.try_emplace(key, out.operators.size());
    if (fresh) {
      ImportedOperator op{
          .name = range == nullptr ? a.brief : fmt::format("{} / {} / {}", phase, a.brief, occurrence),
          .stream = a.stream};
      if (const KernelName* known = find_name(books, phase, a.name, occurrence)) {
        op.name = known->name;
        op.op_class = known->op_class;
        op.dtype = known->dtype;
        op.shape = known->shape;
      } else if (!shape_from_inputs(events, a, op)) {
        set_grid(a, op);
      }
      out.operators.push_back(std::move(op));
      grids.push_back(a.grid);
    } else if (grids[it->second] != a.grid) {
      // Sizes that change from one execution to the next are not a shape.
      for (const char* axis : {"grid_x", "grid_y", "grid_z"}) out.operators[it->second].shape.erase(axis);
    }
    out.operators[it->second].seconds.push_back(a.seconds);
  }
  return out;
}

}  // namespace orrery
