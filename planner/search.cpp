#include "planner/search.hpp"

#include <algorithm>
#include <limits>
#include <memory>

#include "planner/evaluate.hpp"
#include "planner/parallel_for.hpp"
#include "sim/base/work_control.hpp"
#include "sim/plan.hpp"

namespace orrery {
namespace {

constexpr std::size_t kFramesPerRound = 512;
constexpr std::size_t kNodesPerRound = 64;
constexpr std::size_t kLeavesPerRound = 64;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

class Search {
 public:
  Search(const Scenario& scenario, const SearchSpace& space, const Goal& goal, const SearchOptions& options)
      : scenario_(scenario),
        space_(space),
        goal_(goal),
        options_(options),
        variants_(variants_of(space)),
        profiles_(variants_) {
    for (const Offload& offload : space.offload) demand_host(offload, scenario.cluster);
    for (std::size_t i = 0; i < std::max<std::size_t>(1, options.threads); ++i) {
      screeners_.push_back(std::make_unique<Screener>(scenario_, space_, variants_, profiles_, goal_));
      evaluators_.push_back(std::make_unique<Evaluator>(scenario_, space_, variants_, goal_));
    }
  }

  SearchResult run() {
    try {
      open_frames();
      if (options_.seed) plant(*options_.seed);
      while (!stopped()) {
        drop_bounded();
        if (next_node_ == nodes_.size() && leaves_.empty()) break;
        round();
      }
    } catch (const Stopped&) {
      if (!options_.stop || !options_.stop()) throw;
      stopped_ = true;
    }
    result_.complete = next_node_ == nodes_.size() && leaves_.empty() && !stopped_;
    finish();
    return std::move(result_);
  }

 private:
  [[nodiscard]] double cut() const {
    const bool open = result_.best.size() < std::max<std::size_t>(1, options_.top);
    return open ? options_.better_than : std::min(options_.better_than, result_.best.back().objective);
  }

  bool stopped() {
    if (options_.progress) {
      std::int64_t decided = result_.bounded + result_.evaluated;
      for (const auto& [reason, n] : result_.infeasible) decided += n;
      options_.progress(
          {.candidates = result_.candidates,
           .decided = decided - late_infeasible_,
           .evaluated = result_.evaluated,
           .best = result_.best.empty() ? std::nullopt : std::optional(result_.best.front().objective)});
    }
    stopped_ = stopped_ || (options_.stop && options_.stop());
    return stopped_;
  }

  std::vector<Candidate> frames() const {
    std::vector<Candidate> all;
    Candidate c;
    const auto each = [](std::uint8_t& at, std::size_t size, auto&& inner) {
      for (std::size_t i = 0; i < size; ++i) {
        at = static_cast<std::uint8_t>(i);
        inner();
      }
    };
    each(c.precision, space_.precision.size(), [&] {
      each(c.tp, space_.tp.size(), [&] {
        each(c.cp, space_.cp.size(), [&] {
          each(c.ep, space_.ep.size(), [&] {
            each(c.etp, space_.etp.size(), [&] {
              each(c.microbatch, space_.microbatch.size(), [&] {
                // Without tensor parallelism there is nothing to cut along the sequence.
                const std::size_t choices = space_.tp[c.tp] > 1 ? space_.sequence_parallel.size() : 1;
                each(c.sequence_parallel, choices, [&] { all.push_back(c); });
              });
            });
          });
        });
      });
    });
    return all;
  }

  void open_frames() {
    struct Opened {
      std::vector<ScreenNode> nodes;
      ReasonCounts infeasible;
      std::int64_t total = 0;
    };
    const std::vector<Candidate> all = frames();
    for (std::size_t from = 0; from < all.size() && !stopped(); from += kFramesPerRound) {
      std::vector<Opened> opened(std::min(kFramesPerRound, all.size() - from));
      parallel_for(screeners_.size(), opened.size(), [&](std::size_t worker, std::size_t i) {
        opened[i].nodes = screeners_[worker]->open(all[from + i], opened[i].infeasible, opened[i].total);
      });
      for (Opened& o : opened) {
        result_.candidates += o.total;
        for (const auto& [reason, n] : o.infeasible) result_.infeasible[reason] += n;
        nodes_.insert(nodes_.end(), o.nodes.begin(), o.nodes.end());
      }
    }
    std::sort(nodes_.begin(), nodes_.end(), [](const ScreenNode& a, const ScreenNode& b) {
      return a.bound != b.bound ? a.bound < b.bound : a.base < b.base;
    });
    opened_ = !stopped_;
  }

