// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/detail/redirects.hpp"

#include <catch2/catch_all.hpp>

#include <optional>
#include <string>
#include <utility>

using namespace wva_metrics;
using http::Request;
using http::Response;
using http::detail::Redirects;

namespace {

const http::Url redirecting_url = http::parse_url("https://server:9090/base").value();

Response redirect_to(std::string location, int status = 307) {
    Response response;
    response.status = status;
    response.location = std::move(location);
    return response;
}

Result<std::optional<Request>> follow_from(const Request& request, const Response& response) {
    return Redirects(redirecting_url, 3).next(request, response);
}

/// The whole target that is requested after a redirect; why it is not, if it is not.
std::string target_after(const std::string& location) {
    const auto next = follow_from(Request::get("/dir/old?a=1"), redirect_to(location));
    if (!next)
        return next.error().message;
    CHECK((*next)->is_redirected());
    return (*next)->target();
}

} // namespace

TEST_CASE("a redirect to the same origin is resolved as a reference of RFC 3986") {
    const auto [location, target] = GENERATE(table<std::string, std::string>({
        {"/new", "/new"},
        {"/new?b=2#part", "/new?b=2"},
        {"new", "/base/dir/new"},
        {"?b=2", "/base/dir/old?b=2"},
        {"https://server:9090/new?x=%20", "/new?x=%20"},
        {"HTTPS://SERVER:9090", "/"},
        {"https://server:9090?b=2", "/?b=2"},
        {"//server:9090/new", "/new"},
        {"/a//b:c@d", "/a//b:c@d"},
    }));
    CHECK(target_after(location) == target);
}

TEST_CASE("a redirect to another origin is refused") {
    const std::string location =
        GENERATE(as<std::string>{}, "http://server:9090/new", "https://server/new",
                 "https://server:9091/new", "https://evil:9090/new", "//evil:9090/new",
                 "https://server:9090@evil/new", "https://user:hunter2@server:9090/new",
                 "https://server.:9090/new", "ftp://server:9090/x", "javascript:alert(1)",
                 "https:/new", "https:", "//", "https://", "https:///new",
                 "https://server:9090\\@evil/", "https://server:99999/");
    CAPTURE(location);
    const std::string reason = target_after(location);
    CHECK(reason.find("only redirects to https://server:9090 are followed") != std::string::npos);
    CHECK(reason.find("evil") == std::string::npos);
    CHECK(reason.find("hunter2") == std::string::npos);
}

TEST_CASE("a redirect to what is no URL is refused") {
    const std::string location =
        GENERATE(as<std::string>{}, "/new\r\nX-Injected: 1", "/a b", "/caf\xc3\xa9", "/%zz", "/%4",
                 "/a\\b", "/a\"b", std::string("/a\0b", 4));
    CAPTURE(location);
    CHECK(target_after(location).find("something else than a URL") != std::string::npos);
    CHECK_FALSE(follow_from(Request::get("/"), redirect_to("")).has_value());
    Response without;
    without.status = 308;
    CHECK(follow_from(Request::get("/"), without).error().message ==
          "the server redirects the request (HTTP 308) without saying where to");
}

TEST_CASE("only 307 and 308 keep a POST, and all redirects a GET") {
    const auto [status, is_redirect] = GENERATE(table<int, bool>({{200, false},
                                                                  {300, false},
                                                                  {304, false},
                                                                  {305, false},
                                                                  {306, false},
                                                                  {309, false},
                                                                  {401, false},
                                                                  {301, true},
                                                                  {302, true},
                                                                  {303, true},
                                                                  {307, true},
                                                                  {308, true}}));
    CAPTURE(status);
    const auto get = follow_from(Request::get("/q"), redirect_to("/new", status));
    CHECK(get->has_value() == is_redirect);
    const auto post =
        follow_from(Request::post("/q", "query=up", "text/plain"), redirect_to("/new", status));
    if (is_redirect && status < 307) {
        CHECK(post.error().is(Errc::rejected));
        CHECK(post.error().http_status == status);
        CHECK(post.error().message.find("wants it to become a GET") != std::string::npos);
    } else if (is_redirect) {
        CHECK((*post)->method() == http::Method::post);
        CHECK((*post)->body() == "query=up");
        CHECK((*post)->content_type() == "text/plain");
    } else {
        CHECK_FALSE(post->has_value());
    }
}

TEST_CASE("redirects are bounded, and must not go in a circle") {
    const auto most = GENERATE(as<std::size_t>{}, 1, 2, 3);
    Redirects redirects(redirecting_url, most);
    Request request = Request::get("/0");
    for (std::size_t i = 1; i <= most; ++i)
        request = **redirects.next(request, redirect_to("/" + std::to_string(i)));
    CHECK(redirects.next(request, redirect_to("/new")).error().message ==
          "the server redirects the request (HTTP 307) more than limits.max_redirects = " +
              std::to_string(most) + " times");

    Redirects circle(redirecting_url, 3);
    const Request first = Request::get("/0");
    CHECK(circle.next(first, redirect_to("/base/0")).error().message.ends_with("in a circle"));
    Redirects longer(redirecting_url, 3);
    const Request second = **longer.next(first, redirect_to("/1"));
    CHECK(longer.next(second, redirect_to("/base/0")).error().message.ends_with("in a circle"));
}
