#include "gui/widgets/timeline_accessible.hpp"

#include <QAccessible>
#include <QAccessibleWidget>
#include <memory>
#include <vector>

#include "gui/core/selection.hpp"
#include "gui/widgets/timeline_view.hpp"

namespace orrery::gui {
namespace {

/// One row of a timeline; looks its row up by position, so that it stays valid while rows change.
class RowInterface : public QAccessibleInterface {
 public:
  RowInterface(TimelineView* view, int row) : view_(view), row_(row) {}

  bool isValid() const override { return view_ != nullptr && row_ < count(); }
  QObject* object() const override { return nullptr; }
  QAccessibleInterface* parent() const override { return QAccessible::queryAccessibleInterface(view_); }
  QAccessibleInterface* child(int) const override { return nullptr; }
  QAccessibleInterface* childAt(int, int) const override { return nullptr; }
  int childCount() const override { return 0; }
  int indexOfChild(const QAccessibleInterface*) const override { return -1; }
  QAccessible::Role role() const override { return QAccessible::ListItem; }
  QAccessible::State state() const override {
    QAccessible::State s;
    s.focusable = true;
    s.focused = view_->hasFocus() && view_->state().current_row == row_;
    return s;
  }
  QRect rect() const override {
    const TimelineGeometry g = view_->shape();
    if (!isValid()) return {};
    const RowBox& box = g.lanes.rows[static_cast<std::size_t>(row_)];
    const QRectF at(0, g.body.y + box.y, g.headers.w + g.body.w, box.h);
    return {view_->mapToGlobal(at.topLeft().toPoint()), at.size().toSize()};
  }
  QString text(QAccessible::Text which) const override {
    if (!isValid()) return {};
    const TimelineGeometry g = view_->shape();
    const TimelineRow& row = *g.lanes.rows[static_cast<std::size_t>(row_)].row;
    if (which == QAccessible::Name) return QString::fromStdString(row.name);
    if (which != QAccessible::Value || !view_->state().selected || view_->state().selected->row != row.name)
      return {};
    return QString::fromStdString(spoken(*view_->run(), view_->state()));
  }
  void setText(QAccessible::Text, const QString&) override {}

 private:
  [[nodiscard]] int count() const { return static_cast<int>(view_->shape().lanes.rows.size()); }
  TimelineView* view_;
  int row_;
};

class TimelineInterface : public QAccessibleWidget {
 public:
  explicit TimelineInterface(TimelineView* view) : QAccessibleWidget(view, QAccessible::List), view_(view) {}
  ~TimelineInterface() override {
    for (QAccessible::Id id : children_) QAccessible::deleteAccessibleInterface(id);
  }
  int childCount() const override { return static_cast<int>(view_->shape().lanes.rows.size()); }
  QAccessibleInterface* child(int index) const override {
    if (index < 0 || index >= childCount()) return nullptr;
    while (static_cast<int>(children_.size()) <= index)
      children_.push_back(QAccessible::registerAccessibleInterface(
          new RowInterface(view_, static_cast<int>(children_.size()))));
    return QAccessible::accessibleInterface(children_[static_cast<std::size_t>(index)]);
  }
  int indexOfChild(const QAccessibleInterface* child) const override {
    for (int i = 0; i < childCount(); ++i) {
      if (this->child(i) == child) return i;
    }
    return -1;
  }
  QString text(QAccessible::Text which) const override {
    if (which == QAccessible::Description && view_->run())
      return QString::fromStdString(spoken(*view_->run(), view_->state()));
    return QAccessibleWidget::text(which);
  }

 private:
  TimelineView* view_;
  mutable std::vector<QAccessible::Id> children_;
};

QAccessibleInterface* make(const QString&, QObject* object) {
  auto* view = qobject_cast<TimelineView*>(object);
  return view == nullptr ? nullptr : new TimelineInterface(view);
}

}  // namespace

void install_accessible_timeline() {
  static const bool once = [] {
    QAccessible::installFactory(make);
    return true;
  }();
  (void)once;
}

}  // namespace orrery::gui
