// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/kubernetes/json_fields.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes {

/// What an API server says where it cannot do what it was asked: its object `Status`.
struct ApiStatus {
    /// Of HTTP; 0 where it does not say.
    int code = 0;
    /// One word, e.g. `Forbidden`, `Expired`.
    std::string reason;
    /// A sentence for people, fit for one line.
    std::string message;
};

namespace detail {

/// Bytes of the API server's words that are shown to people.
inline constexpr std::size_t max_shown_words = 500;

/// The fields of a `Status`, as far as they can be read.
inline ApiStatus read_status(const boost::json::value& value) {
    std::string ignored;
    const JsonFields fields(value, ignored);
    ApiStatus status;
    if (const auto code = fields.integer("code"); code && *code >= 100 && *code <= 599)
        status.code = static_cast<int>(*code);
    using wva_metrics::detail::clean_text;
    status.reason = clean_text(fields.text_or_empty("reason"), 60);
    status.message = clean_text(fields.text_or_empty("message"), max_shown_words);
    return status;
}

/// The `Status` in the body of an answer, where it is one.
inline std::optional<ApiStatus> find_status(std::string_view body) {
    boost::system::error_code error;
    const boost::json::value value = boost::json::parse(body, error);
    if (error || !value.is_object())
        return std::nullopt;
    std::string problem;
    if (JsonFields(value, problem).text("kind") != "Status")
        return std::nullopt;
    return read_status(value);
}

/// What to do about a refusal, as the end of a sentence.
inline std::string advice_for(int http_status) {
    switch (http_status) {
    case 401:
        return "; check the token that is sent, and that it has not expired";
    case 403:
        return "; allow the program's service account to list and watch this resource (RBAC)";
    case 404:
        return "; check the resource's group, version and name, and that the cluster has it";
    default:
        return "";
    }
}

/// In terms that a caller can act on.
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

} // namespace detail

/// Whether the API server has forgotten the state that it was asked to go on from (HTTP 410).
inline bool is_gone(const Error& error) noexcept {
    return error.http_status == 410;
}

/// The error that a `Status` is. `asked` says what was asked for, e.g. `to list pods`.
inline Error to_error(const ApiStatus& status, int http_status, const std::string& asked,
                      std::string endpoint) {
    std::string words = status.message.empty() ? status.reason : status.message;
    if (words.empty())
        words = "it does not say why";
    return Error(detail::code_for(http_status),
                 "the API server was asked " + asked + " and answered HTTP " +
                     std::to_string(http_status) + ": " + words + detail::advice_for(http_status),
                 std::move(endpoint), http_status);
}

/// The error that an answer is whose HTTP status is not 2xx.
inline Error to_error(const http::Response& response, const std::string& asked,
                      std::string endpoint) {
    ApiStatus status;
    if (response.status / 100 == 3) {
        status.message = "a redirect, and redirects are not followed; configure the URL of the API "
                         "server itself";
        Error error = to_error(status, response.status, asked, std::move(endpoint));
        error.code = Errc::rejected;
        return error;
    }
    if (std::optional<ApiStatus> told = detail::find_status(response.body)) {
        status = *std::move(told);
    } else if (!response.body.empty()) {
        constexpr std::size_t shown_bytes = 200;
        status.message = "not in the words of an API server, but: " +
                         wva_metrics::detail::clean_text(response.body, shown_bytes);
    }
    return to_error(status, response.status, asked, std::move(endpoint));
}

} // namespace wva_metrics::kubernetes
