#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sim/schedule/schedule.hpp"

namespace orrery {

/// A hand-over between two ranks: the output of a stage, or the gradient of a stage's input. Hand-overs
/// between stages of one rank are no messages.
struct Message {
  StageId from;  ///< stage whose forward, or whose backward, made it
  MicrobatchId microbatch;
  bool gradient = false;  ///< to the stage before; else an output to the stage after
  RankId sender;
  RankId receiver;

  auto operator<=>(const Message&) const = default;
};

/// Messages under the rendezvous rule. Sends and receives are only put on a list; the list is issued as one
/// batch before the next step, and the step begins when every message of the batch has arrived, which needs
/// both sides to have issued it.
struct MessageBatches {
  std::vector<Message> messages;
  /// [rank][i]: messages, by index, that the rank issues before its step i, in the order they were listed;
  /// the last entry is what it issues after its last step. Every message stands once at its sender and once
  /// at its receiver.
  std::vector<std::vector<std::vector<std::uint32_t>>> batches;
};

/// The batches of a valid schedule. A step lists the receives of its inputs just before it, and the sends of
/// its results just after it, a pair's output first. The schedules made by name as "dualpipe" and "dualpipev"
/// hold some sends back and list some receives early, as deepseek-ai/DualPipe 3da1bbe does
/// (dualpipe/dualpipe.py, step()).
[[nodiscard]] MessageBatches rendezvous_batches(const Schedule& schedule);

/// Ranks that wait for one another for ever, as text, one line per rank; nothing when all batches complete.
/// The text names step, message, and where the other side issues it.
[[nodiscard]] std::optional<std::string> rendezvous_deadlock(const Schedule& schedule,
                                                             const MessageBatches& batches);

/// "output of stage 2, microbatch 5", "gradient from stage 3, microbatch 5".
[[nodiscard]] std::string to_text(const Message& message);

}  // namespace orrery
