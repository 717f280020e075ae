// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace wva_metrics::exposition {

/// The text formats of pages with metrics.
enum class TextFormat : std::uint8_t {
    /// `text/plain; version=0.0.4`. Timestamps are milliseconds; the page has no end mark.
    prometheus_0_0_4,
    /// `text/plain; version=1.0.0`: the same, with UTF-8 names in quotes.
    prometheus_1_0_0,
    /// `application/openmetrics-text; version=1.0.0`. Timestamps are seconds; `# EOF` ends the page.
    open_metrics_1_0,
};

/// A name for people, e.g. `OpenMetrics 1.0`.
constexpr std::string_view to_string(TextFormat format) noexcept {
    switch (format) {
    case TextFormat::prometheus_0_0_4:
        return "Prometheus text 0.0.4";
    case TextFormat::prometheus_1_0_0:
        return "Prometheus text 1.0.0";
    case TextFormat::open_metrics_1_0:
        return "OpenMetrics 1.0";
    }
    return "unknown";
}

} // namespace wva_metrics::exposition
