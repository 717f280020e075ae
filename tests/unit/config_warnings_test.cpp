// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/config_warnings.hpp"

#include <catch2/catch_all.hpp>

#include <functional>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("the default configuration does what it says") {
    CHECK(warnings(CollectorConfig{}).empty());
}

TEST_CASE("each member that another one defeats is named, with both values and what to do") {
    struct Row {
        std::string defeated;
        std::string by;
        std::string remedy;
        std::function<void(CollectorConfig&)> set;
    };
    // From the defaults: ttl 30 s, fetch_interval 15 s, call_timeout 10 s, thresholds 30 s and
    // 5 min, stale windows 30 s and 5 min, negative_ttl 2 s, partial_ttl 5 s, untrack_after 10 min.
    const auto row = GENERATE(values<Row>({
        {"cache.fetch_interval (1m0s) is shortened to 20s", "cache.ttl (30s)", "raise cache.ttl",
         [](auto& c) { c.cache.fetch_interval = 60s; }},
        {"cache.fetch_interval (15s) is shortened to 12s", "call_timeout (12s)", "raise cache.ttl",
         [](auto& c) {
             c.cache.ttl = 24s;
             c.call_timeout = 12s;
         }},
        {"call_timeout (10s)", "two rounds (9s)", "lower call_timeout",
         [](auto& c) { c.cache.fetch_interval = 9s; }},
        {"untrack_after (15s)", "two rounds (15s)", "raise it",
         [](auto& c) { c.untrack_after = 15s; }},
        {"freshness_thresholds.optimizer_metrics (15s)", "two rounds (15s)", "raise it",
         [](auto& c) { c.cache.freshness_thresholds.optimizer_metrics = 15s; }},
        {"freshness_thresholds.replica_metrics (15s)", "two rounds (15s)", "raise it",
         [](auto& c) { c.cache.freshness_thresholds.replica_metrics = 15s; }},
        {"cache.ttl (10s)", "call_timeout (10s)", "raise cache.ttl",
         [](auto& c) {
             c.cache.ttl = 10s;
             c.cache.fetch_interval = 0s;
         }},
        {"cache.ttl (5m0s)", "freshness_thresholds.unavailable (5m0s)", "lower cache.ttl",
         [](auto& c) { c.cache.ttl = 5min; }},
        {"cache.negative_ttl (31s)", "cache.ttl (30s)", "lower it",
         [](auto& c) { c.cache.negative_ttl = 31s; }},
        {"cache.partial_ttl (31s)", "cache.ttl (30s)", "lower it",
         [](auto& c) { c.cache.partial_ttl = 31s; }},
        {"cache.stale_if_error (30s)", "cache.stale_while_revalidate (30s)", "no effect",
         [](auto& c) { c.cache.stale_if_error = 30s; }},
        {"cache.max_entries (19999)", "max_tracked (10000)", "raise it",
         [](auto& c) { c.cache.max_entries = 19'999; }},
        {"max_tracked (15001)", "cache.max_entries (30000)", "lower max_tracked",
         [](auto& c) {
             c.max_tracked = 15'001;
             c.cache.max_bytes = std::size_t{1} << 30;
         }},
        {"cache.max_bytes (33554432)", "max_tracked (10000)", "raise it",
         [](auto& c) { c.cache.max_bytes = std::size_t{32} << 20; }},
    }));
    CollectorConfig config;
    row.set(config);
    CHECK(validate(config).empty());
    const std::vector<std::string> found = warnings(config);
    INFO(row.defeated << " by " << row.by);
    REQUIRE(found.size() == 1);
    CHECK_THAT(found.front(), ContainsSubstring(row.defeated) && ContainsSubstring(row.by) &&
                                  ContainsSubstring(row.remedy));
}

TEST_CASE("what is switched off defeats nothing") {
    CollectorConfig config;
    config.cache.fetch_interval = 0s;
    config.cache.stale_if_error = 0s;
    config.untrack_after = 0s;
    config.cache.negative_ttl = 0s;
    config.call_timeout = 20s;
    CHECK(warnings(config).empty());

    CollectorConfig no_cache;
    no_cache.cache.enabled = false;
    no_cache.cache.ttl = 1s;
    CHECK(warnings(no_cache).empty());
}

TEST_CASE("the largest values are compared without overflow") {
    CollectorConfig config;
    config.cache.fetch_interval = Duration::max();
    config.untrack_after = Duration::max();
    config.cache.stale_if_error = Duration::max();
    config.max_tracked = static_cast<std::size_t>(-1);
    const std::vector<std::string> found = warnings(config);
    REQUIRE(found.size() == 3);
    CHECK_THAT(found[0], ContainsSubstring("fetch_interval"));
    CHECK_THAT(found[1], ContainsSubstring("max_entries"));
    CHECK_THAT(found[2], ContainsSubstring("max_bytes"));
}

TEST_CASE("a TTL of two seconds with an interval of a minute is told as what it is") {
    CollectorConfig config;
    config.cache.ttl = 2s;
    config.cache.fetch_interval = 60s;
    const std::vector<std::string> found = warnings(config);
    REQUIRE(!found.empty());
    CHECK_THAT(found[0], ContainsSubstring("cache.fetch_interval (1m0s) is shortened to 1s") &&
                             ContainsSubstring("cache.ttl (2s)") &&
                             ContainsSubstring("call_timeout (10s)"));
}
