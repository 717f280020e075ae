// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/priority.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::http {

/// All requests are queries: sending one twice does no harm, with either method.
enum class Method : std::uint8_t { get, post };

/// The method's name in a request.
constexpr std::string_view to_string(Method method) noexcept {
    return method == Method::get ? "GET" : "POST";
}

using wva_metrics::Priority;

/// An HTTP request. Made by `get` or `post`.
///
/// Not an aggregate on purpose: GCC 12 compiles `co_await client.send({.target = "/"}, deadline)`
/// wrongly if the braces make an aggregate, and frees its strings twice.
class Request {
public:
    /// `target`: percent-encoded path and query. It begins with `/` and is appended to the base
    /// path of the client's URL.
    static Request get(std::string target) { return {Method::get, std::move(target), {}, {}}; }
    /// `content_type`: empty = no such header.
    static Request post(std::string target, std::string body, std::string content_type) {
        return {Method::post, std::move(target), std::move(body), std::move(content_type)};
    }

    /// The same request for another path and query of the server. They are not appended to the base
    /// path of the client's URL.
    Request redirected_to(std::string target) const {
        Request other = *this;
        other.target_ = std::move(target);
        other.is_redirected_ = true;
        return other;
    }
    /// The same request with another priority; a new one is interactive.
    Request with_priority(Priority priority) && {
        priority_ = priority;
        return std::move(*this);
    }

    /// GET or POST.
    Method method() const noexcept { return method_; }
    /// True if the target is not appended to the base path.
    bool is_redirected() const noexcept { return is_redirected_; }
    /// Path and query.
    const std::string& target() const noexcept { return target_; }
    /// Empty for GET.
    const std::string& body() const noexcept { return body_; }
    /// Content type of the body.
    const std::string& content_type() const noexcept { return content_type_; }
    /// Its place among the requests that wait.
    Priority priority() const noexcept { return priority_; }

private:
    Request(Method method, std::string target, std::string body, std::string content_type)
        : method_(method), target_(std::move(target)), body_(std::move(body)),
          content_type_(std::move(content_type)) {}

    Method method_;
    std::string target_;
    std::string body_;
    std::string content_type_;
    bool is_redirected_ = false;
    Priority priority_ = Priority::interactive;
};

/// An answer of any status.
struct Response {
    /// The HTTP status.
    int status = 0;
    /// Content type of the body; empty if the server sent none.
    std::string content_type{};
    /// The whole body, at most `Limits::max_body_bytes`.
    std::string body{};
    /// The text of the `Retry-After` header.
    std::optional<std::string> retry_after{};
    /// The target of a 3xx answer. Followed only as `Limits::max_redirects` says.
    std::optional<std::string> location{};
    /// The body ended when the server closed the connection, so it may have been cut short. Its
    /// decoder must check that it is complete.
    bool ended_by_close = false;
};

} // namespace wva_metrics::http
