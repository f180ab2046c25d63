#include "planner/sweep/journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "planner/stable_hash.hpp"
#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"

namespace orrery {
namespace {

constexpr std::size_t kChecksum = 16;  ///< hexadecimal digits
constexpr std::size_t kKey = 32;
constexpr std::chrono::seconds kSyncEvery{1};
constexpr const char* kHeaderKey = "00000000000000000000000000000000";

std::string line_of(std::string_view key, std::string_view json) {
  const std::string body = fmt::format("{} {}", key, json);
  return checksum(body) + " " + body + "\n";
}

/// Whether a line without its end is one of ours, undamaged.
bool is_good(std::string_view line) {
  if (line.size() < kChecksum + kKey + 3 || line[kChecksum] != ' ' || line[kChecksum + kKey + 1] != ' ')
    return false;
  return checksum(line.substr(kChecksum + 1)) == line.substr(0, kChecksum);
}

std::string_view key_of(std::string_view line) {
  return line.substr(kChecksum + 1, kKey);
}

std::string system_text() {
  return std::strerror(errno);
}

std::string read_all(int file, const std::string& path) {
  std::string text;
  char buffer[1 << 16];
  while (true) {
    const ssize_t got = read(file, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw InputError(path, "cannot be read: " + system_text());
    if (got == 0) return text;
    text.append(buffer, static_cast<std::size_t>(got));
  }
}

}  // namespace

void Journal::fail(const std::string& problem) const {
  throw InputError(path_, problem);
}

Journal::Journal(const std::string& path, const std::string& sweep_hash, const std::string& program,
                 bool resume)
    : path_(path), synced_(std::chrono::steady_clock::now()) {
  file_ = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file_ < 0) fail("the journal cannot be opened for writing: " + system_text());
  try {
    lock();
    const Json header{{"schema", "orrery.journal/1"}, {"sweep", sweep_hash}, {"program", program}};
    scan(header.dump(), resume);
  } catch (...) {
    close(file_);
    throw;
  }
}

Journal::~Journal() {
  if (file_ >= 0) close(file_);
}

void Journal::lock() {
  while (flock(file_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK)
      fail(
          "another process is running a sweep with this journal; wait for it, or name another with "
          "--journal");
    fail("the journal cannot be locked: " + system_text());
  }
}

void Journal::scan(const std::string& header, bool resume) {
  struct stat about {};
  if (fstat(file_, &about) == 0 && !S_ISREG(about.st_mode)) return write_line(line_of(kHeaderKey, header));
  const std::string text = read_all(file_, path_);
  const std::string first = line_of(kHeaderKey, header);
  if (text.empty()) return write_line(first);
  if (text.size() < first.size() && first.starts_with(text)) {
    cut(0);
    recovered_ = "its first line was torn and is written again";
    return write_line(first);
  }
  const std::size_t line_end = text.find('\n');
  const std::string_view found = std::string_view(text).substr(0, std::min(line_end, text.size()));
  if (line_end == std::string::npos || !is_good(found) || key_of(found) != kHeaderKey)
    fail("is not a journal of orrery, or its first line is damaged; name another file with --journal");
  const Json theirs = Json::parse(found.substr(kChecksum + kKey + 2));
  const Json ours = Json::parse(header);
  const std::string program = ours.at("program").get<std::string>();
  if (theirs.value("program", "") != program)
    fail(fmt::format(
        "was written by {}, this is {}: their figures may differ. Finish with that program, or start a new "
        "journal with --journal",
        theirs.value("program", "another program"), program));
  if (theirs != ours)
    fail(
        "is the journal of another sweep: the sweep's file, its base scenario or an option has changed. Name "
        "another "
        "journal with --journal");
  end_ = line_end + 1;
  take_lines(text);
  if (!resume && !places_.empty())
    fail(
        fmt::format("holds {} results of this sweep already; --resume goes on from there, or remove the file",
                    places_.size()));
}

void Journal::take_lines(const std::string& text) {
  std::uint64_t damaged = 0;
  std::uint64_t damaged_bytes = 0;
  std::uint64_t at = end_;
  while (at < text.size()) {
    const std::size_t stop = text.find('\n', at);
    const bool whole = stop != std::string::npos;
    const std::string_view line = std::string_view(text).substr(at, (whole ? stop : text.size()) - at);
    const std::uint64_t next = whole ? stop + 1 : text.size();
    if (whole && is_good(line)) {
      const std::size_t json = kChecksum + kKey + 2;
      places_.try_emplace(std::string(key_of(line)),
                          Place{.offset = at + json, .length = line.size() - json});
      end_ = next;
    } else {
      ++damaged;
      damaged_bytes += next - at;
    }
    at = next;
  }
  if (end_ < text.size()) cut(end_);
  if (damaged > 0)
    recovered_ = fmt::format("{} damaged line{} of {} bytes passed over; what stood there is run again",
                             damaged, damaged == 1 ? "" : "s", damaged_bytes);
}

void Journal::cut(std::uint64_t end) {
  if (ftruncate(file_, static_cast<off_t>(end)) != 0)
    fail("the damaged end cannot be cut off: " + system_text());
  end_ = end;
}

void Journal::write_line(const std::string& line) {
  std::size_t done = 0;
  while (done < line.size()) {
    const ssize_t wrote = write(file_, line.data() + done, line.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      const std::string why = system_text();
      const int ignored =
          ftruncate(file_, static_cast<off_t>(end_));  // half a line would be passed over anyway
      (void)ignored;
      fail(fmt::format(
          "the journal cannot be written: {}; the {} results before are kept. Make room, then go on with "
          "--resume",
          why, places_.size()));
    }
    done += static_cast<std::size_t>(wrote);
  }
  end_ += line.size();
}

void Journal::append(const std::string& key, const std::string& row) {
  SIM_CHECK(key.size() == kKey && row.find('\n') == std::string::npos, "a row of the journal is one line");
  const std::uint64_t offset = end_ + kChecksum + kKey + 2;
  write_line(line_of(key, row));
  places_.try_emplace(key, Place{.offset = offset, .length = row.size()});
  if (std::chrono::steady_clock::now() - synced_ > kSyncEvery) sync();
}

std::string Journal::row(const std::string& key) const {
  const Place place = places_.at(key);
  std::string text(place.length, '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t got =
        pread(file_, text.data() + done, text.size() - done, static_cast<off_t>(place.offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      fail("the journal cannot be read back: " +
           (got < 0 ? system_text() : std::string("it became shorter")));
    done += static_cast<std::size_t>(got);
  }
  return text;
}

void Journal::sync() {
  // Devices and pipes cannot; that is no reason to stop.
  if (fdatasync(file_) != 0 && errno != EINVAL && errno != EROFS)
    fail("the journal cannot be written: " + system_text());
  synced_ = std::chrono::steady_clock::now();
}

}  // namespace orrery
