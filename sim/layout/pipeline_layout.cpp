#include "sim/layout/pipeline_layout.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "sim/base/check.hpp"

namespace orrery {
namespace {

/// More than any model has; a repetition beyond it is a typing error, not a wish.
constexpr std::size_t kMostSymbols = 100000;

class Parser {
 public:
  Parser(std::string_view text, const std::string& place) : text_(text), place_(place) {}

  /// The text with all repetitions written out.
  std::string expand() {
    std::string out = sequence();
    if (at_ < text_.size()) fail("a ')' without its '('");
    return out;
  }

 private:
  [[noreturn]] void fail(const std::string& problem) const {
    throw InputError(
        fmt::format("{}:{}", place_, at_ + 1),
        fmt::format(
            "found {} in '{}'; expected stages of E, t, m and L separated by '|', with *n and (...)*n for "
            "repetition, such as \"Et*4|(t*4|)*14,tmL\"",
            problem, text_));
  }

  std::string sequence() {
    std::string out;
    while (at_ < text_.size() && text_[at_] != ')') {
      if (text_[at_] == ',' || text_[at_] == ' ') {
        ++at_;
        continue;
      }
      out += repeated(item());
      if (out.size() > kMostSymbols) fail("more than 100000 layers and stages");
    }
    return out;
  }

  std::string item() {
    const char c = text_[at_];
    if (c == '(') {
      ++at_;
      std::string inner = sequence();
      if (at_ == text_.size()) fail("a '(' without its ')'");
      ++at_;
      return inner;
    }
    if (c != 'E' && c != 't' && c != 'm' && c != 'L' && c != '|') fail(fmt::format("'{}'", c));
    ++at_;
    return std::string(1, c);
  }

  std::string repeated(std::string item) {
    if (at_ == text_.size() || text_[at_] != '*') return item;
    ++at_;
    std::size_t count = 0;
    const std::size_t first = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') {
      count = std::min(kMostSymbols, count * 10 + static_cast<std::size_t>(text_[at_] - '0'));
      ++at_;
    }
    if (at_ == first || count == 0) fail("'*' without a positive number");
    if (item.size() * count > kMostSymbols) fail("more than 100000 layers and stages");
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += item;
    return out;
  }

  std::string_view text_;
  const std::string& place_;
  std::size_t at_ = 0;
};

}  // namespace

PipelineLayout parse_pipeline_layout(std::string_view text, const std::string& place) {
  std::string expanded = Parser(text, place).expand();
  // "(t|)*3" ends with a separator: no stage follows it.
  if (!expanded.empty() && expanded.back() == '|') expanded.pop_back();
  const auto wrong = [&](const std::string& problem) {
    throw InputError(
        place, fmt::format("{} in '{}'; the embedding stands first, then layers, then MTP modules in one "
                           "stage, then one loss",
                           problem, text));
  };
  PipelineLayout cut{.layers = {0}};
  for (std::size_t i = 0; i < expanded.size(); ++i) {
    const char c = expanded[i];
    const auto stage = static_cast<std::int64_t>(cut.layers.size()) - 1;
    if (c == '|') cut.layers.push_back(0);
    if (c == 't') ++cut.layers.back();
    if (c == 'E' && i != 0) wrong("found an E that is not the first symbol");
    if (c == 'L' && i + 1 != expanded.size()) wrong("found something after L");
    if (c == 't' && cut.mtp_modules > 0) wrong("found t after m");
    if (c == 'm' && cut.mtp_modules++ > 0 && stage != cut.mtp_stage) wrong("found m in a second stage");
    if (c == 'm') cut.mtp_stage = stage;
  }
  if (expanded.empty() || expanded.front() != 'E') wrong("found no E at the start");
  if (expanded.back() != 'L') wrong("found no L at the end");
  if (cut.mtp_stage + 1 == static_cast<std::int64_t>(cut.layers.size())) cut.mtp_stage = -1;
  return cut;
}

std::string pipeline_layout_text(const PipelineLayout& cut) {
  std::string out = "E";
  const auto last = static_cast<std::int64_t>(cut.layers.size()) - 1;
  const std::int64_t mtp_stage = cut.mtp_stage < 0 ? last : cut.mtp_stage;
  for (std::int64_t stage = 0; stage <= last; ++stage) {
    const std::int64_t layers = cut.layers[static_cast<std::size_t>(stage)];
    if (stage > 0) out += '|';
    if (layers == 1) out += 't';
    if (layers > 1) out += fmt::format("t*{}", layers);
    if (stage == mtp_stage) out.append(static_cast<std::size_t>(cut.mtp_modules), 'm');
  }
  return out + "L";
}

}  // namespace orrery
