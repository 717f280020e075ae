// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/json/value.hpp>

#include <string_view>

namespace wva_metrics::detail {

/// The kind of a JSON value, for messages such as "must be a string, not a number".
inline std::string_view name_of_kind(const boost::json::value& value) noexcept {
    switch (value.kind()) {
    case boost::json::kind::null:
        return "null";
    case boost::json::kind::bool_:
        return value.get_bool() ? "true" : "false";
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
    case boost::json::kind::double_:
        return "a number";
    case boost::json::kind::string:
        return "a string";
    case boost::json::kind::array:
        return "a list";
    case boost::json::kind::object:
        return "an object";
    }
    return "an unknown value";
}

} // namespace wva_metrics::detail
