// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/http/web_page.hpp"
#include "wva_metrics/prometheus/answer_decoder.hpp"
#include "wva_metrics/prometheus/api_error.hpp"
#include "wva_metrics/prometheus/detail/read_api_error.hpp"
#include "wva_metrics/prometheus/detail/text.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::prometheus {

/// Whether the connection was lost after a part of an answer. The query may be sent again, by a caller
/// who drops the series that have arrived.
inline bool is_cut_off(const Error& error) noexcept {
    return error.is(Errc::unreachable) && error.http_status / 100 == 2;
}

namespace detail {

/// How much an error message quotes of a body that is not an answer of the API.
inline constexpr std::size_t max_quoted_body_bytes = 200;
/// How much of the beginning of a body `describe_body` looks at.
inline constexpr std::size_t max_described_body_bytes = http::web_page_beginning;

/// A body that is not an answer of the API, e.g. `it is HTML, perhaps a login page or a proxy's, and
/// begins: <html>...`.
inline std::string describe_body(const http::Response& response) {
    if (response.body.empty())
        return "it is empty";
    if (http::is_web_page(response.content_type, response.body))
        return http::describe_web_page(response.body);
    return "it begins: " + clean_text(response.body, max_quoted_body_bytes);
}

/// A URL without the parts that may be secret: user, password, query and fragment.
inline std::string describe_location(std::string_view location) {
    location = location.substr(0, location.find_first_of("?#"));
    std::string prefix;
    if (const std::size_t authority = location.find("//"); authority != std::string_view::npos) {
        const std::size_t begin = authority + 2;
        const std::size_t end = std::min(location.find('/', begin), location.size());
        const std::size_t at = location.substr(0, end).rfind('@');
        prefix = location.substr(0, begin);
        location.remove_prefix(at != std::string_view::npos && at >= begin ? at + 1 : begin);
    }
    return clean_text(prefix + std::string(location), max_quoted_body_bytes);
}

} // namespace detail

/// Could a POST have been rejected because of its method? The server may not support the method, or
/// a proxy may allow these credentials to read only.
constexpr bool may_reject_method(int http_status) noexcept {
    return http_status == 403 || http_status == 405 || http_status == 501;
}

/// The error of a response whose status is not 2xx, by the API's own error in its body if there is
/// one.
inline Error to_error(const http::Response& response, const std::string& endpoint) {
    const int status = response.status;
    const std::optional<ApiError> api_error = detail::read_api_error(response.body);
    const std::string answered = "Prometheus answered HTTP " + std::to_string(status);
    if (status / 100 == 3) {
        const std::string target = response.location
                                       ? " to " + detail::describe_location(*response.location)
                                       : std::string();
        return Error(
            Errc::rejected,
            answered + ", a redirect" + target +
                ", and redirects are not followed; configure the URL of the Prometheus API itself",
            endpoint, status);
    }
    if (status / 100 != 4 && status / 100 != 5)
        return Error(Errc::bad_response, answered + ", which is not an answer to a query", endpoint,
                     status);

    if (!api_error && (status == 404 || status == 405 || status == 501))
        return Error(Errc::rejected,
                     answered +
                         (status == 404 ? ": there is no query API at this URL"
                                        : ": this URL accepts queries neither by POST nor by GET") +
                         "; check the URL and its path (" + detail::describe_body(response) + ")",
                     endpoint, status);
    Error error = api_error ? to_error(*api_error, status, endpoint)
                            : to_error(ApiError{{}, response.body}, status, endpoint,
                                       detail::max_quoted_body_bytes);
    if (response.retry_after)
        error.message += " (Retry-After: " + detail::clean_text(*response.retry_after, 40) + ")";
    return error;
}

namespace detail {

/// The error of a 2xx response whose body was rejected with `error`. Of the body, the first
/// `max_described_body_bytes` are enough.
inline Error explain_rejection(Error error, const http::Response& response,
                               const std::string& endpoint) {
    error.endpoint = endpoint;
    error.http_status = response.status;
    if (error.is(Errc::bad_response))
        error.message = "Prometheus answered HTTP " + std::to_string(response.status) +
                        " with something that is not an answer to a query: " + error.message +
                        "; " + describe_body(response);
    return error;
}

} // namespace detail

/// Decodes a response: passes its series to the sink, or returns an error that says what to do. See
/// `AnswerDecoder` for the sink.
template <SeriesSink Sink>
Result<AnswerInfo> decode_response(const http::Response& response, const AnswerLimits& limits,
                                   Sink&& sink, const std::string& endpoint) {
    if (response.status / 100 != 2)
        return to_error(response, endpoint);
    Result<AnswerInfo> answer = decode_answer(response.body, limits, sink, response.status);
    if (answer.has_value())
        return answer;
    return detail::explain_rejection(std::move(answer).error(), response, endpoint);
}

} // namespace wva_metrics::prometheus
