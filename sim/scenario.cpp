#include "sim/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"
#include "sim/base/units_text.hpp"
#include "sim/layout/pipeline_layout.hpp"
#include "sim/model/zoo.hpp"
#include "sim/scenario_keys.hpp"
#include "sim/scenario_overrides.hpp"
#include "sim/scenario_program.hpp"
#include "sim/scenario_run_fields.hpp"
#include "sim/schedule/generators.hpp"

namespace orrery {
namespace {

/// One name or a list of them, as written.
struct NameList {
  std::vector<std::string> names{"none"};
};

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (c == ',' || c == '+') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

void read_value(const JsonNode& node, NameList& out, Limits = kAnyNumber) {
  if (!node.value.is_string()) return orrery::read_value(node, out.names);
  out.names = words_of(node.value.get<std::string>());
}

void to_json(Json& out, const NameList& value) {
  out = value.names.size() == 1 ? Json(value.names.front()) : Json(value.names);
}

/// A number that may carry a suffix: 14.8e12 or "14.8T".
struct Count {
  double value = 0;
};

void read_value(const JsonNode& node, Count& out, Limits limits = kAnyNumber) {
  if (!node.value.is_string()) return orrery::read_value(node, out.value, limits);
  const Json number = parse_count(node.value.get<std::string>(), node.where());
  orrery::read_value(JsonNode{number, node.place, node.pointer}, out.value, limits);
}

void to_json(Json& out, const Count& value) {
  out = value.value;
}

/// The file as written; names are not looked up yet.
struct Document {
  std::string model;
  std::string cluster;
  std::string stack;
  ClusterOptions options;
  std::int64_t gpus = 0;
  Layout layout;
  NameList recompute;
  NameList offload;
  Training training;
  Routing routing;
  Economics economics;
  Reliability reliability;
};

/// One of an enumeration's names.
template <class V, class E>
void choose(V& v, const char* key, E& value, const std::vector<std::string>& names) {
  auto at = static_cast<std::size_t>(value);
  v.choice(key, at, names, false);
  value = static_cast<E>(at);
}

struct ClusterPart {
  Document& d;
};
struct LayoutPart {
  Document& d;
};
struct TrainingPart {
  Document& d;
};
struct RoutingPart {
  Document& d;
};

template <class V>
void fields(V& v, ClusterPart& part) {
  v.optional("profile", part.d.cluster);
  v.optional("gpus", part.d.gpus, limits_of("cluster.gpus"));
  ClusterOptions& o = part.d.options;
  const auto option = [&](const char* key, auto& value) {
    if (V::reading || value) v.optional(key, value, limits_of(std::string("cluster.") + key));
  };
  option("gpus_per_node", o.gpus_per_node);
  option("nics_per_gpu", o.nics_per_gpu);
  option("oversubscription", o.oversubscription);
  option("power_cap_w", o.power_cap_w);
}

template <class V>
void fields(V& v, LayoutPart& part) {
  Layout& l = part.d.layout;
  v.optional("tp", l.tp, limits_of("layout.tp"));
  v.optional("cp", l.cp, limits_of("layout.cp"));
  v.optional("pp", l.pp, limits_of("layout.pp"));
  v.optional("vpp", l.vpp, limits_of("layout.vpp"));
  v.optional("ep", l.ep, limits_of("layout.ep"));
  v.optional("etp", l.etp, limits_of("layout.etp"));
  if (V::reading || l.dp != 0) v.optional("dp", l.dp, limits_of("layout.dp"));
  v.optional("zero_stage", l.zero_stage, limits_of("layout.zero_stage"));
  v.optional("sequence_parallel", l.sequence_parallel);
  choose(v, "tp_overlap", l.tp_overlap, tensor_overlap_names());
  const bool stacked = !part.d.stack.empty();
  if (V::reading || stacked || l.moe_dispatcher != TokenDispatcher::kDeepEp) {
    choose(v, "moe_dispatcher", l.moe_dispatcher, token_dispatcher_names());
  }
  v.optional("schedule", l.schedule);
  if (V::reading || l.live_microbatches > 0)
    v.optional("live_microbatches", l.live_microbatches, limits_of("layout.live_microbatches"));
  choose(v, "messages", l.messages, message_rule_names());
  choose(v, "weight_gradients", l.weight_gradients, weight_gradient_names());
  choose(v, "optimizer_sync", l.optimizer_sync, optimizer_sync_names());
  if (V::reading || l.overlap_grad_reduce) v.optional("overlap_grad_reduce", l.overlap_grad_reduce);
  if (V::reading || l.overlap_param_gather) v.optional("overlap_param_gather", l.overlap_param_gather);
  v.optional("recompute", part.d.recompute);
  if (V::reading || part.d.offload.names != std::vector<std::string>{"none"})
    v.optional("offload", part.d.offload);
  v.optional("microbatch_size", l.microbatch_size, limits_of("layout.microbatch_size"));
  if (V::reading || l.communication_sms >= 0)
    v.optional("communication_sms", l.communication_sms, limits_of("layout.communication_sms"));
  if (V::reading || !l.stage_layers.empty())
    v.optional("stage_layers", l.stage_layers, limits_of("layout.stage_layers"));
  if (V::reading || l.mtp_stage >= 0) v.optional("mtp_stage", l.mtp_stage, limits_of("layout.mtp_stage"));
  if constexpr (V::reading) {
    // Another way of writing stage_layers, so it is not written back.
    std::string notation;
    v.optional("pipeline_layout", notation);
    if (notation.empty()) return;
    const std::string place = v.node().where("pipeline_layout");
    if (!l.stage_layers.empty()) throw InputError(place, "stage_layers is given too; keep one of the two");
    if (l.mtp_stage >= 0) throw InputError(place, "mtp_stage is given too; keep one of the two");
    PipelineLayout cut = parse_pipeline_layout(notation, place);
    l.stage_layers = std::move(cut.layers);
    l.mtp_stage = cut.mtp_stage;
  }
}

template <class V>
void fields(V& v, TrainingPart& part) {
  Training& t = part.d.training;
  v.optional("global_batch_size", t.global_batch_size, limits_of("training.global_batch_size"));
  v.optional("sequence_length", t.sequence_length, limits_of("training.sequence_length"));
  choose(v, "precision", t.precision, precision_names());
  Count tokens{t.tokens};
  if (V::reading || t.tokens > 0) v.optional("tokens", tokens, limits_of("training.tokens"));
  t.tokens = tokens.value;
  v.optional("mtp", t.mtp);
  // Beside a stack these stand for themselves, since the stack has its own.
  const bool stacked = !part.d.stack.empty();
  if (V::reading || stacked || t.attention != AttentionKernel::kFused) {
    choose(v, "attention", t.attention, attention_kernel_names());
  }
  if (V::reading || stacked || t.dropout) v.optional("dropout", t.dropout);
  if (V::reading || stacked || t.gradients != GradientFormat::kFp32) {
    choose(v, "gradients", t.gradients, gradient_format_names());
  }
  if (V::reading || stacked || t.expert_calls != ExpertCalls::kGrouped) {
    choose(v, "expert_calls", t.expert_calls, expert_calls_names());
  }
  if (V::reading || stacked || t.loss != LossKernel::kTorch) {
    choose(v, "loss", t.loss, loss_kernel_names());
  }
}

template <class V>
void fields(V& v, RoutingPart& part) {
  static const std::vector<std::string> kKinds{"balanced", "skewed"};
  Routing& r = part.d.routing;
  std::size_t kind = static_cast<std::size_t>(r.kind);
  v.choice("kind", kind, kKinds, false);
  r.kind = static_cast<Routing::Kind>(kind);
  const bool skewed = r.kind == Routing::Kind::kSkewed;
  if (V::reading || skewed) v.optional("max_over_mean", r.max_over_mean, limits_of("routing.max_over_mean"));
  if constexpr (V::reading) {
    const bool given = v.has("max_over_mean") && !v.node().value.at("max_over_mean").is_null();
    if (skewed && !given)
      throw InputError(v.node().where() + "/max_over_mean",
                       "is missing, skewed routing needs it (1 or more)");
    if (!skewed && r.max_over_mean > 1)
      throw InputError(
          v.node().where() + "/max_over_mean",
          fmt::format("found {:g} with balanced routing, expected 1 or kind 'skewed'", r.max_over_mean));
  }
}

template <class V>
void fields(V& v, Document& d) {
  schema_field(v, "orrery.scenario/1");
  v.optional("model", d.model);
  ClusterPart cluster{d};
  LayoutPart layout{d};
  TrainingPart training{d};
  RoutingPart routing{d};
  v.optional("cluster", cluster);
  v.optional("layout", layout);
  v.optional("training", training);
  if (V::reading || !d.stack.empty()) v.optional("stack", d.stack);
  v.optional("routing", routing);
  v.optional("economics", d.economics);
  v.optional("reliability", d.reliability);
}

bool is_given(const Json& root, std::string_view key) {
  const std::size_t dot = key.find('.');
  const auto it = root.find(std::string(key.substr(0, dot)));
  if (it == root.end() || it->is_null()) return false;
  return dot == std::string_view::npos || is_given(*it, key.substr(dot + 1));
}

/// Reads the strict part; errors of values that came from an option name the option.
Document read_document(const Json& root, const std::string& place, const std::vector<Override>& overrides) {
  Document document;
  try {
    read_value(JsonNode{root, place, ""}, document);
  } catch (const InputError& error) {
    std::string pointer = error.place().substr(std::min(error.place().size(), place.size()));
    if (pointer.starts_with('#')) pointer.erase(0, 1);
    throw InputError(place_of(pointer, place, overrides), error.problem());
  }
  return document;
}

/// The path a scenario means: beside the file first, then from the current folder.
std::string found_path(const std::string& name, const std::filesystem::path& base) {
  std::error_code code;
  const std::filesystem::path beside = base / name;
  return std::filesystem::exists(beside, code) ? beside.lexically_normal().string() : name;
}

/// What the steps of `parse_scenario` share.
struct Resolver {
  const Json& root;
  const std::string& place;
  const LoadContext& context;
  const std::vector<Override>& overrides;
  Document& document;
  Scenario& out;

