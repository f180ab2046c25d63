#include "calibrate/ranks/rank_agent.hpp"

#include <fmt/format.h>

#include <array>
#include <exception>
#include <sstream>

namespace orrery {
namespace {

constexpr double kWholeMessage = 10;  ///< seconds for the rest of a text whose beginning has come

std::string answer(Communicator& communicator, const std::string& request) {
  std::istringstream in(request);
  std::string verb;
  in >> verb;
  if (verb == "about") return "ok\n" + csv_head(communicator.about());
  if (verb == "id") return "ok " + communicator.unique_id();
  if (verb == "join") {
    RankPlace place;
    std::string id;
    in >> place.index >> place.count >> place.device >> id;
    const std::string csv = request.substr(request.find('\n') + 1);
    communicator.join(parse_samples(csv, "request").outcomes.at(0).what, id, place);
    return "ok";
  }
  if (verb == "verify") {
    const RankVerified found = communicator.verify();
    return fmt::format("ok {} {}", found.error, found.limit);
  }
  if (verb == "run") {
    int repeats = 1;
    in >> repeats;
    return fmt::format("ok {}", communicator.run(repeats));
  }
  if (verb == "leave") {
    communicator.leave();
    return "ok";
  }
  return failed_reply({FailureClass::kOther, "unknown request " + verb});
}

void serve(Channel& channel, const CommunicatorFactory& factory) {
  int steps = 0;
  std::unique_ptr<Communicator> communicator;
  std::string request;
  while (channel.receive(request) == Receipt::kDone) {
    std::string reply;
    try {
      if (!communicator) {
        communicator = factory(
            [&](const std::string& step) { (void)channel.send(fmt::format("at {} {}", ++steps, step)); });
      }
      // Counted from the beginning of each case: processes have not all taken part in the same ones.
      if (request.starts_with("join ")) steps = 0;
      reply = answer(*communicator, request);
    } catch (const RankFailure& failed) {
      reply = failed_reply(failed.failure);
    } catch (const std::exception& error) {
      reply = failed_reply({FailureClass::kOther, error.what()});
    }
    if (!channel.send(reply)) return;
  }
}

}  // namespace

void RankAgent::begin(const std::string& request) {
  if (!child_.running())
    failed_to_start_ = child_.start([this](Channel& channel) { serve(channel, factory_); });
  waiting_ = true;
  if (child_.running()) (void)child_.channel().send(request);  // a closed end shows in poll
}

std::optional<std::string> RankAgent::poll() {
  if (!waiting_) return std::nullopt;
  if (!child_.running()) {
    waiting_ = false;
    return failed_reply({FailureClass::kCrashed, failed_to_start_});
  }
  if (!child_.channel().readable()) return std::nullopt;
  std::string text;
  const Receipt receipt = child_.channel().receive(text, kWholeMessage);
  if (receipt == Receipt::kDone) {
    waiting_ = text.starts_with("at ");
    return text;
  }
  waiting_ = false;
  if (receipt == Receipt::kLate) {
    child_.stop();
    return failed_reply({FailureClass::kCrashed, "the measuring process stopped in the middle of an answer"});
  }
  return failed_reply({FailureClass::kCrashed, "the measuring process " + child_.how_it_ended()});
}

void RankAgent::abort() {
  waiting_ = false;
  child_.stop();
}

std::string behind_word(const std::string& text) {
  const std::size_t end = text.find_first_of(" \n");
  return end == std::string::npos ? "" : text.substr(end + 1);
}

std::string failed_reply(const Failure& failure) {
  return fmt::format("failed {} {}", to_text(failure.kind), failure.message);
}

std::optional<Failure> failure_in(const std::string& reply) {
  if (!reply.starts_with("failed ")) return std::nullopt;
  const std::string rest = behind_word(reply);
  Failure out{.kind = FailureClass::kOther, .message = behind_word(rest)};
  const std::string name = rest.substr(0, rest.find(' '));
  for (int kind = 0; kind <= static_cast<int>(FailureClass::kOther); ++kind)
    if (name == to_text(static_cast<FailureClass>(kind))) out.kind = static_cast<FailureClass>(kind);
  return out;
}

}  // namespace orrery
