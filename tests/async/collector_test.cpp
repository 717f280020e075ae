// SPDX-License-Identifier: Apache-2.0
#include "../support/collector_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <stdexcept>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {
const Error outage(Errc::unreachable, "the backend is down", "http://prometheus:9090");
}

TEST_CASE("a miss asks the backend and a hit does not") {
    CollectorFixture f;
    f.backend.set(optimizer_metrics("v", 42));

    const auto first = f.collect(variant("v"));
    REQUIRE(first.has_value());
    CHECK((*first)->arrival_rate_per_minute.value() == 42);
    CHECK(first->source() == Source::backend);
    CHECK(first->freshness() == Freshness::fresh);

    f.backend.set(optimizer_metrics("v", 43));
    f.advance(30s);
    const auto second = f.collect(variant("v"));
    CHECK((*second)->arrival_rate_per_minute.value() == 42);
    CHECK(second->source() == Source::cache);
    CHECK(second->freshness() ==
          Freshness::stale); // The sample is 30 s old, whatever the TTL says.
    CHECK(f.backend.batches() == 1);

    const CollectorStats stats = f.collector->stats();
    CHECK(stats.cache.hits == 1);
    CHECK(stats.cache.misses == 1);
    CHECK(stats.targets == 1);
}

TEST_CASE("past its TTL an entry is served at once and renewed behind the caller") {
    CollectorFixture f;
    f.backend.set(optimizer_metrics("v", 1));
    f.collect(variant("v")).value();
    f.backend.set(optimizer_metrics("v", 2));
    f.advance(31s);

    const auto stale = f.collect(variant("v"));
    CHECK((*stale)->arrival_rate_per_minute.value() == 1);
    CHECK(f.backend.batches() == 2);
    CHECK((*f.collect(variant("v")))->arrival_rate_per_minute.value() == 2);
    CHECK(f.backend.batches() == 2);
    CHECK(f.collector->stats().cache.stale_hits == 1);
}

TEST_CASE("past the stale window the caller waits for a new answer") {
    CollectorFixture f;
    f.backend.set(optimizer_metrics("v", 1));
    f.collect(variant("v")).value();
    f.backend.set(optimizer_metrics("v", 2));
    f.advance(60s + 1ns);
    const auto fresh = f.collect(variant("v"));
    CHECK((*fresh)->arrival_rate_per_minute.value() == 2);
    CHECK(fresh->source() == Source::backend);
    // That it was still there for a failing backend does not make it a hit.
    CHECK(f.collector->stats().cache.stale_hits == 0);
    CHECK(f.collector->stats().cache.misses == 2);
}

TEST_CASE("callers that miss the same key at once are answered by one question") {
    CollectorFixture f;
    f.backend.set(optimizer_metrics("v", 7));
    f.backend.hold();
    const auto a = f.start(variant("v"));
    f.settle();
    const auto b = f.start(variant("v", "llama", 99.0)); // Another cost measures the same.
    f.settle();
    CHECK(!a->has_value());
    f.backend.release();
    f.settle();
    CHECK((***a)->arrival_rate_per_minute.value() == 7);
    CHECK((***b)->arrival_rate_per_minute.value() == 7);
    CHECK(f.backend.batches() == 1);
    CHECK(f.collector->stats().joined == 1);
}

TEST_CASE("different questions that are asked together are sent in one batch") {
    CollectorFixture f;
    std::vector<std::shared_ptr<std::optional<Result<OptimizerSnapshot>>>> waiting;
    for (int i = 0; i < 100; ++i)
        waiting.push_back(f.start(variant("v" + std::to_string(i))));
    f.settle();
    for (const auto& slot : waiting)
        CHECK(slot->value().has_value());
    CHECK(f.backend.batches() == 1);
    CHECK(f.backend.variants_requested().size() == 100);
}

TEST_CASE("a failure is remembered briefly, so that an outage is not hammered") {
    CollectorFixture f;
    f.backend.fail(outage);
    CHECK(f.collect(variant("v")).error() == outage);
    CHECK(f.collect(variant("v")).error() == outage);
    CHECK(f.backend.batches() == 1);
    CHECK(f.collector->stats().negative_hits == 1);
    f.advance(2s);
    f.backend.recover();
    CHECK(f.collect(variant("v")).has_value());
}

