#include "planner/cli/sweep_progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "planner/cli/command.hpp"
#include "planner/cli/environment.hpp"
#include "sim/report/table.hpp"

namespace orrery::cli {
namespace {

volatile std::sig_atomic_t interruptions = 0;
volatile std::sig_atomic_t urgent = 0;

void on_signal(int signal) {
  if (interruptions != 0) _exit(kInterrupted);
  interruptions = 1;
  if (signal == SIGTERM) urgent = 1;
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(signal, &action, nullptr);
}

constexpr std::chrono::milliseconds kTerminalEvery{200};
constexpr std::chrono::seconds kFirst{1};
constexpr std::chrono::seconds kLogEvery{10};
/// How long results in flight are waited for after Ctrl-C.
constexpr std::chrono::milliseconds kGrace{500};

}  // namespace

Interruption::Interruption() {
  interruptions = 0;
  urgent = 0;
  handle(SIGINT, on_signal);
  handle(SIGTERM, on_signal);
}

Interruption::~Interruption() {
  handle(SIGINT, [](int) { _exit(kInterrupted); });
  handle(SIGTERM, SIG_DFL);
}

bool Interruption::happened() {
  return interruptions != 0;
}

bool Interruption::is_urgent() {
  return urgent != 0;
}

std::string about_duration(double seconds) {
  if (seconds < 90) return fmt::format("~{:.0f} s", seconds);
  const double minutes = seconds / 60;
  if (minutes < 90) return fmt::format("~{:.0f} min", minutes);
  const double hours = minutes / 60;
  if (hours < 48)
    return fmt::format("~{:.0f} h {:02.0f} min", std::floor(hours), minutes - 60 * std::floor(hours));
  return fmt::format("~{:.1f} days", hours / 24);
}

std::string progress_line(const SweepProgress& now, std::size_t objective, double elapsed_s) {
  std::string line = fmt::format("[{}/{}] {} feasible", now.done, now.total, now.ok);
  const std::uint64_t faults = now.errors + now.failed + now.lost;
  if (faults > 0) line += fmt::format(", {} with errors", faults);
  if (now.best) {
    const std::string_view unit = sweep_metrics()[objective].unit;
    line += fmt::format(", best {} {}{}{} (item {})", sweep_metrics()[objective].name,
                        digits_text(now.best_value), unit.empty() ? "" : " ", unit, *now.best);
  }
  const std::uint64_t here = now.done - now.initial;
  if (here > 0 && now.done < now.total && elapsed_s > 0)
    line += fmt::format(", {} left", about_duration(static_cast<double>(now.total - now.done) * elapsed_s /
                                                    static_cast<double>(here)));
  return line;
}

ProgressPrinter::ProgressPrinter(bool quiet, std::size_t objective)
    : quiet_(quiet), terminal_(talks_to_a_person()), objective_(objective) {}

double ProgressPrinter::elapsed_s() const {
  return std::chrono::duration<double>(Clock::now() - began_).count();
}

bool ProgressPrinter::abandon() const {
  if (!Interruption::happened()) return false;
  if (Interruption::is_urgent()) return true;
  if (interrupted_ == Clock::time_point{}) interrupted_ = Clock::now();
  return Clock::now() - interrupted_ > kGrace;
}

void ProgressPrinter::progress(const SweepProgress& now) {
  const Clock::time_point time = Clock::now();
  if (quiet_ || time - began_ < kFirst) return;
  if (time - shown_ < (terminal_ ? Clock::duration(kTerminalEvery) : Clock::duration(kLogEvery))) return;
  shown_ = time;
  const std::string line = progress_line(now, objective_, elapsed_s());
  std::fprintf(stderr, terminal_ ? "\r\x1b[K%s" : "%s\n", line.c_str());
  std::fflush(stderr);
  line_there_ = terminal_;
}

void ProgressPrinter::notice(const std::string& line) {
  clear();
  std::fprintf(stderr, "%s\n", line.c_str());  // even with -q: something was lost
}

void ProgressPrinter::clear() {
  if (!line_there_) return;
  std::fprintf(stderr, "\r\x1b[K");
  std::fflush(stderr);
  line_there_ = false;
}

}  // namespace orrery::cli
