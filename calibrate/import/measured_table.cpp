#include "calibrate/import/measured_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "calibrate/import/table_reader.hpp"
#include "sim/base/check.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {
namespace {

/// Rows of one table turned into operators; equal cases are joined.
class Rows {
 public:
  explicit Rows(Imported& out) : out_(out) {}

  void add(ImportedOperator op, double seconds, bool keep_smallest) {
    std::string key = op.op_class + '\n' + op.dtype + '\n' + to_text(op.shape);
    const auto [it, fresh] = place_.try_emplace(std::move(key), out_.operators.size());
    if (fresh) {
      op.seconds = {seconds};
      out_.operators.push_back(std::move(op));
      return;
    }
    std::vector<double>& known = out_.operators[it->second].seconds;
    if (!keep_smallest) {
      known.push_back(seconds);
      return;
    }
    known.front() = std::min(known.front(), seconds);
    out_.skip("same case under another label; the smaller time is kept");
  }

 private:
  Imported& out_;
  std::map<std::string, std::size_t> place_;
};

/// Name of a precision in operator classes for the dtype column of the tables, "" when there is none.
std::string precision_of(std::string_view dtype) {
  if (dtype == "bfloat16" || dtype == "float16" || dtype == "bf16" || dtype == "fp16") return "bf16";
  if (dtype == "fp8_block" || dtype == "fp8-block") return "fp8-block";
  if (dtype == "fp8" || dtype == "fp8-tensor") return "fp8-tensor";
  return {};
}

double operand_bytes(const std::string& precision) {
  return precision == "bf16" ? 2 : 1;
}

void read_products(TableReader& t, Imported& out) {
  Rows rows(out);
  const std::size_t dtype = t.column("dtype"), m = t.column("m"), n = t.column("n"), k = t.column("k"),
                    time = t.column("latency_ms");
  const bool power = t.has("power_W");
  const std::size_t watts = power ? t.column("power_W") : 0;
  const std::size_t cap = power ? t.column("power_limit_W") : 0;
  while (t.next()) {
    const double seconds = t.seconds(time, 1e-3);
    ImportedOperator op{.name = "product",
                        .shape = {{"m", t.count(m)}, {"n", t.count(n)}, {"k", t.count(k)}}};
    const std::string precision = precision_of(t.cell(dtype));
    if (precision.empty()) {
      out.skip(fmt::format("dtype {} has no operator class", t.cell(dtype)));
      continue;
    }
    if (precision != "bf16") op.name = kQuantiseInside;
    op.op_class = "gemm." + precision;
    op.dtype = std::string(t.cell(dtype));
    const auto size = [&](const char* key) { return static_cast<double>(op.shape.at(key)); };
    op.flops = 2 * size("m") * size("n") * size("k");
    op.bytes = operand_bytes(precision) * size("k") * (size("m") + size("n")) + 2 * size("m") * size("n");
    if (power) {
      op.watts = t.positive(watts);
      op.cap_w = t.positive(cap);
      op.shape["power_limit_w"] = std::llround(*op.cap_w);
      op.sustained = true;
    }
    rows.add(std::move(op), seconds, false);
  }
}

void read_attention(TableReader& t, Imported& out) {
  Rows rows(out);
  const std::size_t batch = t.column("batch_size"), length = t.column("isl"), heads = t.column("num_heads"),
                    kv = t.column("num_key_value_heads"), width = t.column("head_dim"),
                    window = t.column("window_size"), dtype = t.column("attn_dtype"),
                    cache = t.column("kv_cache_dtype"), step = t.column("step"), time = t.column("latency");
  while (t.next()) {
    const double seconds = t.seconds(time, 1e-3);
    if (t.cell(dtype) != "bfloat16" || t.cell(cache) != "bfloat16") {
      out.skip(
          fmt::format("attention in {} with a {} cache: classes count BF16", t.cell(dtype), t.cell(cache)));
      continue;
    }
    if (t.count(window, 0) != 0 || t.count(step, 0) != 0) {
      out.skip("attention with a sliding window or cached tokens: classes count full causal prefill");
      continue;
    }
    if (t.count(width) != 128) {
      out.skip(fmt::format("attention with head dimension {}: the class counts 128", t.cell(width)));
      continue;
    }
    ImportedOperator op{.name = "attention",
                        .op_class = "attention.forward",
                        .shape = {{"batch", t.count(batch)},
                                  {"heads", t.count(heads)},
                                  {"kv_heads", t.count(kv)},
                                  {"sequence", t.count(length)}},
                        .dtype = "bfloat16"};
    const auto b = static_cast<double>(t.count(batch)), h = static_cast<double>(t.count(heads)),
               g = static_cast<double>(t.count(kv)), s = static_cast<double>(t.count(length));
    op.flops = 2 * b * h * 128 * s * s;
    op.bytes = 2 * b * s * 256 * (h + g);
    rows.add(std::move(op), seconds, false);
  }
}

void read_latent(TableReader& t, Imported& out) {
  Rows rows(out);
  const std::size_t batch = t.column("batch_size"), length = t.column("isl"), heads = t.column("num_heads"),
                    cache = t.column("kv_cache_dtype"), step = t.column("step"), time = t.column("latency");
  while (t.next()) {
    const double seconds = t.seconds(time, 1e-3);
    if (t.cell(cache) != "bfloat16") {
      out.skip(fmt::format("latent attention with a {} cache: classes count BF16", t.cell(cache)));
      continue;
    }
    if (t.count(step, 0) != 0) {
      out.skip("latent attention with cached tokens: classes count full causal prefill");
      continue;
    }
    ImportedOperator op{
        .name = "latent attention",
        .op_class = "attention-mla.forward",
        .shape = {{"batch", t.count(batch)}, {"heads", t.count(heads)}, {"sequence", t.count(length)}},
        .dtype = "bfloat16"};
    const auto b = static_cast<double>(t.count(batch)), h = static_cast<double>(t.count(heads)),
               s = static_cast<double>(t.count(length));
    op.flops = b * h * 320 * s * s;
    op.bytes = 2 * b * s * h * 640;
    rows.add(std::move(op), seconds, true);
  }
}

/// Splitting a layer over more ranks leaves less work. Where the same layer with less of a split was faster
/// by more than noise, the row is taken for a fallback, which nothing in the tables marks; it would teach a
/// model of the hardware nothing.
constexpr double kFallback = 1.25;

class SplitLayers {
 public:
  void add(const ImportedOperator& op, double seconds) {
    ImportedOperator whole = op;
    whole.shape.erase("etp");
    whole.shape.erase("ep");
    layers_[{whole.op_class, whole.shape}].push_back({op, seconds});
  }
  void hand_over(Rows& rows, Imported& out) {
    for (auto& [layer, cases] : layers_)
      for (const auto& [op, seconds] : cases) {
        const auto more_work_was_faster = [&, &op = op, seconds = seconds](const auto& other) {
          const auto& [with, took] = other;
          return with.shape.at("etp") <= op.shape.at("etp") && with.shape.at("ep") <= op.shape.at("ep") &&
                 seconds > kFallback * took;
        };
        if (std::any_of(cases.begin(), cases.end(), more_work_was_faster))
          out.skip("expert layers slower by a quarter than the same with more work: a fallback kernel");
        else
          rows.add(op, seconds, false);
      }
  }

