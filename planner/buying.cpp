#include "planner/buying.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "sim/base/check.hpp"
#include "sim/base/units_text.hpp"
#include "sim/simulate.hpp"
#include "sim/workload/flops.hpp"

namespace orrery {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kLeastGoodput = 0.01;
/// Longest step that is looked for: what takes longer than this does not end.
constexpr double kLongestStep = 1e9;

/// Money and other figures of a cluster by the step's time; energy at the least a step of that length takes.
class Terms {
 public:
  Terms(const BuyingRequest& r, const Scenario& s) : r_(r), scale_(run_scale(s, r.run_data)), gpus_(s.gpus) {
    const ClusterProfile& c = s.cluster;
    const auto gpus = static_cast<double>(s.gpus);
    least_w_ = gpus * c.gpu.power.communication_floor_w.value +
               c.node_overhead_w.value * std::ceil(gpus / static_cast<double>(c.gpus_per_node));
  }

  [[nodiscard]] const RunScale& scale() const { return scale_; }
  [[nodiscard]] double days(double step_s) const { return scale_.days_per_s * step_s; }
  [[nodiscard]] std::optional<double> money(const Figures& f) const {
    switch (r_.payment) {
      case Payment::kRent:
        return scale_.rent_usd_per_s ? std::optional(*scale_.rent_usd_per_s * f.step_s) : std::nullopt;
      case Payment::kOwn:
        return scale_.owned_usd ? std::optional(scale_.owned_usd->of(f.step_s, f.energy_j)) : std::nullopt;
      case Payment::kPurchase: return scale_.purchase_usd;
    }
    return std::nullopt;
  }
  /// What is compared: smaller is better.
  [[nodiscard]] double objective(const Figures& f) const {
    const auto of = [&](const std::optional<RunScale::Linear>& l) {
      return l ? l->of(f.step_s, f.energy_j) : kInfinity;
    };
    switch (r_.objective) {
      case Metric::kUsd: return money(f).value_or(kInfinity);
      case Metric::kDays: return days(f.step_s);
      case Metric::kEnergy: return of(scale_.energy_mwh);
      case Metric::kCarbon: return of(scale_.carbon_t);
      case Metric::kGpus: return static_cast<double>(gpus_);
      default: SIM_CHECK(false, "no objective of buying"); return kInfinity;
    }
  }
  /// The least that a step of this length can come to.
  [[nodiscard]] Figures least(double step_s) const {
    return {.step_s = step_s, .energy_j = least_w_ * step_s};
  }

 private:
  const BuyingRequest& r_;
  RunScale scale_;
  std::int64_t gpus_;
  double least_w_ = 0;
};

/// The longest step for which `holds`, which holds up to some length and not beyond.
template <class Holds>
double longest(Holds&& holds) {
  if (holds(kLongestStep)) return kLongestStep;
  double low = 0;
  double high = kLongestStep;
  for (int i = 0; i < 200 && high - low > 1e-12 * high; ++i) {
    const double middle = low == 0 ? high / 1024 : std::sqrt(low * high);
    if (middle < 1e-9) return 0;
    (holds(middle) ? low : high) = middle;
  }
  return high;
}

class Buying {
 public:
  explicit Buying(const BuyingRequest& r) : r_(r) {}

  BuyingReport run() {
    decide_all();
    report_.complete = std::none_of(report_.offers.begin(), report_.offers.end(),
                                    [](const Offer& o) { return o.refusal == Refusal::kUndecided; });
    for (Offer& o : report_.offers) {
      if (o.refusal != Refusal::kNone || o.listed || o.on_front) continue;
      o.refusal = Refusal::kDominated;
      o.why = "others are better and it is not on the front";
    }
    if (report_.complete && !report_.found()) add_nearest();
    return std::move(report_);
  }

 private:
  void decide_all() {
    list_offers();
    std::size_t decided = 0;
    for (const std::size_t i : by_promise()) {
      if (r_.stop && r_.stop()) break;
      decide(report_.offers[i]);
      rank();
      if (r_.progress) r_.progress(++decided, report_.offers.size(), best_text());
    }
  }

  /// Places of the offers, those first that would be best if all ran at the same share of their peak: a good
  /// start spares work and changes no answer.
  [[nodiscard]] std::vector<std::size_t> by_promise() {
    std::vector<std::pair<double, std::size_t>> order;
    for (std::size_t i = 0; i < report_.offers.size(); ++i) {
      double value = kInfinity;
      try {
        Offer copy = report_.offers[i];
        const Scenario s = scenario_of(copy, i);
        const Terms terms(r_, s);
        const double step_s = usual_step(s);
        value = terms.objective(terms.least(step_s));
        const bool late = r_.finish_within_days && terms.days(step_s) > *r_.finish_within_days;
        if (late) value = 1e30 + terms.days(step_s);
      } catch (const InputError&) {
        // Refused with this message when its turn comes.
      }
      order.emplace_back(value, i);
    }
    std::sort(order.begin(), order.end());
    std::vector<std::size_t> places;
    for (const auto& [value, i] : order) places.push_back(i);
    return places;
  }

