#pragma once

#include <string>
#include <vector>

#include "planner/buying.hpp"
#include "sim/report/report_json.hpp"
#include "sim/report/table.hpp"

namespace orrery {

/// The clusters listed, best first.
[[nodiscard]] Table offers_table(const BuyingRequest& request, const BuyingReport& report);
/// The clusters that no other beats in both days and money, soonest first.
[[nodiscard]] Table offer_front_table(const BuyingRequest& request, const BuyingReport& report);
/// Every cluster that is not listed, with the reason; or, unless `each`, how many fell out for which.
[[nodiscard]] Table refusals_table(const BuyingReport& report, bool each);
/// The whole answer for a terminal.
[[nodiscard]] std::string buying_text(const BuyingRequest& request, const BuyingReport& report, bool each);
/// The object of schema orrery.buying/1 (docs/formats/plan.md).
[[nodiscard]] std::string buying_json(const BuyingRequest& request, const BuyingReport& report,
                                      const ProgramInfo& program, double elapsed_s);

}  // namespace orrery
