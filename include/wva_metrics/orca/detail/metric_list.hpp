// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/orca/orca_metric.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace wva_metrics::orca::detail {

/// A piece of a report for a message: bounded and harmless.
inline std::string quoted(std::string_view text) {
    constexpr std::size_t longest = 80;
    return "'" + wva_metrics::detail::clean_text(text, longest) + "'";
}

/// A report that breaks the rules of its form.
inline Error malformed(const std::string& what) {
    return {Errc::bad_response, "the load report " + what};
}

/// A report that exceeds a bound.
inline Error too_large(const std::string& what, const char* bound, std::size_t limit) {
    return {Errc::too_large,
            "the load report " + what + " (" + bound + " = " + std::to_string(limit) + ")"};
}

/// The numbers of one report, each checked as it is added. Nothing is passed on before the whole
/// report is known to be good. Allocates nothing, except for errors.
class MetricList {
public:
    explicit MetricList(const OrcaLimits& limits) noexcept
        : max_metrics_(std::min(limits.max_metrics, most_orca_metrics)),
          max_name_bytes_(limits.max_name_bytes) {}

    std::optional<Error> add(const OrcaMetric& metric) {
        if (metric.field >= OrcaField::named_metric) {
            if (metric.name.empty())
                return malformed("has a metric of " + std::string(to_string(metric.field)) +
                                 " without a name");
            if (metric.name.size() > max_name_bytes_)
                return too_large("has the longer name " + quoted(metric.name), "max_name_bytes",
                                 max_name_bytes_);
        }
        if (!std::isfinite(metric.value))
            return malformed("has a value of " + name_of(metric) +
                             " that is no finite number of double precision");
        for (const OrcaMetric& other : metrics())
            if (other.field == metric.field && other.name == metric.name)
                return malformed("has " + name_of(metric) + " twice");
        if (size_ == max_metrics_)
            return too_large("has more metrics", "max_metrics", max_metrics_);
        metrics_[size_++] = metric;
        return std::nullopt;
    }

    std::span<const OrcaMetric> metrics() const noexcept { return {metrics_.data(), size_}; }

    static std::string name_of(const OrcaMetric& metric) {
        return metric.name.empty() ? quoted(to_string(metric.field)) : quoted(metric.name);
    }

private:
    std::size_t max_metrics_;
    std::size_t max_name_bytes_;
    std::size_t size_ = 0;
    std::array<OrcaMetric, most_orca_metrics> metrics_;
};

/// The fields that are one number, by their name in a report.
inline std::optional<OrcaField> plain_field(std::string_view name) noexcept {
    for (const OrcaField field :
         {OrcaField::cpu_utilization, OrcaField::mem_utilization,
          OrcaField::application_utilization, OrcaField::rps_fractional, OrcaField::eps})
        if (to_string(field) == name)
            return field;
    return std::nullopt;
}

} // namespace wva_metrics::orca::detail
