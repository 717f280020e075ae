// SPDX-License-Identifier: Apache-2.0
#include "support/collector_fixture.hpp"
#include "support/plain_cache.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// Applies a changed copy of the current configuration.
template <typename Collector, typename Change>
Result<void> reconfigure(Collector& collector, Change&& change) {
    CollectorConfig config = collector.config();
    std::forward<Change>(change)(config);
    return collector.reconfigure(config);
}

} // namespace

TEST_CASE("another TTL applies to new entries, and no entry is lost") {
    CollectorFixture f;
    f.collect(variant("before")).value();
    REQUIRE(reconfigure(*f.collector, [](CollectorConfig& c) { c.cache.ttl = 5s; }).has_value());
    f.collect(variant("after")).value();
    f.advance(6s);
    CHECK(f.collect(variant("before"))->source() == Source::cache);
    CHECK(f.collector->stats().cache.stale_hits == 0);
    f.collect(variant("after")).value();
    CHECK(f.collector->stats().cache.stale_hits == 1);
    CHECK(f.collector->config().cache.ttl == 5s);
}

TEST_CASE("other stale windows apply to cached entries at once") {
    CollectorFixture f;
    f.collect(variant("v")).value();
    f.advance(31s);
    f.backend.fail(Error(Errc::unreachable, "down"));
    REQUIRE(reconfigure(*f.collector, [](CollectorConfig& c) {
                c.cache.stale_while_revalidate = 0s;
            }).has_value());
    CHECK(f.collect(variant("v"))->source() == Source::stale_on_error);
    f.advance(2s);
    REQUIRE(reconfigure(*f.collector, [](CollectorConfig& c) {
                c.cache.stale_if_error = 0s;
            }).has_value());
    CHECK(f.collect(variant("v")).error().is(Errc::unreachable));
    REQUIRE(reconfigure(*f.collector, [](CollectorConfig& c) {
                c.cache.stale_while_revalidate = 1min;
            }).has_value());
    CHECK(f.collect(variant("v"))->source() == Source::cache);
}

TEST_CASE("other freshness thresholds apply to the next snapshot") {
    CollectorFixture f;
    f.backend.set(optimizer_metrics("v", 1));
    f.collect(variant("v")).value();
    f.advance(10s);
    CHECK(f.collector->find_optimizer_metrics({"llm", "v"})->freshness() == Freshness::fresh);
    const auto thresholds = [&](Duration fresh, Duration unavailable) {
        return reconfigure(*f.collector,
                           [&](CollectorConfig& c) {
                               c.cache.freshness_thresholds.optimizer_metrics = fresh;
                               c.cache.freshness_thresholds.replica_metrics = fresh;
                               c.cache.freshness_thresholds.unavailable = unavailable;
                           })
            .has_value();
    };
    REQUIRE(thresholds(5s, 20s));
    CHECK(f.collector->find_optimizer_metrics({"llm", "v"})->freshness() == Freshness::stale);
    REQUIRE(thresholds(5s, 8s));
    CHECK(f.collector->find_optimizer_metrics({"llm", "v"})->freshness() == Freshness::unavailable);
}

TEST_CASE("a shorter fetch interval applies at once, a longer one from the next round on") {
    CollectorFixture f({.cache = {.ttl = 10min, .fetch_interval = 5min}});
    f.collector->start_background_fetching();
    f.settle();
    const auto rounds_within = [&](int seconds) {
        const auto before = f.collector->stats().background_rounds;
        for (int second = 0; second < seconds; ++second)
            f.advance(1s);
        return f.collector->stats().background_rounds - before;
    };
    const auto interval = [&](Duration every) {
        reconfigure(*f.collector, [&](CollectorConfig& c) {
            c.cache.fetch_interval = every;
        }).value();
        f.settle();
    };
    interval(10s);
    CHECK(rounds_within(10) == 1);
    CHECK(rounds_within(100) == 10);
    interval(1min);
    CHECK(rounds_within(10) == 1); // It was scheduled already, and an entry may depend on it.
    CHECK(rounds_within(50) == 0);
    CHECK(rounds_within(60) == 1);
}

