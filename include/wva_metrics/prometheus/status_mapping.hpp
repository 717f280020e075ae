// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/detail/if_used.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/prometheus/answer_decoder.hpp"
#include "wva_metrics/prometheus/api_error.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::prometheus {

namespace detail {

/// Bytes of a body that is not the API's that are shown to people.
inline constexpr std::size_t max_shown_body_bytes = 200;

/// A body that is not the API's, e.g. `it is HTML, perhaps a login page, and begins: <html>...`.
inline std::string describe_body(const http::Response& response) {
    if (response.body.empty())
        return "it is empty";
    const bool is_html =
        wva_metrics::detail::contains_ignoring_case(response.content_type, "html") ||
        wva_metrics::detail::contains_ignoring_case(
            wva_metrics::detail::cut_text(response.body, 256), "<html");
    return std::string(is_html ? "it is HTML, perhaps a login page or a proxy's, and begins: "
                               : "it begins: ") +
           wva_metrics::detail::clean_text(response.body, max_shown_body_bytes);
}

/// Without what could be secret: user, password, query and fragment.
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
    return wva_metrics::detail::clean_text(prefix + std::string(location), max_shown_body_bytes);
}

/// The API's own words in the body of an error, where it has any.
template <wva_metrics::detail::IfUsed>
std::optional<ApiError> find_api_error(std::string_view body) {
    AnswerDecoder decoder(std::span<const std::string>{}, AnswerLimits{}, [](const SeriesView&) {});
    decoder.write(body);
    if (decoder.finish().has_value())
        return std::nullopt;
    return decoder.api_error();
}

} // namespace detail

/// Whether a POST was perhaps refused because it was a POST: the server does not know the method,
/// or a proxy lets these credentials only read.
constexpr bool may_refuse_method(int http_status) noexcept {
    return http_status == 403 || http_status == 405 || http_status == 501;
}

/// The error that a response is. Not for 2xx responses; see `decode_response`.
template <wva_metrics::detail::IfUsed used = wva_metrics::detail::IfUsed::compile>
Error to_error(const http::Response& response, const std::string& endpoint) {
    const int status = response.status;
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
        return Error(Errc::bad_response, answered + ", which is no answer to a query", endpoint,
                     status);

    std::optional<ApiError> api_error = detail::find_api_error<used>(response.body);
    if (!api_error && (status == 404 || status == 405 || status == 501))
        return Error(Errc::rejected,
                     answered +
                         (status == 404 ? ": there is no query API at this URL"
                                        : ": this URL takes queries neither by POST nor by GET") +
                         "; check the URL and its path (" + detail::describe_body(response) + ")",
                     endpoint, status);
    if (!api_error)
        api_error = ApiError{
            {}, wva_metrics::detail::clean_text(response.body, detail::max_shown_body_bytes)};
    Error error = to_error(*api_error, status, endpoint);
    if (response.retry_after)
        error.message +=
            " (Retry-After: " + wva_metrics::detail::clean_text(*response.retry_after, 40) + ")";
    return error;
}

/// What a response gives: its series to the sink, or an error that says what to do. See
/// `AnswerDecoder` for the sink.
template <typename Sink>
    requires std::invocable<Sink&, const SeriesView&> Result<AnswerInfo>
    decode_response(const http::Response& response, std::span<const std::string> wanted_labels,
                    const AnswerLimits& limits, Sink&& sink, const std::string& endpoint) {
        if (response.status / 100 != 2)
            return to_error(response, endpoint);
        Result<AnswerInfo> answer = decode_answer(response.body, wanted_labels, limits, sink);
        if (answer.has_value())
            return answer;
        Error error = answer.error();
        error.endpoint = endpoint;
        error.http_status = response.status;
        if (error.is(Errc::bad_response))
            error.message = "Prometheus answered HTTP " + std::to_string(response.status) +
                            " with something that is not a query's answer: " + error.message +
                            "; " + detail::describe_body(response);
        return error;
    }

} // namespace wva_metrics::prometheus
