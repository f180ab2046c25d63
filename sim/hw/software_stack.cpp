#include "sim/hw/software_stack.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/fields.hpp"
#include "sim/base/suggest.hpp"
#include "sim/hw/curve_rates.hpp"
#include "sim/hw/hw_fields.hpp"

namespace orrery {

template <class V>
void fields(V& v, StackKernels::Factor& f) {
  v.required("class", f.op_class);
  v.required("factor", f.factor);
  if constexpr (V::reading) {
    if (!(f.factor.value >= 0.1 && f.factor.value <= 10))
      throw InputError(v.node().where("factor") + "/value",
                       fmt::format("found {:g}, expected 0.1 to 10", f.factor.value));
  }
}

template <class V>
void fields(V& v, StackKernels& k) {
  v.required("gpu", k.gpu);
  curve_field(v, "attention_flops_per_s", k.attention_flops_per_s, false);
  provenance_fields(v, k.origin, k.source, k.date, k.note);
  v.optional("kernel_time", k.kernel_time);
}

/// A word out of a list; not written where it is the first and `always` is false.
template <class V>
void word(V& v, const char* key, std::string& value, const std::vector<std::string>& words, bool always) {
  if (!V::reading && !always && value == words.front()) return;
  auto at = static_cast<std::size_t>(std::find(words.begin(), words.end(), value) - words.begin());
  v.choice(key, at, words, always);
  value = words.at(at);
}

template <class V>
void fields(V& v, SoftwareStack& s) {
  schema_field(v, "orrery.stack/1");
  v.required("name", s.name);
  v.required("about", s.about);
  word(v, "attention", s.attention, {"fused", "unfused"}, true);
  word(v, "loss", s.loss, {"torch", "fused"}, false);
  v.required("dropout", s.dropout);
  v.required("gradients_16bit_with", s.gradients_16bit_with);
  word(v, "tp_overlap", s.tp_overlap, {"none", "weight-gradients", "products"}, true);
  word(v, "moe_dispatcher", s.moe_dispatcher, {"deepep", "alltoall"}, false);
  word(v, "expert_calls", s.expert_calls, {"grouped", "per-expert"}, false);
  v.required("flags_source", s.flags_source);
  v.optional("host_launch_s", s.host_launch_s);
  v.required("gpus", s.gpus);
  if constexpr (V::reading) {
    static const std::vector<std::string> kFamilies{"bf16", "fp16", "fp8"};
    for (const std::string& family : s.gradients_16bit_with) {
      if (std::find(kFamilies.begin(), kFamilies.end(), family) == kFamilies.end())
        throw InputError(v.node().where("gradients_16bit_with"),
                         fmt::format("found '{}', expected any of {}{}", family, join(kFamilies),
                                     did_you_mean(family, kFamilies)));
    }
    if (s.host_launch_s && !(s.host_launch_s->value >= 0 && s.host_launch_s->value <= 1))
      throw InputError(v.node().where("host_launch_s") + "/value",
                       fmt::format("found {:g}, expected 0 to 1 s", s.host_launch_s->value));
  }
}

const StackKernels* SoftwareStack::find(const std::string& gpu) const {
  const auto it = std::find_if(gpus.begin(), gpus.end(), [&](const StackKernels& k) { return k.gpu == gpu; });
  return it == gpus.end() ? nullptr : &*it;
}

SoftwareStack load_stack(const std::string& name_or_path, const ProfileFolders& folders) {
  std::filesystem::path path = find_profile("stack", name_or_path, folders);
  if (path.empty() && std::filesystem::is_regular_file(name_or_path)) path = name_or_path;
  if (path.empty()) {
    std::vector<std::string> known = list_profiles("stack", folders);
    known.insert(known.begin(), "none");
    throw InputError("stack", fmt::format("found '{}', expected a file or one of: {}{}", name_or_path,
                                          join(known), did_you_mean(name_or_path, known)));
  }
  const Json json = load_json(path);
  SoftwareStack stack;
  read_value(JsonNode{json, path.string(), ""}, stack);
  return stack;
}

namespace {

void set_attention(GpuProfile& gpu, const StackKernels& k) {
  for (OperatorCurve& curve : gpu.operators) {
    if (!curve.op_class.starts_with("attention.")) continue;
    curve.form = CurveForm::kSequence;
    curve.flops_per_s_by_sequence = k.attention_flops_per_s;
    curve.sm_count = static_cast<std::int64_t>(gpu.sm_count.value);
    curve.beside_communication = false;
    curve.sm_exponent = 1;
    curve.origin = k.origin;
    curve.source = k.source;
    curve.date = k.date;
    curve.note = k.note;
    curve.median_error.reset();
    curve.p90_error.reset();
    curve.points = 0;
  }
}

void slow_down(OperatorCurve& curve, const StackKernels& k, const std::string& stack) {
  const StackKernels::Factor* best = nullptr;
  for (const StackKernels::Factor& f : k.kernel_time) {
    if (!curve.op_class.starts_with(f.op_class)) continue;
    if (best == nullptr || f.op_class.size() > best->op_class.size()) best = &f;
  }
  if (best == nullptr) return;
  const double factor = best->factor.value;
  scale_rates(curve, 1 / factor);
  curve.overhead_s *= factor;
  curve.note += fmt::format("{}Time x {:g} for {}.", curve.note.empty() ? "" : " ", factor, stack);
}

}  // namespace

void apply_stack(GpuProfile& gpu, const SoftwareStack& stack) {
  if (stack.name.empty()) return;
  if (stack.host_launch_s) gpu.host_launch_s = *stack.host_launch_s;
  const StackKernels* k = stack.find(gpu.name);
  if (k == nullptr) return;
  if (!k->attention_flops_per_s.points().empty()) set_attention(gpu, *k);
  for (OperatorCurve& curve : gpu.operators) slow_down(curve, *k, stack.name);
}

}  // namespace orrery
