#include "calibrate/probe/isolated_probe.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <optional>
#include <thread>

namespace orrery {
namespace {

using Clock = std::chrono::steady_clock;

// Messages: eight bytes of length, then text. Outcomes travel as the CSV of sample.hpp, which is lossless.

bool send_all(int socket, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = send(socket, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

bool send_text(int socket, const std::string& text) {
  const std::uint64_t size = text.size();
  std::array<char, sizeof size> head{};
  std::memcpy(head.data(), &size, sizeof size);
  return send_all(socket, head.data(), head.size()) && send_all(socket, text.data(), text.size());
}

enum class Receipt { kDone, kClosed, kLate };

Receipt receive(int socket, char* data, std::size_t size, std::optional<Clock::time_point> until) {
  while (size > 0) {
    if (until) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*until - Clock::now()).count();
      pollfd waiting{.fd = socket, .events = POLLIN, .revents = 0};
      const int ready = poll(&waiting, 1, static_cast<int>(std::clamp<long long>(left, 0, 1'000'000)));
      if (ready < 0 && errno == EINTR) continue;
      if (ready == 0) return Receipt::kLate;
    }
    const ssize_t got = recv(socket, data, size, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Receipt::kClosed;
    data += got;
    size -= static_cast<std::size_t>(got);
  }
  return Receipt::kDone;
}

Receipt receive_text(int socket, std::string& text, std::optional<Clock::time_point> until) {
  std::uint64_t size = 0;
  std::array<char, sizeof size> head{};
  const Receipt receipt = receive(socket, head.data(), head.size(), until);
  if (receipt != Receipt::kDone) return receipt;
  std::memcpy(&size, head.data(), sizeof size);
  text.resize(size);
  return receive(socket, text.data(), size, until);
}

Clock::time_point after(double seconds) {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

std::string number(double value) {
  return fmt::format("{}", value);
}

/// A case and an effort as one message, and back.
std::string question(const Case& what, const Effort& effort) {
  const About about{{"relative_error", number(effort.relative_error)},
                    {"min_samples", std::to_string(effort.min_samples)},
                    {"max_samples", std::to_string(effort.max_samples)},
                    {"max_seconds", number(effort.max_seconds)},
                    {"sustained_seconds", number(effort.sustained_seconds)}};
  return csv_head(about) + csv_row({what, Failure{}});
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

/// Life of the child: makes the probe, answers until the other end closes, never returns.
[[noreturn]] void serve(int socket, const ProbeFactory& factory) {
  try {
    ProbeOrReason made = factory();
    About about = made.probe ? made.probe->about() : About{};
    if (!made.probe) about["reason"] = made.reason;
    if (!send_text(socket, csv_head(about)) || !made.probe) _exit(0);
    std::string text;
    while (receive_text(socket, text, std::nullopt) == Receipt::kDone) {
      const SampleFile asked = parse_samples(text, "question");
      Outcome outcome = asked.outcomes.at(0);
      try {
        outcome.answer = made.probe->run(outcome.what, effort_of(asked.about));
      } catch (const std::exception& error) {
        outcome.answer = Failure{FailureClass::kOther, error.what()};
      }
      if (!send_text(socket, csv_head({}) + csv_row(outcome))) break;
    }
  } catch (const std::exception& error) {
    (void)send_text(socket, csv_head({{"reason", error.what()}}));
  }
  _exit(0);  // no destructors: whatever the probe holds goes with the process
}

}  // namespace

IsolatedProbe::IsolatedProbe(ProbeFactory factory, Patience patience)
    : factory_(std::move(factory)), patience_(patience) {}

IsolatedProbe::~IsolatedProbe() {
  stop();
}

std::string IsolatedProbe::start() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fmt::format("no socket for the measuring process: {}", std::strerror(errno));
  const pid_t parent = getpid();
  child_ = fork();
  if (child_ < 0) {
    close(ends[0]);
    close(ends[1]);
    return fmt::format("no measuring process: {}", std::strerror(errno));
  }
  if (child_ == 0) {
    close(ends[0]);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);  // the parent died before the line above
    serve(ends[1], factory_);
  }
  close(ends[1]);
  socket_ = ends[0];
  std::string text;
  const Receipt receipt = receive_text(socket_, text, after(patience_.start_s));
  if (receipt == Receipt::kLate) {
    stop();
    return fmt::format("the measuring process did not start within {} s", patience_.start_s);
  }
  if (receipt == Receipt::kClosed) return "the measuring process " + how_it_ended() + " while it started";
  About about = parse_samples(text, "start").about;
  if (const auto reason = about.find("reason"); reason != about.end()) {
    stop();
    return reason->second;
  }
  about_ = std::move(about);
  return "";
}

Answer IsolatedProbe::run(const Case& what, const Effort& effort) {
  if (child_ < 0) {
    const std::string reason = start();
    if (!reason.empty()) return Failure{FailureClass::kDeviceLost, reason};
  }
  const double patience =
      patience_.case_s + 3 * effort.max_seconds + (what.sustained ? effort.sustained_seconds : 0);
  std::string text;
  Receipt receipt = send_text(socket_, question(what, effort)) ? Receipt::kDone : Receipt::kClosed;
  if (receipt == Receipt::kDone) receipt = receive_text(socket_, text, after(patience));
  if (receipt == Receipt::kLate) {
    stop();
    return Failure{FailureClass::kTimeOut,
                   fmt::format("no answer within {:g} s; the measuring process was ended", patience)};
  }
  if (receipt == Receipt::kClosed)
    return Failure{FailureClass::kCrashed, "the measuring process " + how_it_ended()};
  Answer answer = parse_samples(text, "answer").outcomes.at(0).answer;
  // A context that has lost its device or had a fault answers nothing any more: the next case gets a new
  // process.
  if (const auto* failure = std::get_if<Failure>(&answer)) {
    const FailureClass kind = failure->kind;
    if (kind == FailureClass::kDeviceLost || kind == FailureClass::kRankFailed ||
        kind == FailureClass::kCrashed)
      stop();
  }
  return answer;
}

/// Kills the child and waits a little for it; one that hangs inside the driver is left behind rather than
/// waited for.
void IsolatedProbe::stop() {
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
  if (child_ < 0) return;
  kill(child_, SIGKILL);
  for (int i = 0; i < 1000 && waitpid(child_, nullptr, WNOHANG) == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  child_ = -1;
}

std::string IsolatedProbe::how_it_ended() {
  std::string out = "ended";
  int status = 0;
  for (int i = 0; i < 1000; ++i) {
    const pid_t found = waitpid(child_, &status, WNOHANG);
    if (found == child_ && WIFSIGNALED(status))
      out = fmt::format("was ended by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
    if (found == child_ && WIFEXITED(status)) out = fmt::format("ended with code {}", WEXITSTATUS(status));
    if (found != 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  child_ = -1;
  stop();
  return out;
}

}  // namespace orrery
