#include "calibrate/probe/child_process.hpp"

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
#include <thread>
#include <utility>

namespace orrery {
namespace {

using Clock = std::chrono::steady_clock;

// Messages: eight bytes of length, then text.

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

Receipt receive_all(int socket, char* data, std::size_t size, std::optional<Clock::time_point> until) {
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

}  // namespace

Channel::Channel(Channel&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}

Channel& Channel::operator=(Channel&& other) noexcept {
  std::swap(socket_, other.socket_);
  return *this;
}

Channel::~Channel() {
  close();
}

void Channel::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

bool Channel::send(const std::string& text) {
  const std::uint64_t size = text.size();
  std::array<char, sizeof size> head{};
  std::memcpy(head.data(), &size, sizeof size);
  return socket_ >= 0 && send_all(socket_, head.data(), head.size()) &&
         send_all(socket_, text.data(), text.size());
}

Receipt Channel::receive(std::string& text, std::optional<double> seconds) {
  std::optional<Clock::time_point> until;
  if (seconds) {
    until =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(*seconds));
  }
  if (socket_ < 0) return Receipt::kClosed;
  std::uint64_t size = 0;
  std::array<char, sizeof size> head{};
  const Receipt receipt = receive_all(socket_, head.data(), head.size(), until);
  if (receipt != Receipt::kDone) return receipt;
  std::memcpy(&size, head.data(), sizeof size);
  text.resize(size);
  return receive_all(socket_, text.data(), size, until);
}

bool Channel::readable() const {
  pollfd waiting{.fd = socket_, .events = POLLIN, .revents = 0};
  return socket_ >= 0 && poll(&waiting, 1, 0) > 0;
}

ChildProcess::~ChildProcess() {
  stop();
}

std::string ChildProcess::start(const std::function<void(Channel&)>& life) {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return fmt::format("no socket for the measuring process: {}", std::strerror(errno));
  const pid_t parent = getpid();
  child_ = fork();
  if (child_ < 0) {
    const int problem = errno;
    ::close(ends[0]);
    ::close(ends[1]);
    return fmt::format("no measuring process: {}", std::strerror(problem));
  }
  if (child_ == 0) {
    ::close(ends[0]);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);  // the parent died before the line above
    Channel own(ends[1]);
    life(own);
    _exit(0);  // no destructors: whatever the child holds goes with the process
  }
  ::close(ends[1]);
  channel_ = Channel(ends[0]);
  return "";
}

void ChildProcess::stop() {
  channel_.close();
  if (child_ < 0) return;
  kill(child_, SIGKILL);
  for (int i = 0; i < 1000 && waitpid(child_, nullptr, WNOHANG) == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  child_ = -1;
}

std::string ChildProcess::how_it_ended() {
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
