// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/kubernetes/api_status.hpp"
#include "wva_metrics/kubernetes/detail/api_operation.hpp"
#include "wva_metrics/kubernetes/json_fields.hpp"
#include "wva_metrics/resilience/retry_after.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// Maximum bytes of the API server's message in an error text.
inline constexpr std::size_t max_message_bytes = 500;

/// The fields of a `Status` that can be read.
inline ApiStatus read_status(const boost::json::value& value) {
    std::string ignored;
    const JsonFields fields(value, ignored);
    ApiStatus status;
    if (const auto code = fields.integer("code"); code && *code >= 100 && *code <= 599)
        status.code = static_cast<int>(*code);
    using wva_metrics::detail::clean_text;
    status.reason = clean_text(fields.text_or_empty("reason"), 60);
    status.message = clean_text(fields.text_or_empty("message"), max_message_bytes);
    return status;
}

/// The `Status` in a response body; empty if the body is something else. A real one is much smaller
/// than the limit, and parsing a body takes many times its size.
inline std::optional<ApiStatus> find_status(std::string_view body) {
    constexpr std::size_t max_bytes = std::size_t{64} << 10;
    if (body.size() > max_bytes)
        return std::nullopt;
    boost::system::error_code error;
    const boost::json::value value = boost::json::parse(body, error);
    if (error || !value.is_object())
        return std::nullopt;
    std::string problem;
    if (JsonFields(value, problem).text("kind") != "Status")
        return std::nullopt;
    return read_status(value);
}

/// The error code of a failed request.
constexpr Errc code_for(int http_status) noexcept {
    switch (http_status) {
    case 401:
        return Errc::unauthorized;
    case 403:
        return Errc::forbidden;
    case 408:
    case 429:
        return Errc::unavailable;
    default:
        break;
    }
    if (http_status / 100 == 4)
        return Errc::rejected;
    return http_status / 100 == 5 ? Errc::unavailable : Errc::bad_response;
}

/// Converts a `Status`.
inline Error to_error(const ApiStatus& status, int http_status, const ApiOperation& operation,
                      std::string endpoint) {
    std::string explanation = status.message.empty() ? status.reason : status.message;
    // The server's own advice is about requests that a person makes.
    if (http_status == 410)
        explanation = "it no longer has the state that was asked for, only a newer one; the list "
                      "must start again";
    if (explanation.empty())
        explanation = http_status == 404 ? "unknown path" : "no reason given";
    return Error(code_for(http_status),
                 "cannot " + operation.describe() + ": the API server answered HTTP " +
                     std::to_string(http_status) + ": " + explanation +
                     operation.advice_for(http_status),
                 std::move(endpoint), http_status);
}

/// Converts a response whose HTTP status is not 2xx.
inline Error to_error(const http::Response& response, const ApiOperation& operation,
                      std::string endpoint) {
    ApiStatus status;
    if (response.status / 100 == 3) {
        status.message = "a redirect, and redirects are not followed; configure the URL of the API "
                         "server itself";
        Error error = to_error(status, response.status, operation, std::move(endpoint));
        error.code = Errc::rejected;
        return error;
    }
    // What an API server says about a path that it does not know, which is not a `Status`.
    const bool is_unknown_path =
        response.status == 404 && response.body.starts_with("404 page not found");
    if (std::optional<ApiStatus> found = find_status(response.body)) {
        status = *std::move(found);
    } else if (!response.body.empty() && !is_unknown_path) {
        constexpr std::size_t shown_bytes = 200;
        status.message = "not a Kubernetes Status, but: " +
                         wva_metrics::detail::clean_text(response.body, shown_bytes);
    }
    Error error = to_error(status, response.status, operation, std::move(endpoint));
    if (response.retry_after && (response.status == 429 || response.status == 503))
        error.retry_after = resilience::parse_retry_after(
            *response.retry_after, std::chrono::system_clock::now(), std::chrono::hours(1));
    return error;
}

} // namespace wva_metrics::kubernetes::detail