  static double usual_step(const Scenario& s) {
    constexpr double kUsualShare = 0.4;
    const auto& peaks = s.cluster.gpu.peak_flops_per_s;
    const auto peak = peaks.find(is_fp8(s.training.precision) && peaks.contains("fp8") ? "fp8" : "bf16");
    if (peak == peaks.end()) return kLongestStep;
    const auto tokens = static_cast<double>(s.training.global_batch_size * s.training.sequence_length);
    return model_flops_per_token(s.model, s.training.sequence_length, true).value * tokens /
           (kUsualShare * peak->second.value * static_cast<double>(s.gpus));
  }

  void list_offers() {
    const BuyingSpace& s = r_.space;
    const auto each = [](const auto& values, auto&& inner) {
      using Value = typename std::decay_t<decltype(values)>::value_type;
      if (values.empty()) return inner(std::optional<Value>{});
      for (const Value& v : values) inner(std::optional<Value>(v));
    };
    for (const std::string& profile : s.profiles) {
      for (const std::int64_t gpus : s.gpus) {
        each(s.gpus_per_node, [&](std::optional<std::int64_t> node) {
          each(s.nics_per_gpu, [&](std::optional<double> nics) {
            each(s.oversubscription, [&](std::optional<double> over) {
              each(s.power_cap, [&](const std::optional<PowerCap>& cap) {
                Offer& o = report_.offers.emplace_back();
                o.profile = profile;
                o.gpus = gpus;
                o.options = {.gpus_per_node = node,
                             .nics_per_gpu = nics,
                             .oversubscription = over,
                             .power_cap_w = std::nullopt};
                caps_.push_back(cap);
              });
            });
          });
        });
      }
    }
  }

  static void refuse(Offer& o, Refusal refusal, std::string why) {
    o.refusal = refusal;
    o.why = std::move(why);
  }

  void price(Offer& o, Scenario& s) const {
    const std::string& gpu = s.cluster.gpu.name;
    s.economics = r_.scenario.economics;
    const bool own = r_.scenario.cluster.gpu.name == gpu;
    if (!own) s.economics.server_usd.reset();
    for (const auto& [name, usd] : r_.prices) {
      if (name != gpu) continue;
      s.economics.usd_per_gpu_hour = usd;
      o.price_source = "--price";
      return;
    }
    if (own && s.economics.usd_per_gpu_hour) {
      o.price_source = "scenario";
      return;
    }
    const GpuPrice* listed = r_.run_data.prices.find(gpu);
    s.economics.usd_per_gpu_hour.reset();
    if (listed == nullptr) return;
    s.economics.usd_per_gpu_hour = listed->rent_usd_per_hour.value;
    o.price_source = listed->rent_usd_per_hour.source +
                     (listed->rent_usd_per_hour.date.empty() ? "" : ", " + listed->rent_usd_per_hour.date);
  }

  Scenario scenario_of(Offer& o, std::size_t index) const {
    Scenario s = r_.scenario;
    s.cluster_ref = o.profile;
    s.cluster = r_.load_cluster(o.profile);
    apply_stack(s.cluster.gpu, s.stack);
    s.gpus = o.gpus;
    if (const std::optional<PowerCap>& cap = caps_[index]) {
      const double board = s.cluster.gpu.power.cap_w.value;
      const double watts = cap->watts > 0 ? cap->watts : cap->share * board;
      if (watts != board) o.options.power_cap_w = watts;
    }
    if (o.options.gpus_per_node == s.cluster.gpus_per_node) o.options.gpus_per_node.reset();
    if (o.options.nics_per_gpu == 1.0) o.options.nics_per_gpu.reset();
    if (o.options.oversubscription == s.cluster.oversubscription.value) o.options.oversubscription.reset();
    apply_options(s.cluster, o.options, "cluster");
    s.cluster_options = o.options;
    s.layout = carried_over(s.layout);
    price(o, s);
    o.usd_per_gpu_hour = s.economics.usd_per_gpu_hour;
    return s;
  }

  void decide(Offer& o) {
    const auto index = static_cast<std::size_t>(&o - report_.offers.data());
    try {
      decide(o, scenario_of(o, index));
    } catch (const InputError& error) {
      refuse(o, Refusal::kNoFigures, error.place() + ": " + error.problem());
    }
  }

