// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/layered_config.hpp"
#include "wva_metrics/optional_reading.hpp"
#include "wva_metrics/parse_duration.hpp"
#include "wva_metrics/pod_owner.hpp"
#include "wva_metrics/settings/detail/document_path.hpp"
#include "wva_metrics/settings/detail/json_kind.hpp"
#include "wva_metrics/settings/detail/nearest_name.hpp"

#include <boost/json/value.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// `Deployment/llama`; an empty text is none.
inline std::string read_scalar(const boost::json::value& value, std::optional<PodOwner>& target) {
    if (!value.is_string())
        return wrong_kind("a string such as \"Deployment/llama\"", value);
    const std::string_view text = value.get_string();
    const std::size_t slash = text.find('/');
    if (text.empty()) {
        target.reset();
        return {};
    }
    if (slash == 0 || slash >= text.size() - 1 || slash != text.rfind('/'))
        return "must be a kind and a name, such as \"Deployment/llama\"";
    target = PodOwner{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
    return {};
}

inline std::string read_scalar(const boost::json::value& value, OnDispute& target) {
    for (const OnDispute choice : {OnDispute::keep, OnDispute::highest, OnDispute::missing})
        if (value.is_string() && to_string(choice) == std::string_view(value.get_string())) {
            target = choice;
            return {};
        }
    return "must be \"keep\", \"highest\" or \"missing\"";
}

/// Why a name is that of no optional reading, with what may have been meant.
inline std::string describe_unknown_reading(std::string_view name) {
    std::vector<std::string_view> names;
    names.reserve(optional_readings.size());
    for (const OptionalReadingInfo& info : optional_readings)
        names.push_back(info.name);
    const auto nearest = nearest_names(name, names);
    return quoted(name) + " is no optional reading; " +
           (nearest.empty() ? "there are " + quoted_alternatives(names)
                            : "did you mean " + quoted_alternatives(nearest) + "?");
}

inline std::string read_scalar(const boost::json::value& value, OptionalReadingSet& target) {
    if (!value.is_array())
        return wrong_kind("a list of names of optional readings", value);
    OptionalReadingSet chosen;
    for (const boost::json::value& item : value.get_array()) {
        if (!item.is_string())
            return wrong_kind("a list of names of optional readings", item);
        const std::string_view name = item.get_string();
        const auto found = std::ranges::find(optional_readings, name, &OptionalReadingInfo::name);
        if (found == optional_readings.end())
            return describe_unknown_reading(name);
        chosen.insert(found->reading);
    }
    target = chosen;
    return {};
}

} // namespace wva_metrics::detail
