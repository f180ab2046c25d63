#include <algorithm>
#include <cmath>

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

std::vector<Found> front_of_two(const PlanRequest& r, Metric first, Metric second, bool& complete) {
  const Meter meter(r.scenario, "--front", scale_of(r));
  Goal goal;
  goal.scale = scale_of(r);
  goal.level.terms.push_back({.metric = first});
  goal.constraints = r.constraints;
  std::vector<Found> points;
  complete = false;
  while (static_cast<int>(points.size()) < r.front_points) {
    const SearchOptions options{
        .threads = r.threads, .top = 1, .seed = r.scenario.layout, .stop = r.stop, .progress = r.progress};
    SearchResult found = search_layouts(r.scenario, r.space, goal, options);
    if (!found.complete) return points;
    if (found.best.empty()) {
      complete = true;
      return points;
    }
    points.push_back(found.best.front());
    const bool more = info_of(second).more_is_better;
    const double value = meter.value(second, points.back().figures);
    // Strictly better than the last point, by a millionth: rounding makes no new point.
    const double step = std::abs(value) * 1e-6;
    goal.constraints = r.constraints;
    goal.constraints.push_back(
        {.metric = second, .at_most = !more, .limit = more ? value + step : value - step, .text = "front"});
  }
  return points;
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
  std::vector<Found> points = front_of_two(r, different[0], different[1], complete);
  if (different.size() < 3) return points;
  // Of three, the two fronts that share the first metric: points in between may be missing.
  bool ignored = false;
  for (Found& f : front_of_two(r, different[0], different[2], ignored)) {
    const bool known =
        std::any_of(points.begin(), points.end(), [&](const Found& p) { return p.candidate == f.candidate; });
    if (!known) points.push_back(std::move(f));
  }
  complete = false;
  return points;
}

}  // namespace orrery
