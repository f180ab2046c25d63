#pragma once

#include <cstdint>

#include "sim/base/verdict.hpp"
#include "sim/layout/layout.hpp"
#include "sim/model/model_spec.hpp"

namespace orrery {

/// Divisibility and placement rules, cheapest first. Memory is checked elsewhere (needs the schedule), the
/// schedule's own conditions in `check_schedule`.
[[nodiscard]] Verdict check_layout(const ModelSpec& model, const Layout& layout, const Training& training,
                                   std::int64_t gpus);

}  // namespace orrery
