#include "sim/bound/unit_times.hpp"

#include <algorithm>

#include "sim/engine/sim_time.hpp"
#include "sim/layout/rank_map.hpp"

namespace orrery {
namespace {

struct Piece {
  bool compute = true;
  std::int64_t ps = 0;
  std::int64_t calls = 1;  ///< of the host
  Beside beside = Beside::kNothing;
};
using Pieces = std::vector<Piece>;

Beside beside_of(const WorkItem& item) {
  return std::visit([](const auto& x) { return x.beside; }, item);
}

constexpr std::size_t kAxes = 7;

class Reader {
 public:
  Reader(const Scenario& s, std::int64_t communication_sms, CostMemo& memo)
      : memo_(memo),
        communication_sms_(communication_sms),
        compute_sms_(static_cast<std::int64_t>(s.cluster.gpu.sm_count.value) - communication_sms) {
    const RankMap ranks(s.layout, s.gpus, s.cluster.gpus_per_node);
    for (const Axis axis : {Axis::kTp, Axis::kCp, Axis::kEp, Axis::kEtp}) {
      const GroupSpan span = ranks.span(GpuId{0}, axis);
      groups_[static_cast<std::size_t>(axis)] = {
          .size = span.size, .per_node = span.per_node, .nodes = span.nodes};
    }
  }

  /// Costs of a segment; adds them to `sums` and the unit's seconds.
  Pieces read(const Segment& segment, bool communication_lane, bool forward, UnitTimes& unit) {
    Pieces pieces;
    WorkSums& sums = unit.sums;
    for (const WorkItem& item : segment) {
      const auto* comm = std::get_if<CommOp>(&item);
      const ItemCost& cost =
          comm != nullptr
              ? memo_.communication(*comm, groups_[static_cast<std::size_t>(comm->axis)], communication_sms_)
              : memo_.op(std::get<Op>(item), compute_sms_);
      const bool compute = comm == nullptr && !communication_lane;
      const Beside beside = beside_of(item);
      pieces.push_back({.compute = compute, .ps = cost.ps, .calls = host_calls(item), .beside = beside});
      sums.joules += cost.joules;
      sums.nic_ps += cost.nic_share * static_cast<double>(cost.ps);
      const double seconds = to_seconds(SimTime{cost.ps}).value;
      if (holds_chain(beside)) unit.seconds += seconds;
      if (compute) {
        unit.compute_seconds += seconds;
        (forward ? sums.forward_compute : sums.backward_compute) += cost.ps;
        sums.compute_by_factor[forward ? 0 : 1][cost.beside_slot] += static_cast<double>(cost.ps);
      } else {
        // A cast beside an exchange is not slowed itself.
        const double slowdown = comm != nullptr ? cost.beside : 1.0;
        const auto slot =
            std::min(static_cast<std::size_t>((slowdown - 1.0) * kBesideSlots), kBesideSlots - 1);
        sums.communication_by_factor[forward ? 0 : 1][slot] += static_cast<double>(cost.ps);
      }
    }
    return pieces;
  }

 private:
  CostMemo& memo_;
  std::int64_t communication_sms_, compute_sms_;
  std::array<EndpointGroup, kAxes> groups_{};
};

/// One piece after the other. A gather or reduction beside a product adds what the product's middle part does
/// not hide; what only weight gradients wait for adds nothing.
std::int64_t sum(std::initializer_list<const Pieces*> rows) {
  std::int64_t total = 0;
  for (const Pieces* row : rows) {
    std::int64_t gather = 0, since_gather = 0, since_part = 0;
    for (const Piece& p : *row) {
      if (p.beside == Beside::kForWeights) continue;
      if (p.beside == Beside::kNextProduct) {
        gather = p.ps;
        since_gather = 0;
        continue;
      }
      if (p.beside == Beside::kPreviousProduct) {
        total += std::max<std::int64_t>(0, p.ps - since_part);
        continue;
      }
      if (p.beside == Beside::kLastPart) {
        total += std::max<std::int64_t>(0, gather - since_gather);
        gather = 0;
      }
      total += p.ps;
      since_gather += p.ps;
      since_part = p.beside == Beside::kFirstPart ? 0 : since_part + p.ps;
    }
  }
  return total;
}

std::int64_t count(std::initializer_list<const Pieces*> rows) {
  std::int64_t total = 0;
  for (const Pieces* row : rows) {
    for (const Piece& p : *row) total += p.calls;
  }
  return total;
}

/// The lanes while a unit's backward runs, in the order in which `StepTemplates` emits its tasks.
struct Lanes {
  std::int64_t chain = 0, compute = 0, communication = 0;

