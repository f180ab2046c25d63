#include <algorithm>

#include "planner/plan.hpp"

namespace orrery {
namespace {

/// On one cluster all of these are the step's time in other words.
bool says_time(Metric m) {
  return m == Metric::kStep || m == Metric::kDays || m == Metric::kUsd || m == Metric::kMfu;
}

bool same_order(Metric a, Metric b) {
  const bool memory =
      (a == Metric::kMemory || a == Metric::kHeadroom) && (b == Metric::kMemory || b == Metric::kHeadroom);
  return a == b || memory || (says_time(a) && says_time(b));
}

/// Points that another is no worse than in every metric, and better in one.
void drop_dominated(const Meter& meter, const std::vector<Metric>& metrics, std::vector<Found>& points) {
  const auto beats = [&](const Found& a, const Found& b) {
    bool better = false;
    for (const Metric m : metrics) {
      const double of_a = meter.cost(m, a.figures);
      const double of_b = meter.cost(m, b.figures);
      if (of_a > of_b) return false;
      better = better || of_a < of_b;
    }
    return better;
  };
  const std::vector<Found> all = points;
  std::erase_if(points, [&](const Found& b) {
    return std::any_of(all.begin(), all.end(), [&](const Found& a) { return beats(a, b); });
  });
}

}  // namespace

std::vector<Found> find_front(const PlanRequest& r, const SearchResult&, bool& complete) {
  std::vector<Metric> different;
  for (const Metric m : r.front) {
    const bool known = m == Metric::kGpus || std::any_of(different.begin(), different.end(),
                                                         [&](Metric other) { return same_order(m, other); });
    if (!known) different.push_back(m);
  }
  if (different.size() < 2)
    different.push_back(different.empty() || says_time(different[0]) ? Metric::kMemory : Metric::kStep);
  const Meter meter(r.scenario, "--front", scale_of(r));
  Goal goal;
  goal.scale = scale_of(r);
  goal.level.terms.push_back({.metric = different[0]});
  goal.constraints = r.constraints;
  // Each point found is the best in the first metric of what no earlier one beats in all others.
  Frontier& frontier = goal.frontier.emplace();
  frontier.first = different[1];
  frontier.second = different.size() > 2 ? different[2] : different[1];
  std::vector<Found> points;
  complete = false;
  while (static_cast<int>(points.size()) < r.front_points) {
    const SearchOptions options{
        .threads = r.threads, .top = 1, .seed = r.scenario.layout, .stop = r.stop, .progress = r.progress};
    SearchResult found = search_layouts(r.scenario, r.space, goal, options);
    if (!found.complete) break;
    complete = found.best.empty();
    if (complete) break;
    const Figures& f = found.best.front().figures;
    frontier.points.emplace_back(meter.cost(frontier.first, f), meter.cost(frontier.second, f));
    points.push_back(std::move(found.best.front()));
  }
  drop_dominated(meter, different, points);
  return points;
}

}  // namespace orrery
