// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/prometheus/detail/known_errors.hpp"
#include "wva_metrics/prometheus/detail/text.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::prometheus {

/// The API's error for a query that it could not answer:
/// `{"status":"error","errorType":...,"error":...}`.
struct ApiError {
    /// Its `errorType`, such as `bad_data`. VictoriaMetrics sends the HTTP status here.
    std::string type;
    /// Its `error`. It should be complete, because the cause is often at its end, after the query.
    std::string text;

    friend bool operator==(const ApiError&, const ApiError&) = default;
};

/// The error code for an HTTP status and an API error, which may be empty. Not for 2xx answers
/// without an API error.
///
/// The first of these decides:
/// 1. Statuses that say enough by themselves: 401, 403, 408, 413, 414, 425, 429, 501.
/// 2. The codes and fixed texts of Prometheus, Thanos, Mimir, Cortex and VictoriaMetrics (in
///    `detail/known_errors.hpp`): `too_costly` for a limit that a smaller query can satisfy,
///    `unavailable` for a server in trouble. Other words of the text do not count.
/// 3. The error type: `timeout`, `unavailable`, `internal`, `canceled` and `too_many_requests` are
///    `unavailable`. A timeout is not `too_costly`: several smaller queries would be a larger load
///    for a server that is already slow.
/// 4. Any other 5xx is `unavailable`, anything else `rejected`.
inline Errc classify(int http_status, const ApiError& error) noexcept {
    switch (http_status) {
    case 401:
        return Errc::unauthorized;
    case 403:
        return Errc::forbidden;
    case 413:
    case 414:
        return Errc::too_costly;
    case 408:
    case 425:
    case 429:
        return Errc::unavailable;
    case 501:
        return Errc::rejected;
    default:
        break;
    }
    if (const auto* const known = detail::find_known_error(error.text))
        return known->code;
    if (error.type == "timeout" || error.type == "unavailable" || error.type == "internal" ||
        error.type == "canceled" || error.type == "too_many_requests")
        return Errc::unavailable;
    return http_status / 100 == 5 ? Errc::unavailable : Errc::rejected;
}

/// Whether an error of a server that works is about the query: the same query would fail again, and a
/// smaller one would not. Such are its limits, and its own timeout: a query that has taken it too long
/// would take as long again.
inline bool is_about_query(int http_status, const ApiError& error) noexcept {
    if (classify(http_status, error) == Errc::too_costly || error.type == "timeout")
        return true;
    const auto* const known = detail::find_known_error(error.text);
    return known != nullptr && (known->begin == std::string_view("query timed out in ") ||
                                known->begin == std::string_view("timeout exceeded "));
}

namespace detail {

/// What to do about an error that `classify` gave this code.
inline std::string describe_remedy(Errc code, std::string_view error_text) {
    switch (code) {
    case Errc::unauthorized:
        return "check the credentials";
    case Errc::forbidden:
        return "these credentials are not allowed to query metrics, check their access rights";
    case Errc::too_costly: {
        const auto* const known = find_known_error(error_text);
        const bool has_limit =
            known != nullptr && known->code == Errc::too_costly && !known->limit.empty();
        return "query fewer models at once or raise " +
               std::string(has_limit ? known->limit : "the server's limits");
    }
    case Errc::unavailable:
        return "the server may recover by itself";
    default:
        return "the same query will be rejected again";
    }
}

} // namespace detail

/// The API's error as an error of this library. Of a long text, the message has the beginning and
/// the end: at most `max_text_bytes` in all.
inline Error to_error(const ApiError& error, int http_status, std::string endpoint = {},
                      std::size_t max_text_bytes = 500) {
    const Errc code = classify(http_status, error);
    std::string message = "Prometheus answered HTTP " + std::to_string(http_status);
    if (!error.type.empty())
        message += " " + detail::clean_text(error.type, 64);
    if (!error.text.empty())
        message += ": " + detail::clean_middle(error.text, max_text_bytes);
    message += "; " + detail::describe_remedy(code, error.text);
    return Error(code, std::move(message), std::move(endpoint), http_status);
}

} // namespace wva_metrics::prometheus
