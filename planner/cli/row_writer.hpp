#pragma once

#include <cstdio>
#include <string>

namespace orrery::cli {

/// Writes a long text piece by piece: to standard output ("-"), to a device, or to a neighbour of `path` that
/// takes its place at the end. InputError when something cannot be written; then no file is left behind.
class RowWriter {
 public:
  explicit RowWriter(const std::string& path);
  RowWriter(const RowWriter&) = delete;
  RowWriter& operator=(const RowWriter&) = delete;
  ~RowWriter();
  void write(const std::string& text);
  void finish();
  /// Whether `path` can be written, found out before long work: InputError if not.
  static void check(const std::string& path);

 private:
  [[noreturn]] void fail() const;
  std::string path_;
  std::string part_;  ///< empty where there is no neighbour
  std::FILE* file_ = nullptr;
};

}  // namespace orrery::cli
