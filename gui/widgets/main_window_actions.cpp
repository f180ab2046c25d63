#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QFileDialog>
#include <QInputDialog>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMenuBar>
#include <QStatusBar>
#include <QStyleFactory>
#include <QToolBar>
#include <QUndoStack>
#include <sstream>

#include "gui/core/actions.hpp"
#include "gui/core/examples.hpp"
#include "gui/core/selection.hpp"
#include "gui/core/vary.hpp"
#include "gui/widgets/dialogs.hpp"
#include "gui/widgets/main_window.hpp"
#include "sim/base/check.hpp"

// What the actions of the table do in the window.

namespace orrery::gui {
namespace {

QString text_of(std::string_view text) {
  return QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size()));
}

QList<QKeySequence> shortcuts_of(const ActionInfo& info) {
  QList<QKeySequence> out;
  std::istringstream keys{std::string(info.keys)};
  for (std::string key; keys >> key;) {
    // Tab is the timeline's own: it walks the rows through focusNextPrevChild.
    if (key.find("Tab") == std::string::npos) out << QKeySequence(QString::fromStdString(key));
  }
  return out;
}

QPalette palette_of(Theme theme) {
  const auto c = [&](Ink ink) { return QColor(QRgb(0xFF000000U | colour(theme, ink))); };
  QPalette p;
  p.setColor(QPalette::Window, c(Ink::kRowStripe));
  p.setColor(QPalette::Base, c(Ink::kBackground));
  p.setColor(QPalette::AlternateBase, c(Ink::kRowStripe));
  p.setColor(QPalette::Button, c(Ink::kRowStripe));
  p.setColor(QPalette::ToolTipBase, c(Ink::kBackground));
  for (QPalette::ColorRole role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText,
                                   QPalette::ToolTipText, QPalette::BrightText})
    p.setColor(role, c(Ink::kText));
  p.setColor(QPalette::PlaceholderText, c(Ink::kMutedText));
  p.setColor(QPalette::Highlight, c(Ink::kSelection));
  p.setColor(QPalette::HighlightedText, QColor(QRgb(0xFF000000U | text_on(colour(theme, Ink::kSelection)))));
  p.setColor(QPalette::Link, c(Ink::kForward));
  for (QPalette::ColorRole role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
    p.setColor(QPalette::Disabled, role, c(Ink::kMutedText));
  return p;
}

}  // namespace

void MainWindow::make_actions() {
  std::map<std::string, QMenu*> menus;
  for (const char* name : {"File", "Edit", "View", "Scenario", "Help"})
    menus[name] = menuBar()->addMenu(name);
  for (const ActionInfo& info : gui::actions()) {
    if (info.scope == Scope::kMouse) continue;
    auto* action = new QAction(text_of(info.text), this);
    action->setObjectName(text_of(info.id));
    action->setStatusTip(text_of(info.help));
    action->setShortcuts(shortcuts_of(info));
    const std::string id(info.id);
    connect(action, &QAction::triggered, this, [this, id] { run_action(id); });
    if (info.scope == Scope::kTimeline) {
      // Single keys belong to the timelines, so that fields can be typed into.
      action->setShortcutContext(Qt::WidgetShortcut);
      for (TimelineView* view : {timeline_, compare_->a(), compare_->b()}) view->addAction(action);
    } else {
      addAction(action);
    }
    if (!info.menu.empty()) menus[std::string(info.menu)]->addAction(action);
    actions_[id] = action;
  }
  auto* examples_menu = new QMenu("New from example", this);
  for (std::size_t i = 0; i < examples().size(); ++i) {
    QAction* action = examples_menu->addAction(text_of(examples()[i].title));
    connect(action, &QAction::triggered, this, [this, i] { open_example(i); });
  }
  menus["File"]->insertMenu(actions_.at("open"), examples_menu);
  recent_menu_ = new QMenu("Recent files", this);
  menus["File"]->insertMenu(actions_.at("save-session"), recent_menu_);
  auto* bar = findChild<QToolBar*>("perspectives");
  for (const char* id :
       {"perspective-schedule", "perspective-plan", "perspective-compare", "perspective-report"}) {
    actions_.at(id)->setCheckable(true);
    bar->addAction(actions_.at(id));
  }
  actions_.at("perspective-schedule")->setChecked(true);
  actions_.at("cancel")->setEnabled(false);
  bar->addWidget(runs_label_);
  auto* stretch = new QWidget;
  stretch->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
  bar->addWidget(stretch);
  bar->addWidget(search_);
}

