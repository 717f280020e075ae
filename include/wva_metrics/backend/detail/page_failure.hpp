// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/diagnosis.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/web_page.hpp"
#include "wva_metrics/scrape/page_error.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::detail {

/// What kind of finding it is that a page could not be read. `remark` is what was strange about it.
inline FindingCode page_failure_code(const Error& error, std::string_view remark) {
    if (error.is(Errc::invalid_argument))
        return FindingCode::invalid_argument;
    if (error.is(Errc::unauthorized))
        return FindingCode::unauthorized;
    if (error.is(Errc::forbidden))
        return FindingCode::forbidden;
    if (error.is(Errc::too_large))
        return FindingCode::limit_hit;
    if (error.is(Errc::name_lookup_failed) || error.is(Errc::unreachable) ||
        error.is(Errc::tls_failed) || error.is(Errc::timeout))
        return FindingCode::unreachable;
    if (error.http_status / 100 == 3)
        return FindingCode::login_page;
    if (error.http_status == 404)
        return FindingCode::not_found;
    if (error.is(Errc::bad_response)) {
        const bool is_web_page = remark.find("html") != std::string_view::npos ||
                                 error.message.find(http::web_page_text) != std::string::npos;
        return is_web_page ? FindingCode::login_page : FindingCode::wrong_path;
    }
    return FindingCode::server_trouble;
}

/// An error's message without what it advises in general, since `page_failure_remedy` follows.
inline std::string without_advice(std::string message) {
    for (const std::string_view advice : {http::web_page_advice, scrape::redirect_advice})
        if (const std::size_t at = message.find(advice); at != std::string::npos)
            message.erase(at, advice.size());
    return message;
}

/// What to change.
inline std::string_view page_failure_remedy(FindingCode code) {
    switch (code) {
    case FindingCode::unreachable:
        return "check the address and the port, that the server runs, and that network policies "
               "let "
               "this machine connect; if it is too slow, raise pods.scrape_timeout or "
               "pods.schedule.max_concurrent";
    case FindingCode::unauthorized:
        return "check pods.client.credentials";
    case FindingCode::forbidden:
        return "grant these credentials the right to read the metrics";
    case FindingCode::login_page:
        return "configure the URL of the page of metrics itself, not of a login or a web page";
    case FindingCode::wrong_path:
        return "check that the URL is that of a page of metrics, as http://pod:8000/metrics";
    case FindingCode::not_found:
        return "check the path and the port of the URL, and that the server publishes metrics";
    case FindingCode::limit_hit:
        return "raise that limit in pods.page or pods.store";
    default:
        return "look into the server's own log";
    }
}

} // namespace wva_metrics::detail
