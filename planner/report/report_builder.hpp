#pragma once

#include <span>
#include <string>
#include <vector>

#include "planner/report/document.hpp"
#include "planner/report/report_input.hpp"

namespace orrery {

/// Collects figures and sections of a document. A figure is registered once and shown by its id.
class ReportBuilder {
 public:
  explicit ReportBuilder(const ReportInput& input) : in(input) {}

  /// Registers a figure with `digits` significant digits, in `unit`, `value` being value / scale of the base.
  DocCell number(const std::string& id, double value, const std::string& unit, int digits = 3);
  /// With a fixed number of decimals.
  DocCell decimal(const std::string& id, double value, const std::string& unit, int decimals);
  /// Registers the parts of a whole so that what is shown adds up; "<id>.<key>" each, "<id>.sum" the sum.
  void parts(const std::string& id, const std::vector<std::pair<std::string, double>>& keyed,
             const std::string& unit, int decimals);
  /// "12.3 days": the text and unit of a registered figure.
  [[nodiscard]] std::string show(const std::string& id) const;

  Section& section(std::string key, std::string title);

  /// USD in one shown unit of money, the same in the whole report: a million, or a thousand where the rent is
  /// less than a million.
  [[nodiscard]] double usd_scale() const;
  [[nodiscard]] std::string usd_unit() const;  ///< "million USD", "thousand USD"
  /// The same for GPU-hours: a thousand, or a million from ten million on.
  [[nodiscard]] double hours_scale() const;
  [[nodiscard]] std::string hours_unit() const;  ///< "thousand GPU-hours", "million GPU-hours"
  /// Tokens of the run: "14.8 x 10^12", "300 x 10^9".
  [[nodiscard]] std::string tokens_text() const;

  const ReportInput& in;
  Document doc;
};

/// The whole report: sections of the training-cost report in their order.
[[nodiscard]] Document build_report(const ReportInput& input);

// Sections, one function each; every one registers the figures that it is the first to show.
void add_figures(ReportBuilder& b);  ///< of the run, used by several sections
void add_summary(ReportBuilder& b);
void add_scope(ReportBuilder& b);
void add_assumptions(ReportBuilder& b);
void add_plan(ReportBuilder& b);
void add_time(ReportBuilder& b);
void add_memory(ReportBuilder& b);
void add_power(ReportBuilder& b);
void add_money(ReportBuilder& b);
void add_carbon(ReportBuilder& b);
void add_uncertainty(ReportBuilder& b);
void add_sensitivity(ReportBuilder& b);
void add_alternatives(ReportBuilder& b);
void add_published(ReportBuilder& b);
void add_provenance(ReportBuilder& b);

}  // namespace orrery
