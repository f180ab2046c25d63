#include "calibrate/probe/isolated_probe.hpp"

#include <fmt/format.h>

#include <exception>
#include <set>

namespace orrery {
namespace {

// Questions and answers travel as the CSV of sample.hpp, which is lossless. A sequence is a question with a
// row for its name and one for each step, whose repetitions stand in the message of its row.

constexpr const char* kSequence = "sequence";

std::string number(double value) {
  return fmt::format("{}", value);
}

About effort_text(const Effort& effort) {
  return {{"relative_error", number(effort.relative_error)},
          {"min_samples", std::to_string(effort.min_samples)},
          {"max_samples", std::to_string(effort.max_samples)},
          {"max_seconds", number(effort.max_seconds)},
          {"sustained_seconds", number(effort.sustained_seconds)}};
}

Effort effort_of(const About& about) {
  Effort effort;
  effort.relative_error = std::stod(about.find("relative_error")->second);
  effort.min_samples = std::stoi(about.find("min_samples")->second);
  effort.max_samples = std::stoi(about.find("max_samples")->second);
  effort.max_seconds = std::stod(about.find("max_seconds")->second);
  effort.sustained_seconds = std::stod(about.find("sustained_seconds")->second);
  return effort;
}

Outcome step_row(const SequenceStep& step) {
  return {.what = step.what,
          .answer = Failure{.kind = FailureClass::kOther, .message = std::to_string(step.repeats)}};
}

Answer answer_to(Probe& probe, const SampleFile& asked) {
  const Effort effort = effort_of(asked.about);
  const Case& what = asked.outcomes.at(0).what;
  if (!asked.about.contains(kSequence)) return probe.run(what, effort);
  Sequence sequence{.what = what, .steps = {}};
  for (std::size_t i = 1; i < asked.outcomes.size(); ++i)
    sequence.steps.push_back({.what = asked.outcomes[i].what,
                              .repeats = std::stoi(std::get<Failure>(asked.outcomes[i].answer).message)});
  return probe.run_sequence(sequence, effort);
}

/// Life of the child: makes the probe, answers until the other end closes.
void serve(Channel& channel, const ProbeFactory& factory) {
  try {
    ProbeOrReason made = factory();
    About about = made.probe ? made.probe->about() : About{};
    if (!made.probe) about["reason"] = made.reason;
    if (!channel.send(csv_head(about)) || !made.probe) return;
    std::string text;
    while (channel.receive(text) == Receipt::kDone) {
      const SampleFile asked = parse_samples(text, "question");
      Outcome outcome = asked.outcomes.at(0);
      try {
        outcome.answer = answer_to(*made.probe, asked);
      } catch (const std::exception& error) {
        outcome.answer = Failure{FailureClass::kOther, error.what()};
      }
      if (!channel.send(csv_head({}) + csv_row(outcome))) return;
    }
  } catch (const std::exception& error) {
    (void)channel.send(csv_head({{"reason", error.what()}}));
  }
}

}  // namespace

IsolatedProbe::IsolatedProbe(ProbeFactory factory, Patience patience)
    : factory_(std::move(factory)), patience_(patience) {}

std::string IsolatedProbe::start() {
  if (std::string reason = child_.start([this](Channel& channel) { serve(channel, factory_); });
      !reason.empty())
    return reason;
  std::string text;
  const Receipt receipt = child_.channel().receive(text, patience_.start_s);
  if (receipt == Receipt::kLate) {
    child_.stop();
    return fmt::format("the measuring process did not start within {} s", patience_.start_s);
  }
  if (receipt == Receipt::kClosed)
    return "the measuring process " + child_.how_it_ended() + " while it started";
  About about = parse_samples(text, "start").about;
  if (const auto reason = about.find("reason"); reason != about.end()) {
    child_.stop();
    return reason->second;
  }
  about_ = std::move(about);
  return "";
}

Answer IsolatedProbe::run(const Case& what, const Effort& effort) {
  return ask(csv_head(effort_text(effort)) + csv_row({what, Failure{}}),
             patience_.case_s + 3 * effort.max_seconds + (what.sustained ? effort.sustained_seconds : 0));
}

Answer IsolatedProbe::run_sequence(const Sequence& sequence, const Effort& effort) {
  About head = effort_text(effort);
  head[kSequence] = "1";
  std::string text = csv_head(head) + csv_row({sequence.what, Failure{}});
  std::set<Case> different;
  for (const SequenceStep& step : sequence.steps) {
    text += csv_row(step_row(step));
    different.insert(step.what);
  }
  return ask(text, patience_.case_s + 3 * effort.max_seconds + effort.sustained_seconds +
                       patience_.step_s * static_cast<double>(different.size()));
}

Answer IsolatedProbe::ask(const std::string& question, double patience) {
  if (!child_.running()) {
    const std::string reason = start();
    if (!reason.empty()) return Failure{FailureClass::kDeviceLost, reason};
  }
  std::string text;
  Receipt receipt = child_.channel().send(question) ? Receipt::kDone : Receipt::kClosed;
  if (receipt == Receipt::kDone) receipt = child_.channel().receive(text, patience);
  if (receipt == Receipt::kLate) {
    child_.stop();
    return Failure{FailureClass::kTimeOut,
                   fmt::format("no answer within {:g} s; the measuring process was ended", patience)};
  }
  if (receipt == Receipt::kClosed)
    return Failure{FailureClass::kCrashed, "the measuring process " + child_.how_it_ended()};
  Answer answer = parse_samples(text, "answer").outcomes.at(0).answer;
  // A context that has lost its device or had a fault answers nothing any more: the next case gets a new
  // process.
  if (const auto* failure = std::get_if<Failure>(&answer)) {
    const FailureClass kind = failure->kind;
    if (kind == FailureClass::kDeviceLost || kind == FailureClass::kRankFailed ||
        kind == FailureClass::kCrashed)
      child_.stop();
  }
  return answer;
}

}  // namespace orrery
