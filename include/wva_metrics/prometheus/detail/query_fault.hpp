// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/resilience/retry_policy.hpp"

#include <cstdint>

namespace wva_metrics::prometheus::detail {

/// Where the cause of a failed query lies.
enum class QueryFault : std::uint8_t {
    /// In the query, or in the program: every server would fail it.
    query,
    /// In the server, or on the way to it: another server may answer.
    server,
};

/// Where the cause of an error of a query lies. Not for an error that the server itself says is about
/// the query; see `is_about_query`.
inline QueryFault find_fault(const Error& error) noexcept {
    constexpr int bad_request = 400;
    constexpr int unprocessable = 422;
    if (error.is(Errc::unreachable) || error.is(Errc::name_lookup_failed) ||
        error.is(Errc::tls_failed) || error.is(Errc::timeout) || error.is(Errc::unavailable) ||
        error.is(Errc::bad_response) || error.is(Errc::unauthorized) || error.is(Errc::forbidden))
        return QueryFault::server;
    // Any other status says that there is no query API at the URL, or only a redirect to it.
    if (error.is(Errc::rejected))
        return error.http_status == bad_request || error.http_status == unprocessable
                   ? QueryFault::query
                   : QueryFault::server;
    return QueryFault::query;
}

/// Whether the same server may answer the same query a moment later.
inline bool may_pass(const Error& error) noexcept {
    return error.is(Errc::unreachable) || error.is(Errc::name_lookup_failed) ||
           (error.is(Errc::unavailable) && resilience::is_retryable_status(error.http_status));
}

} // namespace wva_metrics::prometheus::detail
