// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::http {

/// All our requests are questions: either method may be sent twice without harm.
enum class Method : std::uint8_t { get, post };

/// As it stands in a request.
constexpr std::string_view to_string(Method method) noexcept {
    return method == Method::get ? "GET" : "POST";
}

/// Made by `get` or `post`. It is no aggregate on purpose: GCC 12 compiles `co_await
/// client.send({.target = "/"}, deadline)` wrongly where the braces make an aggregate, and frees
/// its strings twice.
class Request {
public:
    /// `target`: path and query in their encoded form; begins with `/` and is appended to the base
    /// path of the client's URL.
    static Request get(std::string target) { return {Method::get, std::move(target), {}, {}}; }
    /// An empty `content_type` = no such header.
    static Request post(std::string target, std::string body, std::string content_type) {
        return {Method::post, std::move(target), std::move(body), std::move(content_type)};
    }

    /// GET or POST.
    Method method() const noexcept { return method_; }
    /// Path and query.
    const std::string& target() const noexcept { return target_; }
    /// Empty for GET.
    const std::string& body() const noexcept { return body_; }
    /// Of the body.
    const std::string& content_type() const noexcept { return content_type_; }

private:
    Request(Method method, std::string target, std::string body, std::string content_type)
        : method_(method), target_(std::move(target)), body_(std::move(body)),
          content_type_(std::move(content_type)) {}

    Method method_;
    std::string target_;
    std::string body_;
    std::string content_type_;
};

/// An answer of any status.
struct Response {
    /// The HTTP status.
    int status = 0;
    /// As the server says; empty where it does not.
    std::string content_type{};
    /// All of it, within `Limits::max_body_bytes`.
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
