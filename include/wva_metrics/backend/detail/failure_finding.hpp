// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/web_page.hpp"

#include <string>
#include <string_view>

namespace wva_metrics::detail {

/// What answers, if it is not the query API.
inline FindingCode code_of_body(const Error& error) {
    return error.message.find(http::web_page_text) != std::string::npos ? FindingCode::login_page
                                                                        : FindingCode::wrong_path;
}

/// What kind of finding a failed query is.
inline FindingCode failure_code(const Error& error) {
    const int status = error.http_status;
    if (error.is(Errc::invalid_argument))
        return FindingCode::invalid_argument;
    if (error.is(Errc::unauthorized))
        return FindingCode::unauthorized;
    if (error.is(Errc::forbidden))
        return FindingCode::forbidden;
    if (error.is(Errc::too_costly) || error.is(Errc::too_large))
        return FindingCode::limit_hit;
    if (error.is(Errc::name_lookup_failed) || error.is(Errc::unreachable) ||
        error.is(Errc::tls_failed) || (error.is(Errc::timeout) && status == 0))
        return FindingCode::unreachable;
    if (status / 100 == 3)
        return FindingCode::login_page;
    if (error.is(Errc::rejected) && status == 404)
        return FindingCode::not_found;
    if (error.is(Errc::bad_response) || status == 405 || status == 501)
        return code_of_body(error);
    return FindingCode::server_trouble;
}

/// What to change, where the error's own message does not say it.
inline std::string_view failure_remedy(FindingCode code) {
    switch (code) {
    case FindingCode::unreachable:
        return "check the URL, that the server runs, and that this machine may connect to it";
    case FindingCode::unauthorized:
        return "check the token or the password";
    case FindingCode::forbidden:
        return "grant these credentials the right to query metrics";
    case FindingCode::login_page:
        return "configure the URL of the query API behind the login, with a token";
    case FindingCode::wrong_path:
    case FindingCode::not_found:
        return "the query API is at /api/v1/query below the configured URL, which for Mimir ends "
               "with /prometheus";
    case FindingCode::limit_hit:
        return "raise that limit";
    case FindingCode::server_trouble:
        return "look into the server's own log";
    default:
        return "check the name";
    }
}

/// A failed query as a finding.
inline Finding failure_finding(const Error& error) {
    const FindingCode code = failure_code(error);
    // The kind of the error is in the code.
    const std::string server = error.endpoint.empty() ? "" : " (" + error.endpoint + ")";
    const bool says_remedy = error.message.find(http::web_page_advice) != std::string::npos;
    const std::string remedy = says_remedy ? "" : "; " + std::string(failure_remedy(code));
    return {code, true, error.message + server + remedy};
}

} // namespace wva_metrics::detail
