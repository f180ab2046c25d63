#pragma once

#include <filesystem>
#include <map>

#include "calibrate/probe/sample.hpp"

namespace orrery {

/// Outcomes of a running measurement on disk: a CSV of samples (probe/sample.hpp) to which every outcome is
/// appended as soon as it is known, one line each. A run that was killed loses at most the case it was at.
class Journal {
 public:
  /// A new journal at `path` (replacing what is there). InputError if it cannot be written.
  Journal(std::filesystem::path path, const About& about);
  /// Continues `path`. A last line that was cut off is dropped. InputError if the file was made under other
  /// circumstances: any name in `about` other than "date" whose value differs.
  [[nodiscard]] static Journal resume(std::filesystem::path path, const About& about);

  void append(const Outcome& outcome);
  /// What it holds; of a case that was measured again the last outcome.
  [[nodiscard]] const std::map<Case, Answer>& answers() const { return answers_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  Journal() = default;
  void write(const std::string& text, bool replace);

  std::filesystem::path path_;
  std::map<Case, Answer> answers_;
};

}  // namespace orrery
