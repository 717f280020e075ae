// SPDX-License-Identifier: Apache-2.0
#include "support/collector_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

TEST_CASE("a collected target is kept warm: no later call is a miss or a stale hit") {
    CollectorFixture f;
    f.collect(variant("v")).value();
    f.collect(f.model, {}).value();
    REQUIRE(f.collector->start_background_fetching());
    for (int second = 0; second < 600; ++second) {
        f.advance(1s);
        f.collect(variant("v")).value();
        f.collect(f.model, {}).value();
    }
    const CollectorStats stats = f.collector->stats();
    CHECK(stats.cache.misses == 2);
    CHECK(stats.cache.stale_hits == 0);
    // An interval of 15 s, a tenth more or less by chance.
    CHECK(stats.background_rounds >= 34);
    CHECK(stats.background_rounds <= 46);
}

TEST_CASE("an interval as long as the TTL still keeps entries from expiring between two rounds") {
    CollectorFixture f({.cache = {.ttl = 30s, .fetch_interval = 30s}});
    f.collect(variant("v")).value();
    f.collector->start_background_fetching();
    f.backend.delay(9s); // Just within call_timeout.
    for (int second = 0; second < 300; ++second) {
        f.advance(1s);
        f.collect(variant("v")).value();
    }
    CHECK(f.collector->stats().cache.misses == 1);
    CHECK(f.collector->stats().cache.stale_hits == 0);
}

TEST_CASE("an interval much shorter than the TTL is respected") {
    CollectorFixture f({.cache = {.fetch_interval = 1s}});
    f.collect(variant("v")).value();
    f.collector->start_background_fetching();
    for (int tenth = 0; tenth < 200; ++tenth)
        f.advance(100ms);
    CHECK(f.backend.batches() >= 17);
    const auto known = f.collector->find_optimizer_metrics({"llm", "v"});
    REQUIRE(known.has_value());
    CHECK(ManualClock::now() - known->collected_at() <= 1200ms);
}

TEST_CASE("rounds never overlap") {
    CollectorFixture f;
    f.collect(variant("v")).value();
    f.collector->start_background_fetching();
    f.backend.hold();
    for (int second = 0; second < 9 + 15;
         ++second) // A random part of the interval, then not yet the timeout.
        if (f.backend.waiting() == 0)
            f.advance(1s);
    REQUIRE(f.backend.waiting() == 1);
    f.advance(9s);
    CHECK(f.backend.waiting() == 1);
    CHECK(!f.observer.saw("round 1+0"));
    f.backend.release();
    f.settle();
    CHECK(f.observer.saw("round 1+0"));
}

TEST_CASE("one round fetches everything tracked in one batch of variants and one of models") {
    CollectorFixture f;
    for (int i = 0; i < 1000; ++i) {
        f.collector->track(variant("v" + std::to_string(i)));
        f.collector->track(ModelKey{"llm", "model" + std::to_string(i)});
    }
    f.collector->start_background_fetching();
    f.advance(15s);
    CHECK(f.backend.batches() == 2);
    CHECK(f.backend.variants_requested().size() == 1000);
    CHECK(f.backend.models_requested().size() == 1000);
    CHECK(f.observer.saw("round 1000+1000"));
}

TEST_CASE("a target not requested within untrack_after is untracked; one that is only hit stays") {
    CollectorFixture f;
    f.collect(variant("idle")).value();
    f.collect(variant("busy")).value();
    f.collector->start_background_fetching();
    for (int minute = 0; minute < 11; ++minute) {
        for (int i = 0; i < 4; ++i)
            f.advance(15s);
        CHECK(f.collector->find_optimizer_metrics({"llm", "busy"}));
    }
    CHECK(f.observer.saw("untracked idle allocation:llm/idle"));
    CHECK(f.collector->stats().tracked_variants == 1);
    CHECK(!f.collector->find_optimizer_metrics({"llm", "idle"}));
}

