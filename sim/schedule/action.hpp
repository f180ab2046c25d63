#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sim/base/ids.hpp"

namespace orrery {

/// What a pipeline rank does with one microbatch on one stage.
enum class ActionKind : std::uint8_t {
  kForward,     ///< F: forward
  kInputGrad,   ///< I: the backward half that yields the gradient of the stage's input
  kWeightGrad,  ///< W: the backward half that yields the gradients of the stage's weights
  kBackward,    ///< B: both halves, run as one
};

/// 'F', 'I', 'W' or 'B'.
[[nodiscard]] char letter(ActionKind kind);

/// B or I: the action that sends a gradient to the stage before.
[[nodiscard]] constexpr bool is_backward(ActionKind kind) {
  return kind == ActionKind::kBackward || kind == ActionKind::kInputGrad;
}

/// One unit of work of a schedule. Knows no time: times exist only in a timeline.
struct Action {
  ActionKind kind = ActionKind::kForward;
  StageId stage;
  MicrobatchId microbatch;

  constexpr auto operator<=>(const Action&) const = default;
};

/// One action, or a forward and a full backward run as an overlapped pair. The pair is plain data of 28
/// bytes, without pointer or optional, because schedules of hundreds of thousands of steps are walked often.
struct Step {
  Action first;             ///< the forward where `overlapped`
  Action second;            ///< the full backward; without meaning unless `overlapped`
  bool overlapped = false;  ///< both actions start together and end together

  constexpr auto operator<=>(const Step&) const = default;

  /// Number of actions, 1 or 2.
  [[nodiscard]] constexpr int count() const { return overlapped ? 2 : 1; }
  /// Action `i` of `count()`.
  [[nodiscard]] constexpr const Action& action(int i) const { return i == 0 ? first : second; }
};

/// A step of one action.
[[nodiscard]] constexpr Step alone(const Action& action) {
  return {.first = action, .second = {}, .overlapped = false};
}

/// A step of a forward and a full backward side by side.
[[nodiscard]] constexpr Step overlap(const Action& forward, const Action& backward) {
  return {.first = forward, .second = backward, .overlapped = true};
}

/// `<stage><F|I|W|B><microbatch>`, e.g. `3F12`: the words of PyTorch's torch.distributed.pipelining.
[[nodiscard]] std::string to_text(const Action& action);

/// As the action's text, or `(<action>;<action>)OVERLAP_F_B`.
[[nodiscard]] std::string to_text(const Step& step);

/// Appends the text of `step` to `out`; what `to_text` returns, without a string per step.
void append_text(std::string& out, const Step& step);

/// Inverse of `to_text`: exactly the texts it writes (no blanks, no leading zeros, numbers of at most nine
/// digits), and nothing for any other text.
[[nodiscard]] std::optional<Action> parse_action(std::string_view text);
[[nodiscard]] std::optional<Step> parse_step(std::string_view text);

/// A sentence on why `parse_step` refuses `text`: what was found and what was expected. The text is quoted
/// at most 40 characters long, with bytes that do not print as \xNN.
[[nodiscard]] std::string explain_bad_step(std::string_view text);

}  // namespace orrery
