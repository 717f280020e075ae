// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/cache/memory_cache.hpp"
#include "wva_metrics/cache/sharded_cache.hpp"
#include "wva_metrics/collector.hpp"
#include "wva_metrics/testing/fake_backend.hpp"

#include "support/numbered_variant.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_all.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

using namespace wva_metrics;
using namespace std::chrono_literals;
using test_support::numbered_variant;

TEMPLATE_TEST_CASE(
    "many threads collect, look up, track and invalidate at once, and every call is answered", "",
    MemoryCache, ShardedCache) {
    constexpr int threads = 4;
    constexpr int calls = 400;
    boost::asio::io_context io;
    auto work = boost::asio::make_work_guard(io);
    testing::FakeBackend<> backend;
    // Short times, so that hits, stale hits, misses, rounds and expiries all happen in the few
    // milliseconds of a test.
    Collector<testing::FakeBackend<>, TestType> collector(io.get_executor(), backend,
                                                          {.cache = {.ttl = 2ms,
                                                                     .cleanup_interval = 3ms,
                                                                     .fetch_interval = 1ms,
                                                                     .stale_while_revalidate = 1ms,
                                                                     .negative_ttl = 0ms,
                                                                     .max_entries = 10},
                                                           .untrack_after = 4ms});
    collector.start_background_fetching();
    std::vector<std::thread> runners;
    for (int i = 0; i < 2; ++i)
        runners.emplace_back([&] { io.run(); });

    std::atomic<int> answers = 0;
    std::vector<std::thread> callers;
    for (int t = 0; t < threads; ++t) {
        callers.emplace_back([&, t] {
            for (int i = 0; i < calls; ++i) {
                const VariantAutoscaling which = numbered_variant((i * 7 + t) % 20);
                collector.async_collect_optimizer_metrics(which, [&](const auto&) { ++answers; });
                collector.async_collect_replica_metrics(which.model(), {which},
                                                        [&](const auto&) { ++answers; });
                collector.find_optimizer_metrics(which.key());
                collector.find_replica_metrics(which.model(), {});
                if (i % 11 == 0)
                    collector.invalidate_variant(which);
                if (i % 17 == 0)
                    collector.untrack(which.key());
                if (i % 23 == 0) {
                    collector.stop_background_fetching();
                    collector.start_background_fetching();
                }
                if (i % 29 == 0)
                    collector.invalidate_prefix("replica:");
                if (i % 31 == 0)
                    static_cast<void>(
                        collector.stats()); // Catch2's macros are for one thread only.
                if (i % 16 == 0)
                    collector.async_validate_availability(which.model(), boost::asio::use_future)
                        .get();
            }
        });
    }
    for (std::thread& caller : callers)
        caller.join();
    collector.stop_background_fetching();
    work.reset();
    for (std::thread& runner : runners)
        runner.join();
    CHECK(answers == threads * calls * 2);
    CHECK(collector.stats().in_flight == 0);
}

TEST_CASE("a collector is destroyed while two threads run its io_context and calls are pending") {
    for (int round = 0; round < 50; ++round) {
        boost::asio::io_context io;
        auto work = boost::asio::make_work_guard(io);
        std::vector<std::thread> runners;
        for (int i = 0; i < 2; ++i)
            runners.emplace_back([&] { io.run(); });
        std::atomic<int> answers = 0;
        {
            testing::FakeBackend<> backend;
            if (round % 2 == 0)
                backend.hold();
            Collector<testing::FakeBackend<>, ShardedCache> collector(io.get_executor(), backend);
            for (int i = 0; i < 20; ++i)
                collector.async_collect_optimizer_metrics(numbered_variant(i),
                                                          [&](const auto&) { ++answers; });
        }
        work.reset();
        for (std::thread& runner : runners)
            runner.join();
        CHECK(answers == 20);
    }
}

TEST_CASE("all concurrent callers of one key share one fetch") {
    boost::asio::io_context io;
    auto work = boost::asio::make_work_guard(io);
    testing::FakeBackend<> backend;
    backend.hold();
    Collector<testing::FakeBackend<>, ShardedCache> collector(io.get_executor(), backend);
    std::thread runner([&] { io.run(); });
    std::atomic<int> answers = 0;
    std::vector<std::thread> callers;
    for (int t = 0; t < 4; ++t)
        callers.emplace_back([&] {
            for (int i = 0; i < 25; ++i)
                collector.async_collect_optimizer_metrics(
                    numbered_variant(1), [&](const auto& r) { answers += r.has_value(); });
        });
    for (std::thread& caller : callers)
        caller.join();
    backend.release();
    work.reset();
    runner.join();
    CHECK(answers == 100);
    CHECK(backend.variants_requested().size() == 1);
}
