#include <fmt/format.h>
#include <sqlite3.h>

#include <filesystem>

#include "planner/sweep/sweep_output.hpp"
#include "planner/sweep/sweep_store.hpp"
#include "sim/base/check.hpp"

namespace orrery {
namespace {

class SqliteStore final : public SweepStore {
 public:
  SqliteStore(std::string path, const std::vector<std::pair<std::string, std::string>>& about)
      : path_(std::move(path)), part_(path_ + ".part"), columns_(sweep_columns()) {
    std::error_code code;
    if (std::filesystem::is_directory(path_, code))
      throw InputError(path_, "is a folder, expected a file name to write");
    if (std::filesystem::exists(path_, code) && !std::filesystem::is_regular_file(path_, code))
      throw InputError(path_, "is a device or a pipe, expected a file name to write");
    std::filesystem::remove(part_, code);
    try {
      check(sqlite3_open_v2(part_.c_str(), &base_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr));
      create(about);
    } catch (...) {
      drop();
      throw;
    }
  }

  ~SqliteStore() override { drop(); }

  void add(std::uint64_t item, const SweepRow& row) override {
    const std::vector<std::string> cells = sweep_cells(item, row);
    SIM_CHECK(cells.size() == columns_.size(), "as many cells as columns");
    for (std::size_t i = 0; i < cells.size(); ++i) bind(insert_, static_cast<int>(i) + 1, cells[i]);
    step(insert_);
  }

  void finish() override {
    finalize();
    run("CREATE INDEX results_status ON results(status); COMMIT;");
    check(sqlite3_close(base_));
    base_ = nullptr;
    std::error_code code;
    std::filesystem::rename(part_, path_, code);
    if (code) {
      drop();
      throw InputError(path_, "cannot be written: " + code.message());
    }
  }

 private:
  void check(int code) const {
    if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return;
    throw InputError(path_, fmt::format("cannot be written: {}",
                                        base_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(base_)));
  }
  void run(const std::string& sql) { check(sqlite3_exec(base_, sql.c_str(), nullptr, nullptr, nullptr)); }
  void bind(sqlite3_stmt* statement, int at, const std::string& text) const {
    check(text.empty() ? sqlite3_bind_null(statement, at)
                       : sqlite3_bind_text(statement, at, text.data(), static_cast<int>(text.size()),
                                           SQLITE_TRANSIENT));
  }
  void step(sqlite3_stmt* statement) const {
    check(sqlite3_step(statement));
    check(sqlite3_reset(statement));
  }
  void insert_pairs(const std::string& table, const std::vector<std::pair<std::string, std::string>>& rows) {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(base_, fmt::format("INSERT INTO {} VALUES (?, ?)", table).c_str(), -1,
                             &statement, nullptr));
    for (const auto& [name, value] : rows) {
      bind(statement, 1, name);
      bind(statement, 2, value);
      step(statement);
    }
    sqlite3_finalize(statement);
  }

  void create(const std::vector<std::pair<std::string, std::string>>& about) {
    // Numbers arrive as text; the type of the column turns them into integers or reals.
    std::string names;
    std::string marks;
    std::vector<std::pair<std::string, std::string>> units;
    for (const SweepColumn& column : columns_) {
      names += fmt::format("{}\"{}\" {}", names.empty() ? "" : ", ", column.name,
                           column.text ? "TEXT" : "NUMERIC");
      marks += marks.empty() ? "?" : ", ?";
      units.emplace_back(column.name, column.unit);
    }
    run("PRAGMA journal_mode = OFF; BEGIN;");
    run(fmt::format("CREATE TABLE results ({});", names));
    run("CREATE TABLE columns (name TEXT, unit TEXT); CREATE TABLE about (name TEXT, value TEXT);");
    insert_pairs("columns", units);
    insert_pairs("about", about);
    check(sqlite3_prepare_v2(base_, fmt::format("INSERT INTO results VALUES ({})", marks).c_str(), -1,
                             &insert_, nullptr));
  }

  void finalize() {
    sqlite3_finalize(insert_);
    insert_ = nullptr;
  }

  void drop() {
    if (base_ == nullptr) return;
    finalize();
    sqlite3_close(base_);
    base_ = nullptr;
    std::error_code code;
    std::filesystem::remove(part_, code);
  }

  std::string path_, part_;
  std::vector<SweepColumn> columns_;
  sqlite3* base_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
};

}  // namespace

std::string sweep_store_missing() {
  return {};
}

std::unique_ptr<SweepStore> make_sweep_store(const std::string& path,
                                             const std::vector<std::pair<std::string, std::string>>& about) {
  return std::make_unique<SqliteStore>(path, about);
}

}  // namespace orrery
