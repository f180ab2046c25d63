#include "planner/table_case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "planner/table_machine.hpp"
#include "planner/table_model.hpp"
#include "sim/schedule/generators.hpp"

namespace orrery {
namespace {

/// A row on its way to a scenario.
struct Draft {
  const PublishedRow& row;
  Scenario& s;

  void assume(const char* cell, std::string value, const char* why) const {
    s.assumed.push_back({cell, std::move(value), why});
  }
};

bool holds(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

/// Seconds of a step; the sequences of a step, their length and the GPUs are known to be stated.
double step_seconds(const PublishedRow& row) {
  if (row.metric == "step_time") return row.unit == "ms" ? *row.value / 1e3 : *row.value;
  const double per_step = row.unit == "tokens/s/GPU" ? static_cast<double>(*row.seq_len) : 1.0;
  return static_cast<double>(*row.gbs) * per_step / (*row.value * static_cast<double>(*row.gpus));
}

MaybeSkip check_metric(const PublishedRow& row) {
  static constexpr std::array<std::string_view, 3> kSpeeds{"tokens/s/GPU", "samples/s/GPU",
                                                           "sequences/s/GPU"};
  const bool time = row.metric == "step_time";
  if (!time && row.metric != "throughput_per_gpu")
    return Skip{SkipReason::kMetric,
                row.metric.empty() ? std::string("measured_metric is empty") : row.metric};
  const bool known = time ? row.unit == "s" || row.unit == "ms" || row.unit.starts_with("s (")
                          : std::find(kSpeeds.begin(), kSpeeds.end(), row.unit) != kSpeeds.end();
  if (!known) return Skip{SkipReason::kMetric, fmt::format("{} in '{}'", row.metric, row.unit)};
  return {};
}

MaybeSkip check_cells(const PublishedRow& row) {
  const std::pair<const char*, bool> cells[] = {
      {"measured_value", row.value.has_value()},
      {"n_gpus", row.gpus.has_value()},
      {"seq_len", row.seq_len.has_value()},
      {"gbs_sequences", row.gbs.has_value()},
      {"mbs", row.mbs.has_value()},
      {"tp", row.tp.has_value()},
      {"pp", row.pp.has_value()},
  };
  for (const auto& [name, given] : cells) {
    if (!given) return Skip{SkipReason::kCell, fmt::format("{} is empty", name)};
  }
  return {};
}

MaybeSkip set_precision(const Draft& d) {
  const std::vector<std::string> words = lower_words(d.row.precision);
  const bool fp8 = holds(words, "fp8") || holds(words, "float8");
  const bool bf16 = holds(words, "bf16");
  const bool fp16 = holds(words, "fp16");
  Precision& out = d.s.training.precision;
  if (words.empty() && d.row.gpu.starts_with("A100")) {
    out = Precision::kBf16;
    d.assume("precision", "bf16", "16-bit formats cost the same on A100");
    return {};
  }
  if (words.empty()) return Skip{SkipReason::kCell, "precision is empty"};
  for (const char* other : {"nvfp4", "mxfp4", "fp4", "int8"}) {
    if (holds(words, other)) return Skip{SkipReason::kPrecision, d.row.precision};
  }
  if (holds(words, "mxfp8")) {
    out = Precision::kMxfp8;
    return {};
  }
  if (!fp8 && bf16 == fp16) return Skip{SkipReason::kPrecision, d.row.precision};
  out = fp8 ? Precision::kFp8Tensor : bf16 ? Precision::kBf16 : Precision::kFp16;
  return {};
}

MaybeSkip set_degrees(const Draft& d) {
  const PublishedRow& row = d.row;
  Layout& l = d.s.layout;
  l.tp = *row.tp;
  l.pp = *row.pp;
  l.cp = row.cp.value_or(1);
  l.vpp = l.pp > 1 ? row.vpp.value_or(1) : 1;
  if (!row.cp) d.assume("cp", "1", "not cut");
  l.microbatch_size = *row.mbs;
  d.s.gpus = *row.gpus;
  d.s.training.global_batch_size = *row.gbs;
  d.s.training.sequence_length = *row.seq_len;
  if (!d.s.model.moe) {
    if (row.dp) l.dp = *row.dp;  // of a model with experts some sources give that of the experts
    return {};
  }
  if (!row.ep) return Skip{SkipReason::kCell, "ep is empty, the model has experts"};
  l.ep = *row.ep;
  l.etp = row.etp.value_or(l.tp);
  if (!row.etp && l.tp > 1) d.assume("etp", std::to_string(l.etp), "as tp");
  return {};
}

MaybeSkip set_zero(const Draft& d) {
  const std::string& text = d.row.zero_stage;
  std::int64_t& stage = d.s.layout.zero_stage;
  const std::vector<std::string> words = lower_words(text);
  if (holds(words, "offload")) return Skip{SkipReason::kFeature, fmt::format("zero_stage {}", text)};
  if (text.empty()) {
    stage = 1;
    d.assume("zero_stage", "1", "distributed optimizer");
  } else if (text[0] >= '0' && text[0] <= '3') {
    stage = text[0] - '0';
  } else if (words.front().starts_with("fsdp") || words.front().starts_with("hsdp")) {
    stage = 3;
  } else {
    return Skip{SkipReason::kFeature, fmt::format("zero_stage {}", text)};
  }
  return {};
}

MaybeSkip set_schedule(const Draft& d) {
  struct Known {
    std::string_view written, name;
  };
  static constexpr std::array<Known, 10> kKnown{{{"1f1b", "1f1b"},
                                                 {"gpipe", "gpipe"},
                                                 {"interleaved1f1b", "interleaved-1f1b"},
                                                 {"1f1bi", "interleaved-1f1b"},
                                                 {"zb1p", "zb-h1"},
                                                 {"zb2p", "zb-h2"},
                                                 {"zbv", "zb-v"},
                                                 {"dualpipe", "dualpipe"},
                                                 {"dualpipev", "dualpipev"},
                                                 {"", "1f1b"}}};
  Layout& l = d.s.layout;
  std::optional<std::int64_t> vpp = d.row.vpp;
  if (!vpp && contains(d.row.notes, "1F1B-I uses 1 layer per chunk")) {
    // The first and last stage hold one layer less: 22 layers on 8 ranks are 3 chunks a rank.
    vpp = (d.s.model.layers + 2 + l.pp - 1) / l.pp;
  }
  std::string bare;
  for (const std::string& word : lower_words(d.row.schedule)) bare += word;
  const auto* known =
      std::find_if(kKnown.begin(), kKnown.end(), [&](const Known& k) { return k.written == bare; });
  const std::string name(known == kKnown.end() ? std::string_view{} : known->name);
  const auto all = generators();
  const auto generator = std::find_if(all.begin(), all.end(), [&](const auto& g) { return g.name == name; });
  if (generator == all.end()) return Skip{SkipReason::kSchedule, d.row.schedule};
  l.schedule = l.vpp > 1 && name == "1f1b" ? "interleaved-1f1b" : name;
  if (l.schedule == "interleaved-1f1b" && vpp && l.pp > 1) l.vpp = *vpp;
  if (l.schedule == "interleaved-1f1b" && l.pp > 1 && !vpp)
    return Skip{SkipReason::kCell, "vpp is empty, the schedule is interleaved"};
  if (l.vpp == 1 && generator->default_vpp > 1 && !d.row.vpp) l.vpp = generator->default_vpp;
  if (l.vpp == 1 && l.schedule == "interleaved-1f1b") l.schedule = "1f1b";
  if (contains(d.row.notes, "1F1B EP-A2A overlap")) l.schedule = "combined-1f1b";
  if (bare.empty() && l.pp > 1) d.assume("schedule", l.schedule, "usual");
  if (name.starts_with("zb-")) {
    l.optimizer_sync = OptimizerSync::kPostValidation;
    d.assume("optimizer_sync", "post-validation", "part of the zero bubble schedules, arXiv 2401.10241, 4");
  }
  return {};
}

/// Launchers cut the layers into equal parts; the simulator would balance them by time.
void set_stages(const Draft& d) {
  Layout& l = d.s.layout;
  const std::int64_t stages = l.pp * l.vpp;
  if (stages == 1 || d.s.training.mtp) return;
  const bool short_ends = contains(d.row.notes, "first/last stage have one layer less");
  const std::int64_t layers = d.s.model.layers + (short_ends ? 2 : 0);
  if (layers % stages != 0) return;
  l.stage_layers.assign(static_cast<std::size_t>(stages), layers / stages);
  if (short_ends) {
    --l.stage_layers.front();
    --l.stage_layers.back();
  }
  d.assume("stage_layers", short_ends ? "one less at both ends" : "equal", "as launchers cut them");
}

MaybeSkip set_recompute(const Draft& d) {
  const std::vector<std::string> words = lower_words(d.row.recompute);
  std::vector<std::string> names;
  if (words.empty()) {
    names = {"none"};
    d.assume("recompute", "none", "usual where memory allows");
  } else if (words.front() == "full" || words.front() == "none") {
    names = {words.front()};
  } else if (words.front() == "selective") {
    if (holds(words, "norm") || holds(words, "norms")) names.emplace_back("norms");
    if (holds(words, "act") || holds(words, "activation")) names.emplace_back("activation");
    // PyTorch's selective checkpointing by operator keeps products and attention.
    if (holds(words, "sac")) names = {"norms", "activation"};
    if (names.empty()) names = {"selective"};
  } else {
    return Skip{SkipReason::kFeature, fmt::format("recompute {}", d.row.recompute)};
  }
  d.s.layout.recompute = make_recompute(names, "recompute");
  return {};
}

void set_sequence_parallel(const Draft& d) {
  Layout& l = d.s.layout;
  if (l.tp == 1) return;
  const std::string texts = d.row.recompute + "; " + d.row.notes;
  if (contains(texts, "no sequence parallel")) return;
  if (contains(texts, "sequence parallel")) {
    l.sequence_parallel = true;
    return;
  }
  bool early = false;  // before Megatron-LM had it, August 2022
  for (const char* source : {"SC21", "BigScience", "MT-NLG"}) early = early || contains(d.row.source, source);
  l.sequence_parallel = !early && *d.row.seq_len % (l.tp * l.cp) == 0;
  d.assume("sequence_parallel", l.sequence_parallel ? "true" : "false", "by the age of the source");
}

}  // namespace

MaybeSkip check_task(const PublishedRow& row) {
  std::vector<std::string> words = lower_words(row.model);
  const std::vector<std::string> first = lower_words(row.notes.substr(0, row.notes.find_first_of(";,")));
  words.insert(words.end(), first.begin(), first.end());
  for (const char* task : {"lora", "sft", "grpo", "dpo"}) {
    if (holds(words, task)) return Skip{SkipReason::kTask, std::string(task)};
  }
  return {};
}

double node_bytes_per_s(std::string_view text) {
  const auto digit = [&](std::size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
  const auto number = [&](std::size_t& i) {
    double value = 0;
    for (; digit(i) && value < 1e9; ++i) value = 10 * value + (text[i] - '0');
    return value;
  };
  double ports = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (!digit(i)) {
      if (text[i] == ';') ports = 0;
      ++i;
      continue;
    }
    const double value = number(i);
    if (i < text.size() && text[i] == 'x') {
      ports = value;
      continue;
    }
    std::size_t unit = i;
    while (unit < text.size() && text[unit] == ' ') ++unit;
    if (ports == 0 || unit >= text.size() || text[unit] != 'G') continue;
    const bool bytes = unit + 1 < text.size() && text[unit + 1] == 'B';
    return ports * value * (bytes ? 1e9 : 1e9 / 8);
  }
  return 0;
}

std::string inputs_text(const Scenario& s) {
  const Layout& l = s.layout;
  std::string text =
      fmt::format("{} x {}: tp{} cp{} pp{} vpp{}", s.gpus, s.cluster_ref, l.tp, l.cp, l.pp, l.vpp);
  if (s.model.moe) text += fmt::format(" ep{} etp{}", l.ep, l.etp);
  text += fmt::format(" mbs{} gbs{} seq{} {} {} zero{} recompute {}{}", l.microbatch_size,
                      s.training.global_batch_size, s.training.sequence_length, to_text(s.training.precision),
                      l.schedule, l.zero_stage, l.recompute.policy,
                      l.sequence_parallel ? " sequence-parallel" : "");
  const char* before = "; assumed ";
  for (const Scenario::Assumed& a : s.assumed) {
    text += fmt::format("{}{} = {}", before, a.name, a.value);
    before = ", ";
  }
  return text;
}

std::variant<Scenario, Skip> table_scenario(const PublishedRow& row, const ProfileFolders& folders) {
  Scenario out;
  const Draft draft{row, out};
  if (MaybeSkip skip = set_cluster(row, folders, out)) return *skip;
  if (MaybeSkip skip = check_cells(row)) return *skip;
  if (MaybeSkip skip = set_precision(draft)) return *skip;
  if (MaybeSkip skip = set_model(row, out)) return *skip;
  if (MaybeSkip skip = set_degrees(draft)) return *skip;
  if (MaybeSkip skip = set_zero(draft)) return *skip;
  if (MaybeSkip skip = set_schedule(draft)) return *skip;
  if (MaybeSkip skip = set_recompute(draft)) return *skip;
  set_stages(draft);
  set_sequence_parallel(draft);
  set_stack(row, folders, out);
  return out;
}

std::variant<TableCase, Skip> table_case(const PublishedRow& row, const ProfileFolders& folders) {
  if (MaybeSkip skip = check_metric(row)) return *skip;
  if (MaybeSkip skip = check_task(row)) return *skip;
  std::variant<Scenario, Skip> read = table_scenario(row, folders);
  if (const Skip* skip = std::get_if<Skip>(&read)) return *skip;
  return TableCase{.scenario = std::move(std::get<Scenario>(read)), .measured_step_s = step_seconds(row)};
}

}  // namespace orrery
