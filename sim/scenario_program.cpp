#include "sim/scenario_program.hpp"

#include <algorithm>

namespace orrery {
namespace {

/// Leaves `value` where the word is none of the names.
template <class E>
void set_word(E& value, const std::vector<std::string>& names, const std::string& word) {
  const auto found = std::find(names.begin(), names.end(), word);
  if (found != names.end()) value = static_cast<E>(found - names.begin());
}

}  // namespace

void set_program(const SoftwareStack& stack, Training& training, Layout& layout) {
  if (stack.name.empty()) return;
  set_word(layout.tp_overlap, tensor_overlap_names(), stack.tp_overlap);
  set_word(layout.moe_dispatcher, token_dispatcher_names(), stack.moe_dispatcher);
  set_word(training.loss, loss_kernel_names(), stack.loss);
  set_word(training.expert_calls, expert_calls_names(), stack.expert_calls);
  training.attention = stack.attention == "unfused" ? AttentionKernel::kUnfused : AttentionKernel::kFused;
  training.dropout = stack.dropout;
  const char* family = is_fp8(training.precision) ? "fp8" : to_text(training.precision);
  const auto& with = stack.gradients_16bit_with;
  const bool half = std::find(with.begin(), with.end(), family) != with.end();
  training.gradients = half ? GradientFormat::kBf16 : GradientFormat::kFp32;
}

void resolve_program(Scenario& s, const std::function<bool(std::string_view)>& given) {
  Training& t = s.training;
  Layout& l = s.layout;
  const Training own = t;
  const TensorOverlap overlap = l.tp_overlap;
  const TokenDispatcher dispatcher = l.moe_dispatcher;
  set_program(s.stack, t, l);
  if (given("training.attention")) t.attention = own.attention;
  if (given("training.dropout")) t.dropout = own.dropout;
  if (given("training.gradients")) t.gradients = own.gradients;
  if (given("training.loss")) t.loss = own.loss;
  if (given("training.expert_calls")) t.expert_calls = own.expert_calls;
  if (given("layout.tp_overlap")) l.tp_overlap = overlap;
  if (given("layout.moe_dispatcher")) l.moe_dispatcher = dispatcher;
  const auto name = [](TensorOverlap o) { return tensor_overlap_names()[static_cast<std::size_t>(o)]; };
  const auto assume = [&](const char* key, std::string value, const std::string& why) {
    if (!given(key)) s.assumed.push_back({key, std::move(value), why});
  };
  const bool stacked = !s.stack.name.empty();
  const std::string why = s.stack.name + ": " + s.stack.flags_source;
  if (l.tp > 1 && !l.sequence_parallel && l.tp_overlap == TensorOverlap::kProducts) {
    // Pieces of products travel with rows that sequence parallelism has cut.
    l.tp_overlap = TensorOverlap::kWeightGradients;
    s.assumed.push_back({"layout.tp_overlap", name(l.tp_overlap), "products need sequence parallelism"});
  } else if (l.tp > 1) {
    assume("layout.tp_overlap", name(l.tp_overlap), stacked ? why : "as Megatron-LM does by itself");
  }
  if (stacked || s.model.moe) {
    assume("layout.moe_dispatcher", token_dispatcher_names()[static_cast<std::size_t>(l.moe_dispatcher)],
           stacked ? why : "kernels of DeepEP's kind");
  }
  if (!stacked) return;
  assume("training.expert_calls", expert_calls_names()[static_cast<std::size_t>(t.expert_calls)], why);
  assume("training.attention", attention_kernel_names()[static_cast<std::size_t>(t.attention)], why);
  assume("training.loss", loss_kernel_names()[static_cast<std::size_t>(t.loss)], why);
  assume("training.dropout", t.dropout ? "true" : "false", why);
  assume("training.gradients", gradient_format_names()[static_cast<std::size_t>(t.gradients)], why);
}

}  // namespace orrery