TEST_CASE(
    "an error is never cached over a good value; that value is served instead, marked and ageing") {
    CollectorFixture f;
    f.backend.set(optimizer_metrics("v", 5));
    f.collect(variant("v")).value();
    f.backend.fail(outage);
    f.advance(90s);

    const auto stale = f.collect(variant("v"));
    REQUIRE(stale.has_value());
    CHECK((*stale)->arrival_rate_per_minute.value() == 5);
    CHECK(stale->source() == Source::stale_on_error);
    CHECK(stale->freshness() == Freshness::stale);
    CHECK((*stale)->arrival_rate_per_minute.age(ManualClock::now()) == 90s);

    // find_* tells the same story without waiting.
    const auto found = f.collector->find_optimizer_metrics({"llm", "v"});
    REQUIRE(found.has_value());
    CHECK(found->source() == Source::stale_on_error);

    f.advance(240s + 1ns); // Past TTL + stale_if_error.
    CHECK(f.collect(variant("v")).error() == outage);
    CHECK(!f.collector->find_optimizer_metrics({"llm", "v"}));
    CHECK(!f.collector->health().healthy);

    f.advance(2s);
    f.backend.recover();
    CHECK(f.collect(variant("v"))->source() == Source::backend);
    CHECK(f.collector->health().healthy);
}

TEST_CASE("one bad question does not spoil the others' answers") {
    CollectorFixture f;
    f.backend.fail(VariantKey{"llm", "bad"}, Error(Errc::rejected, "no"));
    const auto good = f.start(variant("good"));
    const auto bad = f.start(variant("bad"));
    f.settle();
    CHECK(good->value().has_value());
    CHECK(bad->value().error().is(Errc::rejected));
}

TEST_CASE("a reading that the backend failed to give keeps its last value and its age") {
    CollectorFixture f;
    f.backend.set(optimizer_metrics("v", 5));
    f.collect(variant("v")).value();
    OptimizerMetrics failed = optimizer_metrics("v", 0);
    failed.arrival_rate_per_minute = Reading<double>::missing(ReadingReason::backend_error);
    failed.ttft_seconds = Reading<double>::measured(0.2, ManualClock::now());
    failed.partial = true;
    f.backend.set(failed);
    f.advance(61s);
    const auto merged = f.collect(variant("v"));
    CHECK((*merged)->partial);
    CHECK((*merged)->arrival_rate_per_minute.value() == 5);
    CHECK((*merged)->arrival_rate_per_minute.age(ManualClock::now()) == 61s);
    CHECK((*merged)->ttft_seconds.value() == 0.2);

    // A partial answer is not kept for the whole TTL.
    f.backend.set(optimizer_metrics("v", 6));
    f.advance(36s); // partial_ttl and the stale window
    CHECK((*f.collect(variant("v")))->arrival_rate_per_minute.value() == 6);
}

TEST_CASE("a reading is carried over no longer than an entry is served when the backend fails") {
    const auto ages = [](Duration stale_if_error) {
        CollectorFixture f({.cache = {.ttl = 30s,
                                      .stale_while_revalidate = 0s,
                                      .stale_if_error = stale_if_error}});
        f.backend.set(optimizer_metrics("v", 5));
        f.collect(variant("v")).value();
        OptimizerMetrics failed = optimizer_metrics("v", 0);
        failed.arrival_rate_per_minute = Reading<double>::missing(ReadingReason::backend_error);
        failed.partial = true;
        f.backend.set(failed);
        std::vector<Duration> carried;
        for (int i = 0; i < 12; ++i) {
            f.advance(36s);
            const auto merged = f.collect(variant("v"));
            const Reading<double> rate = (*merged)->arrival_rate_per_minute;
            if (rate.has_value())
                carried.push_back(rate.age(ManualClock::now()));
            else
                CHECK(rate.reason() == ReadingReason::backend_error);
        }
        return carried;
    };
    CHECK(ages(60s) == std::vector<Duration>{36s, 72s}); // Up to ttl + stale_if_error.
    CHECK(ages(0s).empty());
}

