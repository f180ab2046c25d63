#include "gui/core/actions.hpp"

#include <array>
#include <cctype>

namespace orrery::gui {
namespace {

constexpr Scope kT = Scope::kTimeline;
constexpr Scope kW = Scope::kWindow;
constexpr Scope kM = Scope::kMouse;

constexpr std::array kActions{
    ActionInfo{"open", "Open...", "Ctrl+O", kW, "File",
               "Open a scenario, a result, a session or a Chrome trace."},
    ActionInfo{"save-session", "Save session...", "Ctrl+S", kW, "File",
               "Save scenario, edits, notes, pins and view in one file."},
    ActionInfo{"export-picture", "Export picture...", "Ctrl+E", kW, "File",
               "Write the view as PNG, SVG or PDF."},
    ActionInfo{"export-trace", "Export Chrome trace...", "", kW, "File",
               "Write the step for chrome://tracing or Perfetto."},
    ActionInfo{"export-result", "Export result...", "", kW, "File",
               "Write the result as JSON, Markdown, CSV or text."},
    ActionInfo{"export-report", "Export report...", "Ctrl+R", kW, "File",
               "Write the training-cost report as HTML, PDF, Markdown, CSV or JSON."},
    ActionInfo{"quit", "Quit", "Ctrl+Q", kW, "File", "Leave the program."},
    ActionInfo{"undo", "Undo", "Ctrl+Z", kW, "Edit", "Take back the last edit of the scenario."},
    ActionInfo{"redo", "Redo", "Ctrl+Shift+Z", kW, "Edit", "Do the edit again."},
    ActionInfo{"copy", "Copy as text", "Ctrl+C", kT, "Edit", "Copy the selected slice or range as text."},
    ActionInfo{"copy-markdown", "Copy as Markdown", "Ctrl+Shift+C", kT, "Edit",
               "Copy the statistics of the selection as a Markdown table."},
    ActionInfo{"search", "Search", "/ Ctrl+F", kW, "Edit",
               "Search slices: words, mb:12 stage:3 op:dispatch dur>5ms; with plans open, their filter."},
    ActionInfo{"search-next", "Next hit", "Return", kM, "",
               "Enter in the search field goes to the next hit."},
    ActionInfo{"search-previous", "Previous hit", "Shift+Return", kM, "",
               "Shift+Enter in the search field goes to the hit before."},
    ActionInfo{"find-row", "Find row...", "Ctrl+P", kW, "Edit", "Go to a row by a part of its name."},
    ActionInfo{"zoom-in", "Zoom in", "W + =", kT, "View",
               "Zoom in at the mouse (in some other viewers W pans)."},
    ActionInfo{"zoom-out", "Zoom out", "S -", kT, "View", "Zoom out at the mouse."},
    ActionInfo{"pan-left", "Earlier", "A Left", kT, "View", "Pan to earlier times."},
    ActionInfo{"pan-right", "Later", "D Right", kT, "View", "Pan to later times."},
    ActionInfo{"row-up", "Row up", "Up Shift+Tab", kT, "View", "The row above becomes the current one."},
    ActionInfo{"row-down", "Row down", "Down Tab", kT, "View",
               "The row below becomes the current one; after the last row Tab leaves the timeline."},
    ActionInfo{"fit-all", "Whole step", "0 Home", kT, "View", "Show the whole step."},
    ActionInfo{"focus", "Centre selection", "F", kT, "View", "Centre the selection; a second time: fit it."},
    ActionInfo{"slice-to-range", "Slice to range", "R", kT, "View", "Make a range of the selected slice."},
    ActionInfo{"clear", "Clear selection", "Esc", kT, "View", "Clear range, then selection and search hits."},
    ActionInfo{"next-slice", "Next slice on the row", ".", kT, "View", "Select the next slice on the row."},
    ActionInfo{"previous-slice", "Previous slice on the row", ",", kT, "View",
               "Select the slice before on the row."},
    ActionInfo{"next-flow", "Along dependencies", "]", kT, "View",
               "Select a slice that waits for the selected one."},
    ActionInfo{"previous-flow", "Back along dependencies", "[", kT, "View",
               "Select a slice the selected one waits for."},
    ActionInfo{"select", "Select slice in the middle", "Space", kT, "View",
               "Select the slice of the current row in the middle of the view."},
    ActionInfo{"descend", "Expand", "Return", kT, "View",
               "One level down: cluster, pipeline, rank, operators."},
    ActionInfo{"ascend", "Collapse", "Backspace", kT, "View", "One level up."},
    ActionInfo{"critical", "Critical path", "K", kT, "View",
               "Dim everything but the critical path, on or off."},
    ActionInfo{"flows", "Dependency arrows", "T", kT, "View",
               "Arrows of the selection's direct dependencies, on or off."},
    ActionInfo{"pin", "Pin row", "P", kT, "View", "Keep the current row on top, or let it go."},
    ActionInfo{"mark", "Mark", "M", kT, "View", "Mark the range, or the selected slice."},
    ActionInfo{"mark-note", "Mark with note...", "Shift+M", kT, "View",
               "Mark it and write a note, kept in the session."},
    ActionInfo{"unmark", "Remove mark", "Delete", kT, "View", "Remove the newest mark in view."},
    ActionInfo{"back", "View back", "Alt+Left", kW, "View", "Back to the view before."},
    ActionInfo{"forward", "View forward", "Alt+Right", kW, "View", "Forward again."},
    ActionInfo{"remove-trace", "Remove trace", "", kW, "View",
               "Take the opened Chrome trace off the timeline."},
    ActionInfo{"theme", "Next theme", "Ctrl+T", kW, "View", "Light, dark, high contrast, print."},
    ActionInfo{"swap", "Swap A and B", "C", kT, "View", "Swap the two compared runs."},
    ActionInfo{"align", "Next alignment of A and B", "L", kT, "View",
               "Compared runs: by start of the step, by microbatch, by share of the step."},
    ActionInfo{"keep-b", "Keep run as B", "Ctrl+B", kW, "Scenario",
               "Keep the present run to compare the next ones with."},
    ActionInfo{"vary", "Vary this input", "Ctrl+Shift+V", kW, "Scenario",
               "Send the input chosen in the scenario panel to the plan as an axis of a grid."},
    ActionInfo{"cancel", "Cancel simulation", "Ctrl+.", kW, "Scenario",
               "Give up the running simulation and keep the old result."},
    ActionInfo{"rerun", "Simulate again", "F5", kW, "Scenario", "Simulate the scenario again."},
    ActionInfo{"perspective-schedule", "Schedule", "Ctrl+1", kW, "View",
               "Timeline, scenario, waterfall, memory."},
    ActionInfo{"perspective-plan", "Plan", "Ctrl+2", kW, "View",
               "Find the best layouts; table, scatter, heat map, why not."},
    ActionInfo{"perspective-compare", "Compare", "Ctrl+3", kW, "View", "Runs A and B on one axis."},
    ActionInfo{"perspective-report", "Report", "Ctrl+4", kW, "View", "The training-cost report."},
    ActionInfo{"reset-layout", "Reset layout", "", kW, "View", "Put every panel back in its place."},
    ActionInfo{"palette", "Command palette...", "Ctrl+Shift+P", kW, "Help",
               "Find any command by a part of its name."},
    ActionInfo{"help", "Keys and gestures", "? F1", kW, "Help", "This table."},
    ActionInfo{"m-rows", "Scroll rows", "wheel", kM, "", "Rows up and down."},
    ActionInfo{"m-zoom", "Zoom", "Ctrl+wheel", kM, "", "Zoom at the cursor."},
    ActionInfo{"m-pan", "Pan", "Shift+wheel", kM, "", "Earlier and later."},
    ActionInfo{"m-drag", "Select a range", "drag", kM, "",
               "A range of time over rows, with its length and statistics."},
    ActionInfo{"m-pan-drag", "Pan", "Shift+drag, middle drag", kM, "", "Pan by dragging."},
    ActionInfo{"m-double", "Zoom to slice", "double-click", kM, "",
               "Zoom to the slice; on a row's name: one level down."},
    ActionInfo{"m-click", "Select", "click", kM, "", "Select a slice; on the overview: go there."},
};

std::string escaped(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else
      out += c;
  }
  return out;
}

}  // namespace

