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
        {"limits.idle_timeout", [](ClientConfig& config) { config.limits.idle_timeout = -1s; }},
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
