#pragma once

#include "gui/core/timeline_scene.hpp"

namespace orrery::gui {

// Parts of the timeline's picture around and above its slices.

/// Row stripes, lines at ticks and the ruler with times.
void add_grid(const TimelineGeometry& g, const TextMetrics& text, Scene& scene);
/// The whole step as the share of busy ranks, with a box around what is shown.
void add_overview(const RunView& run, const TimelineState& state, const TimelineGeometry& g,
                  const TextMetrics& text, Scene& scene);
/// Names of the rows; the current one of the keyboard has a frame while the view has focus.
void add_headers(const TimelineState& state, const TimelineGeometry& g, const TextMetrics& text,
                 Scene& scene);
/// The categories of the rows shown, below them, and what is to be known of the rows.
void add_legend(const RunView& run, const TimelineState& state, const TimelineGeometry& g,
                const TextMetrics& text, Scene& scene);
/// Selection, search hits, arrows of dependencies, dragged area with its length, marks with their notes.
void add_overlay(const RunView& run, const TimelineState& state, const TimelineGeometry& g,
                 const TextMetrics& text, Scene& scene);

}  // namespace orrery::gui
