// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/orca/orca_metric.hpp"
#include "wva_metrics/orca/visit_report.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::orca {

/// A load report that owns its texts. What the server did not send is empty and not 0.
struct OrcaReport {
    /// Numbers by name.
    using Numbers = std::map<std::string, double, std::less<>>;

    std::optional<double> cpu_utilization{};         ///< See `OrcaField`.
    std::optional<double> mem_utilization{};         ///< See `OrcaField`.
    std::optional<double> application_utilization{}; ///< See `OrcaField`.
    std::optional<double> rps_fractional{};          ///< See `OrcaField`.
    std::optional<double> eps{};                     ///< See `OrcaField`.
    Numbers named_metrics{};                         ///< See `OrcaField`.
    Numbers utilization{};                           ///< See `OrcaField`.
    Numbers request_cost{};                          ///< See `OrcaField`.

    /// Puts a number in its place.
    void set(const OrcaMetric& metric) {
        switch (metric.field) {
        case OrcaField::cpu_utilization:
            cpu_utilization = metric.value;
            break;
        case OrcaField::mem_utilization:
            mem_utilization = metric.value;
            break;
        case OrcaField::application_utilization:
            application_utilization = metric.value;
            break;
        case OrcaField::rps_fractional:
            rps_fractional = metric.value;
            break;
        case OrcaField::eps:
            eps = metric.value;
            break;
        case OrcaField::named_metric:
            named_metrics.insert_or_assign(std::string(metric.name), metric.value);
            break;
        case OrcaField::utilization:
            utilization.insert_or_assign(std::string(metric.name), metric.value);
            break;
        case OrcaField::request_cost:
            request_cost.insert_or_assign(std::string(metric.name), metric.value);
            break;
        }
    }

    friend bool operator==(const OrcaReport&, const OrcaReport&) = default;
};

/// The report of a header's value. For many reports per second, `visit_report` allocates nothing.
///
/// **Errors, threads:** see `visit_report`.
inline Result<OrcaReport> parse_report(std::string_view value, const OrcaLimits& limits = {},
                                       OrcaHeader header = OrcaHeader::load_metrics) {
    OrcaReport report;
    const Result<void> visited = visit_report(
        value, [&report](const OrcaMetric& metric) { report.set(metric); }, limits, header);
    if (visited.has_error())
        return visited.error();
    return report;
}

} // namespace wva_metrics::orca
