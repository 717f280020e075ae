// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/message.hpp"

#include <string>
#include <string_view>

namespace wva_metrics::scrape {

/// What an error message says to do about a redirect.
inline constexpr std::string_view redirect_advice = "; configure the URL of the page";

namespace detail {

/// The beginning of an answer's body in words; empty for an empty one.
inline std::string quote_body(const http::Response& response) {
    constexpr std::size_t max_bytes = 200;
    if (response.body.empty())
        return {};
    return "; the answer begins: " + wva_metrics::detail::clean_text(response.body, max_bytes);
}

} // namespace detail

/// The error of an answer that is no page of metrics because of its status: not 200. `path` is what
/// was requested. Quotes the beginning of the body, so a caller with secrets masks the message.
inline Error page_error(const http::Response& response, const std::string& endpoint,
                        std::string_view path) {
    const int status = response.status;
    // Without the query, in which people put keys.
    const std::string answered =
        "HTTP " + std::to_string(status) + " for " + std::string(path.substr(0, path.find('?')));
    const auto error = [&](Errc code, const std::string& what) {
        return Error(code, answered + what + detail::quote_body(response), endpoint, status);
    };
    if (status == 401)
        return error(Errc::unauthorized, ": the credentials are missing or were not accepted");
    if (status == 403)
        return error(Errc::forbidden, ": the credentials do not permit to read the metrics");
    if (status == 404)
        return error(Errc::rejected,
                     ": there are no metrics at this path; check path and port, and that the "
                     "server was started with its metrics (SGLang: --enable-metrics)");
    if (status == 501)
        return error(Errc::rejected,
                     ": the server was started without its metrics (llama.cpp: --metrics)");
    if (status / 100 == 3)
        return error(Errc::rejected, ": redirects are not followed" + std::string(redirect_advice));
    if (status == 408 || status == 425 || status == 429 || status / 100 == 5)
        return error(Errc::unavailable, ": the server cannot show its metrics at the moment");
    if (status / 100 == 4)
        return error(Errc::rejected, ": the server refuses to show its metrics");
    return error(Errc::bad_response, ", which is no page of metrics");
}

} // namespace wva_metrics::scrape
