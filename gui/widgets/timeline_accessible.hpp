#pragma once

namespace orrery::gui {

/// Makes timelines speak: children of a timeline are its visible rows, and the name of the selected slice is
/// announced when it changes. To be called once before windows are made; further calls do nothing.
void install_accessible_timeline();

}  // namespace orrery::gui
