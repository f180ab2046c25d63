#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/hw/cluster.hpp"

namespace orrery {

/// What a training program of a certain age and kind runs on one GPU, where that differs from the kernels of
/// the GPU's profile.
struct StackKernels {
  std::string gpu;  ///< name of a GPU profile
  /// Fused attention, forward and backward together: [tokens of a sequence, FLOP/s], causal FLOPs counted
  /// once. Empty: as the profile.
  Curve attention_flops_per_s;
  Origin origin = Origin::kAssumed;
  std::string source, date, note;
  /// Factors on the time of compute kernels, 1 where none is given.
  struct Factor {
    std::string op_class;  ///< prefix of operator classes; empty: all. The longest that fits counts
    Sourced factor;        ///< 0.1 to 10
  };
  std::vector<Factor> kernel_time;
};

/// A training program with its kernels and its host side. Loaded from hwprofiles/stack/<name>.json (schema
/// orrery.stack/1). What a user's own scenario sets comes before it.
struct SoftwareStack {
  std::string name;   ///< empty: none, the profile's kernels and today's programs
  std::string about;  ///< one line
  std::string attention = "fused";
  std::string loss = "torch";  ///< kernels of the cross-entropy: see sim/layout
  bool dropout = false;
  /// Families of precision in which weight gradients are summed up and reduced in 16 bits: "bf16", "fp16",
  /// "fp8".
  std::vector<std::string> gradients_16bit_with;
  std::string tp_overlap = "weight-gradients";  ///< beside tensor-parallel collectives: see sim/layout
  std::string moe_dispatcher = "deepep";        ///< tokens to their experts: see sim/layout
  std::string expert_calls = "grouped";         ///< of the host, for a rank's experts: see sim/layout
  std::string flags_source;                     ///< of all these
  std::optional<Sourced> host_launch_s;  ///< time the host needs for one kernel, in place of the profile's
  std::vector<StackKernels> gpus;

  [[nodiscard]] const StackKernels* find(const std::string& gpu) const;
};

/// `name` of a file under stack/ (without .json) or a path. Errors: InputError naming the nearest known.
[[nodiscard]] SoftwareStack load_stack(const std::string& name_or_path, const ProfileFolders& folders);

/// Puts the stack's kernels and host into the GPU's profile; a stack without a name changes nothing.
void apply_stack(GpuProfile& gpu, const SoftwareStack& stack);

}  // namespace orrery
