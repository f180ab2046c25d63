#include <fmt/format.h>

#include <algorithm>

#include "sim/schedule/validate.hpp"

namespace orrery {
namespace {

constexpr std::size_t kRanksEitherSide = 2;
constexpr std::size_t kStepsEitherSide = 3;

struct Window {
  std::size_t first = 0;
  std::size_t end = 0;
};

Window around(std::size_t centre, std::size_t either_side, std::size_t size) {
  return {.first = centre > either_side ? centre - either_side : 0,
          .end = std::min(centre + either_side + 1, size)};
}

// Pairs are shown without OVERLAP_F_B: the brackets say it, and the grid stays narrow.
std::string cell_text(const std::vector<Step>& steps, std::size_t step, bool marked) {
  std::string text;
  if (step < steps.size()) {
    const Step& at = steps[step];
    text = at.overlapped ? fmt::format("({};{})", to_text(at.first), to_text(at.second)) : to_text(at.first);
  }
  return marked ? fmt::format(">{}<", text) : text;
}

}  // namespace

std::string grid_around(const Schedule& schedule, RankId rank, std::size_t step) {
  const Window rows = around(rank.at(), kRanksEitherSide, schedule.ranks.size());
  std::size_t longest = step + 1;  // one past the end can be marked too
  for (std::size_t r = rows.first; r < rows.end; ++r) longest = std::max(longest, schedule.ranks[r].size());
  const Window columns = around(step, kStepsEitherSide, longest);

  std::vector<std::string> lines(1 + rows.end - rows.first);
  lines[0] = fmt::format("{:<11}", "step");
  for (std::size_t r = rows.first; r < rows.end; ++r) {
    lines[1 + r - rows.first] = fmt::format("{:<11}", fmt::format("rank {}", r));
  }
  for (std::size_t c = columns.first; c < columns.end; ++c) {
    std::vector<std::string> cells = {fmt::format("{}", c)};
    for (std::size_t r = rows.first; r < rows.end; ++r) {
      cells.push_back(cell_text(schedule.ranks[r], c, r == rank.at() && c == step));
    }
    std::size_t width = 0;
    for (const std::string& cell : cells) width = std::max(width, cell.size());
    for (std::size_t i = 0; i < cells.size(); ++i) lines[i] += fmt::format("  {:>{}}", cells[i], width);
  }
  return fmt::format("{}\n", fmt::join(lines, "\n"));
}

}  // namespace orrery
