#pragma once

#include <string>
#include <vector>

#include "gui/core/run_view.hpp"
#include "gui/core/scene.hpp"
#include "gui/core/timeline_scene.hpp"
#include "sim/report/table.hpp"

namespace orrery::gui {

/// A chart and the table that says the same; hit ids are rows of the table.
struct Chart {
  Scene scene;
  Table table;
};

/// Causes of the slowest rank's step as falling bars from 0 to the step time; `selected` is a row or -1.
[[nodiscard]] Chart waterfall_chart(const RunView& run, double width, double height, const TextMetrics& text,
                                    int selected);
/// Stacked bars of what each pipeline rank's GPU holds at its peak, with the capacity.
[[nodiscard]] Chart memory_chart(const RunView& run, double width, double height, const TextMetrics& text,
                                 int selected);
/// What one rank's GPU holds over the step.
[[nodiscard]] Chart memory_curve_chart(const RunView& run, int rank, double width, double height,
                                       const TextMetrics& text);
/// Board power of one GPU of a rank and the mean over the GPUs through the step, with the cap.
[[nodiscard]] Chart power_chart(const RunView& run, int rank, double width, double height,
                                const TextMetrics& text);
/// Operator classes of the step by FLOPs a byte and FLOP/s reached, under the roofs of the profile. Both axes
/// are logarithmic; a dot's size is its share of the kernels' time. For one rank.
[[nodiscard]] Chart roofline_chart(const RunView& run, int rank, double width, double height,
                                   const TextMetrics& text, int selected);
/// Each class of communication of one rank: time, bytes, bytes through the NIC, rate reached there.
[[nodiscard]] Chart links_chart(const RunView& run, int rank, double width, double height,
                                const TextMetrics& text, int selected);

/// The causes of a waterfall in order with names, seconds; the last row is their sum.
struct Cause {
  std::string name;
  double seconds = 0;
  Ink ink = Ink::kOther;
};
[[nodiscard]] std::vector<Cause> causes(const Waterfall& w);

/// Operators of one class on one rank over the step.
struct ClassWork {
  std::string name;
  double flops = 0, bytes = 0, nic_bytes = 0, seconds = 0;
  std::size_t count = 0;
  bool communication = false;
};
/// Ordered by time, longest first; equal times by name.
[[nodiscard]] std::vector<ClassWork> work_by_class(const SimResult& result, int rank);

}  // namespace orrery::gui
