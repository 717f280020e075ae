// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/settings/load_settings.hpp"
#include "wva_metrics/settings/proxy_environment.hpp"
#include "wva_metrics/settings/write_settings.hpp"

#include <catch2/catch_all.hpp>

#include <map>
#include <string>
#include <vector>

using namespace wva_metrics;
using Catch::Matchers::ContainsSubstring;

namespace {

using ProxyVariables = std::map<std::string, std::string>;

Environment proxy_variables(ProxyVariables variables) {
    return [variables = std::move(variables)](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::string() : found->second;
    };
}

Result<http::ProxyConfig> proxy_of(const std::string& url, ProxyVariables variables) {
    return proxy_from_environment(http::parse_url(url).value(),
                                  proxy_variables(std::move(variables)));
}

} // namespace

TEST_CASE("the proxy of the environment depends on the scheme of the server's URL") {
    const ProxyVariables both{{"HTTPS_PROXY", "http://secure:1"}, {"HTTP_PROXY", "http://plain:2"}};
    CHECK(proxy_of("https://p", both)->url == "http://secure:1");
    CHECK(proxy_of("http://p", both)->url == "http://plain:2");
    CHECK(proxy_of("http://p", {{"HTTPS_PROXY", "http://secure:1"}})->url == "");
    CHECK(proxy_of("https://p", {})->url == "");
    CHECK(proxy_of("https://p", {{"https_proxy", "http://lower:3"}})->url == "http://lower:3");
    CHECK(proxy_of("http://p", {{"HTTP_PROXY", "http://plain:2"}, {"http_proxy", "http://lower"}})
              ->url == "http://plain:2");
    CHECK(proxy_of("http://p", {{"HTTP_PROXY", "proxy:3128"}})->url == "http://proxy:3128");
    // In a CGI program HTTP_PROXY may be the header "Proxy" of a request.
    CHECK(proxy_of("http://p", {{"HTTP_PROXY", "http://evil"}, {"REQUEST_METHOD", "GET"}})->url ==
          "");
    CHECK(proxy_of("http://p", {{"http_proxy", "http://plain"}, {"REQUEST_METHOD", "GET"}})->url ==
          "http://plain");
}

TEST_CASE("the exceptions of the environment are separated by commas and blanks") {
    const auto config = proxy_of("https://p", {{"HTTPS_PROXY", "http://proxy"},
                                               {"NO_PROXY", ",localhost, .svc,10.0.0.0/8 \t*.x,"}});
    CHECK(config->no_proxy == std::vector<std::string>{"localhost", ".svc", "10.0.0.0/8", "*.x"});
    CHECK(proxy_of("https://p", {{"HTTPS_PROXY", "http://proxy"}, {"no_proxy", "a"}})->no_proxy ==
          std::vector<std::string>{"a"});
}

TEST_CASE("user and password of a proxy may be in the environment") {
    const auto config =
        proxy_of("https://p", {{"HTTPS_PROXY", "http://me:p%40ss:w%2Ford@proxy:1/"}});
    REQUIRE(config.has_value());
    CHECK(config->credentials.subject() == "me");
    CHECK(config->credentials.password() == "p@ss:w/ord");
    CHECK(http::parse_url(config->url)->origin() == "http://proxy:1");
    CHECK(proxy_of("https://p", {{"HTTPS_PROXY", "me@proxy"}})->credentials.subject() == "me");
}

TEST_CASE("a wrong variable is named, without its secret") {
    const auto [name, value, reason] = GENERATE(table<std::string, std::string, std::string>({
        {"HTTPS_PROXY", "socks5://me:hunter2@proxy", "must begin with http"},
        {"HTTPS_PROXY", "https://me:hunter2@proxy", "must begin with http://"},
        {"https_proxy", "http://me:hunter2%4@proxy", "percent escape"},
        {"https_proxy", "http://me:hunter2@", "valid host name"},
        {"HTTPS_PROXY", "http://me:hunter2@proxy:0", "port"},
        {"HTTPS_PROXY", "http://me:hunter2%0a@proxy", "control characters"},
        {"HTTPS_PROXY", "http://proxy/hunter2", "must not have a path"},
        {"NO_PROXY", "a, 10.0.0.0/40", "no_proxy[1]"},
        {"no_proxy", "a:x", "no_proxy[0]"},
    }));
    CAPTURE(name, value);
    ProxyVariables variables{{"https_proxy", "http://proxy"}};
    variables[name] = value;
    const auto config = proxy_of("https://p", variables);
    REQUIRE_FALSE(config.has_value());
    CHECK(config.error().is(Errc::invalid_config));
    CHECK_THAT(config.error().message, ContainsSubstring(name) && ContainsSubstring(reason) &&
                                           !ContainsSubstring("hunter2"));
}

TEST_CASE("settings take the proxy from the environment only if they are told to") {
    const auto load = [](const std::string& more) {
        return load_settings(R"({"prometheus": {"client": {"url": "https://p"}})" + more + "}",
                             proxy_variables({{"HTTPS_PROXY", "http://me:hunter2@proxy:3128"},
                                              {"NO_PROXY", "other"}}));
    };
    CHECK(load("").value().settings.proxy.url.empty());
    const auto loaded = load(R"(, "proxy_from_environment": true)");
    REQUIRE(loaded.has_value());
    CHECK(loaded->settings.proxy.url == "http://proxy:3128");
    CHECK(loaded->settings.proxy.no_proxy == std::vector<std::string>{"other"});
    CHECK_THAT(describe(*loaded), ContainsSubstring("proxy.url = \"http://proxy:3128\"") &&
                                      !ContainsSubstring("hunter2"));
    CHECK_THAT(write_settings(loaded->settings), !ContainsSubstring("hunter2"));
    // What the document says takes precedence.
    CHECK(load(R"(, "proxy_from_environment": true, "proxy": {"url": "http://mine"})")
              .value()
              .settings.proxy.url == "http://mine");
}

TEST_CASE("a proxy in a document is validated, each problem with its path") {
    const auto loaded = load_settings(
        R"({"prometheus": {"client": {"url": "https://p"}},
            "proxy": {"url": "https://proxy", "credentials": {"token": "t"}, "no_proxy": ["a:b"]}})",
        proxy_variables({}));
    REQUIRE(loaded.has_error());
    const std::string problems = loaded.error().describe();
    for (const char* path : {"proxy.url: must begin with http://", "proxy.credentials: must be",
                             "proxy.no_proxy[0]: must be"})
        CHECK_THAT(problems, ContainsSubstring(path));
}