void MainWindow::run_action(std::string_view id) {
  if (run_file_action(id) || run_view_action(id)) return;
  if (id == "undo")
    undo_->undo();
  else if (id == "redo")
    undo_->redo();
  else if (id == "copy")
    copy(false);
  else if (id == "copy-markdown")
    copy(true);
  else if (id == "search") {
    QLineEdit* field = perspective_ == Perspective::kPlan ? plan_->filter() : search_;
    field->setFocus();
    field->selectAll();
  } else if (id == "find-row")
    find_row();
  else if (id == "mark-note") {
    bool ok = false;
    const QString note = QInputDialog::getText(this, "Mark", "Note:", QLineEdit::Normal, {}, &ok);
    if (ok) active_timeline()->add_mark(note.toStdString());
  } else if (id == "keep-b")
    keep_as_b();
  else if (id == "swap")
    swap_runs();
  else if (id == "vary")
    vary();
  else if (id == "align")
    compare_->next_alignment();
  else if (id == "cancel")
    bench_.cancel();
  else if (id == "rerun")
    bench_.rerun();
  else if (id == "palette")
    show_palette();
  else if (id == "help")
    (new HelpOverlay(this))->show();
  else
    active_timeline()->act(id);
}

bool MainWindow::run_file_action(std::string_view id) {
  const auto ask = [&](const char* title, const char* filter) {
    return QFileDialog::getSaveFileName(this, title, {}, filter);
  };
  if (id == "open") {
    const QString path = QFileDialog::getOpenFileName(
        this, "Open", {}, "orrery and Chrome traces (*.json *.ndjson *.jsonl);;all files (*)");
    if (!path.isEmpty()) open_file(path);
  } else if (id == "save-session") {
    const QString path = ask("Save session", "session (*.json)");
    if (!path.isEmpty()) save_session(path);
  } else if (id == "export-picture") {
    const QString path = ask("Export picture", "PNG (*.png);;SVG (*.svg);;PDF (*.pdf)");
    if (!path.isEmpty()) export_picture(path);
  } else if (id == "export-trace") {
    const QString path = ask("Export Chrome trace", "Chrome trace (*.json)");
    if (!path.isEmpty()) export_trace(path);
  } else if (id == "export-result") {
    const QString path = ask("Export result", "JSON (*.json);;Markdown (*.md);;CSV (*.csv);;text (*.txt)");
    if (!path.isEmpty()) export_result(path);
  } else if (id == "export-report") {
    const QString path =
        ask("Export report", "HTML (*.html);;PDF (*.pdf);;Markdown (*.md);;CSV (*.csv);;JSON (*.json)");
    if (!path.isEmpty()) export_report(path);
  } else if (id == "quit")
    close();
  else
    return false;
  return true;
}

bool MainWindow::run_view_action(std::string_view id) {
  if (id == "back")
    active_timeline()->back();
  else if (id == "forward")
    active_timeline()->forward();
  else if (id == "theme")
    set_theme(static_cast<Theme>((static_cast<int>(theme_) + 1) % kThemeCount));
  else if (id == "perspective-schedule")
    set_perspective(Perspective::kSchedule);
  else if (id == "perspective-plan")
    set_perspective(Perspective::kPlan);
  else if (id == "perspective-compare")
    set_perspective(Perspective::kCompare);
  else if (id == "perspective-report")
    set_perspective(Perspective::kReport);
  else if (id == "reset-layout")
    reset_layout();
  else if (id == "remove-trace")
    lay_trace(nullptr);
  else
    return false;
  return true;
}

