// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/orca/detail/base64.hpp"
#include "wva_metrics/orca/detail/binary_form.hpp"
#include "wva_metrics/orca/detail/json_form.hpp"
#include "wva_metrics/orca/detail/metric_list.hpp"
#include "wva_metrics/orca/detail/text_form.hpp"
#include "wva_metrics/orca/orca_metric.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::orca {

namespace detail {

inline std::optional<Error> read_base64(std::string_view text, std::string& bytes,
                                        MetricList& list) {
    if (text.empty())
        return malformed("is empty: no base64 follows");
    std::optional<std::string> decoded = decode_base64(text);
    if (!decoded)
        return malformed("is not base64: " + quoted(text));
    bytes = *std::move(decoded);
    return read_binary(bytes, list);
}

inline std::optional<Error> read_report(std::string_view value, OrcaHeader header,
                                        std::string& bytes, MetricList& list) {
    if (header == OrcaHeader::load_metrics_bin)
        return read_base64(trim(value), bytes, list);
    const std::string_view form = value.substr(0, value.find(' '));
    const std::string_view rest =
        form.size() == value.size() ? std::string_view() : trim(value.substr(form.size() + 1));
    if (form == "TEXT")
        return read_text(rest, list);
    if (form == "JSON")
        return JsonForm(rest, list).read();
    if (form == "BIN")
        return read_base64(rest, bytes, list);
    return malformed("has the unknown form " + quoted(form) + "; TEXT, JSON and BIN are known");
}

} // namespace detail

/// Reads the load report of a header's value, and calls `visit(const OrcaMetric&)` for each of its
/// numbers, in their order, if the whole report is valid. The metric's name lives during the call only.
/// It is as strict as the parser of Envoy: one fault refuses the whole report. A report without numbers
/// is valid.
///
/// Allocates nothing for a valid report of TEXT or JSON, and once for BIN.
///
/// **Errors:**
/// - `bad_response`: an unknown form; an unknown, doubled or empty name; an empty value, or one that is
///   no finite number.
/// - `too_large`: a bound of `OrcaLimits` was hit; the message names it.
///
/// **Threads:** any thread.
template <typename Visitor>
Result<void> visit_report(std::string_view value, Visitor&& visit, const OrcaLimits& limits = {},
                          OrcaHeader header = OrcaHeader::load_metrics) {
    if (value.size() > limits.max_header_bytes)
        return detail::too_large("has " + std::to_string(value.size()) + " bytes",
                                 "max_header_bytes", limits.max_header_bytes);
    std::string bytes;
    detail::MetricList list(limits);
    if (std::optional<Error> error = detail::read_report(value, header, bytes, list))
        return *std::move(error);
    for (const OrcaMetric& metric : list.metrics())
        visit(metric);
    return {};
}

} // namespace wva_metrics::orca
