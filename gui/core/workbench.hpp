#pragma once

#include <QObject>
#include <QString>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gui/core/run_view.hpp"
#include "sim/base/work_control.hpp"
#include "sim/scenario.hpp"

namespace orrery::gui {

/// What a run is made from: the text of a scenario and the edits on it, as the command line would give them.
struct Input {
  std::string text;   ///< JSON of orrery.scenario/1, or a result that holds one; empty: all comes from edits
  std::string place;  ///< file, or "built-in example"
  std::filesystem::path base;
  std::vector<Override> edits;

  bool operator==(const Input& other) const;
};

/// An edit or file that was refused, in words: place, what was found, what was expected.
struct Problem {
  std::string code;  ///< "input", "infeasible", "internal", "note"
  std::string text;
  /// A change of the scenario that would cure it, (key, value) pairs; empty when none is known.
  std::vector<std::pair<std::string, std::string>> cure;
  bool operator==(const Problem&) const = default;
};

/// The present scenario and its result. Simulates in a worker: one run at a time, of several edits made
/// meanwhile only the last is run. Until it is done, or when it is refused, the old result stays and is
/// `stale`. Signals come in the thread that owns the workbench.
///
/// A simulation that nobody waits for any more - cancelled, or the scenario was edited meanwhile - is stopped
/// within milliseconds; the destructor stops it too.
class Workbench : public QObject {
  Q_OBJECT

 public:
  explicit Workbench(ProfileFolders profiles, QObject* parent = nullptr);
  ~Workbench() override;

  [[nodiscard]] const ProfileFolders& profiles() const { return profiles_; }
  [[nodiscard]] const Input& input() const { return input_; }
  [[nodiscard]] std::shared_ptr<const RunView> run() const { return run_; }
  [[nodiscard]] bool stale() const { return stale_; }
  [[nodiscard]] bool busy() const { return busy_; }
  [[nodiscard]] const std::vector<Problem>& problems() const { return problems_; }
  /// Whether `problems` has notes about keys of the scenario; the value refused for a key, if one was.
  [[nodiscard]] std::optional<std::string> refused(const std::string& key) const;

  /// Starts with another scenario.
  void set_input(Input input);
  /// One more edit; an empty value takes the key's edits away.
  void edit(const std::string& key, const std::string& value);
  void set_edits(std::vector<Override> edits);
  void cancel();
  void rerun();
  /// A line for the problems panel that belongs to no run.
  void report(Problem problem);
  /// Waits until nothing runs, delivering the result. For tests and pictures.
  void wait();

  /// Resolves and simulates here and now, as the worker does. InputError as the façade throws them.
  [[nodiscard]] static std::shared_ptr<const RunView> make_run(const Input& input,
                                                               const ProfileFolders& profiles);

 signals:
  void input_changed();
  /// A new result, or the old one became stale or fresh.
  void run_changed();
  void problems_changed();
  void busy_changed(bool busy);

 private:
  struct Outcome {
    std::shared_ptr<const RunView> run;
    std::optional<Problem> problem;
    std::uint64_t generation = 0;
  };
  void start();
  void work(Input input, std::uint64_t generation);
  Q_INVOKABLE void take();

  ProfileFolders profiles_;
  Input input_;
  std::shared_ptr<const RunView> run_;
  std::vector<Problem> problems_;
  bool stale_ = false;
  bool busy_ = false;
  bool again_ = false;
  std::uint64_t generation_ = 0;
  WorkControl control_;
  std::thread worker_;
  std::mutex mutex_;
  std::optional<Outcome> outcome_;
};

/// The scenario inside a result, or the text itself. InputError for what is neither; `place` names the file
/// and gets "#/scenario" added.
[[nodiscard]] std::string scenario_text(const std::string& text, std::string& place);

}  // namespace orrery::gui