TEST_CASE(
    "invalidation after scaling removes the variant's entry and its model's replicas") { // not only
                                                                                         // one of
                                                                                         // them
    CollectorFixture f;
    const VariantAutoscaling scaled = variant("variant-name", "deployment-name");
    f.collect(scaled).value();
    f.collect(f.model, {scaled}).value();
    CHECK(f.collector->invalidate_variant(scaled) == 2);
    CHECK(!f.collector->find_optimizer_metrics(scaled.key()));
    CHECK(!f.collector->find_replica_metrics(f.model, {}));
    f.collect(scaled).value();
    CHECK(f.backend.batches() == 3);
}

TEST_CASE("invalidating a model removes its variants, replicas and availability, and nothing of a "
          "model like it") {
    CollectorFixture f;
    VariantAutoscaling other = variant("other");
    other.model_id = "meta/llama/2";
    f.collect(variant("v")).value();
    f.collect(other).value();
    f.collect(f.model, {}).value();
    f.check_availability(f.model).value();
    CHECK(f.collector->invalidate_model(f.model) == 3);
    CHECK(f.collector->find_optimizer_metrics(other.key()));
    CHECK(f.collector->invalidate_model({"llm/meta", "llama"}) == 0);
}

TEST_CASE("an answer that was under way when its key was invalidated is not cached") {
    CollectorFixture f;
    f.backend.set(optimizer_metrics("v", 1));
    f.backend.hold();
    const auto before = f.start(variant("v"));
    f.settle();
    f.collector->invalidate_variant(variant("v"));
    const auto after = f.start(variant("v")); // Does not join the flight from before.
    f.settle();
    CHECK(f.backend.batches() == 2);
    f.backend.release();
    f.settle();
    CHECK(before->value().has_value());
    CHECK(after->value().has_value());
    CHECK(f.collector->stats().discarded == 1);

    f.collector->invalidate_prefix(key_prefix(EntryKind::optimizer, "llm"));
    CHECK(!f.collector->find_optimizer_metrics({"llm", "v"}));
}

TEST_CASE("an answer for a variant that was untracked meanwhile is not cached, and asking again "
          "tracks it again") {
    CollectorFixture f;
    f.backend.hold();
    const auto pending = f.start(variant("v"));
    f.settle();
    f.collector->untrack(VariantKey{"llm", "v"});
    f.backend.release();
    f.settle();
    CHECK(pending->value().has_value());
    CHECK(!f.collector->find_optimizer_metrics({"llm", "v"}));
    CHECK(f.collector->stats().tracked_variants == 0);
    f.collect(variant("v")).value();
    CHECK(f.collector->stats().tracked_variants == 1);
}

TEST_CASE("callers with different variants or costs get their own join of the same samples") {
    CollectorFixture f;
    f.backend.set(replica_samples(f.model, {"a100-7d9f8b6c5d-x2k4p", "h100-6c5d7d9f8b-q9w8z"}));
    const auto a = f.collect(f.model, {variant("a", "a100", 40)});
    const auto b = f.collect(f.model, {variant("b", "h100", 90)});
    const auto cheaper = f.collect(f.model, {variant("a", "a100", 20)});
    CHECK(f.backend.batches() == 1);
    REQUIRE((*a)->replicas.size() == 1);
    CHECK((*a)->replicas[0].variant == "a");
    CHECK((*a)->replicas[0].cost == 40);
    CHECK((*a)->unattributed_pods == std::vector<std::string>{"h100-6c5d7d9f8b-q9w8z"});
    REQUIRE((*b)->replicas.size() == 1);
    CHECK((*b)->replicas[0].variant == "b");
    CHECK((*cheaper)->replicas[0].cost == 20);
    // The same caller again costs no join: it is the same object.
    CHECK(f.collect(f.model, {variant("a", "a100", 40)})->shared() == a->shared());
}