  [[nodiscard]] std::string at(const std::string& pointer) const {
    return place_of(pointer, place, overrides);
  }
  [[nodiscard]] bool given(std::string_view key) const { return is_given(root, key); }
  void assume(const char* key, std::string value, std::string why) const {
    if (!given(key)) out.assumed.push_back({key, std::move(value), std::move(why)});
  }
  void demand(const char* key, const char* what, const char* option) const {
    if (given(key)) return;
    throw InputError(
        place, fmt::format("key '{}' is missing: give {} in the scenario or with {}", key, what, option));
  }
};

void resolve_model(const Resolver& r) {
  r.demand("model", "a model", "--model NAME");
  r.out.model_ref = r.document.model;
  const std::string& name = r.document.model;
  try {
    const bool built_in = find_in_zoo(name) != nullptr;
    LoadedModel loaded = load_model(built_in || name.empty() ? name : found_path(name, r.context.base), "");
    r.out.model = std::move(loaded.spec);
    for (const std::string& line : loaded.assumed) {
      const std::size_t equals = line.find(" = ");
      if (equals == std::string::npos) continue;
      r.out.assumed.push_back({"model." + line.substr(0, equals), line.substr(equals + 3),
                               "convention of the architecture, the configuration is silent"});
    }
  } catch (const InputError& error) {
    if (error.place() != "model") throw;
    throw InputError(r.at("/model"), error.problem());
  }
}

void resolve_stack(const Resolver& r) {
  if (r.document.stack.empty() || r.document.stack == "none") return;
  try {
    const bool is_path = r.document.stack.find_first_of("/.") != std::string::npos;
    r.out.stack = load_stack(is_path ? found_path(r.document.stack, r.context.base) : r.document.stack,
                             r.context.profiles);
  } catch (const InputError& error) {
    if (error.place() != "stack") throw;
    throw InputError(r.at("/stack"), error.problem());
  }
  r.out.stack_ref = r.document.stack;
  apply_stack(r.out.cluster.gpu, r.out.stack);
}

void resolve_cluster(const Resolver& r) {
  r.demand("cluster.profile", "a cluster profile", "--cluster NAME");
  r.demand("cluster.gpus", "the number of GPUs", "--gpus N");
  r.out.cluster_ref = r.document.cluster;
  r.out.gpus = r.document.gpus;
  try {
    const bool is_path = r.document.cluster.find_first_of("/.") != std::string::npos;
    const std::string name = is_path ? found_path(r.document.cluster, r.context.base) : r.document.cluster;
    r.out.cluster =
        r.context.load_cluster ? r.context.load_cluster(name) : load_cluster(name, r.context.profiles);
  } catch (const InputError& error) {
    if (error.place() != "cluster.profile") throw;
    throw InputError(r.at("/cluster/profile"), error.problem());
  }
  resolve_stack(r);
  r.out.cluster_options = r.document.options;
  try {
    apply_options(r.out.cluster, r.document.options, "");
  } catch (const InputError& error) {
    throw InputError(r.at("/cluster" + error.place()), error.problem());
  }
}

/// Looks the schedule up and gives the stages per rank it has where the user names none.
std::int64_t resolve_schedule(const Resolver& r) {
  Layout& layout = r.out.layout;
  const std::string place = r.at("/layout/schedule");
  if (layout.schedule.ends_with(".csv")) {
    layout.schedule = found_path(layout.schedule, r.context.base);
    const Schedule schedule = parse_csv(read_file(layout.schedule), layout.schedule);
    const auto ranks = static_cast<std::int64_t>(schedule.ranks.size());
    return std::max<std::int64_t>(1, schedule.stages / std::max<std::int64_t>(1, ranks));
  }
  try {
    return find_generator(layout.schedule).default_vpp;
  } catch (const InputError& error) {
    throw InputError(place, error.problem() + ", or a path that ends in .csv");
  }
}

void resolve_layout(const Resolver& r) {
  Layout& layout = r.out.layout;
  layout = r.document.layout;
  layout.recompute = make_recompute(r.document.recompute.names, r.at("/layout/recompute"));
  layout.offload = make_offload(r.document.offload.names, r.at("/layout/offload"));
  const std::int64_t default_vpp = resolve_schedule(r);
  if (!r.given("layout.vpp")) layout.vpp = default_vpp;
  for (const char* axis : {"layout.tp", "layout.cp", "layout.pp"})
    r.assume(axis, "1", "not cut along this axis");
  r.assume("layout.vpp", std::to_string(layout.vpp), "stages per rank this schedule has");
  if (r.out.model.moe) {
    for (const char* axis : {"layout.ep", "layout.etp"}) r.assume(axis, "1", "not cut along this axis");
  }
  r.assume("layout.zero_stage", std::to_string(layout.zero_stage),
           "optimizer state is shared over data-parallel ranks");
  if (layout.tp > 1) r.assume("layout.sequence_parallel", "false", "needs to be asked for");
  r.assume("layout.schedule", layout.schedule, "the plain pipeline schedule");
  r.assume("layout.recompute", "none", "every activation is kept");
  r.assume("layout.microbatch_size", std::to_string(layout.microbatch_size), "the smallest");
}

void resolve_training(const Resolver& r) {
  r.demand("training.global_batch_size", "the sequences of one step", "--gbs N");
  Training& training = r.out.training;
  training = r.document.training;
  resolve_program(r.out, [&](std::string_view key) { return r.given(key); });
  const std::int64_t most = r.out.model.max_positions;
  if (!r.given("training.sequence_length") && most > 0)
    training.sequence_length = std::min(training.sequence_length, most);
  r.assume("training.sequence_length", std::to_string(training.sequence_length),
           "usual in pre-training, at most what the model has positions for");
  r.assume("training.precision", to_text(training.precision), "works on every GPU");
  if (r.out.model.mtp_modules == 0) {
    if (r.given("training.mtp") && training.mtp)
      r.out.assumed.push_back({"training.mtp", "false", "the model has no multi-token-prediction modules"});
    training.mtp = false;
  } else {
    r.assume("training.mtp", "true", "the model has multi-token-prediction modules");
  }
  r.out.routing = r.document.routing;
  if (r.out.model.moe) r.assume("routing.kind", "balanced", "every expert gets the same number of tokens");
  r.out.economics = r.document.economics;
  r.out.reliability = r.document.reliability;
}

}  // namespace

Scenario parse_scenario(const std::string& text, const std::string& place, const LoadContext& context,
                        const std::vector<Override>& overrides) {
  Json root = parse_scenario_text(text, place);
  apply_overrides(root, overrides);
  Document document = read_document(root, place, overrides);
  Scenario scenario;
  const Resolver resolver{root, place, context, overrides, document, scenario};
  resolve_model(resolver);
  resolve_cluster(resolver);
  resolve_layout(resolver);
  resolve_training(resolver);
  return scenario;
}

Scenario load_scenario(const std::filesystem::path& path, const std::vector<Override>& overrides,
                       const ProfileFolders& profiles) {
  const LoadContext context{.profiles = profiles, .base = path.parent_path()};
  return parse_scenario(read_file(path), path.string(), context, overrides);
}

std::string to_json_text(const Scenario& scenario) {
  Document document{.model = scenario.model_ref,
                    .cluster = scenario.cluster_ref,
                    .stack = scenario.stack_ref,
                    .options = scenario.cluster_options,
                    .gpus = scenario.gpus,
                    .layout = scenario.layout,
                    .recompute = {},
                    .offload = {},
                    .training = scenario.training,
                    .routing = scenario.routing,
                    .economics = scenario.economics,
                    .reliability = scenario.reliability};
  document.recompute.names = words_of(scenario.layout.recompute.policy);
  document.offload.names = words_of(to_text(scenario.layout.offload));
  return JsonWriter::to_json_value(document).dump(2) + "\n";
}

}  // namespace orrery
