// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wva_metrics::orca {

/// The header in which a server sends its load report: `TEXT a=1`, `JSON {...}` or `BIN <base64>`.
inline constexpr std::string_view report_header = "endpoint-load-metrics";
/// The older header of gRPC: base64 without a word before it.
inline constexpr std::string_view binary_report_header = "endpoint-load-metrics-bin";
/// The header of a request that asks for reports. Servers send none unless it is there. The values
/// are `text`, `json` and, from some servers, `bin`.
inline constexpr std::string_view format_header = "endpoint-load-metrics-format";

/// Which header a report came in.
enum class OrcaHeader : std::uint8_t {
    /// `endpoint-load-metrics`: a word says the form.
    load_metrics,
    /// `endpoint-load-metrics-bin`: base64 only.
    load_metrics_bin,
};

/// Which part of a report a number stands in.
enum class OrcaField : std::uint8_t {
    cpu_utilization,         ///< Share of the CPU in use; may be above 1.
    mem_utilization,         ///< Share of the memory in use, 0..1.
    application_utilization, ///< Share of what the application can do; may be above 1.
    rps_fractional,          ///< Requests per second.
    eps,                     ///< Errors per second.
    named_metric, ///< A number of the application's own; `OrcaMetric::name` has its name.
    utilization,  ///< A share of a resource of the application's own.
    request_cost, ///< What this request used of a resource of the application's own.
};

/// The field's name in a report.
constexpr std::string_view to_string(OrcaField field) noexcept {
    switch (field) {
    case OrcaField::cpu_utilization:
        return "cpu_utilization";
    case OrcaField::mem_utilization:
        return "mem_utilization";
    case OrcaField::application_utilization:
        return "application_utilization";
    case OrcaField::rps_fractional:
        return "rps_fractional";
    case OrcaField::eps:
        return "eps";
    case OrcaField::named_metric:
        return "named_metrics";
    case OrcaField::utilization:
        return "utilization";
    case OrcaField::request_cost:
        return "request_cost";
    }
    return "unknown";
}

/// One number of a report.
struct OrcaMetric {
    OrcaField field{};       ///< Where it stands.
    std::string_view name{}; ///< Of the fields with names of their own, else empty.
    double value = 0;        ///< Finite.
};

/// The most numbers that a report may have, whatever `OrcaLimits` says.
inline constexpr std::size_t most_orca_metrics = 64;

/// The bounds of one report.
struct OrcaLimits {
    /// Bytes of the header's value. Most servers send 100; an HTTP server rarely accepts more than
    /// 8 KiB of headers.
    std::size_t max_header_bytes = std::size_t{8} << 10;
    /// Numbers in a report; at most `most_orca_metrics`.
    std::size_t max_metrics = most_orca_metrics;
    /// Bytes of a name.
    std::size_t max_name_bytes = 256;
};

} // namespace wva_metrics::orca