TEST_CASE("a variant that scales another deployment now is another question, in the foreground and "
          "behind") {
    CollectorFixture f;
    f.collect(variant("v", "old")).value();
    f.collect(variant("v", "new")).value();
    CHECK(f.backend.variants_requested().back().deployment == "new");
    f.advance(31s);
    f.collect(variant("v", "new")).value();
    CHECK(f.backend.variants_requested().back().deployment == "new");
}

TEST_CASE("a variant that scales another kind of workload now is another question, in the "
          "foreground and behind") {
    CollectorFixture f;
    f.collect(variant("v")).value();
    VariantAutoscaling changed = variant("v");
    changed.target_kind = "StatefulSet";
    CHECK(f.collect(changed).value()->target_kind == "StatefulSet");
    CHECK(f.backend.variants_requested().back().target_kind == "StatefulSet");
    f.advance(31s);
    f.collect(changed).value();
    CHECK(f.backend.variants_requested().size() == 3);
    CHECK(f.backend.variants_requested().back().target_kind == "StatefulSet");
}

TEST_CASE("availability is cached, absence only briefly, and a failing backend is a reason, not an "
          "error") {
    CollectorFixture f;
    const Availability missing{false, AvailabilityReason::metrics_missing, "nothing there"};
    f.backend.set(f.model, missing);
    CHECK(f.check_availability(f.model).value() == missing);
    CHECK(f.check_availability(f.model).value() == missing);
    CHECK(f.backend.models_checked().size() == 1);

    f.backend.fail(outage);
    const ModelKey unknown{"llm", "unknown"};
    const Availability failed = f.check_availability(unknown).value();
    CHECK(!failed.available);
    CHECK(failed.reason == AvailabilityReason::backend_error);
    CHECK(failed.message == outage.describe());
}

TEST_CASE("an unusable question is refused before anything is asked") {
    CollectorFixture f;
    CHECK(f.collect(variant("")).error().is(Errc::invalid_argument));
    CHECK(f.collect(variant("v", "")).error().is(Errc::invalid_argument));
    CHECK(f.collect(ModelKey{"llm", ""}, {}).error().is(Errc::invalid_argument));
    CHECK(f.collect(ModelKey{"", "m"}, {}).error().is(Errc::invalid_argument));
    CHECK(f.backend.batches() == 0);
}

TEST_CASE("a backend that never answers costs a caller call_timeout and no more") {
    CollectorFixture f;
    f.backend.hold();
    const auto pending = f.start(variant("v"));
    f.settle();
    f.advance(10s - 1ns);
    CHECK(!pending->has_value());
    f.advance(1ns);
    REQUIRE(pending->has_value());
    CHECK((*pending)->error().is(Errc::timeout));
    CHECK(f.collector->stats().in_flight == 0);
    f.backend.release();
    f.settle();
}

TEST_CASE("a backend that throws or answers too little is an error, not a crash") {
    CollectorFixture f;
    f.backend.throw_always(std::make_exception_ptr(std::runtime_error("boom")));
    const auto thrown = f.collect(variant("v"));
    CHECK(thrown.error().is(Errc::internal));
    CHECK(thrown.error().message.find("boom") != std::string::npos);
}

TEST_CASE("a cancelled caller leaves at once and the flight goes on for the others and the cache") {
    CollectorFixture f;
    f.backend.hold();
    boost::asio::cancellation_signal signal;
    std::optional<Result<OptimizerSnapshot>> cancelled;
    f.collector->async_collect_optimizer_metrics(
        variant("v"),
        boost::asio::bind_cancellation_slot(signal.slot(), [&](Result<OptimizerSnapshot> result) {
            cancelled = std::move(result);
        }));
    const auto other = f.start(variant("v"));
    f.settle();
    signal.emit(boost::asio::cancellation_type::terminal);
    CHECK(!cancelled); // Never from inside emit.
    f.settle();
    REQUIRE(cancelled.has_value());
    CHECK(cancelled->error().is(Errc::aborted));
    CHECK(!other->has_value());
    f.backend.release();
    f.settle();
    CHECK(other->value().has_value());
    signal.emit(boost::asio::cancellation_type::terminal); // Too late, harmless.
    CHECK(f.collector->find_optimizer_metrics({"llm", "v"}));
}