  /// Evaluates the layouts that differ from the seed in recompute, placement and ZeRO stage alone.
  void plant(const Layout& seed) {
    Candidate c;
    const auto find = [](const std::vector<std::int64_t>& list, std::int64_t value, std::uint8_t& at) {
      const auto found = std::find(list.begin(), list.end(), value);
      at = static_cast<std::uint8_t>(found - list.begin());
      return found != list.end();
    };
    bool here = find(space_.tp, seed.tp, c.tp) && find(space_.cp, seed.cp, c.cp) &&
                find(space_.pp, seed.pp, c.pp) && find(space_.ep, seed.ep, c.ep) &&
                find(space_.etp, seed.etp, c.etp) &&
                find(space_.microbatch, seed.microbatch_size, c.microbatch);
    if (here && seed.tp > 1)
      here = find(space_.sequence_parallel, seed.sequence_parallel ? 1 : 0, c.sequence_parallel);
    const auto variant = std::find_if(variants_.begin(), variants_.end(), [&](const Variant& v) {
      return v.schedule == seed.schedule && v.vpp == seed.vpp;
    });
    if (!here || variant == variants_.end()) return;
    c.variant = static_cast<std::uint8_t>(variant - variants_.begin());
    const std::size_t placements = seed.pp * seed.vpp > 1 ? space_.placement.size() : 1;
    for (std::size_t p = 0; p < space_.precision.size(); ++p) {
      c.precision = static_cast<std::uint8_t>(p);
      for (std::size_t r = 0; r < space_.recompute.size(); ++r) {
        c.recompute = static_cast<std::uint8_t>(r);
        for (std::size_t placement = 0; placement < placements; ++placement) {
          c.placement = static_cast<std::uint8_t>(placement);
          for (std::size_t z = 0; z < space_.zero.size(); ++z) {
            c.zero = static_cast<std::uint8_t>(z);
            planted_.push_back(c);
          }
        }
      }
    }
    // Those that break a rule are left to the screening, which counts them.
    std::vector<std::optional<Evaluated>> seen(planted_.size());
    parallel_for(screeners_.size(), planted_.size(), [&](std::size_t worker, std::size_t i) {
      seen[i] = evaluators_[worker]->try_seed(planted_[i]);
    });
    std::vector<Candidate> kept;
    for (std::size_t i = 0; i < seen.size(); ++i) {
      if (!seen[i] || !seen[i]->infeasible.empty()) continue;
      kept.push_back(planted_[i]);
      keep(planted_[i], *seen[i]);  // counted when the screening comes to it
    }
    planted_ = std::move(kept);
    std::sort(planted_.begin(), planted_.end());
  }

  void drop_bounded() {
    if (next_node_ < nodes_.size() && nodes_[next_node_].bound >= cut()) {
      for (; next_node_ < nodes_.size(); ++next_node_) result_.bounded += nodes_[next_node_].candidates;
    }
    if (!leaves_.empty() && leaves_.front().bound >= cut()) {
      result_.bounded += static_cast<std::int64_t>(leaves_.size());
      leaves_.clear();
    }
  }