TEST_CASE(
    "a target that is only looked up stays tracked through an outage in which nothing is found") {
    const bool is_known_before = GENERATE(true, false);
    INFO("known before: " << is_known_before);
    CollectorFixture f;
    f.backend.set(optimizer_metrics("v", 5));
    f.collector->track(variant("v"));
    f.collector->start_background_fetching();
    const auto look = [&] { return f.collector->find_optimizer_metrics({"llm", "v"}).has_value(); };
    if (is_known_before) {
        f.advance(15s);
        CHECK(look());
    }
    f.backend.fail(Error(Errc::unreachable, "down"));
    for (int i = 0; i < 60; ++i) { // Longer than untrack_after and all stale windows.
        f.advance(15s);
        look();
    }
    CHECK(!look());
    f.backend.recover();
    f.advance(15s);
    f.advance(15s);
    CHECK(look());
    CHECK(f.collector->stats().tracked_variants == 1);
}

TEST_CASE("with fetch_interval 0 nothing is fetched, and expired entries are still cleaned up") {
    CollectorFixture f({.cache = {.fetch_interval = 0s}});
    f.collect(variant("v")).value();
    CHECK(!f.collector->start_background_fetching());
    f.advance(5min);
    f.advance(5min);
    CHECK(f.backend.batches() == 1);
    CHECK(f.collector->stats().cache.entries == 0);
    CHECK(f.observer.saw("cleanup 1"));
}

TEST_CASE("background fetching stops and starts again, and both are idempotent") {
    CollectorFixture f;
    f.collect(variant("v")).value();
    CHECK(f.collector->start_background_fetching());
    CHECK(!f.collector->start_background_fetching());
    CHECK(f.collector->health().background_running);
    f.collector->stop_background_fetching();
    f.collector->stop_background_fetching();
    f.settle();
    f.advance(20s);
    CHECK(f.backend.batches() == 1);
    CHECK(f.io.stopped()); // The timer no longer keeps the io_context busy.
    CHECK(f.collector->start_background_fetching());
    f.advance(15s);
    CHECK(f.backend.batches() == 2);
}

TEST_CASE("background failures are observed, lose no entry, and end by themselves") {
    CollectorFixture f;
    f.backend.set(optimizer_metrics("v", 5));
    f.collect(variant("v")).value();
    f.collector->start_background_fetching();
    f.backend.fail(Error(Errc::unreachable, "down"));
    for (int i = 0; i < 6; ++i)
        f.advance(15s);
    CHECK(f.observer.saw("failure allocation:llm/v"));
    const auto stale = f.collector->find_optimizer_metrics({"llm", "v"});
    REQUIRE(stale.has_value());
    CHECK(stale->source() == Source::stale_on_error);
    f.backend.set(optimizer_metrics("v", 6));
    f.backend.recover();
    f.advance(15s);
    f.advance(15s);
    CHECK((*f.collector->find_optimizer_metrics({"llm", "v"}))->arrival_rate_per_minute.value() ==
          6);
}

TEST_CASE("a miss joins a flight of a background round") {
    CollectorFixture f;
    f.collector->track(variant("v"));
    f.collector->start_background_fetching();
    f.backend.hold();
    f.advance(15s);
    REQUIRE(f.backend.waiting() == 1);
    const auto coalesced = f.start(variant("v"));
    f.settle();
    CHECK(f.backend.waiting() == 1);
    f.backend.release();
    f.settle();
    CHECK((*coalesced)->has_value());
    CHECK(f.backend.variants_requested().size() == 1);
}

TEST_CASE("a full tracked set says no, counts it, and answers all the same") {
    CollectorFixture f({.max_tracked = 2});
    CHECK(f.collector->track(variant("v0")));
    f.collect(variant("v1")).value();
    CHECK_FALSE(f.collector->track(variant("v2"))); // By the caller,
    f.collect(variant("v2")).value();               // or by collecting.
    CHECK(f.collector->track(variant("v0")));       // Tracked already.
    CHECK(f.collector->track(f.model));             // Models have a bound of their own.

    CollectorStats stats = f.collector->stats();
    CHECK(stats.tracked_variants == 2);
    CHECK(stats.tracking_refused == 2);
    const auto events = f.observer.take();
    CHECK(std::ranges::count(events, "tracking refused allocation:llm/v2") == 2);

    f.collector->untrack(VariantKey{"llm", "v0"});
    CHECK(f.collector->track(variant("v2")));
    CHECK(f.collector->stats().tracking_refused == 2);
}

