#include "sim/engine/graph_checks.hpp"

#include <algorithm>
#include <boost/graph/depth_first_search.hpp>
#include <boost/graph/graph_traits.hpp>
#include <boost/graph/topological_sort.hpp>
#include <boost/iterator/counting_iterator.hpp>
#include <boost/iterator/iterator_facade.hpp>
#include <boost/property_map/property_map.hpp>
#include <iterator>
#include <utility>

#include "sim/base/check.hpp"

namespace orrery {

namespace {

/// A TaskGraph as Boost.Graph sees it: a view on the frozen arrays, nothing is copied. Vertices are task
/// numbers; the out-edges of a task are its successors and then, if any, the next task of its lane.
class GraphView {
 public:
  explicit GraphView(const TaskGraph& graph) : c_(graph.columns()) {}

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(c_.name.size()); }
  [[nodiscard]] std::uint32_t degree(std::uint32_t v) const {
    const std::uint32_t successors = c_.core[v + 1].successor_begin - c_.core[v].successor_begin;
    return successors + (c_.core[v].next_in_lane != kNoTask ? 1 : 0);
  }
  [[nodiscard]] std::uint32_t target(std::uint32_t v, std::uint32_t edge) const {
    const std::uint32_t at = c_.core[v].successor_begin + edge;
    const TaskId task = at < c_.core[v + 1].successor_begin ? c_.successor[at] : c_.core[v].next_in_lane;
    return static_cast<std::uint32_t>(task.value);
  }

 private:
  const TaskGraphColumns& c_;
};

struct Edge {
  std::uint32_t source = 0;
  std::uint32_t target = 0;
  bool operator==(const Edge&) const = default;
};

class OutEdge : public boost::iterator_facade<OutEdge, Edge, boost::forward_traversal_tag, Edge> {
 public:
  OutEdge() = default;
  OutEdge(const GraphView& view, std::uint32_t source, std::uint32_t edge)
      : view_(&view), source_(source), edge_(edge) {}

 private:
  friend class boost::iterator_core_access;
  [[nodiscard]] Edge dereference() const { return {source_, view_->target(source_, edge_)}; }
  [[nodiscard]] bool equal(const OutEdge& other) const { return edge_ == other.edge_; }
  void increment() { ++edge_; }

  const GraphView* view_ = nullptr;
  std::uint32_t source_ = 0;
  std::uint32_t edge_ = 0;
};

using VertexIterator = boost::counting_iterator<std::uint32_t>;

struct GraphViewCategory : boost::incidence_graph_tag, boost::vertex_list_graph_tag {};

}  // namespace

}  // namespace orrery

namespace boost {

template <>
struct graph_traits<orrery::GraphView> {
  using vertex_descriptor = std::uint32_t;
  using edge_descriptor = orrery::Edge;
  using directed_category = directed_tag;
  using edge_parallel_category = allow_parallel_edge_tag;
  using traversal_category = orrery::GraphViewCategory;
  using vertex_iterator = orrery::VertexIterator;
  using vertices_size_type = std::uint32_t;
  using out_edge_iterator = orrery::OutEdge;
  using degree_size_type = std::uint32_t;
  static vertex_descriptor null_vertex() { return ~vertex_descriptor{0}; }
};

}  // namespace boost

namespace orrery {

namespace {

// The functions that Boost.Graph's concepts ask for, found by argument-dependent lookup.

std::pair<VertexIterator, VertexIterator> vertices(const GraphView& view) {
  return {VertexIterator(0), VertexIterator(view.size())};
}
[[maybe_unused]] std::uint32_t num_vertices(const GraphView& view) {
  return view.size();
}
std::pair<OutEdge, OutEdge> out_edges(std::uint32_t v, const GraphView& view) {
  return {OutEdge(view, v, 0), OutEdge(view, v, view.degree(v))};
}
[[maybe_unused]] std::uint32_t out_degree(std::uint32_t v, const GraphView& view) {
  return view.degree(v);
}
[[maybe_unused]] std::uint32_t source(Edge edge, const GraphView&) {
  return edge.source;
}
std::uint32_t target(Edge edge, const GraphView&) {
  return edge.target;
}

TaskId task_of(std::uint32_t v) {
  return TaskId{static_cast<std::int32_t>(v)};
}

/// One colour per task in a flat array.
class Colors {
 public:
  explicit Colors(const GraphView& view) : colors_(view.size(), boost::white_color) {}
  auto map() { return boost::make_iterator_property_map(colors_.begin(), boost::identity_property_map()); }

