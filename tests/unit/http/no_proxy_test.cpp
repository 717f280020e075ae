// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/no_proxy.hpp"

#include "wva_metrics/http/proxy_config.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

using namespace wva_metrics;
using http::is_no_proxy;
using http::is_no_proxy_rule;

namespace {

bool is_direct(const std::string& rule, const std::string& url) {
    return is_no_proxy({rule}, http::parse_url(url).value());
}

} // namespace

TEST_CASE("a rule of NO_PROXY selects servers by name, address, network and port") {
    struct Case {
        const char* rule;
        const char* url;
        bool is_direct;
    };
    const std::vector<Case> cases{
        {"*", "http://any.host", true},
        {"example.org", "http://example.org", true},
        {"example.org", "https://example.org:9090/base", true},
        {"EXAMPLE.org", "http://example.ORG", true},
        {"example.org", "http://example.org.", true},
        {"example.org.", "http://example.org", true},
        {"example.org", "http://a.b.example.org", true},
        {"example.org", "http://badexample.org", false},
        {"example.org", "http://example.org.evil", false},
        {".example.org", "http://a.example.org", true},
        {".example.org", "http://example.org", false},
        {"*.example.org", "http://a.b.example.org", true},
        {"*.example.org", "http://example.org", false},
        {"svc", "http://prometheus.monitoring.svc:9090", true},
        {"example.org:9090", "http://example.org:9090", true},
        {"example.org:9090", "http://example.org", false},
        {"example.org:80", "http://example.org", true},
        {"example.org:443", "https://example.org", true},
        {"10.1.2.3", "http://10.1.2.3", true},
        {"10.1.2.3", "http://10.1.2.30", false},
        {"10.1.2.3:80", "http://10.1.2.3:81", false},
        {"10.1.2.3", "http://x.10.1.2.3.example", false},
        {"10.0.0.0/8", "http://10.200.1.1", true},
        {"10.9.9.9/8", "http://10.200.1.1", true},
        {"10.0.0.0/8", "http://11.0.0.1", false},
        {"0.0.0.0/0", "http://11.0.0.1", true},
        {"0.0.0.0/0", "http://[2001:db8::1]", false},
        {"0.0.0.0/0", "http://example.org", false},
        {"2001:db8::1", "http://[2001:DB8:0::1]:9090", true},
        {"[2001:db8::1]:9090", "http://[2001:db8::1]:9090", true},
        {"[2001:db8::1]:9090", "http://[2001:db8::1]", false},
        {"[2001:db8::1]", "http://[2001:db8::1]", true},
        {"2001:db8::/32", "http://[2001:db8:ffff::1]", true},
        {"2001:db8::/32", "http://[2001:db9::1]", false},
        {"2001:db8::/32", "http://10.0.0.1", false},
        // The own machine is never reached through a proxy.
        {"other", "http://localhost:9090", true},
        {"other", "http://127.0.0.1", true},
        {"other", "https://[::1]", true},
    };
    for (const Case& test : cases) {
        CAPTURE(test.rule, test.url);
        CHECK(is_direct(test.rule, test.url) == test.is_direct);
        CHECK(is_no_proxy_rule(test.rule));
    }
    CHECK_FALSE(is_no_proxy({}, http::parse_url("http://example.org").value()));
}

TEST_CASE("a wrong rule of NO_PROXY is refused, and matches nothing") {
    const std::string rule = GENERATE(
        as<std::string>{}, "", " ", "a b", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/", "/8", "h/8",
        "2001:db8::/129", "h:", "h:0", "h:65536", "h:1x", "h:-1", ":80", "[::2", "[::2]x",
        "[::2]:", "[]", "caf\xc3\xa9", std::string(301, 'h'), std::string("h\0", 2));
    CAPTURE(rule);
    CHECK_FALSE(is_no_proxy_rule(rule));
    for (const char* url : {"http://h", "http://10.0.0.1", "http://[2001:db8::1]"})
        CHECK_FALSE(is_direct(rule, url));
}

TEST_CASE("the problems of a proxy's configuration are named, without secrets") {
    const auto problem = [](const http::ProxyConfig& config) {
        const std::vector<std::string> problems = validate(config);
        return problems.size() == 1 ? problems.front() : std::to_string(problems.size());
    };
    const std::string url = "http://proxy:3128";
    CHECK(validate(http::ProxyConfig()).empty());
    CHECK(validate(http::ProxyConfig{.url = url,
                                     .credentials = http::Credentials::basic("u", "p"),
                                     .no_proxy = {"*"}})
              .empty());
    CHECK(problem({.url = "https://proxy"}).find("proxy.url must begin with http://") == 0);
    CHECK(problem({.url = "socks5://proxy"}).find("proxy.url must begin with http") == 0);
    CHECK(problem({.url = "http://proxy/path"}).find("proxy.url must not have a path") == 0);
    const std::string secret = problem({.url = "http://user:hunter2@proxy"});
    CHECK(secret.find("proxy.url must not contain a user name") == 0);
    CHECK(secret.find("hunter2") == std::string::npos);
    CHECK(problem({.url = url, .credentials = http::Credentials::bearer("t")}) ==
          "proxy.credentials must be a user and a password");
    CHECK(problem({.url = url, .credentials = http::Credentials::basic("u", "hunter2\n")})
              .find("hunter2") == std::string::npos);
    CHECK(problem({.url = url, .no_proxy = {"a", "10.0.0.0/99"}}).find("proxy.no_proxy[1]") == 0);
}
