#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/hw/cluster.hpp"
#include "sim/hw/gpu_profile.hpp"
#include "sim/model/model_spec.hpp"

/// Devices and models small and round enough to redo every sum by hand.
namespace orrery::test {

[[nodiscard]] inline Sourced toy_number(double value) {
  return {.value = value, .origin = Origin::kAssumed, .source = "toy", .date = "2025", .note = ""};
}

/// Matrix products: 10 SMs with 0.1 TFLOP/s each (`rate` together), tiles of 100 x 100, epilogue 1 TB/s, no
/// overhead.
[[nodiscard]] inline OperatorCurve toy_gemm(std::string op_class, double rate = 1e12) {
  OperatorCurve c;
  c.op_class = std::move(op_class);
  c.form = CurveForm::kGemmTile;
  c.sm_count = 10;
  c.flops_per_s = rate;
  c.output_bytes_per_s = 1e12;
  c.tiles = {{100, 100}};
  return c;
}

/// Memory-bound kernels: 1 TB/s and 1 us per kernel.
[[nodiscard]] inline OperatorCurve toy_bandwidth(std::string op_class) {
  OperatorCurve c;
  c.op_class = std::move(op_class);
  c.form = CurveForm::kBandwidth;
  c.sm_count = 10;
  c.bytes_per_s = 1e12;
  c.overhead_s = 1e-6;
  return c;
}

/// Attention: 1 TFLOP/s at every length, no overhead.
[[nodiscard]] inline OperatorCurve toy_sequence(std::string op_class) {
  OperatorCurve c;
  c.op_class = std::move(op_class);
  c.form = CurveForm::kSequence;
  c.sm_count = 10;
  c.flops_per_s_by_sequence = Curve({{1.0, 1e12}});
  return c;
}

/// 10 SMs, 1 TFLOP/s in BF16 and 2 in FP8, 1 TB/s of memory, 80 GB; nothing slows anything down. 100 W idle,
/// 1 pJ per FLOP in BF16 and 0.5 in FP8, 10 pJ per byte.
[[nodiscard]] inline GpuProfile toy_gpu() {
  GpuProfile g;
  g.name = "toy";
  g.device = "Toy 1";
  g.sm_count = toy_number(10);
  g.memory_bytes = toy_number(80e9);
  g.hbm_bytes_per_s = toy_number(1e12);
  g.peak_flops_per_s = {{"bf16", toy_number(1e12)},
                        {"fp16", toy_number(1e12)},
                        {"fp8", toy_number(2e12)},
                        {"tf32", toy_number(0.5e12)}};
  g.launch_s = toy_number(1e-6);
  g.power.idle_w = toy_number(100);
  g.power.cap_w = toy_number(500);
  g.power.communication_floor_w = toy_number(120);
  g.power.joules_per_flop = {{"bf16", toy_number(1e-12)}, {"fp8", toy_number(0.5e-12)}};
  g.power.joules_per_byte = toy_number(1e-11);
  for (const char* product : {"gemm", "grouped-gemm", "wgrad", "grouped-wgrad"}) {
    g.operators.push_back(toy_gemm(std::string(product) + ".bf16"));
    g.operators.push_back(toy_gemm(std::string(product) + ".fp8-block", 2e12));
    g.operators.push_back(toy_gemm(std::string(product) + ".fp8-tensor", 2e12));
  }
  for (const char* attention :
       {"attention.forward", "attention.backward", "attention-mla.forward", "attention-mla.backward"}) {
    g.operators.push_back(toy_sequence(attention));
  }
  for (const char* memory : {"norm", "quantize", "activation", "rotary", "permute", "router", "copy",
                             "embedding", "loss", "optimizer"}) {
    g.operators.push_back(toy_bandwidth(std::string("memory.") + memory));
  }
  return g;
}

/// Nodes of 8 toy GPUs; every link 100 GB/s per GPU and direction with 1 us, all of it reachable, no
/// oversubscription; expert kernels at the same 100 GB/s with 2 SMs, after 3, 2 and 1 us to
/// notify (dispatch, cached dispatch, combine).
[[nodiscard]] inline ClusterProfile toy_cluster() {
  ClusterProfile c;
  c.name = "toy";
  c.gpu_name = "toy";
  c.gpu = toy_gpu();
  c.gpus_per_node = 8;
  c.scale_up = {.bytes_per_s = toy_number(100e9), .efficiency = toy_number(1), .latency_s = toy_number(1e-6)};
  c.scale_out = c.scale_up;
  c.topology = "fat-tree";
  c.switch_radix = toy_number(64);
  c.oversubscription = toy_number(1);
  c.expert_all_to_all.kernel = "toy";
  c.expert_all_to_all.sm_count = 2;
  c.expert_all_to_all.dispatch_bytes_per_s = Curve({{8.0, 100e9}, {64.0, 100e9}});
  c.expert_all_to_all.combine_bytes_per_s = Curve({{8.0, 100e9}, {64.0, 100e9}});
  c.expert_all_to_all.nvlink_dispatch_bytes_per_s = 100e9;
  c.expert_all_to_all.nvlink_combine_bytes_per_s = 100e9;
  c.expert_all_to_all.notify_dispatch_s = toy_number(3e-6);
  c.expert_all_to_all.notify_cached_s = toy_number(2e-6);
  c.expert_all_to_all.notify_combine_s = toy_number(1e-6);
  c.expert_all_to_all.source = "toy";
  c.expert_all_to_all.date = "2025";
  c.node_overhead_w = toy_number(1000);
  c.host_link_bytes_per_s = toy_number(50e9);
  return c;
}

/// Width 8, 4 layers, 4 heads of 2 with 2 key/value heads, feed-forward 16, 32 words.
/// Per layer: attention 8*8 + 2*8*4 + 8*8 = 192, feed-forward 3*8*16 = 384, norms 16: 592.
[[nodiscard]] inline ModelSpec toy_dense() {
  ModelSpec m;
  m.name = "toy-dense";
  m.architecture = "ToyForCausalLM";
  m.hidden = 8;
  m.layers = 4;
  m.heads = 4;
  m.kv_heads = 2;
  m.head_dim = 2;
  m.ffn = 16;
  m.vocab = 32;
  m.max_positions = 4096;
  return m;
}

/// The same attention; one dense layer, then three with 8 experts of width 4 (96 weights each), 2 chosen, and
/// a shared one of width 4.
[[nodiscard]] inline ModelSpec toy_moe() {
  ModelSpec m = toy_dense();
  m.name = "toy-moe";
  m.leading_dense_layers = 1;
  m.moe = MoeShape{.experts = 8, .top_k = 2, .expert_ffn = 4, .shared_experts = 1, .shared_ffn = 4};
  return m;
}

/// toy_moe with two dense layers and a window of 16 keys in layers 0 and 2: every kind of layer once.
[[nodiscard]] inline ModelSpec toy_window() {
  ModelSpec m = toy_moe();
  m.name = "toy-window";
  m.leading_dense_layers = 2;
  m.sliding_window = 16;
  m.full_layers = {1, 3};
  return m;
}

/// toy_moe with latent attention: query 6, key/value 5, heads of 2 + 1 rotary and 3, and one MTP module.
[[nodiscard]] inline ModelSpec toy_mla() {
  ModelSpec m = toy_moe();
  m.name = "toy-mla";
  m.kv_heads = 4;
  m.mla = MlaShape{
      .q_lora_rank = 6, .kv_lora_rank = 5, .qk_nope_head_dim = 2, .qk_rope_head_dim = 1, .v_head_dim = 3};
  m.mtp_modules = 1;
  return m;
}

}  // namespace orrery::test
