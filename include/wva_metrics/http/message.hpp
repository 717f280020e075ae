// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::http {

/// All our requests are questions: either method may be sent twice without harm.
enum class Method : std::uint8_t { get, post };

constexpr std::string_view to_string(Method method) noexcept {
    return method == Method::get ? "GET" : "POST";
}

struct Request {
    Method method = Method::get;
    /// Path and query in their encoded form; begins with `/` and is appended to the base path of
    /// the client's URL.
    std::string target = "/";
    /// Must be empty for GET.
    std::string body{};
    /// Of the body; empty = no header.
    std::string content_type{};
};

struct Response {
    int status = 0;
    std::string content_type{};
    std::string body{};
    /// The header's text as it came.
    std::optional<std::string> retry_after{};
    /// Where a 3xx answer points. Never followed: it could lead credentials to somebody else.
    std::optional<std::string> location{};
    /// The body ended where the server closed the connection, so it may have been cut short.
    /// Whoever decodes it must notice a missing end.
    bool ended_by_close = false;
};

} // namespace wva_metrics::http
