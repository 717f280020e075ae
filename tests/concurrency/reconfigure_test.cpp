// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/any_collector.hpp"
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/cache/sharded_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/testing/fake_backend.hpp"

#include "support/numbered_variant.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using test_support::numbered_variant;

namespace {

/// One of a few configurations that differ in everything a collector reads.
CollectorConfig config_number(int number) {
    CollectorConfig config{.cache = {.ttl = 2ms,
                                     .cleanup_interval = 3ms,
                                     .fetch_interval = 1ms,
                                     .stale_while_revalidate = 1ms,
                                     .negative_ttl = 0ms},
                           .untrack_after = 4ms};
    config.cache.max_entries = 1 + static_cast<std::size_t>(number % 13);
    config.max_tracked = 1 + static_cast<std::size_t>(number % 7);
    if (number % 2 == 0) {
        config.cache.ttl = 1min;
        config.cache.stale_if_error = 0s;
        config.cache.freshness_thresholds = {1ms, 2ms, 3ms};
        config.call_timeout = 2s;
        config.track_on_collection = false;
    }
    if (number % 5 == 0)
        config.cache.fetch_interval = 0ms;
    if (number % 11 == 0)
        config.cache.enabled = false;
    return config;
}

} // namespace

TEMPLATE_TEST_CASE("a collector is reconfigured by two threads while others collect, look up and "
                   "fetch in the background",
                   "", MemoryCache, ShardedCache) {
    constexpr int calls = 400;
    boost::asio::io_context io;
    auto work = boost::asio::make_work_guard(io);
    AnyCollector collector = Collector<testing::FakeBackend<>, TestType>(
        io.get_executor(), testing::FakeBackend<>(), config_number(1));
    collector.start_background_fetching();
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i)
        threads.emplace_back([&] { io.run(); });

    std::atomic<int> answers = 0;
    std::atomic<int> rejected = 0;
    std::vector<std::thread> callers;
    for (int t = 0; t < 2; ++t) {
        callers.emplace_back([&, t] {
            for (int i = 0; i < calls; ++i) {
                const VariantAutoscaling which = numbered_variant((i * 7 + t) % 20);
                collector.async_collect_optimizer_metrics(which, [&](const auto&) { ++answers; });
                collector.async_collect_replica_metrics(which.model(), {which},
                                                        [&](const auto&) { ++answers; });
                collector.find_optimizer_metrics(which.key());
                collector.find_replica_metrics(which.model(), {});
                collector.track(which);
            }
        });
        callers.emplace_back([&, t] {
            for (int i = 0; i < calls; ++i) {
                rejected += collector.reconfigure(config_number(i + t)).has_error();
                if (i % 7 == 0) {
                    collector.stop_background_fetching();
                    collector.start_background_fetching();
                }
                if (i % 9 == 0)
                    rejected += !validate(collector.config()).empty();
            }
        });
    }
    for (std::thread& caller : callers)
        caller.join();
    CHECK(collector.reconfigure(config_number(3)).has_value());
    collector.stop_background_fetching();
    work.reset();
    for (std::thread& thread : threads)
        thread.join();
    CHECK(answers == calls * 4);
    CHECK(rejected == 0);
    const CollectorStats stats = collector.stats();
    CHECK(stats.in_flight == 0);
    CHECK(stats.cache.entries <=
          16 * config_number(3).cache.max_entries); // At most each shard's one.
    CHECK(stats.tracked_variants <= config_number(3).max_tracked);
}

TEMPLATE_TEST_CASE("a cache counts correctly while its limits change under load", "", MemoryCache,
                   ShardedCache) {
    constexpr int operations = 5'000;
    const TimePoint now(1h);
    const auto entry = std::make_shared<const CacheEntry>(Availability{}, now, now + 1h, now + 2h);
    TestType cache(CacheLimits(1000, 1000 * entry->bytes()));
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t)
        threads.emplace_back([&, t] {
            for (int i = 0; i < operations; ++i)
                cache.insert_or_assign(optimizer_key("ns", std::to_string(i * 2 + t)), entry);
        });
    threads.emplace_back([&] {
        for (std::size_t i = 0; i < 200; ++i)
            cache.set_limits(
                CacheLimits(i % 2 == 0 ? 16 : 2000, (i % 3 + 1) * 600 * entry->bytes()));
    });
    for (std::thread& thread : threads)
        thread.join();
    cache.set_limits(CacheLimits(32, 1000 * entry->bytes()));
    const CacheStats stats = cache.stats();
    CHECK(stats.entries <= 32);
    CHECK(stats.bytes > stats.entries * entry->bytes());
    CHECK(stats.bytes < stats.entries * (entry->bytes() + 300));
    CHECK(stats.insertions == 2 * operations);
    CHECK(stats.insertions == stats.evictions + stats.entries);
}
