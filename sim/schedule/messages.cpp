#include "sim/schedule/messages.hpp"

#include <fmt/format.h>

#include <utility>

#include "sim/base/check.hpp"
#include "sim/schedule/dual_messages.hpp"
#include "sim/schedule/message_list.hpp"

namespace orrery {
namespace {

/// Every step: receives, issue, compute, sends.
void list_plainly(const Schedule& schedule, std::size_t rank, MessageList& list) {
  for (const Step& step : schedule.ranks[rank]) {
    for (int i = 0; i < step.count(); ++i) list.receive(step.action(i));
    list.issue();
    for (int i = 0; i < step.count(); ++i) list.send(step.action(i));
  }
  list.issue();
}

struct Place {
  std::size_t rank = 0;
  std::size_t batch = 0;
};

/// Runs all ranks as far as their batches complete. A rank sends the messages of a batch one after the other.
class Rendezvous {
 public:
  Rendezvous(const Schedule& schedule, const MessageBatches& batches)
      : schedule_(schedule), batches_(batches), ends_(batches.messages.size()) {
    for (std::size_t r = 0; r < batches.batches.size(); ++r) {
      for (std::size_t b = 0; b < batches.batches[r].size(); ++b) {
        std::int32_t before = kNone;
        for (const std::uint32_t m : batches.batches[r][b]) {
          const bool sends = batches.messages[m].sender == RankId{r};
          (sends ? ends_[m].sender : ends_[m].receiver) = {.rank = r, .batch = b};
          if (sends) ends_[m].sent_after = std::exchange(before, static_cast<std::int32_t>(m));
        }
      }
    }
  }

  std::optional<std::string> run() {
    next_.assign(batches_.batches.size(), 0);
    for (bool moved = true; moved;) {
      moved = false;
      for (std::size_t rank = 0; rank < next_.size(); ++rank) {
        while (next_[rank] < batches_.batches[rank].size() && !awaited(rank)) {
          ++next_[rank];
          moved = true;
        }
      }
    }
    for (std::size_t r = 0; r < next_.size(); ++r) {
      if (next_[r] < batches_.batches[r].size()) return circle_from(r);
    }
    return std::nullopt;
  }

 private:
  static constexpr std::int32_t kNone = -1;
  struct Ends {
    Place sender, receiver;
    std::int32_t sent_after = kNone;  ///< message of the same batch that leaves first
  };
  /// A message that cannot move and the side that has not issued it.
  struct Wait {
    std::uint32_t message = 0;
    Place missing;
  };

  [[nodiscard]] bool issued(const Place& place) const { return next_[place.rank] >= place.batch; }

  [[nodiscard]] std::optional<Wait> blocked(std::uint32_t message) const {
    const Ends& ends = ends_[message];
    if (next_[ends.receiver.rank] > ends.receiver.batch) return std::nullopt;  // has arrived
    if (!issued(ends.sender)) return Wait{message, ends.sender};
    if (ends.sent_after != kNone) {
      if (const auto wait = blocked(static_cast<std::uint32_t>(ends.sent_after))) return wait;
    }
    if (!issued(ends.receiver)) return Wait{message, ends.receiver};
    return std::nullopt;
  }

  /// Why the batch the rank has issued is not complete.
  [[nodiscard]] std::optional<Wait> awaited(std::size_t rank) const {
    for (const std::uint32_t m : batches_.batches[rank][next_[rank]]) {
      if (const auto wait = blocked(m)) return wait;
    }
    return std::nullopt;
  }

  [[nodiscard]] std::string before(const Place& place) const {
    const std::vector<Step>& steps = schedule_.ranks[place.rank];
    return place.batch < steps.size()
               ? fmt::format("before step {} ({})", place.batch, to_text(steps[place.batch]))
               : std::string("after its last step");
  }

  /// Every stuck rank waits for a stuck rank, so following the waits must close a circle.
  [[nodiscard]] std::string circle_from(std::size_t rank) const {
    constexpr std::size_t kMostShown = 16;
    std::vector<bool> seen(next_.size(), false);
    while (!seen[rank]) {
      seen[rank] = true;
      rank = awaited(rank)->missing.rank;
    }
    std::string text;
    std::size_t length = 0;
    std::size_t at = rank;
    do {
      const Wait wait = *awaited(at);
      if (length++ < kMostShown) {
        text +=
            fmt::format("  rank {} {} waits for the {}, which rank {} issues {}\n", at,
                        before({.rank = at, .batch = next_[at]}), to_text(batches_.messages[wait.message]),
                        wait.missing.rank, before(wait.missing));
      }
      at = wait.missing.rank;
    } while (at != rank);
    if (length > kMostShown) text += fmt::format("  ... and {} more\n", length - kMostShown);
    return text;
  }

  const Schedule& schedule_;
  const MessageBatches& batches_;
  std::vector<Ends> ends_;         ///< [message]
  std::vector<std::size_t> next_;  ///< [rank]: batch that is issued but not complete
};

}  // namespace

MessageBatches rendezvous_batches(const Schedule& schedule) {
  MessageBatches out;
  MessageTable table(schedule, out.messages);
  const bool dual = schedule.name == "dualpipe" || schedule.name == "dualpipev";
  for (std::size_t r = 0; r < schedule.ranks.size(); ++r) {
    MessageList list(table, RankId{r});
    if (dual) {
      list_dual_messages(schedule, RankId{r}, list);
    } else {
      list_plainly(schedule, r, list);
    }
    out.batches.push_back(std::move(list).batches());
    SIM_CHECK(out.batches.back().size() == schedule.ranks[r].size() + 1,
              "a batch before every step and one after");
  }
  return out;
}

std::optional<std::string> rendezvous_deadlock(const Schedule& schedule, const MessageBatches& batches) {
  return Rendezvous(schedule, batches).run();
}

std::string to_text(const Message& m) {
  return fmt::format("{} stage {}, microbatch {}", m.gradient ? "gradient from" : "output of", m.from.value,
                     m.microbatch.value);
}

}  // namespace orrery