TEST_CASE("what is not meant to be tracked is not refused either") {
    CollectorFixture f({.track_on_collection = false, .max_tracked = 1});
    for (int i = 0; i < 3; ++i)
        f.collect(variant("v" + std::to_string(i))).value();
    f.check_availability(f.model).value();
    CHECK(f.collector->stats().tracking_refused == 0);
}

TEST_CASE("of many variants beyond the bound, each is refused and counted") {
    CollectorFixture f({.max_tracked = 10});
    std::size_t tracked = 0;
    for (int i = 0; i < 1'000; ++i)
        tracked += f.collector->track(variant("v" + std::to_string(i))) ? 1U : 0U;
    CHECK(tracked == 10);
    CHECK(f.collector->stats().tracked_variants == 10);
    CHECK(f.collector->stats().tracking_refused == 990);
}

TEST_CASE("the cache of the default configuration holds all that it tracks") {
    CollectorFixture f;
    const std::size_t bound = CollectorConfig{}.max_tracked;
    for (std::size_t i = 0; i < bound; ++i) {
        VariantAutoscaling each = variant("variant-" + std::to_string(i));
        each.model_id = "meta-llama/Llama-3.1-8B-Instruct-" + std::to_string(i);
        REQUIRE(f.collector->track(each));
        REQUIRE(f.collector->track(each.model()));
        f.backend.set(
            replica_samples(each.model(), {"llama-7d9f8b6c5d-aaaaa", "llama-7d9f8b6c5d-bbbbb",
                                           "llama-7d9f8b6c5d-ccccc"}));
    }
    f.collector->start_background_fetching();
    for (int round = 0; round < 3; ++round)
        f.advance(15s);
    const CollectorStats stats = f.collector->stats();
    CHECK(stats.cache.entries == 2 * bound);
    CHECK(stats.cache.evictions == 0);
    CHECK(stats.tracking_refused == 0);
}

TEST_CASE("tracking can be left to the caller") {
    CollectorFixture f({.track_on_collection = false});
    f.collect(variant("v")).value();
    CHECK(f.collector->stats().tracked_variants == 0);
    CHECK(f.collector->invalidate_model(f.model) == 1); // Known, though not tracked.
    f.collector->track(variant("v"));
    CHECK(f.collector->stats().tracked_variants == 1);
}

TEST_CASE("rounds that a slow one delays are left out and counted") {
    CollectorFixture f({.cache = {.ttl = 100s, .fetch_interval = 5s}, .call_timeout = 60s});
    f.collect(variant("v")).value();
    f.collector->start_background_fetching();
    f.backend.hold();
    for (int second = 0; second < 40; ++second)
        f.advance(1s);
    CHECK(f.backend.waiting() == 1); // They never overlap.
    CHECK(f.collector->stats().skipped_rounds == 0);
    f.backend.release();
    f.settle();
    const std::uint64_t skipped = f.collector->stats().skipped_rounds;
    CHECK(skipped >= 6);
    CHECK(skipped <= 8);
    const std::uint64_t rounds = f.collector->stats().background_rounds;
    f.settle();
    CHECK(f.collector->stats().background_rounds == rounds); // Not at once,
    f.advance(5s + 500ms);
    CHECK(f.collector->stats().background_rounds == rounds + 1); // but in its turn.
}

TEST_CASE("a sample from the future is as old as nothing, and counted") {
    CollectorFixture f;
    f.backend.set(optimizer_metrics("v", 5, ManualClock::now() + 1h));
    const OptimizerSnapshot snapshot = f.collect(variant("v")).value();
    CHECK(snapshot->arrival_rate_per_minute.age(ManualClock::now()) == 0s);
    CHECK(snapshot.freshness() == Freshness::fresh);
    CHECK(f.collector->stats().samples_ahead == 1);
    f.backend.set(optimizer_metrics("w", 5, ManualClock::now()));
    f.collect(variant("w")).value();
    CHECK(f.collector->stats().samples_ahead == 1);
}
