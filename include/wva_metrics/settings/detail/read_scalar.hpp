// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/parse_duration.hpp"
#include "wva_metrics/settings/detail/document_path.hpp"
#include "wva_metrics/settings/detail/json_kind.hpp"

#include <boost/json/value.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

// `read_scalar` stores a JSON value in a member. It returns the problem, or an empty text if there
// is none. If there is a problem, the member does not change.

namespace wva_metrics::detail {

inline std::string wrong_kind(std::string_view wanted, const boost::json::value& value) {
    return "must be " + std::string(wanted) + ", not " + std::string(name_of_kind(value));
}

inline std::string read_scalar(const boost::json::value& value, bool& target) {
    if (!value.is_bool())
        return wrong_kind("true or false", value);
    target = value.get_bool();
    return {};
}

inline std::string read_scalar(const boost::json::value& value, std::size_t& target) {
    if (!value.is_number())
        return wrong_kind("an integer", value);
    if (value.is_int64() && value.get_int64() >= 0)
        target = static_cast<std::size_t>(value.get_int64());
    else if (value.is_uint64())
        target = value.get_uint64();
    else
        return "must be a non-negative integer";
    return {};
}

inline std::string read_scalar(const boost::json::value& value, double& target) {
    if (!value.is_number())
        return wrong_kind("a number", value);
    const auto number = value.to_number<double>();
    if (!std::isfinite(number))
        return "is too large for a number";
    target = number;
    return {};
}

inline std::string read_scalar(const boost::json::value& value, Duration& target) {
    if (value.is_number())
        return "must be a duration with a unit, such as \"30s\", not a number";
    if (!value.is_string())
        return wrong_kind("a duration such as \"30s\"", value);
    const std::string_view text = value.get_string();
    const Result<Duration> duration = parse_duration(text);
    if (!duration)
        return quoted(text) + " is not a duration such as \"30s\", \"500ms\" or \"1m30s\"";
    target = *duration;
    return {};
}

} // namespace wva_metrics::detail
