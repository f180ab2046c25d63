#pragma once

#include <memory>
#include <string>

#include "gui/core/step_rows.hpp"

namespace orrery::gui {

/// A Chrome trace (Trace Event Format) as rows to lay under a simulated step: measured beside simulated. One
/// row per thread; where events of a thread lie in one another, one per depth. Time starts at 0 with the
/// first event. Complete events ("X") only; others are counted.
struct TraceOverlay {
  LevelRows rows;
  std::size_t events = 0;
  std::size_t left_out = 0;  ///< events of other kinds, or without times
  std::int64_t length_ps = 0;
  std::string place;
};
/// InputError for text that is no trace, has no complete event, or more events than kMostSlices.
[[nodiscard]] TraceOverlay read_trace(const std::string& text, const std::string& place);
/// The category a kernel's name suggests; kOther where it suggests none.
[[nodiscard]] Ink ink_of_name(const std::string& name);

}  // namespace orrery::gui
