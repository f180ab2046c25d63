#pragma once

#include <QAbstractTableModel>

#include "sim/report/table.hpp"

namespace orrery::gui {

/// A report's table as an item model: texts to show, numbers to sort by (Qt::UserRole), numbers to the right.
class TableModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  explicit TableModel(QObject* parent = nullptr);
  void set_table(Table table);
  [[nodiscard]] const Table& table() const { return table_; }

  [[nodiscard]] int rowCount(const QModelIndex& parent = {}) const override;
  [[nodiscard]] int columnCount(const QModelIndex& parent = {}) const override;
  [[nodiscard]] QVariant data(const QModelIndex& index, int role) const override;
  [[nodiscard]] QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  Table table_;
};

}  // namespace orrery::gui