TEST_CASE("the interval switches running background fetching off and on") {
    CollectorFixture f({.cache = {.fetch_interval = 0s}});
    f.collector->track(variant("v"));
    CHECK(!f.collector->start_background_fetching());
    f.advance(1min);
    CHECK(f.backend.batches() == 0);
    const auto interval = [&](Duration every) {
        return reconfigure(*f.collector,
                           [&](CollectorConfig& c) { c.cache.fetch_interval = every; })
            .has_value();
    };
    REQUIRE(interval(15s));
    f.settle();
    f.advance(15s);
    CHECK(f.backend.batches() == 1);
    REQUIRE(interval(0s));
    f.settle();
    f.advance(1min);
    CHECK(f.backend.batches() == 1);
}

TEST_CASE("an interval does not start background fetching that was not started, or was stopped") {
    CollectorFixture f({.cache = {.fetch_interval = 0s}});
    f.collector->track(variant("v"));
    const auto interval = [&](Duration every) {
        return reconfigure(*f.collector,
                           [&](CollectorConfig& c) { c.cache.fetch_interval = every; })
            .has_value();
    };
    REQUIRE(interval(15s));
    f.advance(1min);
    f.collector->start_background_fetching();
    f.collector->stop_background_fetching();
    REQUIRE(interval(10s));
    f.advance(1min);
    CHECK(f.backend.batches() == 0);
    CHECK(f.io.stopped()); // Nothing keeps the io_context busy.
}

TEST_CASE("another interval during a round starts no second round") {
    CollectorFixture f({.cache = {.fetch_interval = 15s}});
    f.collector->track(variant("v"));
    f.collector->start_background_fetching();
    f.backend.hold();
    f.advance(15s);
    REQUIRE(f.backend.waiting() == 1);
    REQUIRE(reconfigure(*f.collector, [](CollectorConfig& c) {
                c.cache.fetch_interval = 1s;
            }).has_value());
    f.settle();
    f.advance(5s);
    CHECK(f.backend.waiting() == 1);
    CHECK(f.backend.batches() == 1);
    f.backend.release();
    f.settle();
    f.advance(1s);
    CHECK(f.backend.batches() == 2);
}

TEST_CASE("lower bounds evict the least recently used and untrack the least recently requested") {
    CollectorFixture f;
    for (const char* name : {"a", "b", "c"}) {
        f.collect(variant(name)).value();
        f.advance(1s);
    }
    CHECK(f.collector->find_optimizer_metrics({"llm", "a"}));
    f.observer.take();
    REQUIRE(reconfigure(*f.collector, [](CollectorConfig& c) {
                c.cache.max_entries = 2;
                c.max_tracked = 1;
            }).has_value());
    CHECK(f.collector->stats().cache.entries == 2);
    CHECK(f.collector->stats().tracked_variants == 1);
    CHECK(f.observer.saw("untracked idle allocation:llm/b"));
    CHECK(f.observer.saw("untracked idle allocation:llm/c"));
    CHECK(f.collector->find_optimizer_metrics({"llm", "a"}));
    CHECK(!f.collector->find_optimizer_metrics({"llm", "b"}));
    CHECK(f.collector->find_optimizer_metrics({"llm", "c"})); // Untracked, but still cached.
    REQUIRE(reconfigure(*f.collector, [](CollectorConfig& c) { c.max_tracked = 2; }).has_value());
    f.collect(variant("d")).value();
    CHECK(f.collector->stats().tracked_variants == 2);
}

TEST_CASE("another call timeout applies to new fetches") {
    CollectorFixture f;
    f.backend.hold();
    const auto before = f.start(variant("before"));
    f.settle();
    REQUIRE(reconfigure(*f.collector, [](CollectorConfig& c) { c.call_timeout = 2s; }).has_value());
    const auto after = f.start(variant("after"));
    f.settle();
    f.advance(2s);
    CHECK(!before->has_value());
    REQUIRE(after->has_value());
    CHECK((*after)->error().message.find("within 2 s") != std::string::npos);
    f.backend.release();
    f.settle();
    CHECK((*before)->has_value());
}

