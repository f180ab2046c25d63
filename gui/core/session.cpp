#include "gui/core/session.hpp"

#include <fmt/format.h>

#include <cmath>

#include "sim/base/check.hpp"
#include "sim/base/fields.hpp"

namespace orrery::gui {
namespace {

constexpr const char* kSchema = "orrery.session/1";
constexpr double kMostPs = 9.2e18;

Json input_json(const Input& input) {
  Json edits = Json::array();
  for (const Override& o : input.edits) edits.push_back({{"key", o.key}, {"value", o.value}});
  return {{"text", input.text}, {"place", input.place}, {"folder", input.base.string()}, {"edits", edits}};
}

class Reader {
 public:
  Reader(const Json& json, std::string place) : json_(json), place_(std::move(place)) {}

  [[nodiscard]] Reader at(const std::string& key) const {
    if (!json_.is_object() || !json_.contains(key)) throw InputError(place_, fmt::format("has no '{}'", key));
    return {json_.at(key), place_ + "/" + key};
  }
  [[nodiscard]] bool has(const std::string& key) const {
    return json_.contains(key) && !json_.at(key).is_null();
  }
  [[nodiscard]] std::string text() const {
    if (!json_.is_string())
      throw InputError(place_, fmt::format("found {}, expected a text", json_.type_name()));
    return json_.get<std::string>();
  }
  [[nodiscard]] double number(double low, double high) const {
    const double v = json_.is_number() ? json_.get<double>() : std::nan("");
    if (!(v >= low && v <= high))
      throw InputError(
          place_, fmt::format("found {}, expected a number from {:.6g} to {:.6g}", json_.dump(), low, high));
    return v;
  }
  template <class F>
  void each(F&& f) const {
    if (!json_.is_array())
      throw InputError(place_, fmt::format("found {}, expected a list", json_.type_name()));
    for (std::size_t i = 0; i < json_.size(); ++i) f(Reader(json_[i], fmt::format("{}/{}", place_, i)));
  }

 private:
  const Json& json_;
  std::string place_;
};

Input read_input(const Reader& r) {
  Input input{r.at("text").text(), r.at("place").text(), r.at("folder").text(), {}};
  r.at("edits").each([&](const Reader& e) {
    const std::string key = e.at("key").text();
    input.edits.push_back({.key = key, .value = e.at("value").text(), .place = "edit of " + key});
  });
  return input;
}

}  // namespace

std::string to_json_text(const Session& s) {
  Json marks = Json::array();
  for (const Mark& m : s.marks) marks.push_back({{"t0_ps", m.t0}, {"t1_ps", m.t1}, {"note", m.note}});
  const Json json{
      {"schema", kSchema},
      {"a", input_json(s.a)},
      {"b", s.b ? input_json(*s.b) : Json()},
      {"marks", marks},
      {"pins", s.pins},
      {"view",
       {{"level", std::string(level_name(s.level))}, {"rank", s.rank}, {"t0_ps", s.t0}, {"t1_ps", s.t1}}},
      {"theme", s.theme}};
  return json.dump(2) + "\n";
}

Session parse_session(const std::string& text, const std::string& place) {
  const Json json = parse_json(text, place);
  const Reader root(json, place + "#");
  const std::string schema = root.at("schema").text();
  if (schema != kSchema)
    throw InputError(place + "#/schema", fmt::format("found '{}', this version reads '{}'", schema, kSchema));
  Session s;
  s.a = read_input(root.at("a"));
  if (root.has("b")) s.b = read_input(root.at("b"));
  root.at("marks").each([&](const Reader& m) {
    Mark mark{static_cast<std::int64_t>(m.at("t0_ps").number(0, kMostPs)),
              static_cast<std::int64_t>(m.at("t1_ps").number(0, kMostPs)), m.at("note").text()};
    if (mark.t1 < mark.t0) std::swap(mark.t0, mark.t1);
    s.marks.push_back(std::move(mark));
  });
  root.at("pins").each([&](const Reader& p) { s.pins.push_back(p.text()); });
  const Reader view = root.at("view");
  const std::string level = view.at("level").text();
  bool known = false;
  for (int i = 0; i < kLevelCount; ++i) {
    if (level_name(static_cast<Level>(i)) != level) continue;
    s.level = static_cast<Level>(i);
    known = true;
  }
  if (!known)
    throw InputError(place + "#/view/level",
                     fmt::format("found '{}', expected cluster, pipeline, rank or operators", level));
  s.rank = static_cast<int>(view.at("rank").number(0, 1e6));
  s.t0 = view.at("t0_ps").number(0, kMostPs);
  s.t1 = view.at("t1_ps").number(0, kMostPs);
  s.theme = root.at("theme").text();
  return s;
}

FileKind kind_of_file(const std::string& text, const std::string& place) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos)
    throw InputError(place, "is empty, expected a scenario, result, session or Chrome trace");
  // A journal is one JSON object a line.
  const std::size_t line_end = text.find('\n');
  if (line_end != std::string::npos && text.find("orrery.journal/") < line_end)
    return FileKind::kSweepJournal;
  const Json json = parse_json(text, place);
  if (json.is_array()) return FileKind::kChromeTrace;
  if (json.is_object()) {
    if (json.contains("traceEvents")) return FileKind::kChromeTrace;
    const std::string schema =
        json.contains("schema") && json.at("schema").is_string() ? json.at("schema").get<std::string>() : "";
    if (schema.starts_with("orrery.session/")) return FileKind::kSession;
    if (schema.starts_with("orrery.result/")) return FileKind::kResult;
    if (schema.starts_with("orrery.sweep"))
      throw InputError(place, "is a sweep, not its results; run 'orrery sweep' and open its journal");
    if (schema.starts_with("orrery.scenario/") || json.contains("model")) return FileKind::kScenario;
    if (!schema.empty())
      throw InputError(
          place + "#/schema",
          fmt::format("found '{}', expected orrery.scenario/1, orrery.result/1 or orrery.session/1", schema));
  }
  throw InputError(place,
                   "is none of scenario, result, session and Chrome trace: no 'schema' and no 'traceEvents'");
}

}  // namespace orrery::gui
