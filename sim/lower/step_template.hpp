#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "sim/base/units.hpp"
#include "sim/engine/sharing.hpp"
#include "sim/engine/sim_time.hpp"
#include "sim/engine/timeline.hpp"
#include "sim/hw/cluster.hpp"
#include "sim/layout/data_parallel.hpp"
#include "sim/layout/rank_map.hpp"
#include "sim/lower/slowdown_rows.hpp"
#include "sim/lower/streams.hpp"
#include "sim/network/collectives.hpp"
#include "sim/schedule/action.hpp"
#include "sim/schedule/passes.hpp"
#include "sim/workload/stage_work.hpp"

namespace orrery {

/// One kernel or transfer with its cost worked out; what a trace shows about it.
struct CostedItem {
  const char* name = "";
  Lane lane = Lane::kCompute;
  TaskKind kind = TaskKind::kCompute;
  SimTime duration;  ///< alone
  std::uint16_t slowdown_row = 0;
  double flops = 0;
  double bytes = 0;            ///< of device memory, or payload of a transfer
  double scale_out_bytes = 0;  ///< through the NIC
  std::int64_t host_calls = 1;
  Beside beside = Beside::kNothing;
  std::string op_class;
};

/// The tasks of one step of a rank's program, without times of day: instantiated once per microbatch.
struct TemplateTask {
  std::uint32_t item = 0;   ///< index into StepTemplates::items
  std::int32_t after = -1;  ///< earlier task of the template on another lane it waits for; -1: none
  std::int32_t also = -1;   ///< one more: the gathered weights or input a kernel needs
  /// One more: the fetch of the activations that a kernel needs, or the store that makes room for those it
  /// makes.
  std::int32_t host = -1;
};
/// `TemplateTask::host` of kernels that wait for stores of the steps before on the same rank: for the last
/// but one, and for the last.
inline constexpr std::int32_t kAfterLastStoreButOne = -2;
inline constexpr std::int32_t kAfterLastStore = -3;
/// `TemplateTask::after` of gathers that wait for units of the steps before on the same rank: for the end of
/// the last unit but one, and of the last.
inline constexpr std::int32_t kAfterLastUnitButOne = -2;
inline constexpr std::int32_t kAfterLastUnit = -3;
struct StepTemplate {
  std::vector<TemplateTask> tasks;
  std::int32_t forward_end = -1;   ///< task after which the stage's output can be sent
  std::int32_t gradient_end = -1;  ///< task after which the input's gradient can be sent
  std::int32_t first_other = -1;   ///< first task that does not follow the begin marker by its lane
  /// Where weights are gathered at every use: last kernels of the last unit but one and of the last. -1:
  /// none.
  std::array<std::int32_t, 2> unit_ends{-1, -1};
  /// Where activations go to the host: the last two stores and the first fetch. -1: none.
  std::array<std::int32_t, 2> stores{-1, -1};
  std::int32_t first_fetch = -1;
  SimTime host;  ///< time the host needs to enqueue it
};

/// A template alone on the machine, from its start.
struct TemplateTimes {
  SimTime duration;  ///< until all work that its rank waits for has ended, at least what the host needs
  SimTime output;    ///< until the stage's output can be sent
  SimTime gradient;  ///< until the input's gradient can be sent
};

/// Costs of every unit on one cluster and the templates built from them.
class StepTemplates {
 public:
  /// `data`: data-parallel traffic beside the steps, which the workload's units describe; a stage that
  /// `stage_copies` ranks hold (2 in DualPipe) gathers over as many times the group.
  /// `offload`: activations wait in the host's memory.
  StepTemplates(const Workload& workload, const RankMap& ranks, const ClusterProfile& cluster,
                std::int64_t compute_sms, DataParallelPlan data = {}, std::int64_t stage_copies = 1,
                bool offload = false);

  /// Template of a step, built at first use and shared by all microbatches; `use` counts where data-parallel
  /// traffic runs once per stage.
  std::size_t template_of(const Step& step, const StepUse& use = {});
  /// A step with nothing beside it: for comparing orders of steps.
  [[nodiscard]] TemplateTimes times_alone(std::size_t index) const;
  [[nodiscard]] const StepTemplate& at(std::size_t index) const { return templates_[index]; }
  [[nodiscard]] const std::vector<CostedItem>& items() const { return items_; }
  [[nodiscard]] const SlowdownTable& slowdowns() const { return slowdowns_; }
  /// Costs an item that is not part of any unit (messages, gradient reduction, optimizer).
  std::uint32_t add_item(const WorkItem& item, const EndpointGroup& group, Lane lane, TaskKind kind);
  /// A copy to the host (store lane) or back (fetch lane).
  std::uint32_t add_copy(const char* name, double bytes, Lane lane);
  /// Work of the host's processors that moves `bytes` of its memory, on the host lane.
  std::uint32_t add_host_work(const char* name, double bytes);

