#include "gui/core/background.hpp"

#include <QMetaObject>

namespace orrery::gui {

Background::~Background() {
  dropped_ = true;
  if (worker_.joinable()) worker_.join();
}

void Background::start(Work work) {
  if (busy_) {
    dropped_ = true;
    next_ = std::move(work);
    return;
  }
  launch(std::move(work));
}

void Background::launch(Work work) {
  busy_ = true;
  dropped_ = false;
  if (worker_.joinable()) worker_.join();
  worker_ = std::thread([this, work = std::move(work)] {
    std::function<void()> done = work([this] { return dropped_.load(); });
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      result_ = std::move(done);
    }
    QMetaObject::invokeMethod(this, "take", Qt::QueuedConnection);
  });
}

void Background::cancel() {
  dropped_ = true;
  next_.reset();
}

void Background::take() {
  std::optional<std::function<void()>> result;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    result.swap(result_);
  }
  if (!result) return;
  const bool wanted = !dropped_;
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
