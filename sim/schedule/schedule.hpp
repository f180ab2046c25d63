#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/ids.hpp"
#include "sim/schedule/action.hpp"

namespace orrery {

/// Most steps of a schedule (all ranks together) and most ranks that are made or read. Limits that no real
/// schedule comes near, so that a wrong number or a wrong file fails at once instead of filling the memory.
inline constexpr std::size_t kMaxScheduleSteps = std::size_t{1} << 22;
inline constexpr std::size_t kMaxScheduleRanks = std::size_t{1} << 16;

/// What every rank of one pipeline does in one training step, in order. No second, no byte.
struct Schedule {
  std::string name;      ///< of the generator, or where the file came from
  int stages = 0;        ///< stages are numbered 0 .. stages-1 in the order of the forward pass
  int microbatches = 0;  ///< microbatches are numbered 0 .. microbatches-1
  std::vector<std::vector<Step>> ranks;  ///< [rank]: its steps in order
  /// [stage * microbatches + microbatch]: the rank that runs that microbatch on that stage. One stage may
  /// live on two ranks, as in DualPipe.
  std::vector<RankId> owner;

  bool operator==(const Schedule&) const = default;

  /// The place of a stage's microbatch in tables like `owner`.
  [[nodiscard]] std::size_t slot(StageId stage, MicrobatchId microbatch) const {
    return stage.at() * static_cast<std::size_t>(microbatches) + microbatch.at();
  }
  /// The rank that runs `microbatch` on `stage`; both must exist.
  [[nodiscard]] RankId rank_of(StageId stage, MicrobatchId microbatch) const {
    return owner[slot(stage, microbatch)];
  }
  /// The stages whose weights `rank` holds, ascending. Looks at every microbatch: keep the answer.
  [[nodiscard]] std::vector<StageId> stages_of(RankId rank) const;
};

/// One row per rank, steps separated by commas, each row closed by a line feed.
[[nodiscard]] std::string to_csv(const Schedule& schedule);

/// Reads what `to_csv` or PyTorch's torch.distributed.pipelining writes. Empty cells, blanks around cells, a
/// byte-order mark, CRLF and empty lines at the end are accepted and dropped. Stages and microbatches are
/// those of the forwards, owners the ranks where the forwards stand; the name is `place`.
/// Throws InputError at `place:line:column` for any text that is not a schedule `validate` accepts.
[[nodiscard]] Schedule parse_csv(std::string_view text, const std::string& place);

}  // namespace orrery