  /// Seconds of one unit, forward and backward, alone: for balancing stages. Communication counts where the
  /// schedule does not hide it.
  [[nodiscard]] double unit_seconds(std::size_t unit, bool with_communication) const;

 private:
  using Row = std::vector<std::uint32_t>;
  /// Kind and stage of the action, stage of the overlapped backward or -1, uses that matter.
  using TemplateKey = std::array<std::int32_t, 4>;
  struct UnitItems {
    Row gather, reduce;
    std::uint32_t store = 0, fetch = 0;  ///< with offloading
    Row attention_f, dispatch_f, mlp_f, combine_f;
    Row recompute, combine_b, mlp_b, dispatch_b, attention_b;
    Row mlp_rest, attention_rest;  ///< of mlp_b and attention_b: behind the weight gradients
    Row mlp_w, attention_w;
  };
  /// What a row of the slowdown table follows from.
  struct RowKey {
    Lane lane = Lane::kCompute;
    double beside = 1, nic_share = 0;
    NicShares others = {};
    bool operator==(const RowKey&) const = default;
  };
  struct Chain;
  struct Traffic;
  class Emitter;

  Row cost_segment(const Segment& segment, bool communication_lane);
  /// Takes what follows a reduction that weight gradients run beside out of a row.
  [[nodiscard]] Row split_rest(Row& row) const;
  [[nodiscard]] EndpointGroup data_group(const WorkItem& item, std::int64_t copies) const;
  void note_data_share(const Segment& segment, std::int64_t copies);
  Row cost_data(const Segment& segment, Lane lane, std::int64_t copies);
  CostedItem cost(const WorkItem& item, const EndpointGroup& group, Lane lane);
  /// Row of the slowdown table, worked out once for each kind of kernel or transfer.
  std::uint16_t slowdown_row(const RowKey& key);
  /// The first stage that is made of the same units.
  [[nodiscard]] std::int32_t same_stage(StageId stage);
  EndpointGroup group_of(Axis axis) const;
  [[nodiscard]] Traffic traffic_of(const Action& action, const StageUse& use) const;
  [[nodiscard]] bool shares_head(const std::vector<std::size_t>& units, std::size_t i) const;
  StepTemplate build(const Step& step, const StepUse& use) const;
  void emit_forward(Emitter& out, const std::vector<std::size_t>& units, const Traffic& traffic) const;
  /// What one step of a chain is about to do with a unit's activations on the host.
  void await_fetch(Emitter& out, const std::vector<std::size_t>& units, std::size_t i, Chain& chain) const;
  void store(Emitter& out, const std::vector<std::size_t>& units, std::size_t i, const Chain& chain) const;
  [[nodiscard]] bool leaves(const std::vector<std::size_t>& units, std::size_t i) const;
  void emit_backward(Emitter& out, const std::vector<std::size_t>& units, ActionKind kind,
                     const Traffic& traffic) const;
  void emit_pair(Emitter& out, const std::vector<std::size_t>& forward,
                 const std::vector<std::size_t>& backward, std::size_t shift,
                 const std::array<Traffic, 2>& traffic) const;
  StepTemplate build_pair(const std::vector<std::size_t>& forward, const std::vector<std::size_t>& backward,
                          const std::array<Traffic, 2>& traffic) const;
  Timeline alone(const StepTemplate& t) const;

  const Workload& workload_;
  const RankMap& ranks_;
  const ClusterProfile& cluster_;
  std::int64_t compute_sms_;
  DataParallelPlan data_;
  bool offload_;
  std::vector<CostedItem> items_;
  std::vector<UnitItems> units_;
  SlowdownTable slowdowns_;
  std::vector<StepTemplate> templates_;
  std::map<TemplateKey, std::size_t> template_of_;
  std::vector<std::pair<RowKey, std::uint16_t>> rows_;
  std::vector<std::int32_t> same_stage_;  ///< by stage
  double busiest_nic_share_ = 0;          ///< of the units' communication
  double busiest_data_share_ = 0;         ///< of data-parallel traffic beside the steps
  double host_share_ = 0;                 ///< of copies to and from the host
};

}  // namespace orrery
