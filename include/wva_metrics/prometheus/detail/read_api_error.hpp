// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/prometheus/api_error.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::prometheus::detail {

/// Larger bodies are not read as an error of the API, which is a query long at most.
inline constexpr std::size_t max_api_error_bytes = std::size_t{1} << 20;

/// A member of an object if it is a string, or "".
inline std::string_view string_member(const boost::json::object& object, std::string_view name) {
    const boost::json::value* const member = object.if_contains(name);
    const boost::json::string* const text = member == nullptr ? nullptr : member->if_string();
    return text == nullptr ? std::string_view() : std::string_view(*text);
}

/// The error of the API in the body of an answer whose status is not 2xx; nothing if the body is
/// something else.
inline std::optional<ApiError> read_api_error(std::string_view body) {
    if (body.size() > max_api_error_bytes)
        return std::nullopt;
    boost::system::error_code failure;
    const boost::json::value answer = boost::json::parse(body, failure);
    const boost::json::object* const object = failure ? nullptr : answer.if_object();
    if (object == nullptr || string_member(*object, "status") != "error")
        return std::nullopt;
    return ApiError{std::string(string_member(*object, "errorType")),
                    std::string(string_member(*object, "error"))};
}

} // namespace wva_metrics::prometheus::detail
