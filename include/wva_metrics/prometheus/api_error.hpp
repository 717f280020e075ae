// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/prometheus/detail/text.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::prometheus {

/// The API's error for a query that it could not answer:
/// `{"status":"error","errorType":...,"error":...}`. Both members are one line each, shortened and
/// without control characters.
struct ApiError {
    /// Its `errorType`, such as `bad_data`.
    std::string type;
    /// Its `error`.
    std::string text;

    friend bool operator==(const ApiError&, const ApiError&) = default;
};

/// Does the text of an error say that the query exceeds a limit of the server?
///
/// Knows the texts of Prometheus, Thanos, Mimir, Cortex and VictoriaMetrics. `is_execution`: the
/// query was parsed and failed while it ran. Only then do less specific words count, because other
/// errors may quote the query.
inline bool names_a_limit(std::string_view text, bool is_execution) noexcept {
    constexpr std::array<std::string_view, 10> certain{"would load too many samples",
                                                       "err-mimir-max-",
                                                       "exceeded maximum",
                                                       "mustn't exceed",
                                                       "too long query",
                                                       "exceeds the limit",
                                                       "exceeded series limit",
                                                       "exceeded chunks limit",
                                                       "resourceexhausted",
                                                       "cannot select more than"};
    constexpr std::array<std::string_view, 7> likely{"exceed",         "too many",      "maximum",
                                                     "limit violated", "query hit the", "timed out",
                                                     "hit limit"};
    const auto is_in_text = [&](std::string_view part) {
        return detail::contains_ignoring_case(text, part);
    };
    // Go's regex library has limits too, and reports them as parse errors. Hundreds of model ids
    // with a common prefix can exceed them.
    if (is_in_text("error parsing regexp: expression nests too deeply") ||
        is_in_text("error parsing regexp: expression too large"))
        return true;
    // Any other parse error quotes the query, which may contain any words.
    if (is_in_text("parse error"))
        return false;
    return std::any_of(certain.begin(), certain.end(), is_in_text) ||
           (is_execution && std::any_of(likely.begin(), likely.end(), is_in_text));
}

/// The error code for an HTTP status and an API error, which may be empty. Not for 2xx answers
/// without an API error.
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
    const bool is_success = http_status / 100 == 2;
    if (names_a_limit(error.text, http_status == 422 || (is_success && error.type == "execution")))
        return Errc::too_costly;
    // The server gave up on this query; a smaller one may finish in time.
    if (error.type == "timeout")
        return Errc::too_costly;
    if (error.type == "unavailable" || error.type == "internal" || error.type == "canceled" ||
        error.type == "too_many_requests")
        return Errc::unavailable;
    return http_status / 100 == 5 ? Errc::unavailable : Errc::rejected;
}

/// The API's error as an error of this library.
inline Error to_error(const ApiError& error, int http_status, std::string endpoint = {}) {
    const Errc code = classify(http_status, error);
    std::string message = "Prometheus answered HTTP " + std::to_string(http_status);
    if (!error.type.empty())
        message += " " + error.type;
    if (!error.text.empty())
        message += ": " + error.text;
    switch (code) {
    case Errc::unauthorized:
        message += "; check the credentials";
        break;
    case Errc::forbidden:
        message +=
            "; these credentials are not allowed to query metrics, check their access rights";
        break;
    case Errc::too_costly:
        message += "; query fewer models at once or raise the server's limits";
        break;
    case Errc::unavailable:
        message += "; the server may recover by itself";
        break;
    default:
        message += "; the same query will be rejected again";
        break;
    }
    return Error(code, std::move(message), std::move(endpoint), http_status);
}

} // namespace wva_metrics::prometheus
