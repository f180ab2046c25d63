#include "gui/core/background.hpp"

#include <QMetaObject>

namespace orrery::gui {

Background::~Background() {
  control_.stop();
  if (worker_.joinable()) worker_.join();
}

void Background::start(Work work) {
  if (busy_) {
    control_.stop();
    next_ = std::move(work);
    return;
  }
  launch(std::move(work));
}

void Background::launch(Work work) {
  busy_ = true;
  if (worker_.joinable()) worker_.join();
  control_.reset();
  worker_ = std::thread([this, work = std::move(work)] {
    const ControlScope scope(&control_);
    std::function<void()> done;
    try {
      done = work([this] { return control_.stopped(); });
    } catch (const Stopped&) {
      // Nobody waits for it.
    }
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      result_ = std::move(done);
    }
    QMetaObject::invokeMethod(this, "take", Qt::QueuedConnection);
  });
}

void Background::cancel() {
  control_.stop();
  next_.reset();
}

void Background::take() {
  std::optional<std::function<void()>> result;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    result.swap(result_);
  }
  if (!result) return;
  const bool wanted = !control_.stopped();
  busy_ = false;
  if (next_) {
    Work work = std::move(*next_);
    next_.reset();
    launch(std::move(work));
    return;
  }
  if (wanted && *result) (*result)();
  emit finished();
}

void Background::wait() {
  while (busy_) {
    if (worker_.joinable()) worker_.join();
    take();
  }
}

}  // namespace orrery::gui
