#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace orrery {

/// A key of a JSON object, with the second name some files use for it.
struct ConfigKey {
  std::string name;
  std::string alias;
  ConfigKey(const char* n) : name(n) {}
  ConfigKey(const char* n, const char* a) : name(n), alias(a) {}
};

/// Inclusive limits of a whole number.
struct IntegerRange {
  std::int64_t low = 1;
  std::int64_t high = 1;
};

/// Reads the flat JSON object of a model configuration: strict about the keys it is asked for, indifferent
/// to the others, and keeps account of both. Wrong values throw InputError at once, with file and JSON
/// pointer; missing keys are gathered so that `finish` can name all of them in one message.
class ConfigReader {
 public:
  /// `place` is the file name or another name of the text. Malformed JSON, duplicate keys and anything but
  /// an object are InputErrors.
  ConfigReader(std::string_view text, std::string place);
  ~ConfigReader();
  ConfigReader(const ConfigReader&) = delete;
  ConfigReader& operator=(const ConfigReader&) = delete;

  /// A number that must be there. Where it is missing the lower limit is returned and `finish` throws.
  std::int64_t integer(const ConfigKey& key, IntegerRange range);
  /// As `integer`, but the file may say null, which means `when_null`.
  std::int64_t integer_or_null(const ConfigKey& key, IntegerRange range, std::int64_t when_null);
  /// Absent or null means `fallback`.
  std::int64_t integer_or(const ConfigKey& key, IntegerRange range, std::int64_t fallback);
  /// Absent or null means `fallback`.
  bool flag(const ConfigKey& key, bool fallback);
  /// Absent or null means `fallback`.
  std::string text(const ConfigKey& key, const std::string& fallback);
  /// A list of texts with at least one entry; its first entry.
  std::string first_text(const ConfigKey& key);
  /// Absent or null means an empty list. Returned in ascending order.
  std::vector<std::int64_t> integers(const ConfigKey& key, IntegerRange range);
  /// A list that must be there, of texts out of `choices`. Where it is missing an empty list is returned and
  /// `finish` throws.
  std::vector<std::string> texts(const ConfigKey& key, const std::vector<std::string>& choices);
  [[nodiscard]] bool has_value(const ConfigKey& key) const;  ///< there and not null
  /// Metadata: neither used nor ignored.
  void skip(const ConfigKey& key);

  /// Throws InputError at `key`.
  [[noreturn]] void fail(const ConfigKey& key, const std::string& problem) const;
  /// Throws InputError that names every missing key and the nearest key that nobody asked for.
  void finish() const;

  [[nodiscard]] std::vector<std::string> used_keys() const;     ///< in the order they were asked for
  [[nodiscard]] std::vector<std::string> ignored_keys() const;  ///< in the order of the file
  /// "key = value" of everything the file left open and a convention filled in.
  [[nodiscard]] std::vector<std::string> assumed() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace orrery