  void row(const Pieces& pieces, std::int64_t& after) {
    std::int64_t gathered = LaneShift::kNever, part = LaneShift::kNever;
    for (const Piece& p : pieces) {
      if (p.beside == Beside::kForWeights) continue;
      std::int64_t& lane = p.compute ? compute : communication;
      std::int64_t from = p.beside == Beside::kPreviousProduct ? part : after;
      if (p.beside == Beside::kLastPart) from = std::max(from, gathered);
      lane = std::max(lane, from) + p.ps;
      if (p.beside == Beside::kFirstPart) part = lane;
      if (p.beside == Beside::kNextProduct) {
        gathered = lane;
      } else {
        after = lane;
      }
    }
  }
  /// The kernels alone: what weight gradients communicate delays nothing that the bound counts on.
  void kernels(const Pieces& pieces, std::int64_t after) {
    for (const Piece& p : pieces) {
      if (!p.compute) continue;
      compute = std::max(compute, after) + p.ps;
    }
  }
};

struct BackwardPieces {
  Pieces recompute, combine, mlp, dispatch, attention, mlp_rest, attention_rest, mlp_w, attention_w;
};

/// As StepTemplates::split_rest.
Pieces split_rest(Pieces& row) {
  const auto reduction = std::find_if(row.begin(), row.end(),
                                      [](const Piece& p) { return p.beside == Beside::kWeightProducts; });
  if (reduction == row.end()) return {};
  Pieces rest(reduction + 1, row.end());
  row.erase(reduction + 1, row.end());
  return rest;
}

LaneShift shift_of(const BackwardPieces& b) {
  LaneShift shift;
  for (std::size_t from = 0; from < 2; ++from) {
    // The communication lane is never ahead of the chain: only the chain uses it.
    Lanes lanes{.chain = from == 0 ? 0 : LaneShift::kNever,
                .compute = from == 1 ? 0 : LaneShift::kNever,
                .communication = from == 0 ? 0 : LaneShift::kNever};
    for (const Pieces* row : {&b.recompute, &b.combine, &b.mlp, &b.dispatch}) lanes.row(*row, lanes.chain);
    std::int64_t weights = LaneShift::kNever;
    lanes.kernels(b.mlp_w, weights);
    lanes.row(b.mlp_rest, lanes.chain);
    lanes.row(b.attention, lanes.chain);
    if (b.mlp_w.empty()) weights = lanes.chain;
    lanes.kernels(b.attention_w, weights);
    lanes.row(b.attention_rest, lanes.chain);
    shift.at[from] = {lanes.chain, lanes.compute};
  }
  return shift;
}

UnitTimes read_unit(const UnitWork& work, Reader& reader) {
  UnitTimes unit{.kind = work.kind, .sums = {}, .backward = {}};
  const LayerWork& w = work.work;
  const Pieces attention_f = reader.read(w.attention_f, false, true, unit);
  const Pieces dispatch_f = reader.read(w.dispatch_f, true, true, unit);
  const Pieces mlp_f = reader.read(w.mlp_f, false, true, unit);
  const Pieces combine_f = reader.read(w.combine_f, true, true, unit);
  BackwardPieces b;
  b.recompute = reader.read(w.recompute, false, false, unit);
  b.combine = reader.read(w.combine_b, true, false, unit);
  b.mlp = reader.read(w.mlp_b, false, false, unit);
  b.dispatch = reader.read(w.dispatch_b, true, false, unit);
  b.attention = reader.read(w.attention_b, false, false, unit);
  b.mlp_w = reader.read(w.mlp_w, false, false, unit);
  b.attention_w = reader.read(w.attention_w, false, false, unit);
  b.mlp_rest = split_rest(b.mlp);
  b.attention_rest = split_rest(b.attention);
  WorkSums& s = unit.sums;
  s.forward = sum({&attention_f, &dispatch_f, &mlp_f, &combine_f});
  const std::initializer_list<const Pieces*> chain = {
      &b.recompute, &b.combine, &b.mlp, &b.dispatch, &b.mlp_rest, &b.attention, &b.attention_rest};
  s.input_grad = sum(chain);
  for (const Pieces* row : {&b.mlp_w, &b.attention_w}) {
    for (const Piece& p : *row) s.weight_grad += p.compute ? p.ps : 0;
  }
  s.forward_calls = count({&attention_f, &dispatch_f, &mlp_f, &combine_f});
  s.input_calls = count(chain);
  s.weight_calls = count({&b.mlp_w, &b.attention_w});
  s.dense_params = work.dense_params;
  s.expert_params = work.expert_params;
  s.kept = work.kept_bytes;
  s.deferred = work.deferred_bytes;
  unit.backward = shift_of(b);
  unit.ends_with_weights = b.attention_rest.empty() && !b.attention_w.empty() && b.attention_w.back().compute;
  for (const Pieces* row : {&b.attention, &b.attention_rest, &b.attention_w}) {
    for (const Piece& p : *row) unit.last_backward_compute += p.compute ? p.ps : 0;
  }
  unit.combine = sum({&combine_f});
  unit.working = work.working_bytes;
  return unit;
}

double largest_exchange(const Workload& w) {
  double exchange = 0;
  for (const UnitWork& unit : w.units) {
    for (const Segment* segment : {&unit.work.dispatch_f, &unit.work.combine_f}) {
      for (const WorkItem& item : *segment) {
        if (const auto* comm = std::get_if<CommOp>(&item))
          exchange = std::max(exchange, exchange_bytes(*comm));
      }
    }
  }
  return exchange;
}

}  // namespace

LaneShift LaneShift::then(const LaneShift& next) const {
  LaneShift out;
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t j = 0; j < 2; ++j) {
      out.at[i][j] = std::max({at[i][0] + next.at[0][j], at[i][1] + next.at[1][j], kNever});
    }
  }
  return out;
}

