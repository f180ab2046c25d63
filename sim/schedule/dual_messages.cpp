#include "sim/schedule/dual_messages.hpp"

#include <algorithm>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

/// Where a rank stands; the names are those of `DualShape`.
struct Place {
  std::size_t inner = 0;
  std::size_t outer = 0;
  [[nodiscard]] bool next_to_middle() const { return outer == 0; }
};

Place place_of(const Schedule& schedule, RankId rank) {
  const auto ranks = static_cast<std::int32_t>(schedule.ranks.size());
  const bool v = schedule.stages == 2 * ranks;
  const std::int32_t half = v ? ranks : ranks / 2;
  const std::int32_t distance = v ? rank.value : std::min(rank.value, ranks - 1 - rank.value);
  return {.inner = static_cast<std::size_t>(distance) + 1,
          .outer = static_cast<std::size_t>(half - distance - 1)};
}

class Lister {
 public:
  Lister(const Schedule& schedule, RankId rank, MessageList& list)
      : steps_(schedule.ranks[rank.at()]), at_(place_of(schedule, rank)), list_(list) {}

  void run() {
    for (std::size_t i = 0; i < 2 * at_.outer; ++i) plain();
    fill();
    for (std::size_t i = 0; i < at_.outer; ++i) first_backwards();
    first_pair();
    while (next_ < steps_.size()) plain();
    list_.issue();
  }

 private:
  [[nodiscard]] const Step& take(ActionKind kind) {
    SIM_CHECK(next_ < steps_.size() && steps_[next_].first.kind == kind, "the program of DualPipe");
    return steps_[next_++];
  }
  [[nodiscard]] const Step& peek(std::size_t ahead) const {
    SIM_CHECK(next_ + ahead < steps_.size(), "the program of DualPipe");
    return steps_[next_ + ahead];
  }

  void plain() {
    const Step& step = peek(0);
    for (int i = 0; i < step.count(); ++i) list_.receive(step.action(i));
    list_.issue();
    for (int i = 0; i < step.count(); ++i) list_.send(step.action(i));
    ++next_;
  }

  /// Forwards of both streams in turn, near first.
  void fill() {
    list_.receive(peek(0).first);
    for (std::size_t i = 0; i < at_.inner; ++i) {
      const Action near = take(ActionKind::kForward).first;
      list_.issue();
      if (at_.next_to_middle()) list_.send(near);
      const bool last = i + 1 == at_.inner;
      // The next near forward: of the next turn, or the first after the far stream's first backwards.
      list_.receive(peek(last ? 1 + 3 * at_.outer : 1).first);
      const Action far = take(ActionKind::kForward).first;
      list_.receive(far);
      list_.issue();
      if (!at_.next_to_middle() || !last) {
        list_.send(far);
      } else {
        held_ = far;
      }
      if (!at_.next_to_middle()) list_.send(near);
    }
  }

  void first_backwards() {
    const Action input_grad = take(ActionKind::kInputGrad).first;
    list_.receive(input_grad);
    list_.issue();
    list_.send(input_grad);
    static_cast<void>(take(ActionKind::kWeightGrad));
    const Action forward = take(ActionKind::kForward).first;
    list_.receive(forward);
    list_.issue();  // before the weight gradient
    list_.issue();  // before the forward: nothing
    list_.send(forward);
  }

  void first_pair() {
    const Step& step = take(ActionKind::kForward);
    if (!at_.next_to_middle()) {
      SIM_CHECK(step.overlapped, "the program of DualPipe");
      list_.receive(step.second);
      list_.issue();
      list_.send(step.first);
      list_.send(step.second);
      return;
    }
    const Action backward = take(ActionKind::kBackward).first;
    list_.issue();
    list_.send(held_);
    list_.receive(backward);
    list_.issue();
    list_.send(step.first);
    list_.send(backward);
  }

  const std::vector<Step>& steps_;
  Place at_;
  MessageList& list_;
  std::size_t next_ = 0;
  Action held_;
};

}  // namespace

void list_dual_messages(const Schedule& schedule, RankId rank, MessageList& list) {
  Lister(schedule, rank, list).run();
}

}  // namespace orrery
