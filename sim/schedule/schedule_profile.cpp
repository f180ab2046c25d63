#include "sim/schedule/schedule_profile.hpp"

#include <algorithm>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

/// Reads one rank's program.
class RankPass {
 public:
  RankPass(const Schedule& schedule, RankId rank, std::vector<std::int32_t> stages)
      : schedule_(schedule), steps_(schedule.ranks[rank.at()]), rank_(rank) {
    out_.stages = std::move(stages);
    place_.assign(static_cast<std::size_t>(schedule.stages), 0);
    for (std::size_t i = 0; i < out_.stages.size(); ++i) place_[static_cast<std::size_t>(out_.stages[i])] = i;
    now_.resize(out_.stages.size());
    out_.sends_output.assign(out_.stages.size(), false);
    out_.sends_gradient.assign(out_.stages.size(), false);
  }

  RankProfile run() {
    std::size_t first = steps_.size();
    std::size_t last = 0;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      for (int a = 0; a < steps_[i].count(); ++a) {
        const Action& action = steps_[i].action(a);
        note_sends(action);
        if (!is_backward(action.kind)) continue;
        if (out_.first_backward < 0) {
          first = i;
          out_.first_backward = action.stage.value;
        }
        last = i;
        out_.last_backward = action.stage.value;
      }
    }
    if (!steps_.empty()) out_.first_stage = steps_.front().first.stage.value;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      StepCount& count = count_of(steps_[i]);
      (i < first ? count.before : i <= last ? count.middle : count.after) += 1;
      out_.last_step = static_cast<std::size_t>(&count - out_.steps.data());
      if (i == last) out_.last_backward_step = out_.last_step;
      walk(steps_[i]);
    }
    note_peak();
    return std::move(out_);
  }

 private:
  void note_sends(const Action& action) {
    const std::size_t at = place_[action.stage.at()];
    if (action.kind == ActionKind::kForward && action.stage.value + 1 < schedule_.stages)
      out_.sends_output[at] = schedule_.rank_of(StageId{action.stage.value + 1}, action.microbatch) != rank_;
    if (is_backward(action.kind) && action.stage.value > 0)
      out_.sends_gradient[at] =
          schedule_.rank_of(StageId{action.stage.value - 1}, action.microbatch) != rank_;
  }

  StepCount& count_of(const Step& step) {
    const std::int32_t second = step.overlapped ? step.second.stage.value : 0;
    for (StepCount& c : out_.steps) {
      if (c.kind == step.first.kind && c.overlapped == step.overlapped && c.stage == step.first.stage.value &&
          c.second == second)
        return c;
    }
    return out_.steps.emplace_back(StepCount{.kind = step.first.kind,
                                             .overlapped = step.overlapped,
                                             .stage = step.first.stage.value,
                                             .second = second});
  }

  /// As `memory_by_rank` follows it; counts are noted before they fall.
  void walk(const Step& step) {
    for (int a = 0; a < step.count(); ++a) {
      const Action& action = step.action(a);
      LiveCount& live = now_[place_[action.stage.at()]];
      if (action.kind != ActionKind::kForward && risen_) note_peak();
      switch (action.kind) {
        case ActionKind::kForward: live.kept += 1; break;
        case ActionKind::kBackward: live.kept -= 1; break;
        case ActionKind::kInputGrad:
          live.kept -= 1;
          live.deferred += 1;
          break;
        case ActionKind::kWeightGrad: live.deferred -= 1; break;
      }
      risen_ = action.kind == ActionKind::kForward || action.kind == ActionKind::kInputGrad;
    }
  }

  [[nodiscard]] bool within(const LiveCount* small, const LiveCount* large) const {
    for (std::size_t i = 0; i < now_.size(); ++i) {
      if (small[i].kept > large[i].kept || small[i].deferred > large[i].deferred) return false;
    }
    return true;
  }

  void note_peak() {
    const std::size_t n = now_.size();
    std::vector<LiveCount>& peaks = out_.peaks;
    // In the steady state the same moments come again: the one that covered the last is looked at first.
    if (covered_ < peaks.size() && within(now_.data(), &peaks[covered_])) return;
    for (std::size_t p = 0; p < peaks.size(); p += n) {
      if (!within(now_.data(), &peaks[p])) continue;
      covered_ = p;
      return;
    }
    for (std::size_t p = 0; p < peaks.size();) {
      const auto at = peaks.begin() + static_cast<std::ptrdiff_t>(p);
      if (within(&peaks[p], now_.data())) {
        peaks.erase(at, at + static_cast<std::ptrdiff_t>(n));
      } else {
        p += n;
      }
    }
    covered_ = peaks.size();
    peaks.insert(peaks.end(), now_.begin(), now_.end());
  }

  const Schedule& schedule_;
  const std::vector<Step>& steps_;
  RankId rank_;
  RankProfile out_;
  std::vector<std::size_t> place_;  ///< [stage] in out_.stages
  std::vector<LiveCount> now_;
  bool risen_ = true;
  std::size_t covered_ = 0;
};

/// Most microbatches that are alive on each of the rank's stages at one moment.
std::int64_t most_live_everywhere(const RankProfile& rank) {
  std::int64_t most = 0;
  const std::size_t n = rank.stages.size();
  for (std::size_t p = 0; p < rank.peaks.size(); p += n) {
    std::int32_t least = rank.peaks[p].kept;
    for (std::size_t i = 1; i < n; ++i) least = std::min(least, rank.peaks[p + i].kept);
    most = std::max<std::int64_t>(most, least);
  }
  return most;
}

}  // namespace

ScheduleProfile profile_of(const Schedule& schedule) {
  ScheduleProfile profile{
      .stages = schedule.stages, .microbatches = schedule.microbatches, .owner = {}, .ranks = {}};
  std::vector<std::vector<std::int32_t>> held(schedule.ranks.size());
  for (int stage = 0; stage < schedule.stages; ++stage) {
    const RankId first = schedule.rank_of(StageId{stage}, MicrobatchId{0});
    profile.owner.push_back(first.value);
    for (int m = 0; m < schedule.microbatches; ++m) {
      std::vector<std::int32_t>& list = held[schedule.rank_of(StageId{stage}, MicrobatchId{m}).at()];
      if (list.empty() || list.back() != stage) list.push_back(stage);
      if (schedule.rank_of(StageId{stage}, MicrobatchId{m}) != first) profile.copies = 2;
    }
  }
  for (std::size_t r = 0; r < schedule.ranks.size(); ++r) {
    profile.ranks.push_back(RankPass(schedule, RankId{r}, std::move(held[r])).run());
    const std::int64_t live = most_live_everywhere(profile.ranks.back());
    profile.least_live = r == 0 ? live : std::min(profile.least_live, live);
    for (const StepCount& c : profile.ranks.back().steps) profile.overlaps = profile.overlaps || c.overlapped;
  }
  return profile;
}

}  // namespace orrery
