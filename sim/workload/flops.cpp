#include "sim/workload/flops.hpp"

#include "sim/model/param_count.hpp"
#include "sim/workload/op.hpp"

namespace orrery {

Flops model_flops_per_token(const ModelSpec& model, std::int64_t sequence_length, bool causal) {
  const double linear = 6.0 * static_cast<double>(count_params(model).active_without_lookup());
  // Scores and weighted values: 2 x (qk + v) FLOPs per head and key; the mean causal token sees half the
  // keys.
  const double keys = static_cast<double>(sequence_length) * (causal ? 0.5 : 1.0);
  const double per_layer =
      2.0 * static_cast<double>(model.heads * (model.qk_head_dim() + model.v_head_dim())) * keys;
  auto layers = static_cast<double>(model.layers);
  if (causal) {
    layers -= static_cast<double>(model.window_layers()) *
              (1.0 - window_share(sequence_length, model.sliding_window));
  }
  return Flops{linear + 3.0 * per_layer * layers};
}

}  // namespace orrery
