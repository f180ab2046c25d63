#include "calibrate/sweep/collective_plan.hpp"

#include <algorithm>
#include <string>

namespace orrery {
namespace {

/// 2, 4, 8, ... below `all`, and `all` itself when it is at least two.
std::vector<int> doublings(int all) {
  std::vector<int> out;
  for (int n = 2; n < all; n *= 2) out.push_back(n);
  if (all >= 2) out.push_back(all);
  return out;
}

struct Arrangement {
  int gpus = 0, nodes = 1;
};

}  // namespace

std::vector<Case> collective_plan(const std::vector<int>& ranks_of_hosts) {
  if (ranks_of_hosts.empty()) return {};
  const int hosts = static_cast<int>(ranks_of_hosts.size());
  const int on_each = *std::min_element(ranks_of_hosts.begin(), ranks_of_hosts.end());
  std::vector<Arrangement> arrangements;
  for (const int gpus : doublings(on_each)) arrangements.push_back({.gpus = gpus, .nodes = 1});
  if (hosts > 1 && on_each > 1) arrangements.push_back({.gpus = 2, .nodes = 2});
  for (const int nodes : doublings(hosts)) arrangements.push_back({.gpus = nodes * on_each, .nodes = nodes});

  std::vector<Case> out;
  for (const int power : {18, 27, 12, 30, 21, 15, 24}) {  // far apart first
    for (const Arrangement& a : arrangements) {
      for (const char* kind : {"all-to-all", "all-reduce", "all-gather", "reduce-scatter", "send-recv"}) {
        Case what{.op_class = std::string("collective.") + kind,
                  .name = std::string(kind) == "all-to-all" ? "nccl send-recv" : "nccl",
                  .shape = {{"bytes", std::int64_t{1} << power}, {"gpus", a.gpus}},
                  .dtype = "bf16"};
        if (a.nodes > 1) what.shape["nodes"] = a.nodes;
        out.push_back(std::move(what));
      }
    }
  }
  return out;
}

}  // namespace orrery
