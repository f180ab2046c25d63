#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace orrery {

/// A file, option or value given by the user is wrong. Thrown by loaders, caught once in `main`
/// (exit code 3). `place` names file and JSON pointer, line or option; `problem` says what was found
/// and what was expected, with the nearest valid choice where there is one.
class InputError : public std::runtime_error {
 public:
  InputError(std::string place, std::string problem)
      : std::runtime_error(place.empty() ? problem : place + ": " + problem),
        place_(std::move(place)),
        problem_(std::move(problem)) {}

  [[nodiscard]] const std::string& place() const { return place_; }
  [[nodiscard]] const std::string& problem() const { return problem_; }

 private:
  std::string place_;
  std::string problem_;
};

/// A broken invariant of the program itself: a bug, never the user's fault (exit code 1).
class InternalError : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

[[noreturn]] inline void fail_check(const char* condition, const char* file, int line,
                                    std::string_view message) {
  throw InternalError(std::string(file) + ":" + std::to_string(line) + ": check failed: " + condition +
                      (message.empty() ? "" : " (" + std::string(message) + ")"));
}

}  // namespace orrery

/// Invariant that must hold in every build type.
#define SIM_CHECK(condition, message)                                                \
  do {                                                                               \
    if (!(condition)) ::orrery::fail_check(#condition, __FILE__, __LINE__, message); \
  } while (false)