WorkSums& WorkSums::operator+=(const WorkSums& o) {
  forward += o.forward;
  input_grad += o.input_grad;
  weight_grad += o.weight_grad;
  forward_compute += o.forward_compute;
  backward_compute += o.backward_compute;
  forward_calls += o.forward_calls;
  input_calls += o.input_calls;
  weight_calls += o.weight_calls;
  for (std::size_t half = 0; half < 2; ++half) {
    for (std::size_t i = 0; i < kFactorSlots; ++i) compute_by_factor[half][i] += o.compute_by_factor[half][i];
    for (std::size_t i = 0; i < kBesideSlots; ++i)
      communication_by_factor[half][i] += o.communication_by_factor[half][i];
  }
  joules += o.joules;
  nic_ps += o.nic_ps;
  dense_params += o.dense_params;
  expert_params += o.expert_params;
  kept += o.kept;
  deferred += o.deferred;
  return *this;
}

UnitTable unit_table(const Scenario& scenario, std::int64_t communication_sms, bool many_stages,
                     CostMemo& memo) {
  Layout layout = scenario.layout;
  layout.zero_stage = std::min<std::int64_t>(layout.zero_stage, 1);
  layout.pp = 1;
  layout.vpp = many_stages ? 2 : 1;
  const Workload w = make_units(
      {scenario.model, layout, scenario.training, scenario.cluster.gpus_per_node, scenario.routing});
  Scenario one = scenario;
  one.layout = layout;
  Reader reader(one, communication_sms, memo);
  UnitTable table;
  for (const UnitWork& unit : w.units) table.units.push_back(read_unit(unit, reader));
  table.layers = layer_units(w, scenario.model);
  table.front = {unit_of(w, UnitKind::kEmbedding)};
  table.back = {unit_of(w, UnitKind::kHead)};
  if (scenario.training.mtp) {
    for (std::int64_t i = 0; i < scenario.model.mtp_modules; ++i) {
      table.back.push_back(unit_of(w, UnitKind::kMtp));
      table.back.push_back(unit_of(w, UnitKind::kHead));
    }
  }
  for (const auto* row : {&table.front, &table.layers, &table.back}) {
    for (const std::size_t u : *row) table.whole += table.units[u].sums;
  }
  for (std::size_t i = 2; i < table.back.size(); i += 2)
    table.head_params += table.units[table.back[i]].sums.dense_params;
  table.boundary_bytes = w.boundary_bytes;
  table.exchange_bytes = largest_exchange(w);
  return table;
}

double least_compute_s(const UnitTable& table) {
  return to_seconds(SimTime{table.whole.forward_compute + table.whole.backward_compute}).value;
}

}  // namespace orrery