  void decide(Offer& o, const Scenario& s) {
    const Terms terms(r_, s);
    if (terms.scale().useful < kLeastGoodput)
      return refuse(o, Refusal::kTooSlow, "fails more often than it saves its state");
    const bool wants_money = r_.budget_usd || r_.objective == Metric::kUsd;
    if (wants_money && !terms.money({.step_s = 1}))
      return refuse(o, Refusal::kNoPrice,
                    r_.payment == Payment::kRent
                        ? fmt::format("give --price {}=USD per GPU-hour", s.cluster.gpu.name)
                        : "the price list lacks its server, or the scenario usd_per_kwh and pue");
    if (!std::isfinite(terms.objective(terms.least(1))))
      return refuse(o, Refusal::kNoPrice, fmt::format("lacks an input of '{}'", info_of(r_.objective).name));
    search(o, s, terms);
  }

  /// The longest step that can be within time and budget, and the longest that can also be worth listing.
  void search(Offer& o, const Scenario& s, const Terms& terms) {
    const double in_time =
        longest([&](double t) { return !r_.finish_within_days || terms.days(t) <= *r_.finish_within_days; });
    const double in_budget = longest([&](double t) {
      return !r_.budget_usd || terms.money(terms.least(t)).value_or(0) <= *r_.budget_usd;
    });
    const double allowed = std::min(in_time, in_budget);
    const double useful =
        longest([&](double t) { return may_be_listed(terms, t) || may_be_on_front(terms, t); });
    const SearchSpace space = r_.layouts(s);
    Goal goal;
    goal.level.terms.emplace_back();  // the step
    goal.constraints = r_.constraints;
    goal.scale = terms.scale();
    SearchOptions options{.threads = r_.threads, .top = 1, .stop = r_.stop};
    // What is exactly as long as allowed still counts.
    options.better_than = std::nextafter(std::min(allowed, useful) * (1 + 1e-12), kInfinity);
    const SearchResult found = search_layouts(s, space, goal, options);
    for (const auto& [reason, n] : found.infeasible) report_.layouts += n;
    report_.layouts += found.bounded + found.evaluated;
    if (!found.complete) return;
    if (!found.best.empty()) return take(o, s, terms, found.best.front());
    if (found.bounded + found.evaluated == 0 || only_infeasible(found)) {
      const bool limit = found.infeasible.contains("constraint");
      return refuse(o, limit ? Refusal::kConstraint : Refusal::kNoLayout, reasons(found));
    }
    if (allowed > useful) return refuse(o, Refusal::kDominated, "proven no better than those listed");
    if (in_time <= in_budget)
      return refuse(o, Refusal::kTooSlow,
                    fmt::format("proven: every layout takes more than {:g} days", *r_.finish_within_days));
    refuse(o, Refusal::kTooDear,
           fmt::format("proven: every layout costs more than {} USD", count_text(*r_.budget_usd)));
  }

  static bool only_infeasible(const SearchResult& found) {
    std::int64_t infeasible = 0;
    for (const auto& [reason, n] : found.infeasible) infeasible += n;
    return infeasible >= found.candidates;
  }

