#pragma once

#include <optional>
#include <string>

#include "calibrate/probe/child_process.hpp"
#include "calibrate/ranks/communicator.hpp"

/// Requests and replies between the process that measures a sweep and the communicators are texts:
///
///   about                              ok, then `# name: value` lines
///   id                                 ok ID
///   join INDEX COUNT DEVICE ID, CSV    ok           CSV: a row of docs/formats/samples-csv.md with the case
///   verify                             ok ERROR LIMIT
///   run REPEATS                        ok SECONDS
///   leave                              ok
///   at N STEP                          on its own: the Nth step since `join` that may wait has begun
///   failed CLASS MESSAGE               instead of ok
namespace orrery {

/// A communicator in a process of its own, asked without waiting.
class RankAgent {
 public:
  explicit RankAgent(CommunicatorFactory factory) : factory_(std::move(factory)) {}

  /// Starts the process if there is none and passes the request on.
  void begin(const std::string& request);
  /// A reply that has come, also "at ..."; a process that ended replies "failed crashed ...".
  [[nodiscard]] std::optional<std::string> poll();
  /// Ends the process, whatever it is at; the next request gets a new one.
  void abort();

 private:
  CommunicatorFactory factory_;
  ChildProcess child_;
  bool waiting_ = false;
  std::string failed_to_start_;
};

/// "failed CLASS MESSAGE" as a failure; anything else is none.
[[nodiscard]] std::optional<Failure> failure_in(const std::string& reply);
[[nodiscard]] std::string failed_reply(const Failure& failure);
/// Rest of `text` behind its first word.
[[nodiscard]] std::string behind_word(const std::string& text);

}  // namespace orrery
