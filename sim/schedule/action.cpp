#include "sim/schedule/action.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace orrery {
namespace {

constexpr std::string_view kLetters = "FIWB";  // in the order of ActionKind
constexpr std::string_view kOverlap = "OVERLAP_F_B";
constexpr std::size_t kMaxDigits = 9;  // any such number fits an int32
constexpr std::size_t kMaxQuoted = 40;

void append_number(std::string& out, std::int32_t number) {
  std::array<char, 12> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_action(std::string& out, const Action& action) {
  append_number(out, action.stage.value);
  out += letter(action.kind);
  append_number(out, action.microbatch.value);
}

// Cuts a number without leading zeros off the front of `text`.
std::optional<std::int32_t> take_number(std::string_view& text) {
  std::int32_t number = 0;
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
    if (digits == kMaxDigits) return std::nullopt;
    number = number * 10 + (text[digits] - '0');
    ++digits;
  }
  if (digits == 0 || (digits > 1 && text[0] == '0')) return std::nullopt;
  text.remove_prefix(digits);
  return number;
}

std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text.substr(0, kMaxQuoted)) {
    if (c >= ' ' && c <= '~') {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out + (text.size() > kMaxQuoted ? fmt::format("...' ({} characters)", text.size()) : "'");
}

// Communication words of PyTorch's lowered schedule files.
bool is_communication(std::string_view text) {
  constexpr std::array<std::string_view, 7> kWords = {"SEND_F",  "RECV_F",  "SEND_B",     "RECV_B",
                                                      "RESHARD", "UNSHARD", "REDUCE_GRAD"};
  for (const std::string_view word : kWords) {
    if (text.substr(0, 2 * kMaxQuoted).find(word) != std::string_view::npos) return true;
  }
  return false;
}

}  // namespace

char letter(ActionKind kind) {
  return kLetters[static_cast<std::size_t>(kind)];
}

void append_text(std::string& out, const Step& step) {
  if (!step.overlapped) return append_action(out, step.first);
  out += '(';
  append_action(out, step.first);
  out += ';';
  append_action(out, step.second);
  out += ')';
  out += kOverlap;
}

std::string to_text(const Action& action) {
  std::string out;
  append_action(out, action);
  return out;
}

std::string to_text(const Step& step) {
  std::string out;
  append_text(out, step);
  return out;
}

std::optional<Action> parse_action(std::string_view text) {
  const auto stage = take_number(text);
  if (!stage || text.empty()) return std::nullopt;
  const std::size_t kind = kLetters.find(text.front());
  if (kind == std::string_view::npos) return std::nullopt;
  text.remove_prefix(1);
  const auto microbatch = take_number(text);
  if (!microbatch || !text.empty()) return std::nullopt;
  return Action{.kind = static_cast<ActionKind>(kind),
                .stage = StageId{*stage},
                .microbatch = MicrobatchId{*microbatch}};
}

std::optional<Step> parse_step(std::string_view text) {
  if (text.empty() || text.front() != '(') {
    const auto action = parse_action(text);
    return action ? std::optional(alone(*action)) : std::nullopt;
  }
  // Anything longer than the longest pair is no pair; the limit also keeps the searches below short.
  constexpr std::size_t kLongest = 4 * kMaxDigits + 5 + kOverlap.size();
  if (text.size() > kLongest || !text.ends_with(kOverlap)) return std::nullopt;
  const std::size_t middle = text.find(';');
  const std::size_t close = text.size() - kOverlap.size() - 1;
  if (text[close] != ')' || middle == std::string_view::npos || middle > close) return std::nullopt;
  const auto forward = parse_action(text.substr(1, middle - 1));
  const auto backward = parse_action(text.substr(middle + 1, close - middle - 1));
  if (!forward || !backward) return std::nullopt;
  if (forward->kind != ActionKind::kForward || backward->kind != ActionKind::kBackward) return std::nullopt;
  return overlap(*forward, *backward);
}

std::string explain_bad_step(std::string_view text) {
  const std::string found = quoted(text);
  if (is_communication(text)) {
    return found +
           " is a communication action; expected a compute-only schedule (F, I, W, B): communication is "
           "added by the simulator";
  }
  if (!text.empty() && text.front() == '(') {
    return found +
           " is not an overlapped pair; expected a forward and a full backward as "
           "(<stage>F<microbatch>;<stage>B<microbatch>)OVERLAP_F_B, e.g. (0F1;0B0)OVERLAP_F_B";
  }
  return found +
         " is not an action; expected <stage><F|I|W|B><microbatch> with whole numbers of at most nine digits "
         "and no leading zero, e.g. 0F3, or an overlapped pair (0F1;0B0)OVERLAP_F_B";
}

}  // namespace orrery
