// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/config.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using http::ClientConfig;
using http::validate;

namespace {

bool mentions(const std::vector<std::string>& problems, const std::string& word) {
    return std::any_of(problems.begin(), problems.end(), [&](const std::string& problem) {
        return problem.find(word) != std::string::npos;
    });
}

} // namespace

TEST_CASE("a configuration with only a URL is valid") {
    CHECK(validate(ClientConfig{.url = "http://prometheus:9090"}).empty());
}

TEST_CASE("all problems of a configuration are reported together") {
    const std::vector<std::string> problems =
        validate({.url = "ftp://h",
                  .timeouts = {.connect = 0s},
                  .limits = {.max_body_bytes = 0},
                  .credentials = http::Credentials::bearer("a b"),
                  .headers = {{"X-Tenant", "a\r\nX-Injected: 1"}, {"Host", "evil"}, {"a b", "c"}}});
    CHECK(problems.size() == 7);
    for (const char* word : {"url", "timeouts.connect", "limits.max_body_bytes", "credentials",
                             "X-Tenant", "Host", "headers[2]"})
        CHECK(mentions(problems, word));
    CHECK_FALSE(mentions(problems, "X-Injected"));
}

TEST_CASE("every limit is checked and named in its problem") {
    using Change = std::function<void(ClientConfig&)>;
    const auto [name, change] = GENERATE(table<std::string, Change>({
        {"timeouts.resolve", [](ClientConfig& config) { config.timeouts.resolve = 0s; }},
        {"timeouts.connect", [](ClientConfig& config) { config.timeouts.connect = -1s; }},
        {"timeouts.tls_handshake",
         [](ClientConfig& config) { config.timeouts.tls_handshake = 0s; }},
        {"timeouts.attempt",
         [](ClientConfig& config) { config.timeouts.attempt = Duration::max(); }},
        {"timeouts.token", [](ClientConfig& config) { config.timeouts.token = 0s; }},
        {"timeouts.address_lifetime",
         [](ClientConfig& config) { config.timeouts.address_lifetime = -1s; }},
        {"timeouts.address_retry",
         [](ClientConfig& config) { config.timeouts.address_retry = 0s; }},
        {"timeouts.address_retry",
         [](ClientConfig& config) { config.timeouts.address_retry = 61s; }},
        {"timeouts.max_address_retry",
         [](ClientConfig& config) { config.timeouts.max_address_retry = 25h; }},
        {"limits.max_header_bytes",
         [](ClientConfig& config) { config.limits.max_header_bytes = 10; }},
        {"limits.max_header_bytes",
         [](ClientConfig& config) {
             config.limits.max_header_bytes = std::size_t{1} << 40;
             config.limits.max_buffer_bytes = std::size_t{1} << 40;
         }},
        {"limits.max_buffer_bytes",
         [](ClientConfig& config) { config.limits.max_buffer_bytes = 10; }},
        {"limits.max_body_bytes", [](ClientConfig& config) { config.limits.max_body_bytes = 0; }},
        {"limits.max_connections", [](ClientConfig& config) { config.limits.max_connections = 0; }},
        {"limits.max_addresses", [](ClientConfig& config) { config.limits.max_addresses = 0; }},
        {"limits.max_redirects", [](ClientConfig& config) { config.limits.max_redirects = 4; }},
        {"limits.idle_timeout", [](ClientConfig& config) { config.limits.idle_timeout = -1s; }},
        {"max_stale_token_file", [](ClientConfig& config) { config.max_stale_token_file = -1s; }},
        {"protection.retry.attempts",
         [](ClientConfig& config) { config.protection.retry.attempts = 0; }},
        {"protection.max_retry_after",
         [](ClientConfig& config) { config.protection.max_retry_after = -1s; }},
    }));
    ClientConfig config{.url = "http://h"};
    change(config);
    const std::vector<std::string> problems = validate(config);
    REQUIRE(problems.size() == 1);
    CHECK(problems.front().find(name) != std::string::npos);
}

TEST_CASE("headers that the client writes itself cannot be configured") {
    const std::string name =
        GENERATE(as<std::string>{}, "content-length", "Transfer-Encoding", "CONNECTION",
                 "Accept-Encoding", "Authorization", "Expect", "Content-Type");
    CHECK(validate({.url = "http://h", .headers = {{name, "x"}}}).size() == 1);
    CHECK(validate({.url = "http://h", .headers = {{"X-" + name, "x"}}}).empty());
}

TEST_CASE("an https URL without a TLS transport is rejected, not requested without encryption") {
    CHECK(mentions(validate({.url = "https://h"}), "TLS transport"));
}

TEST_CASE("credentials are not sent without TLS to another machine unless it is allowed by name") {
    const http::Credentials credentials =
        GENERATE(http::Credentials::bearer("token"), http::Credentials::bearer_file("/token"),
                 http::Credentials::basic("user", "hunter2"),
                 http::Credentials::bearer_provider([] { return http::BearerToken("token"); }));
    const std::string far_host =
        GENERATE(as<std::string>{}, "prometheus:9090", "10.0.0.1", "128.0.0.1", "[2001:db8::1]",
                 "localhost.example.org", "127.0.0.1.example.org", "[::ffff:127.0.0.1]", "0.0.0.0");
    CAPTURE(far_host);
    ClientConfig config{.url = "http://" + far_host, .credentials = credentials};
    const std::vector<std::string> problems = validate(config);
    REQUIRE(problems.size() == 1);
    CHECK(problems.front() ==
          "credentials would be sent without encryption: use an https url, or set "
          "allow_credentials_without_tls if the network is trusted");
    config.allow_credentials_without_tls = true;
    CHECK(validate(config).empty());
    config.allow_credentials_without_tls = false;
    config.credentials = {};
    CHECK(validate(config).empty());
}

TEST_CASE("credentials may be sent to this machine without TLS") {
    const std::string host = GENERATE(as<std::string>{}, "localhost:9090", "LOCALHOST",
                                      "localhost.", "127.0.0.1", "127.255.0.9:80", "[::1]:9090");
    CHECK(validate({.url = "http://" + host, .credentials = http::Credentials::bearer("token")})
              .empty());
}