  /// Screens the most promising nodes and evaluates the most promising leaves.
  void round() {
    const double limit = cut();
    std::size_t nodes = 0;
    while (nodes < kNodesPerRound && next_node_ + nodes < nodes_.size() &&
           nodes_[next_node_ + nodes].bound < limit)
      ++nodes;
    std::vector<Leaf> leaves;
    while (leaves.size() < kLeavesPerRound && !leaves_.empty() && leaves_.front().bound < limit) {
      std::pop_heap(leaves_.begin(), leaves_.end(), std::greater<>());
      leaves.push_back(leaves_.back());
      leaves_.pop_back();
    }
    std::vector<Screened> screened(nodes);
    std::vector<Evaluated> evaluated(leaves.size());
    try {
      parallel_for(screeners_.size(), nodes + leaves.size(), [&](std::size_t worker, std::size_t i) {
        if (i < nodes) {
          screened[i] = screeners_[worker]->expand(nodes_[next_node_ + i], limit);
        } else {
          evaluated[i - nodes] = evaluators_[worker]->evaluate(leaves[i - nodes].candidate, limit);
        }
      });
    } catch (const Stopped&) {
      // Nothing of the round counts: what it took is open again.
      for (const Leaf& leaf : leaves) {
        leaves_.push_back(leaf);
        std::push_heap(leaves_.begin(), leaves_.end(), std::greater<>());
      }
      throw;
    }
    next_node_ += nodes;
    for (Screened& s : screened) {
      result_.bounded += s.bounded;
      for (const auto& [reason, n] : s.infeasible) result_.infeasible[reason] += n;
      for (Leaf& leaf : s.leaves) {
        if (std::binary_search(planted_.begin(), planted_.end(), leaf.candidate)) {
          ++result_.evaluated;
          continue;
        }
        leaves_.push_back(leaf);
        std::push_heap(leaves_.begin(), leaves_.end(), std::greater<>());
      }
    }
    for (std::size_t i = 0; i < evaluated.size(); ++i) {
      ++result_.evaluated;
      if (evaluated[i].operator_level) ++result_.simulated;
      if (!evaluated[i].infeasible.empty()) {
        ++result_.infeasible[evaluated[i].infeasible];
        ++late_infeasible_;
      }
      keep(leaves[i].candidate, evaluated[i]);
    }
  }

  void keep(const Candidate& candidate, Evaluated& e) {
    if (!e.infeasible.empty() || !e.complete || e.objective >= cut()) return;
    for (Found& f : result_.best) {
      // Placements may come to the same layers.
      Candidate twin = f.candidate;
      twin.placement = candidate.placement;
      if (twin != candidate || f.stage_layers != e.stage_layers) continue;
      if (candidate < f.candidate) f = found(candidate, e);
      return;
    }
    const auto after = [&](const Found& f) {
      return f.objective != e.objective ? e.objective < f.objective : candidate < f.candidate;
    };
    result_.best.insert(std::find_if(result_.best.begin(), result_.best.end(), after), found(candidate, e));
    if (result_.best.size() > std::max<std::size_t>(1, options_.top)) result_.best.pop_back();
  }

  [[nodiscard]] Found found(const Candidate& c, const Evaluated& e) const {
    return {.candidate = c,
            .layout = layout_of(space_, variants_, c, scenario_.layout, scenario_.model.layers),
            .stage_layers = e.stage_layers,
            .precision = space_.precision[c.precision],
            .figures = e.figures,
            .objective = e.objective};
  }

  void finish() {
    double open = kInfinity;
    if (next_node_ < nodes_.size()) open = nodes_[next_node_].bound;
    if (!leaves_.empty()) open = std::min(open, leaves_.front().bound);
    const double best = result_.best.empty() ? kInfinity : result_.best.front().objective;
    result_.lower_bound = opened_ ? std::min(open, best) : -kInfinity;
  }

  const Scenario& scenario_;
  const SearchSpace& space_;
  const Goal& goal_;
  const SearchOptions& options_;
  std::vector<Variant> variants_;
  ProfileCache profiles_;
  std::vector<std::unique_ptr<Screener>> screeners_;
  std::vector<std::unique_ptr<Evaluator>> evaluators_;
  std::vector<ScreenNode> nodes_;  ///< best first
  std::size_t next_node_ = 0;
  std::vector<Candidate> planted_;  ///< evaluated before the search, ascending
  std::vector<Leaf> leaves_;        ///< heap, least bound in front
  SearchResult result_;
  std::int64_t late_infeasible_ = 0;  ///< counted as evaluated too
  bool opened_ = false;               ///< every part of the space has its bound
  bool stopped_ = false;
};

}  // namespace

SearchResult search_layouts(const Scenario& scenario, const SearchSpace& space, const Goal& goal,
                            const SearchOptions& options) {
  return Search(scenario, space, goal, options).run();
}

}  // namespace orrery