TEST_CASE("another bound on waiting callers applies at once") {
    CollectorFixture f;
    f.backend.hold();
    const auto first = f.start(variant("v"));
    REQUIRE(reconfigure(*f.collector, [](CollectorConfig& c) { c.max_waiters = 1; }).has_value());
    const auto second = f.start(variant("v"));
    f.settle();
    REQUIRE(second->has_value());
    CHECK((*second)->error().is(Errc::unavailable));
    CHECK(!first->has_value());
    f.backend.release();
    f.settle();
    CHECK((*first)->has_value());
}

TEST_CASE("a disabled cache answers and keeps nothing; re-enabled, it starts empty") {
    CollectorFixture f;
    f.backend.set(optimizer_metrics("v", 1));
    f.collect(variant("v")).value();
    const auto enable = [&](bool enabled) {
        return reconfigure(*f.collector, [&](CollectorConfig& c) { c.cache.enabled = enabled; })
            .has_value();
    };
    REQUIRE(enable(false));
    CHECK(!f.collector->find_optimizer_metrics({"llm", "v"}));
    f.backend.set(optimizer_metrics("v", 2));
    CHECK((*f.collect(variant("v")))->arrival_rate_per_minute.value() == 2);
    CHECK(f.collector->stats().cache.entries == 0);
    REQUIRE(enable(true));
    CHECK(!f.collector->find_optimizer_metrics({"llm", "v"})); // Not the 1 from before.
    f.collect(variant("v")).value();
    CHECK(f.collector->find_optimizer_metrics({"llm", "v"}));
}

TEST_CASE("an invalid configuration is rejected with all its problems, and changes nothing") {
    CollectorFixture f;
    const auto rejected = reconfigure(*f.collector, [](CollectorConfig& c) {
        c.cache.ttl = 0s;
        c.cache.fetch_interval = 1s;
        c.max_tracked = 0;
    });
    REQUIRE(rejected.has_error());
    CHECK(rejected.error().is(Errc::invalid_config));
    CHECK(rejected.error().message.find("cache.ttl") != std::string::npos);
    CHECK(rejected.error().message.find("max_tracked") != std::string::npos);
    CHECK(f.collector->config().cache.ttl == 30s);
    CHECK(f.collector->config().cache.fetch_interval == 15s);
    f.collect(variant("v")).value();
    CHECK(f.collector->stats().tracked_variants == 1);
}

TEST_CASE(
    "a cache with fixed bounds rejects other bounds by their names, and accepts other changes") {
    boost::asio::io_context io;
    Collector<ManualBackend, PlainCache, NullObserver, ManualTimer> collector(io.get_executor(),
                                                                              ManualBackend());
    const auto rejected = reconfigure(collector, [](CollectorConfig& c) {
        c.cache.max_bytes = 1000;
        c.cache.ttl = 5s;
    });
    REQUIRE(rejected.has_error());
    CHECK(rejected.error().is(Errc::invalid_config));
    CHECK(rejected.error().message ==
          "cache.max_entries and cache.max_bytes cannot be changed on a running collector: its "
          "cache has no set_limits(CacheLimits)");
    CHECK(collector.config().cache.ttl == 30s);
    CHECK(reconfigure(collector, [](CollectorConfig& c) { c.cache.ttl = 5s; }).has_value());
}

TEST_CASE("observers receive each configuration that is applied") {
    struct RecordTtls {
        void operator()(const events::Configured& event) {
            ttls->push_back(event.config.cache.ttl);
        }
        std::shared_ptr<std::vector<Duration>> ttls = std::make_shared<std::vector<Duration>>();
    };
    boost::asio::io_context io;
    const RecordTtls observer;
    Collector<ManualBackend, MemoryCache, RecordTtls, ManualTimer> collector(
        io.get_executor(), ManualBackend(), {}, observer);
    reconfigure(collector, [](CollectorConfig& c) { c.cache.ttl = 5s; }).value();
    CHECK(reconfigure(collector, [](CollectorConfig& c) { c.cache.ttl = 0s; }).has_error());
    CHECK(*observer.ttls == std::vector<Duration>{30s, 5s});
}
