#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "planner/plan.hpp"

namespace orrery {

/// How machines are paid for.
enum class Payment {
  kRent,      ///< GPU-hours of the run
  kOwn,       ///< the run's share of machines bought, energy and room included
  kPurchase,  ///< the machines new, whatever else they do in their life
};
[[nodiscard]] const std::vector<std::string>& payment_names();

/// A limit of GPU power as a user writes it: watts, or a share of the board's own.
struct PowerCap {
  double watts = 0;  ///< 0: `share` counts
  double share = 1;
  std::string text;
};

/// Clusters that could be bought or booked: every combination.
struct BuyingSpace {
  std::vector<std::string> profiles;
  std::vector<std::int64_t> gpus;
  std::vector<std::int64_t> gpus_per_node;  ///< empty: the profile's
  std::vector<double> nics_per_gpu;         ///< empty: the profile's
  std::vector<double> oversubscription;     ///< empty: the profile's
  std::vector<PowerCap> power_cap;          ///< empty: the board's own
};

/// What a buyer asks.
struct BuyingRequest {
  Scenario scenario;  ///< model, training and prices; its cluster and layout do not matter
  BuyingSpace space;
  /// The layouts searched on a cluster.
  std::function<SearchSpace(const Scenario&)> layouts;
  std::function<ClusterProfile(const std::string&)> load_cluster;
  RunData run_data;
  /// USD per GPU-hour by GPU name, in front of the price list.
  std::vector<std::pair<std::string, double>> prices;
  Payment payment = Payment::kRent;
  Metric objective = Metric::kUsd;  ///< usd by `payment`, days, energy, carbon, gpus
  std::optional<double> finish_within_days;
  std::optional<double> budget_usd;
  std::vector<Constraint> constraints;  ///< of every layout
  std::size_t top = 10;
  std::size_t threads = 1;
  std::function<bool()> stop = {};
  /// Clusters decided, of how many, and the best so far.
  std::function<void(std::size_t decided, std::size_t all, const std::string& best)> progress = {};
};

/// Why a cluster is not in the list.
enum class Refusal {
  kNone,
  kDominated,   ///< proven no better than those listed, and not on the front
  kTooSlow,     ///< proven: no layout ends within the time asked
  kTooDear,     ///< proven: no layout that is fast enough stays within the budget
  kConstraint,  ///< another limit of the user's leaves nothing
  kNoLayout,    ///< nothing runs at all: memory, sizes, precision
  kNoPrice,     ///< the GPU has no price
  kNoFigures,   ///< the profile lacks something that the run needs
  kUndecided,   ///< stopped before
};
[[nodiscard]] const char* to_text(Refusal refusal);

/// One cluster and what became of it.
struct Offer {
  std::string profile;
  std::int64_t gpus = 0;
  ClusterOptions options;
  std::optional<double> usd_per_gpu_hour;
  std::string price_source;
  Refusal refusal = Refusal::kUndecided;
  std::string why;  ///< a line
  // with a layout
  Scenario scenario;  ///< with the layout that was found
  Found found;
  double step_s = 0, days = 0;
  std::optional<double> rent_usd, owned_usd, purchase_usd, energy_mwh, carbon_t;
  std::optional<double> power_w;  ///< of nodes and network, mean
  double memory_bytes = 0;
  double goodput = 1;
  double objective = 0;
  bool listed = false;
  bool on_front = false;  ///< no other cluster is both sooner and cheaper
};

struct BuyingReport {
  std::vector<Offer> offers;         ///< in the order of the space
  std::vector<std::size_t> listed;   ///< best first
  std::vector<std::size_t> front;    ///< fastest first: days against money
  bool complete = false;             ///< every cluster is decided
  std::int64_t layouts = 0;          ///< decided on all clusters together
  std::vector<std::string> nearest;  ///< where nothing fits: what would
  [[nodiscard]] bool found() const { return !listed.empty(); }
};

/// The fastest layout of every cluster that may still be among the best or on the front of days and money,
/// with proof: on one cluster rent and purchase do not fall with the step's time and the owner's cost has a
/// least value for every step time, so what a cluster would have to beat becomes the longest step worth
/// looking for, and its search ends as soon as the bounds exclude that. Clusters are taken in the order of
/// the space; the answer does not depend on the number of threads. Errors: InputError for an objective that
/// the scenario lacks an input of.
[[nodiscard]] BuyingReport find_clusters(const BuyingRequest& request);

/// GPU counts worth asking: 8 to 65,536 by 2 and 3 times powers of two, whole nodes of 8.
[[nodiscard]] std::vector<std::int64_t> usual_gpu_counts();

}  // namespace orrery
