// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/config.hpp"

#include <catch2/catch_all.hpp>

#include <functional>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

namespace {

CollectorConfig with(Duration ttl, Duration fetch_interval, Duration call_timeout) {
    CollectorConfig config;
    config.cache.ttl = ttl;
    config.cache.fetch_interval = fetch_interval;
    config.call_timeout = call_timeout;
    return config;
}

} // namespace

TEST_CASE("the defaults are those of the design documents") {
    const CacheConfig config;
    CHECK(config.enabled);
    CHECK(config.ttl == 30s);
    CHECK(config.cleanup_interval == 5min);
    CHECK(config.fetch_interval == 15s);
    CHECK(config.freshness_thresholds.optimizer_metrics == 30s);
    CHECK(config.freshness_thresholds.replica_metrics == 30s);
}

TEST_CASE("the default configuration is valid") {
    CHECK(validate(CollectorConfig{}).empty());
}

TEST_CASE("zero is valid for everything that zero disables") {
    CollectorConfig config;
    config.cache.enabled = false;
    config.cache.cleanup_interval = 0s;
    config.cache.fetch_interval = 0s;
    config.cache.stale_while_revalidate = 0s;
    config.cache.stale_if_error = 0s;
    config.cache.negative_ttl = 0s;
    config.untrack_after = 0s;
    CHECK(validate(config).empty());
}

TEST_CASE("every problem names its member") {
    using Spoil = std::function<void(CollectorConfig&)>;
    const auto [name, spoil] = GENERATE(table<std::string, Spoil>({
        {"cache.ttl", [](auto& c) { c.cache.ttl = 0s; }},
        {"cache.ttl", [](auto& c) { c.cache.ttl = -1s; }},
        {"cache.cleanup_interval", [](auto& c) { c.cache.cleanup_interval = -1s; }},
        {"cache.fetch_interval", [](auto& c) { c.cache.fetch_interval = -1s; }},
        {"cache.stale_while_revalidate", [](auto& c) { c.cache.stale_while_revalidate = -1s; }},
        {"cache.stale_if_error", [](auto& c) { c.cache.stale_if_error = -1s; }},
        {"cache.negative_ttl", [](auto& c) { c.cache.negative_ttl = -1s; }},
        {"cache.partial_ttl", [](auto& c) { c.cache.partial_ttl = 0s; }},
        {"cache.max_entries", [](auto& c) { c.cache.max_entries = 0; }},
        {"cache.max_bytes", [](auto& c) { c.cache.max_bytes = 0; }},
        {"optimizer_metrics", [](auto& c) { c.cache.freshness_thresholds.optimizer_metrics = 0s; }},
        {"replica_metrics", [](auto& c) { c.cache.freshness_thresholds.replica_metrics = 0s; }},
        {"freshness_thresholds.unavailable",
         [](auto& c) { c.cache.freshness_thresholds.unavailable = 29s; }},
        {"freshness_thresholds.unavailable",
         [](auto& c) { c.cache.freshness_thresholds.replica_metrics = 6min; }},
        {"call_timeout", [](auto& c) { c.call_timeout = 0s; }},
        {"untrack_after", [](auto& c) { c.untrack_after = -1s; }},
        {"max_tracked", [](auto& c) { c.max_tracked = 0; }},
        {"max_waiters", [](auto& c) { c.max_waiters = 0; }},
        {"max_overdue_calls", [](auto& c) { c.max_overdue_calls = 0; }},
    }));
    CollectorConfig config;
    spoil(config);
    const std::vector<std::string> problems = validate(config);
    REQUIRE(problems.size() == 1);
    CHECK_THAT(problems.front(), ContainsSubstring(name));
}

TEST_CASE("all problems are reported together") {
    CollectorConfig config;
    config.cache.ttl = 0s;
    config.cache.max_bytes = 0;
    config.call_timeout = -1s;
    CHECK(validate(config).size() == 3);
}

TEST_CASE("background rounds have the configured interval if entries live long enough") {
    CHECK(effective_fetch_interval(CollectorConfig{}) == 15s);
    CHECK(effective_fetch_interval(with(60s, 15s, 10s)) == 15s);
    CHECK(effective_fetch_interval(with(60s, 50s, 10s)) == 50s);
}

TEST_CASE("background rounds complete before entries expire, also if interval and TTL are equal") {
    CHECK(effective_fetch_interval(with(30s, 30s, 10s)) == 20s);
    CHECK(effective_fetch_interval(with(60s, 10min, 10s)) == 50s);
}

TEST_CASE("background rounds run at most twice per TTL because of a long call timeout") {
    CHECK(effective_fetch_interval(with(10s, 30s, 9s)) == 5s);
    CHECK(effective_fetch_interval(with(10s, 30s, 60s)) == 5s);
    CHECK(effective_fetch_interval(with(10s, 2s, 60s)) == 2s);
}

TEST_CASE("an interval of zero or less disables background rounds") {
    CHECK(effective_fetch_interval(with(30s, 0s, 10s)) == 0s);
    CHECK(effective_fetch_interval(with(30s, -5s, 10s)) == 0s);
}
