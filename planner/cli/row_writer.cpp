#include "planner/cli/row_writer.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "sim/base/check.hpp"

namespace orrery::cli {
namespace {

bool is_device(const std::filesystem::path& path) {
  std::error_code code;
  return std::filesystem::exists(path, code) && !std::filesystem::is_regular_file(path, code);
}

}  // namespace

RowWriter::RowWriter(const std::string& path) : path_(path) {
  std::error_code code;
  if (path == "-") {
    path_ = "standard output";
    file_ = stdout;
    return;
  }
  if (std::filesystem::is_directory(path, code))
    throw InputError(path, "is a folder, expected a file name to write");
  std::string name = path;
  if (!is_device(path)) {
    const std::filesystem::path linked = std::filesystem::canonical(path, code);
    if (!code) path_ = linked.string();  // a link keeps pointing where it does
    part_ = path_ + ".part";
    name = part_;
  }
  file_ = std::fopen(name.c_str(), "wb");
  if (file_ == nullptr) fail();
}

RowWriter::~RowWriter() {
  if (file_ == nullptr || file_ == stdout) return;
  std::fclose(file_);
  if (!part_.empty()) std::remove(part_.c_str());
}

void RowWriter::fail() const {
  throw InputError(path_, std::string("cannot be written: ") + std::strerror(errno));
}

void RowWriter::write(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), file_) != text.size()) fail();
}

void RowWriter::finish() {
  if (std::fflush(file_) != 0) fail();
  if (file_ == stdout) return;
  std::FILE* file = file_;
  file_ = nullptr;
  if (std::fclose(file) != 0) {
    const int why = errno;
    if (!part_.empty()) std::remove(part_.c_str());
    errno = why;
    fail();
  }
  if (!part_.empty() && std::rename(part_.c_str(), path_.c_str()) != 0) {
    const int why = errno;
    std::remove(part_.c_str());
    errno = why;
    fail();
  }
}

void RowWriter::check(const std::string& path) {
  if (path != "-") const RowWriter tried(path);
}

}  // namespace orrery::cli
