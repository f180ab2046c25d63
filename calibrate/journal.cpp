#include "calibrate/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"

namespace orrery {

Journal::Journal(std::filesystem::path path, const About& about) : path_(std::move(path)) {
  write(csv_head(about), true);
}

Journal Journal::resume(std::filesystem::path path, const About& about) {
  std::string text = read_file(path);
  const std::size_t end = text.rfind('\n');
  const bool cut = end == std::string::npos || end + 1 != text.size();
  if (cut) text.resize(end == std::string::npos ? 0 : end + 1);
  SampleFile found = parse_samples(text, path.string());
  for (const auto& [name, value] : about) {
    if (name == "date") continue;
    const auto before = found.about.find(name);
    if (before != found.about.end() && before->second == value) continue;
    throw InputError(
        path.string(),
        fmt::format("was begun with {} '{}', now it is '{}'; resume under the same circumstances, "
                    "or begin anew without --resume",
                    name, before == found.about.end() ? "" : before->second, value));
  }
  Journal journal;
  journal.path_ = std::move(path);
  for (Outcome& outcome : found.outcomes)
    journal.answers_.insert_or_assign(std::move(outcome.what), std::move(outcome.answer));
  if (cut) journal.write(text, true);
  return journal;
}

void Journal::append(const Outcome& outcome) {
  write(csv_row(outcome), false);
  answers_.insert_or_assign(outcome.what, outcome.answer);
}

void Journal::write(const std::string& text, bool replace) {
  const int file = open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (replace ? O_TRUNC : O_APPEND), 0666);
  const auto fail = [&] {
    const int problem = errno;
    if (file >= 0) close(file);
    throw InputError(path_.string(), fmt::format("cannot be written: {}", std::strerror(problem)));
  };
  if (file < 0) fail();
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = ::write(file, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail();
    done += static_cast<std::size_t>(written);
  }
  close(file);
}

}  // namespace orrery
