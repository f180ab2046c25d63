#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>

namespace orrery {

/// Results of a sweep as they arrive, in a text file that is only appended to (docs/formats/sweep.md). Each
/// line is
/// "<checksum> <key> <JSON>"; the first one names the sweep. One process holds the file at a time.
class Journal {
 public:
  /// Opens or creates `path` for the sweep with this hash. Lines that are damaged are passed over and
  /// counted, a torn end is cut off. InputError: the file cannot be opened or written, is held by another
  /// process, is no journal, is the journal of another sweep or program, or holds results although `resume`
  /// is false.
  Journal(const std::string& path, const std::string& sweep_hash, const std::string& program, bool resume);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;
  ~Journal();

  [[nodiscard]] bool has(const std::string& key) const { return places_.contains(key); }
  [[nodiscard]] std::uint64_t size() const { return places_.size(); }
  /// Adds a row as one line of text. InputError when it cannot be written whole: what was there before is
  /// intact.
  void append(const std::string& key, const std::string& row);
  /// A row by its key, read back and checked.
  [[nodiscard]] std::string row(const std::string& key) const;
  /// Waits until the rows are on the disk.
  void sync();
  /// What was found damaged on opening, in a sentence; empty: nothing.
  [[nodiscard]] const std::string& recovered() const { return recovered_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Place {
    std::uint64_t offset = 0;  ///< of the JSON
    std::uint64_t length = 0;
  };
  void lock();
  void scan(const std::string& header, bool resume);
  void take_lines(const std::string& text);
  void cut(std::uint64_t end);
  void write_line(const std::string& line);
  [[noreturn]] void fail(const std::string& problem) const;

  std::string path_;
  int file_ = -1;
  std::uint64_t end_ = 0;  ///< of the last good line
  std::unordered_map<std::string, Place> places_;
  std::string recovered_;
  std::chrono::steady_clock::time_point synced_;
};

}  // namespace orrery