std::span<const ActionInfo> actions() {
  return kActions;
}

const ActionInfo* find_action(std::string_view id) {
  for (const ActionInfo& action : kActions) {
    if (action.id == id) return &action;
  }
  return nullptr;
}

std::string actions_html() {
  std::string out = "<table cellspacing='0' cellpadding='3'>";
  for (const ActionInfo& action : kActions) {
    if (action.keys.empty()) continue;
    std::string keys = escaped(action.keys);
    if (action.scope != Scope::kMouse) {
      for (std::size_t at = keys.find(' '); at != std::string::npos; at = keys.find(' ', at + 7))
        keys.replace(at, 1, "&nbsp; ");
    }
    out += "<tr><td align='right'><b>" + keys + "</b></td><td>" + escaped(action.text) + "</td><td>" +
           escaped(action.help) + "</td></tr>";
  }
  return out + "</table>";
}

bool fuzzy_match(std::string_view typed, std::string_view text) {
  std::size_t at = 0;
  for (char c : typed) {
    if (c == ' ') continue;
    const auto same = [&](char other) {
      return std::tolower(static_cast<unsigned char>(other)) == std::tolower(static_cast<unsigned char>(c));
    };
    while (at < text.size() && !same(text[at])) ++at;
    if (at == text.size()) return false;
    ++at;
  }
  return true;
}

}  // namespace orrery::gui