  static std::string reasons(const SearchResult& found) {
    const auto most = std::max_element(found.infeasible.begin(), found.infeasible.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
    if (most == found.infeasible.end()) return "the space of layouts is empty";
    return fmt::format("no layout runs; most fail by '{}' ({} of {})", most->first, most->second,
                       found.candidates);
  }

  void take(Offer& o, const Scenario& s, const Terms& terms, const Found& found) {
    o.found = found;
    o.scenario = s;
    o.scenario.layout = found.layout;
    o.scenario.training.precision = found.precision;
    const Metrics m = simulate(o.scenario).metrics;
    SIM_CHECK(!m.infeasible, "what the search found runs");
    const Figures f{
        .step_s = m.step_time_s, .memory_bytes = m.memory_peak, .energy_j = m.power.step_j.value_or(0)};
    const RunScale& scale = terms.scale();
    o.found.figures = f;
    o.step_s = f.step_s;
    o.days = terms.days(f.step_s);
    o.goodput = scale.useful;
    o.memory_bytes = f.memory_bytes;
    o.power_w = m.power.cluster_mean_w;
    if (scale.rent_usd_per_s) o.rent_usd = *scale.rent_usd_per_s * f.step_s;
    if (scale.owned_usd) o.owned_usd = scale.owned_usd->of(f.step_s, f.energy_j);
    o.purchase_usd = scale.purchase_usd;
    if (scale.energy_mwh) o.energy_mwh = scale.energy_mwh->of(f.step_s, f.energy_j);
    if (scale.carbon_t) o.carbon_t = scale.carbon_t->of(f.step_s, f.energy_j);
    o.objective = terms.objective(f);
    if (r_.budget_usd && terms.money(f).value_or(0) > *r_.budget_usd)
      return refuse(o, Refusal::kTooDear, "its fastest layout costs more than the budget");
    o.refusal = Refusal::kNone;
  }

  [[nodiscard]] std::optional<double> money_of(const Offer& o) const {
    switch (r_.payment) {
      case Payment::kRent: return o.rent_usd;
      case Payment::kOwn: return o.owned_usd;
      case Payment::kPurchase: return o.purchase_usd;
    }
    return std::nullopt;
  }

  [[nodiscard]] bool may_be_listed(const Terms& terms, double step_s) const {
    if (report_.listed.size() < std::max<std::size_t>(1, r_.top)) return true;
    return terms.objective(terms.least(step_s)) < report_.offers[report_.listed.back()].objective;
  }

  [[nodiscard]] bool may_be_on_front(const Terms& terms, double step_s) const {
    const std::optional<double> money = terms.money(terms.least(step_s));
    if (!money) return false;
    return std::none_of(report_.front.begin(), report_.front.end(), [&](std::size_t i) {
      const Offer& o = report_.offers[i];
      return o.days <= terms.days(step_s) && money_of(o).value_or(kInfinity) <= *money;
    });
  }

  void rank() {
    std::vector<std::size_t> all;
    for (std::size_t i = 0; i < report_.offers.size(); ++i) {
      report_.offers[i].listed = report_.offers[i].on_front = false;
      if (report_.offers[i].refusal == Refusal::kNone) all.push_back(i);
    }
    const auto by = [&](auto&& key) {
      std::stable_sort(all.begin(), all.end(), [&](std::size_t a, std::size_t b) {
        return key(report_.offers[a]) < key(report_.offers[b]);
      });
    };
    by([](const Offer& o) { return std::pair(o.objective, o.days); });
    report_.listed.assign(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                         all.size(), std::max<std::size_t>(1, r_.top))));
    for (const std::size_t i : report_.listed) report_.offers[i].listed = true;
    by([&](const Offer& o) { return std::pair(o.days, money_of(o).value_or(kInfinity)); });
    report_.front.clear();
    double least = kInfinity;
    for (const std::size_t i : all) {
      const double money = money_of(report_.offers[i]).value_or(kInfinity);
      if (money >= least) continue;
      least = money;
      report_.front.push_back(i);
      report_.offers[i].on_front = true;
    }
  }

  [[nodiscard]] std::string best_text() const {
    if (report_.listed.empty()) return {};
    const Offer& o = report_.offers[report_.listed.front()];
    return fmt::format("{} x {}, {:.3g} days", o.gpus, o.profile, o.days);
  }

  /// Without one of the two limits at a time.
  void add_nearest() {
    const auto ask = [&](bool time) {
      BuyingRequest other = r_;
      (time ? other.finish_within_days : other.budget_usd).reset();
      other.objective = time ? Metric::kDays : Metric::kUsd;
      other.top = 1;
      other.progress = {};
      Buying again(other);
      again.decide_all();
      const BuyingReport& found = again.report_;
      if (!found.found()) return;
      const Offer& o = found.offers[found.listed.front()];
      const std::string money =
          o.rent_usd || o.owned_usd ? ", " + count_text(money_of(o).value_or(0)) + " USD" : "";
      report_.nearest.push_back(fmt::format(
          "without the limit of {}: {} GPUs of {}{}{}, {:.4g} days{}", time ? "time" : "money", o.gpus,
          o.profile, to_text(o.options).empty() ? "" : ", ", to_text(o.options), o.days, money));
    };
    if (r_.finish_within_days && (r_.budget_usd || !r_.constraints.empty())) ask(true);
    if (r_.budget_usd) ask(false);
    if (r_.finish_within_days && !r_.budget_usd && r_.constraints.empty()) ask(true);
  }

  const BuyingRequest& r_;
  BuyingReport report_;
  std::vector<std::optional<PowerCap>> caps_;  ///< by offer
};

}  // namespace

const std::vector<std::string>& payment_names() {
  static const std::vector<std::string> kNames{"rent", "own", "purchase"};
  return kNames;
}

const char* to_text(Refusal refusal) {
  switch (refusal) {
    case Refusal::kNone: return "kept";
    case Refusal::kDominated: return "dominated";
    case Refusal::kTooSlow: return "too-slow";
    case Refusal::kTooDear: return "too-dear";
    case Refusal::kConstraint: return "constraint";
    case Refusal::kNoLayout: return "no-layout";
    case Refusal::kNoPrice: return "no-price";
    case Refusal::kNoFigures: return "no-figures";
    case Refusal::kUndecided: return "undecided";
  }
  return "";
}

std::vector<std::int64_t> usual_gpu_counts() {
  std::vector<std::int64_t> counts;
  for (std::int64_t n = 8; n <= 65536; n *= 2) {
    counts.push_back(n);
    if (n >= 16 && n / 2 * 3 <= 65536) counts.push_back(n / 2 * 3);
  }
  return counts;
}

BuyingReport find_clusters(const BuyingRequest& request) {
  return Buying(request).run();
}

}  // namespace orrery