TEST_CASE("completions never run inside the initiating function") {
    CollectorFixture f;
    f.collect(variant("v")).value();
    bool done = false;
    f.collector->async_collect_optimizer_metrics(variant("v"), [&](const auto&) { done = true; });
    CHECK(!done);
    f.settle();
    CHECK(done);
}

TEST_CASE("with caching off every call asks the backend, equal ones at once still together") {
    CollectorFixture f({.cache = {.enabled = false}});
    f.collect(variant("v")).value();
    f.collect(variant("v")).value();
    CHECK(f.backend.batches() == 2);
    const auto a = f.start(variant("v"));
    const auto b = f.start(variant("v"));
    f.settle();
    CHECK(f.backend.variants_requested().size() == 3);
    CHECK(!f.collector->find_optimizer_metrics({"llm", "v"}));
}

TEST_CASE("more waiting callers than max_waiters are refused with the bound's name") {
    CollectorFixture f({.max_waiters = 1});
    f.backend.hold();
    const auto first = f.start(variant("v"));
    const auto second = f.start(variant("v"));
    f.settle();
    CHECK((*second)->error().is(Errc::too_costly));
    CHECK((*second)->error().message.find("max_waiters") != std::string::npos);
    f.backend.release();
    f.settle();
    CHECK((*first)->has_value());
}

TEST_CASE("a wrong configuration is refused with everything that is wrong with it") {
    boost::asio::io_context io;
    try {
        const CollectorFixture::CollectorType collector(
            io.get_executor(), ManualBackend(), {.cache = {.ttl = -1s}, .call_timeout = 0s});
        FAIL("accepted");
    } catch (const ResultError& error) {
        CHECK(error.error().is(Errc::invalid_config));
        CHECK(error.error().message.find("cache.ttl") != std::string::npos);
        CHECK(error.error().message.find("call_timeout") != std::string::npos);
    }
}

TEST_CASE("an observer that throws harms nobody and is counted") {
    struct Throwing {
        void operator()(const events::Hit&) { throw std::runtime_error("observer"); }
    };
    boost::asio::io_context io;
    ManualBackend backend;
    Collector<ManualBackend, MemoryCache, Throwing, ManualTimer> collector(io.get_executor(),
                                                                           backend);
    int answers = 0;
    for (int i = 0; i < 2; ++i) {
        collector.async_collect_optimizer_metrics(
            variant("v"), [&](const auto& result) { answers += result.has_value(); });
        io.restart();
        io.poll();
    }
    CHECK(answers == 2);
    CHECK(collector.stats().observer_failures == 1);
}

TEST_CASE("a backend need not repeat whom it was asked about") {
    struct Terse {
        asio::awaitable<Result<Availability>> check_availability(ModelKey) {
            co_return Availability{};
        }
        asio::awaitable<std::vector<Result<OptimizerMetrics>>>
        fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants) {
            co_return std::vector<Result<OptimizerMetrics>>(variants.size(), OptimizerMetrics());
        }
        asio::awaitable<std::vector<Result<ReplicaSamples>>>
        fetch_replica_samples(std::vector<ModelKey> models) {
            ReplicaSamples samples;
            samples.pods.resize(1);
            samples.pods[0].pod = "llama-7d9f8b6c5d-x2k4p";
            co_return std::vector<Result<ReplicaSamples>>(models.size(), samples);
        }
    };
    boost::asio::io_context io;
    Collector<Terse, MemoryCache, NullObserver, ManualTimer> collector(io.get_executor(), Terse());
    std::size_t replicas = 0;
    std::string deployment;
    collector.async_collect_replica_metrics(
        {"llm", "meta/llama"}, {variant("v")},
        [&](const Result<ReplicaSnapshot>& result) { replicas = (*result)->replicas.size(); });
    collector.async_collect_optimizer_metrics(
        variant("v"),
        [&](const Result<OptimizerSnapshot>& result) { deployment = (*result)->deployment; });
    io.poll();
    CHECK(replicas == 1);
    CHECK(deployment == "llama");
}