 private:
  std::vector<boost::default_color_type> colors_;
};

struct CycleFound {
  Edge closing;
};

/// Remembers the tree of the search and stops it at the first edge that leads back into the open path.
struct CycleVisitor : boost::dfs_visitor<> {
  explicit CycleVisitor(std::vector<std::uint32_t>& tree_parent) : parent(tree_parent) {}
  void tree_edge(Edge edge, const GraphView&) { parent[edge.target] = edge.source; }
  [[noreturn]] void back_edge(Edge edge, const GraphView&) { throw CycleFound{edge}; }
  std::vector<std::uint32_t>& parent;
};

}  // namespace

std::vector<TaskId> find_cycle(const TaskGraph& graph) {
  const GraphView view(graph);
  Colors colors(view);
  std::vector<std::uint32_t> parent(view.size(), 0);
  try {
    boost::depth_first_search(view, CycleVisitor(parent), colors.map());
  } catch (const CycleFound& found) {
    std::vector<TaskId> cycle;
    for (std::uint32_t v = found.closing.source; v != found.closing.target; v = parent[v]) {
      cycle.push_back(task_of(v));
    }
    cycle.push_back(task_of(found.closing.target));
    std::ranges::reverse(cycle);
    return cycle;
  }
  return {};
}

SimTime longest_path_length(const TaskGraph& graph) {
  const GraphView view(graph);
  Colors colors(view);
  std::vector<std::uint32_t> order;  // every task after all its successors
  order.reserve(view.size());
  try {
    boost::topological_sort(view, std::back_inserter(order), boost::color_map(colors.map()));
  } catch (const boost::not_a_dag&) {
    SIM_CHECK(false, "a graph with a cycle has no longest path");
  }
  std::vector<SimTime> tail(view.size());  // longest path from the start of a task
  SimTime longest;
  for (const std::uint32_t v : order) {
    SimTime after;
    for (std::uint32_t edge = 0; edge < view.degree(v); ++edge) {
      after = std::max(after, tail[view.target(v, edge)]);
    }
    tail[v] = after + graph.duration(task_of(v));
    longest = std::max(longest, tail[v]);
  }
  return longest;
}

CriticalPath critical_path(const TaskGraph& graph, const Timeline& timeline) {
  SIM_CHECK(timeline.stop == StopReason::kDone, "a run in a deadlock has no critical path");
  SIM_CHECK(timeline.end.size() == graph.task_count(), "the timeline belongs to the graph");
  CriticalPath path{.tasks = {}, .length = timeline.makespan};
  if (graph.task_count() == 0) return path;
  const auto touches = [&](TaskId before, TaskId task) {
    return timeline.end[before.at()] == timeline.start[task.at()];
  };
  const auto last = std::ranges::find(timeline.end, timeline.makespan);
  SIM_CHECK(last != timeline.end.end(), "some task ends at the makespan");
  TaskId task{static_cast<std::size_t>(last - timeline.end.begin())};
  path.tasks.push_back(task);
  while (timeline.start[task.at()] > SimTime{}) {
    TaskId before = graph.previous_in_lane(task);
    if (before == kNoTask || !touches(before, task)) {
      const auto on = graph.predecessors(task);
      const auto found = std::ranges::find_if(on, [&](TaskId p) { return touches(p, task); });
      SIM_CHECK(found != on.end(), "a task starts the moment the last one it waits for ends");
      before = *found;
    }
    task = before;
    path.tasks.push_back(task);
  }
  std::ranges::reverse(path.tasks);
  return path;
}

}  // namespace orrery
