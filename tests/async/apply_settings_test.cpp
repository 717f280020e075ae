// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/any_collector.hpp"
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/cache/no_op_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/settings/apply_settings.hpp"
#include "wva_metrics/testing/fake_backend.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace wva_metrics;
using namespace std::chrono_literals;

namespace {

CollectorSettings settings() {
    CollectorSettings settings;
    settings.prometheus.client.http.url = "http://p";
    return settings;
}

const VariantAutoscaling a100("llm", "a100", "m", "a100");
const VariantAutoscaling h100("llm", "h100", "m", "h100");
const ModelKey model("llm", "m");

/// A collector that has one answer in its cache.
struct Running {
    Running() {
        collector.async_collect_optimizer_metrics(
            a100, [this](auto result) { answered = result.has_value(); });
        io.run();
        io.restart();
        REQUIRE(answered);
    }
    asio::io_context io;
    bool answered = false;
    AnyCollector collector{Collector<testing::FakeBackend<>, MemoryCache>(
        io.get_executor(), testing::FakeBackend<>())};
};

} // namespace

TEST_CASE("changed times, limits and workloads take effect, and the cache keeps what it has") {
    Running running;
    const CollectorSettings before = settings();
    CollectorSettings after = before;
    after.collector.cache.ttl = 90s;
    after.collector.cache.max_entries = 50;
    after.collector.cache.fetch_interval = 7s;
    after.tracked.variants = {h100};
    after.tracked.models = {model};
    const auto applied = apply_settings(running.collector, before, after);
    REQUIRE(applied.has_value());
    CHECK(applied->applied == std::vector<std::string>{"collector.cache.ttl",
                                                       "collector.cache.fetch_interval",
                                                       "collector.cache.max_entries",
                                                       "tracked.variants", "tracked.models"});
    CHECK(applied->needs_new_collector.empty());
    CHECK(running.collector.config().cache.ttl == 90s);
    CHECK(running.collector.find_optimizer_metrics(a100.key()).has_value());
    // What was collected is tracked, and stays so.
    CHECK(running.collector.stats().tracked_variants == 2);
    CHECK(running.collector.stats().tracked_models == 1);

    const auto back = apply_settings(running.collector, after, before);
    REQUIRE(back.has_value());
    CHECK(running.collector.stats().tracked_variants == 1);
    CHECK(running.collector.stats().tracked_models == 0);
    CHECK(running.collector.config().cache.ttl == before.collector.cache.ttl);
}

TEST_CASE("what a collector is made of is reported, and left as it is") {
    Running running;
    CollectorSettings after = settings();
    after.cache = "memory";
    after.prometheus.client.http.url = "https://elsewhere";
    after.prometheus.client.http.credentials = http::Credentials::bearer("other");
    const auto applied = apply_settings(running.collector, settings(), after);
    REQUIRE(applied.has_value());
    CHECK(applied->applied.empty());
    CHECK(applied->needs_new_collector ==
          std::vector<std::string>{"cache", "prometheus.client.url",
                                   "prometheus.client.credentials"});
}

TEST_CASE("settings that are wrong change nothing at all") {
    Running running;
    CollectorSettings after = settings();
    after.collector.cache.ttl = 90s;
    after.collector.max_waiters = 0;
    after.tracked.variants = {h100};
    const auto applied = apply_settings(running.collector, settings(), after);
    REQUIRE(applied.has_error());
    CHECK(applied.error().describe() == "collector.max_waiters: must be positive");
    CHECK(running.collector.config().cache.ttl == 30s);
    CHECK(running.collector.stats().tracked_variants == 1);
}
