#include "sim/layout/layout.hpp"

#include <algorithm>

#include "sim/base/check.hpp"
#include "sim/base/suggest.hpp"

namespace orrery {

const std::vector<std::string>& precision_names() {
  static const std::vector<std::string> kNames{"bf16", "fp16", "fp8-tensor", "fp8-block", "mxfp8"};
  return kNames;
}

const std::vector<std::string>& message_rule_names() {
  static const std::vector<std::string> kNames{"blocking", "async", "rendezvous"};
  return kNames;
}

const std::vector<std::string>& weight_gradient_names() {
  static const std::vector<std::string> kNames{"as-scheduled", "split", "merged"};
  return kNames;
}

const std::vector<std::string>& optimizer_sync_names() {
  static const std::vector<std::string> kNames{"barrier", "post-validation"};
  return kNames;
}

const std::vector<std::string>& tensor_overlap_names() {
  static const std::vector<std::string> kNames{"none", "weight-gradients", "products"};
  return kNames;
}

const std::vector<std::string>& token_dispatcher_names() {
  static const std::vector<std::string> kNames{"deepep", "alltoall"};
  return kNames;
}

const std::vector<std::string>& loss_kernel_names() {
  static const std::vector<std::string> kNames{"torch", "fused"};
  return kNames;
}

const std::vector<std::string>& expert_calls_names() {
  static const std::vector<std::string> kNames{"grouped", "per-expert"};
  return kNames;
}

const std::vector<std::string>& gradient_format_names() {
  static const std::vector<std::string> kNames{"fp32", "bf16"};
  return kNames;
}

const std::vector<std::string>& attention_kernel_names() {
  static const std::vector<std::string> kNames{"fused", "unfused"};
  return kNames;
}

const char* to_text(Precision precision) {
  return precision_names()[static_cast<std::size_t>(precision)].c_str();
}

namespace {

bool apply_operator(const std::string& name, Recompute& r) {
  if (name == "norms") return r.norms = true;
  if (name == "mla-up") return r.mla_up = true;
  if (name == "activation") return r.activation = true;
  if (name == "attention-core") return r.attention_core = true;
  if (name == "layer") return r.layer = true;
  return false;
}

}  // namespace

Recompute make_recompute(const std::vector<std::string>& names, const std::string& place) {
  static const std::vector<std::string> kPolicies{"none", "selective", "full", "deepseek-v3"};
  static const std::vector<std::string> kOperators{"norms", "mla-up", "activation", "attention-core",
                                                   "layer"};
  Recompute r;
  if (names.empty()) return r;
  if (names.size() == 1 && std::find(kPolicies.begin(), kPolicies.end(), names[0]) != kPolicies.end()) {
    r.policy = names[0];
    r.attention_core = r.policy == "selective";
    r.layer = r.policy == "full";
    r.norms = r.mla_up = r.activation = r.policy == "deepseek-v3";
    return r;
  }
  r.policy = join(names, "+");
  for (const std::string& name : names) {
    if (apply_operator(name, r)) continue;
    std::vector<std::string> known = kOperators;
    if (names.size() == 1) known.insert(known.begin(), kPolicies.begin(), kPolicies.end());
    throw InputError(place, "found '" + name + "', expected a policy (" + join(kPolicies) +
                                ") or a list of operators (" + join(kOperators) + ")" +
                                did_you_mean(name, known));
  }
  // The whole layer holds its parts: nothing is computed a third time.
  if (r.layer) r.norms = r.mla_up = r.activation = r.attention_core = false;
  return r;
}

Offload make_offload(const std::vector<std::string>& names, const std::string& place) {
  static const std::vector<std::string> kNames{"none", "optimizer", "activations"};
  Offload offload;
  for (const std::string& name : names) {
    if (name == "optimizer") {
      offload.optimizer = true;
    } else if (name == "activations") {
      offload.activations = true;
    } else if (name != "none" || names.size() > 1) {
      throw InputError(place, "found '" + name + "', expected none, or a list of optimizer and activations" +
                                  did_you_mean(name, kNames));
    }
  }
  return offload;
}

std::string to_text(const Offload& offload) {
  if (offload.optimizer && offload.activations) return "optimizer+activations";
  if (offload.optimizer) return "optimizer";
  return offload.activations ? "activations" : "none";
}

Derived derive(const Layout& layout, const Training& training, std::int64_t gpus) {
  Derived d;
  d.gpus = gpus;
  d.dp = gpus / (layout.tp * layout.cp * layout.pp);
  d.expert_dp = gpus / (layout.etp * layout.ep * layout.pp);
  d.stages = layout.pp * layout.vpp;
  d.microbatches = d.dp > 0 ? training.global_batch_size / (d.dp * layout.microbatch_size) : 0;
  d.tokens_per_microbatch = layout.microbatch_size * training.sequence_length / layout.cp;
  return d;
}

}  // namespace orrery
