// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/text_format.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace wva_metrics::exposition {

/// The formats of pages with metrics.
enum class PageFormat : std::uint8_t {
    /// `text/plain; version=0.0.4`.
    prometheus_0_0_4,
    /// `text/plain; version=1.0.0`.
    prometheus_1_0_0,
    /// `application/openmetrics-text; version=0.0.1`. Read as OpenMetrics 1.0.
    open_metrics_0_0_1,
    /// `application/openmetrics-text; version=1.0.0`.
    open_metrics_1_0,
    /// `application/openmetrics-text; version=2.0.0`.
    open_metrics_2_0,
    /// `application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily;
    /// encoding=delimited`.
    protobuf,
};

/// A name for people, e.g. `OpenMetrics 1.0`.
constexpr std::string_view to_string(PageFormat format) noexcept {
    switch (format) {
    case PageFormat::prometheus_0_0_4:
        return "Prometheus text 0.0.4";
    case PageFormat::prometheus_1_0_0:
        return "Prometheus text 1.0.0";
    case PageFormat::open_metrics_0_0_1:
        return "OpenMetrics 0.0.1";
    case PageFormat::open_metrics_1_0:
        return "OpenMetrics 1.0";
    case PageFormat::open_metrics_2_0:
        return "OpenMetrics 2.0";
    case PageFormat::protobuf:
        return "Prometheus protobuf";
    }
    return "unknown";
}

/// The format for `TextParser`; nothing for OpenMetrics 2.0 and protobuf, which have parsers of their
/// own.
constexpr std::optional<TextFormat> to_text_format(PageFormat format) noexcept {
    switch (format) {
    case PageFormat::prometheus_0_0_4:
        return TextFormat::prometheus_0_0_4;
    case PageFormat::prometheus_1_0_0:
        return TextFormat::prometheus_1_0_0;
    case PageFormat::open_metrics_0_0_1:
    case PageFormat::open_metrics_1_0:
        return TextFormat::open_metrics_1_0;
    case PageFormat::open_metrics_2_0:
    case PageFormat::protobuf:
        break;
    }
    return std::nullopt;
}

} // namespace wva_metrics::exposition