void MainWindow::set_theme(Theme theme) {
  theme_ = theme;
  setPalette(palette_of(theme));
  for (QWidget* child : findChildren<QWidget*>()) child->setPalette(palette_of(theme));
  timeline_->set_theme(theme);
  compare_->set_theme(theme);
  plan_->set_theme(theme);
  tiles_->set_theme(theme);
  statistics_->set_theme(theme);
  for (auto& [name, view] : charts_) view->set_theme(theme);
}

bool MainWindow::eventFilter(QObject* watched, QEvent* event) {
  if (watched == search_ && event->type() == QEvent::KeyPress) {
    const auto* key = static_cast<QKeyEvent*>(event);
    if (key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter) {
      const bool same = search_->property("searched").toString() == search_->text();
      search_->setProperty("searched", search_->text());
      if (!same || timeline_->state().hits.empty())
        start_search();
      else
        timeline_->step_hit((key->modifiers() & Qt::ShiftModifier) ? -1 : 1);
      return true;
    }
    if (key->key() == Qt::Key_Escape) {
      timeline_->setFocus();
      return true;
    }
  }
  return QMainWindow::eventFilter(watched, event);
}

void MainWindow::find_row() {
  std::vector<Picker::Entry> entries;
  for (const std::string& name : active_timeline()->row_names()) entries.push_back({name, name, {}});
  auto* picker = new Picker("Find row", std::move(entries), this);
  connect(picker, &Picker::chosen, this,
          [this](const QString& name) { active_timeline()->go_to_row(name.toStdString()); });
  picker->open();
}

void MainWindow::show_palette() {
  std::vector<Picker::Entry> entries;
  for (const ActionInfo& info : gui::actions()) {
    if (info.scope != Scope::kMouse)
      entries.push_back({std::string(info.id), std::string(info.text), std::string(info.keys)});
  }
  auto* picker = new Picker("Command", std::move(entries), this);
  connect(picker, &Picker::chosen, this, [this](const QString& id) { run_action(id.toStdString()); });
  picker->open();
}

void MainWindow::copy(bool markdown) {
  TimelineView* view = active_timeline();
  const auto run = view->run();
  if (!run) return;
  std::string text;
  if (markdown) {
    text = statistics_scope(*run, view->state()) + "\n\n" + to_markdown(statistics(*run, view->state()));
  } else if (view->state().area || !view->state().selected) {
    text = statistics_scope(*run, view->state()) + "\n" + to_plain(statistics(*run, view->state()));
  } else {
    for (const auto& [name, value] : details(*run, view->state())) text += name + ": " + value + "\n";
  }
  QApplication::clipboard()->setText(QString::fromStdString(text));
}

void MainWindow::keep_as_b() {
  b_ = bench_.run();
  input_b_ = bench_.input();
  show_run();
  compare_->set_runs(bench_.run(), b_);
}

void MainWindow::vary() {
  const std::string key = scenario_->chosen_key();
  const auto run = bench_.run();
  if (key.empty() || !run) {
    statusBar()->showMessage("choose an input of the scenario first, then vary it");
    return;
  }
  std::string value;
  for (const InputRow& row : run->inputs()) {
    if (row.key == key) value = row.value;
  }
  set_perspective(Perspective::kPlan);
  plan_->question()->vary(key, values_to_vary(run->scenario(), key, value));
}

void MainWindow::open_plan(const std::vector<Override>& changes) {
  keep_as_b();
  scenario_->edit_all(changes, "layout of the search");
  set_perspective(Perspective::kSchedule);
}

void MainWindow::swap_runs() {
  if (!b_ || !input_b_) return;
  const Input present = bench_.input();
  b_ = bench_.run();
  const Input wanted = *input_b_;
  input_b_ = present;
  bench_.set_input(wanted);
}

}  // namespace orrery::gui
