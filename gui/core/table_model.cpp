#include "gui/core/table_model.hpp"

namespace orrery::gui {

TableModel::TableModel(QObject* parent) : QAbstractTableModel(parent) {}

void TableModel::set_table(Table table) {
  beginResetModel();
  table_ = std::move(table);
  endResetModel();
}

int TableModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(table_.rows.size());
}

int TableModel::columnCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(table_.columns.size());
}

QVariant TableModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() < 0 || index.row() >= rowCount()) return {};
  const std::vector<Cell>& row = table_.rows[static_cast<std::size_t>(index.row())];
  const auto column = static_cast<std::size_t>(index.column());
  if (column >= row.size()) return {};
  const Cell& cell = row[column];
  switch (role) {
    case Qt::DisplayRole:
    case Qt::ToolTipRole:
    case Qt::AccessibleTextRole: return QString::fromStdString(cell.text);
    case Qt::UserRole:
      return cell.value ? QVariant(*cell.value) : QVariant(QString::fromStdString(cell.text));
    case Qt::TextAlignmentRole:
      return static_cast<int>(table_.columns[column].number ? Qt::AlignRight | Qt::AlignVCenter
                                                            : Qt::AlignLeft | Qt::AlignVCenter);
    default: return {};
  }
}

QVariant TableModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (role != Qt::DisplayRole || orientation != Qt::Horizontal || section < 0 || section >= columnCount())
    return {};
  return QString::fromStdString(table_.columns[static_cast<std::size_t>(section)].title);
}

}  // namespace orrery::gui
