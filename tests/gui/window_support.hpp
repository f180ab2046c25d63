#pragma once

#include <memory>

#include "gui/widgets/main_window.hpp"
#include "tests/gui/support.hpp"

namespace orrery::gui {

/// A window that is not shown yet, with the first example simulated.
inline std::unique_ptr<MainWindow> example_window() {
  auto window = std::make_unique<MainWindow>(test_profiles(), QString());
  window->open_example(0);
  window->bench().wait();
  return window;
}

/// Keeps the first example under 1F1B as B and opens the example again as A.
inline void keep_one_f_one_b_as_b(MainWindow& window) {
  Input other = example_input();
  other.edits.push_back({"layout.schedule", "1f1b", "test"});
  window.bench().set_input(other);
  window.bench().wait();
  window.run_action("keep-b");
  window.open_example(0);
  window.bench().wait();
}

}  // namespace orrery::gui
