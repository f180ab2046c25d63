#include "sim/scenario_program.hpp"

#include <algorithm>

namespace orrery {

void set_program(const SoftwareStack& stack, Training& training, Layout& layout) {
  if (stack.name.empty()) return;
  const std::vector<std::string>& overlaps = tensor_overlap_names();
  const auto overlap = std::find(overlaps.begin(), overlaps.end(), stack.tp_overlap);
  if (overlap != overlaps.end()) layout.tp_overlap = static_cast<TensorOverlap>(overlap - overlaps.begin());
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
  set_program(s.stack, t, l);
  if (given("training.attention")) t.attention = own.attention;
  if (given("training.dropout")) t.dropout = own.dropout;
  if (given("training.gradients")) t.gradients = own.gradients;
  if (given("layout.tp_overlap")) l.tp_overlap = overlap;
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
  if (!stacked) return;
  assume("training.attention", attention_kernel_names()[static_cast<std::size_t>(t.attention)], why);
  assume("training.dropout", t.dropout ? "true" : "false", why);
  assume("training.gradients", gradient_format_names()[static_cast<std::size_t>(t.gradients)], why);
}

}  // namespace orrery
