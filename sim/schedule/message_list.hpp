#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "sim/schedule/messages.hpp"

namespace orrery {

/// Numbers of the messages of a schedule, given out as they are first asked for.
class MessageTable {
 public:
  MessageTable(const Schedule& schedule, std::vector<Message>& messages)
      : schedule_(schedule), messages_(messages), output_(schedule.owner.size(), kNone), gradient_(output_) {}

  static constexpr std::int32_t kNone = -1;

  /// The message that brings the input of `action`; kNone where it needs none.
  [[nodiscard]] std::int32_t input_of(const Action& action) {
    if (action.kind == ActionKind::kWeightGrad) return kNone;
    const bool gradient = action.kind != ActionKind::kForward;
    return message(StageId{action.stage.value + (gradient ? 1 : -1)}, action.stage, action.microbatch,
                   gradient);
  }
  /// The message that takes the result of `action` away; kNone where nothing leaves.
  [[nodiscard]] std::int32_t result_of(const Action& action) {
    if (action.kind == ActionKind::kWeightGrad) return kNone;
    const bool gradient = action.kind != ActionKind::kForward;
    return message(action.stage, StageId{action.stage.value + (gradient ? -1 : 1)}, action.microbatch,
                   gradient);
  }

 private:
  std::int32_t message(StageId from, StageId to, MicrobatchId microbatch, bool gradient) {
    const auto exists = [&](StageId s) { return s.value >= 0 && s.value < schedule_.stages; };
    if (!exists(from) || !exists(to)) return kNone;
    const RankId sender = schedule_.rank_of(from, microbatch);
    const RankId receiver = schedule_.rank_of(to, microbatch);
    if (sender == receiver) return kNone;
    std::int32_t& number = (gradient ? gradient_ : output_)[schedule_.slot(from, microbatch)];
    if (number == kNone) {
      number = static_cast<std::int32_t>(messages_.size());
      messages_.push_back({.from = from,
                           .microbatch = microbatch,
                           .gradient = gradient,
                           .sender = sender,
                           .receiver = receiver});
    }
    return number;
  }

  const Schedule& schedule_;
  std::vector<Message>& messages_;
  std::vector<std::int32_t> output_, gradient_;  ///< [slot of the stage it comes from]
};

/// What one rank lists and issues, in order.
class MessageList {
 public:
  MessageList(MessageTable& table, RankId rank) : table_(table), rank_(rank) {}

  void receive(const Action& action) { put(table_.input_of(action)); }
  void send(const Action& action) { put(table_.result_of(action)); }
  /// All that is listed becomes the batch before the next step.
  void issue() { batches_.push_back(std::exchange(listed_, {})); }
  [[nodiscard]] std::vector<std::vector<std::uint32_t>> batches() && { return std::move(batches_); }
  [[nodiscard]] RankId rank() const { return rank_; }

 private:
  void put(std::int32_t message) {
    if (message != MessageTable::kNone) listed_.push_back(static_cast<std::uint32_t>(message));
  }

  MessageTable& table_;
  RankId rank_;
  std::vector<std::uint32_t> listed_;
  std::vector<std::vector<std::uint32_t>> batches_;
};

}  // namespace orrery
