// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/orca/detail/metric_list.hpp"
#include "wva_metrics/orca/orca_metric.hpp"

#include <charconv>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

namespace wva_metrics::orca::detail {

constexpr bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}

constexpr std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && is_blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back()))
        text.remove_suffix(1);
    return text;
}

/// A number in the notation of C, or a word for NaN or infinity, which `MetricList` refuses. A number
/// that no double can hold, too large or too small, counts as infinite.
inline std::optional<double> parse_number(std::string_view text) noexcept {
    if (text.starts_with('+'))
        text.remove_prefix(text.size() > 1 && text[1] == '-' ? 0 : 1);
    double value = 0;
    const char* const end = text.data() + text.size();
    const std::from_chars_result parsed = std::from_chars(text.data(), end, value);
    if (parsed.ptr != end || text.empty())
        return std::nullopt;
    if (parsed.ec == std::errc::result_out_of_range)
        return std::numeric_limits<double>::infinity();
    return parsed.ec == std::errc() ? std::optional(value) : std::nullopt;
}

/// Reads `a=1, named_metrics.b:2`. Names and values are divided by the first `=` or `:`: newer
/// servers write the one, older ones the other. Empty entries between commas are skipped.
inline std::optional<Error> read_text(std::string_view text, MetricList& list) {
    constexpr std::string_view named = "named_metrics.";
    while (!text.empty()) {
        const std::size_t comma = text.find(',');
        const std::string_view entry = trim(text.substr(0, comma));
        text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
        if (entry.empty())
            continue;
        const std::size_t divider = entry.find_first_of("=:");
        if (divider == 0)
            return malformed("has a metric without a name: " + quoted(entry));
        const std::string_view name = entry.substr(0, divider);
        const std::string_view digits =
            divider == std::string_view::npos ? "" : trim(entry.substr(divider + 1));
        if (digits.empty())
            return malformed("has no value for " + quoted(name));
        const std::optional<double> value = parse_number(digits);
        if (!value)
            return malformed("has the value " + quoted(digits) + " for " + quoted(name) +
                             ", which is not a number");
        OrcaMetric metric{.field = OrcaField::named_metric, .value = *value};
        if (name.starts_with(named)) {
            metric.name = name.substr(named.size());
        } else {
            const std::optional<OrcaField> field = plain_field(name);
            if (!field)
                return malformed("has the unknown metric " + quoted(name) +
                                 "; a server's own metrics begin with 'named_metrics.'");
            metric.field = *field;
        }
        if (std::optional<Error> error = list.add(metric))
            return error;
    }
    return std::nullopt;
}

} // namespace wva_metrics::orca::detail
