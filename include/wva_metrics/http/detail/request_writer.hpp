// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/detail/characters.hpp"
#include "wva_metrics/http/message.hpp"
#include "wva_metrics/http/url.hpp"
#include "wva_metrics/version.hpp"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::http::detail {

/// The headers that are the same in every request. The configuration must be valid.
inline std::string common_headers(const Url& url, const std::vector<Header>& headers) {
    std::string text = "Host: " + url.host_header() +
                       "\r\nUser-Agent: wva_metrics/" WVA_METRICS_VERSION_STRING "\r\n";
    const bool has_accept = std::any_of(headers.begin(), headers.end(), [](const Header& header) {
        return equals_ignoring_case(header.name, "accept");
    });
    if (!has_accept)
        text += "Accept: */*\r\n";
    for (const Header& header : headers)
        text += header.name + ": " + header.value + "\r\n";
    return text;
}

/// The problem of a request, if any. An unchecked target could smuggle in headers or other
/// requests.
inline std::optional<Error> check_request(const Request& request) {
    const auto reject = [](const char* sentence) {
        return Error(Errc::invalid_argument, sentence);
    };
    if (!request.target().starts_with('/') || !is_visible(request.target()) ||
        request.target().find('#') != std::string::npos)
        return reject(
            "a request's target must begin with / and be percent-encoded, without a fragment");
    if (!is_header_value(request.content_type()))
        return reject("a request's content type must not contain control characters");
    return std::nullopt;
}

/// The bytes of a checked request. Without an `Authorization` header if `authorization` is empty.
inline std::string write_request(const Request& request, const Url& url, std::string_view common,
                                 std::string_view accepted_coding, std::string_view authorization) {
    constexpr std::size_t names = 256; // At least the size of the field names and separators.
    std::string bytes;
    bytes.reserve(names + url.base_path.size() + request.target().size() + common.size() +
                  authorization.size() + request.content_type().size() + request.body().size());
    // Of views, because `append` would search a literal for its end.
    const auto append = [&bytes](std::initializer_list<std::string_view> parts) {
        for (const std::string_view part : parts)
            bytes.append(part);
    };
    append({to_string(request.method()), " ",
            request.is_redirected() ? std::string_view() : url.base_path, request.target(),
            " HTTP/1.1\r\n", common, "Accept-Encoding: ", accepted_coding, "\r\n"});
    if (!authorization.empty())
        append({"Authorization: ", authorization, "\r\n"});
    if (!request.content_type().empty())
        append({"Content-Type: ", request.content_type(), "\r\n"});
    if (request.method() == Method::post)
        append({"Content-Length: ", std::to_string(request.body().size()), "\r\n"});
    append({"\r\n", request.body()});
    return bytes;
}

} // namespace wva_metrics::http::detail