 private:
  std::map<std::pair<std::string, Shape>, std::vector<std::pair<ImportedOperator, double>>> layers_;
};

void read_experts(TableReader& t, Imported& out) {
  Rows rows(out);
  SplitLayers layers;
  const std::size_t source = t.column("kernel_source"), dtype = t.column("moe_dtype"),
                    tokens = t.column("num_tokens"), hidden = t.column("hidden_size"),
                    inter = t.column("inter_size"), top = t.column("topk"), experts = t.column("num_experts"),
                    tp = t.column("moe_tp_size"), ep = t.column("moe_ep_size"),
                    distribution = t.column("distribution"), time = t.column("latency");
  while (t.next()) {
    const double seconds = t.seconds(time, 1e-3);
    const std::string precision = precision_of(t.cell(dtype));
    if (precision.empty()) {
      out.skip(fmt::format("expert layers in {}: no operator class", t.cell(dtype)));
      continue;
    }
    if (t.cell(distribution) != "balanced") {
      out.skip(fmt::format("expert layers with routing {}: rows per expert are not in the table",
                           t.cell(distribution)));
      continue;
    }
    if (t.cell(source).find("nongated") != std::string_view::npos) {
      out.skip("expert layers without a gate (two matrices): classes count gated experts");
      continue;
    }
    ImportedOperator op{.name = std::string(t.cell(source)),
                        .op_class = "moe-layer." + precision,
                        .shape = {{"tokens", t.count(tokens)},
                                  {"hidden", t.count(hidden)},
                                  {"intermediate", t.count(inter)},
                                  {"top_k", t.count(top)},
                                  {"experts", t.count(experts)},
                                  {"etp", t.count(tp)},
                                  {"ep", t.count(ep)},
                                  {"matrices", 3}},
                        .dtype = std::string(t.cell(dtype))};
    const auto size = [&](const char* key) { return static_cast<double>(op.shape.at(key)); };
    op.flops = 2 * size("tokens") * size("top_k") * size("matrices") * size("hidden") * size("intermediate") /
               (size("etp") * size("ep"));
    layers.add(op, seconds);
  }
  layers.hand_over(rows, out);
}

/// Two operators a row: dispatch and combine.
void read_exchange(TableReader& t, Imported& out, bool low_latency) {
  Rows rows(out);
  const std::size_t hidden = t.column("hidden_size"), tokens = t.column("num_token"),
                    top = t.column("num_topk"), experts = t.column("num_experts"),
                    nodes = t.column("node_num");
  for (const bool dispatch : {true, false}) {
    const std::string side = dispatch ? "dispatch" : "combine";
    (void)t.column(low_latency ? side + "_avg_t_us" : side + "_transmit_us");
  }
  while (t.next()) {
    for (const bool dispatch : {true, false}) {
      const std::string side = dispatch ? "dispatch" : "combine";
      const std::size_t time = t.column(low_latency ? side + "_avg_t_us" : side + "_transmit_us");
      ImportedOperator op{.name = low_latency ? "DeepEP low latency" : "DeepEP normal",
                          .op_class = (low_latency ? "communication-low-latency." : "communication.") + side,
                          .shape = {{"nodes", t.count(nodes)},
                                    {"hidden", t.count(hidden)},
                                    {"tokens", t.count(tokens)},
                                    {"top_k", t.count(top)},
                                    {"experts", t.count(experts)}},
                          .dtype = dispatch ? "fp8" : "bfloat16"};
      if (!low_latency) op.shape["sms"] = t.count(t.column(side + "_sms"));
      rows.add(std::move(op), t.seconds(time, 1e-6), false);
    }
  }
}

void read_collectives(TableReader& t, Imported& out) {
  Rows rows(out);
  const std::size_t op_name = t.column("op"), dtype = t.column("dtype"), gpus = t.column("gpus"),
                    elements = t.column("message_elements"), time = t.column("latency_ms");
  static const std::map<std::string, std::string, std::less<>> kNames{{"all_gather", "all-gather"},
                                                                      {"all_reduce", "all-reduce"},
                                                                      {"alltoall", "all-to-all"},
                                                                      {"reduce_scatter", "reduce-scatter"}};
  while (t.next()) {
    const auto known = kNames.find(t.cell(op_name));
    if (known == kNames.end()) {
      out.skip(fmt::format("collective {}: not modelled", t.cell(op_name)));
      continue;
    }
    const bool wide = t.cell(dtype) == "half";
    if (!wide && t.cell(dtype) != "int8") {
      out.skip(fmt::format("collective in {}: size of an element unknown", t.cell(dtype)));
      continue;
    }
    const std::int64_t n = t.count(gpus, 2), bytes = t.count(elements) * (wide ? 2 : 1);
    ImportedOperator op{.name = "NCCL " + known->second,
                        .op_class = "collective." + known->second,
                        .shape = {{"gpus", n}, {"bytes", bytes}},
                        .dtype = std::string(t.cell(dtype))};
    const double share = static_cast<double>(n - 1) / static_cast<double>(n);
    op.bytes = static_cast<double>(bytes) * share * (known->second == "all-reduce" ? 2 : 1);
    rows.add(std::move(op), t.seconds(time, 1e-3), false);
  }
}

struct Kind {
  std::string name;
  std::vector<std::string> marks;  ///< columns that tell it apart
  std::function<void(TableReader&, Imported&)> read;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> kAll{
      {"products", {"dtype", "m", "n", "k", "latency_ms"}, read_products},
      {"attention", {"batch_size", "isl", "num_key_value_heads", "head_dim", "latency"}, read_attention},
      {"latent attention", {"mla_dtype", "batch_size", "isl", "num_heads", "latency"}, read_latent},
      {"expert layers", {"moe_dtype", "num_tokens", "hidden_size", "inter_size", "latency"}, read_experts},
      {"expert all-to-all, normal",
       {"node_num", "num_token", "dispatch_transmit_us"},
       [](TableReader& t, Imported& o) { read_exchange(t, o, false); }},
      {"expert all-to-all, low latency",
       {"node_num", "num_token", "dispatch_avg_t_us"},
       [](TableReader& t, Imported& o) { read_exchange(t, o, true); }},
      {"collectives", {"op", "gpus", "message_elements", "latency_ms"}, read_collectives}};
  return kAll;
}

/// The kind all of whose marks are columns; null when none.
const Kind* kind_of(const TableReader& t) {
  for (const Kind& kind : kinds())
    if (std::all_of(kind.marks.begin(), kind.marks.end(), [&](const auto& c) { return t.has(c); }))
      return &kind;
  return nullptr;
}

/// Shorter names are near to anything.
constexpr std::size_t kHintLetters = 4;

[[noreturn]] void fail_header(const TableReader& t) {
  const Kind* best = nullptr;
  std::size_t most = 0;
  std::vector<std::string> missing;
  for (const Kind& kind : kinds()) {
    std::vector<std::string> lacks;
    for (const std::string& mark : kind.marks)
      if (!t.has(mark)) lacks.push_back(mark);
    const std::size_t hits = kind.marks.size() - lacks.size();
    if (best != nullptr && hits <= most) continue;
    best = &kind;
    most = hits;
    missing = lacks;
  }
  const std::string& only = t.columns().front();
  const bool other_separator = t.columns().size() == 1 && only.find_first_of(";\t") != std::string::npos;
  std::string nearest;
  for (const std::string& column : t.columns()) {
    const std::string hint = column.size() >= kHintLetters ? did_you_mean(column, missing) : "";
    if (nearest.empty() && !hint.empty()) nearest = fmt::format(" Column '{}' is unknown{}", column, hint);
  }
  throw InputError(t.where_line(),
                   fmt::format("no known table has the columns {}.{} The nearest is '{}', which also needs "
                               "{}.{} docs/formats/samples.md lists all",
                               join(t.columns()), other_separator ? " Cells are separated by commas." : "",
                               best->name, join(missing), nearest));
}

}  // namespace

bool looks_like_table(std::string_view text) {
  try {
    const TableReader reader(text.substr(0, 65536), "");
    return kind_of(reader) != nullptr;
  } catch (const InputError&) {
    return false;
  }
}

Imported import_table(std::string_view text, const std::string& place) {
  TableReader reader(text, place);
  Imported out{.source = place, .kind = "table", .about = reader.about()};
  const Kind* kind = kind_of(reader);
  if (kind == nullptr) fail_header(reader);
  out.about["table"] = kind->name;
  kind->read(reader, out);
  if (out.operators.empty() && out.skipped.empty()) throw InputError(place, "holds a header but no row");
  return out;
}

}  // namespace orrery
