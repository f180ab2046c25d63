#pragma once

#include <QObject>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "sim/base/work_control.hpp"

namespace orrery::gui {

/// Work beside the window: one piece at a time. Of several pieces asked for meanwhile only the last is done;
/// an older one is stopped (sim/base/work_control.hpp), and so is what runs when this ends. For work that may
/// be dropped; what must be finished is waited for.
class Background : public QObject {
  Q_OBJECT

 public:
  /// Runs in the worker and returns what is to be done with the result in the owner's thread; `dropped` says
  /// that nobody waits any more. It catches its own errors.
  using Work = std::function<std::function<void()>(const std::function<bool()>& dropped)>;

  explicit Background(QObject* parent = nullptr) : QObject(parent) {}
  ~Background() override;
  void start(Work work);
  void cancel();
  [[nodiscard]] bool busy() const { return busy_; }
  /// Until nothing runs; results are taken in here.
  void wait();

 signals:
  void finished();

 private:
  void launch(Work work);
  Q_INVOKABLE void take();

  std::thread worker_;
  std::mutex mutex_;
  std::optional<std::function<void()>> result_;
  std::optional<Work> next_;
  WorkControl control_;
  bool busy_ = false;
};

}  // namespace orrery::gui
