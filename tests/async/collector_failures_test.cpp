// SPDX-License-Identifier: Apache-2.0
#include "support/collector_fixture.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <catch2/catch_all.hpp>

#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

const Error outage(Errc::unreachable, "the backend is down", "http://prometheus:9090");

} // namespace

TEST_CASE("a failure is remembered briefly, so that a failing backend is not flooded") {
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

TEST_CASE("what failed together is asked for together, whoever asks for one of it first") {
    CollectorFixture f;
    for (const char* name : {"a", "b", "c"})
        f.collect(variant(name)).value();
    f.collect(f.model, {}).value();
    f.backend.fail(outage);
    f.advance(90s);
    for (const char* name : {"a", "b"})
        f.collect(variant(name)).value();
    f.collect(f.model, {}).value();
    f.advance(2s);
    f.backend.recover();

    const std::size_t batches = f.backend.batches();
    CHECK(f.collect(variant("b"))->source() == Source::backend);
    CHECK(f.backend.batches() == batches + 2); // One of variants, one of models.
    CHECK(f.collect(variant("a"))->source() == Source::cache);
    CHECK(f.collect(f.model, {})->source() == Source::cache);
    // It had not failed, so it was left alone.
    CHECK(f.collect(variant("c"))->source() == Source::backend);
    CHECK(f.backend.batches() == batches + 3);
}

TEST_CASE("an error never replaces a good value: that value is served instead, marked and ageing") {
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

    // find_* returns the same without waiting.
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

TEST_CASE("one failed target does not affect the others") {
    CollectorFixture f;
    f.backend.fail(VariantKey{"llm", "bad"}, Error(Errc::rejected, "no"));
    const auto good = f.start(variant("good"));
    const auto bad = f.start(variant("bad"));
    f.settle();
    CHECK(good->value().has_value());
    CHECK(bad->value().error().is(Errc::rejected));
}

TEST_CASE("a reading that the backend failed to return keeps its last value and its age") {
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

TEST_CASE("a total that is kept stays the total of the pods that it counted") {
    CollectorFixture f;
    OptimizerMetrics good = optimizer_metrics("v", 5);
    good.arrival_rate_per_minute = Reading<double>::measured(
        5, ManualClock::now(), {}, {.statistic = Statistic::rate, .is_lower_bound = true});
    good.coverage = cover(1, {"busy"});
    f.backend.set(good);
    f.collect(variant("v")).value();
    OptimizerMetrics failed = optimizer_metrics("v", 0);
    failed.arrival_rate_per_minute = Reading<double>::missing(ReadingReason::backend_error);
    failed.partial = true;
    f.backend.set(failed);
    f.advance(61s);
    const auto merged = f.collect(variant("v"));
    CHECK((*merged)->arrival_rate_per_minute.is_lower_bound());
    CHECK((*merged)->coverage == good.coverage);

    // A new total has its own.
    f.backend.set(optimizer_metrics("v", 6));
    f.advance(36s);
    CHECK((*f.collect(variant("v")))->coverage == TotalCoverage());
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

TEST_CASE("availability is cached, absence only briefly, and a failing backend is a reason, not an "
          "error") {
    CollectorFixture f;
    const Availability missing{false, AvailabilityReason::metrics_missing, "nothing there"};
    f.backend.set(f.model, missing);
    for (const Source source : {Source::backend, Source::cache}) {
        const Availability checked = f.check_availability(f.model).value();
        CHECK(!checked.available);
        CHECK(checked.reason == AvailabilityReason::metrics_missing);
        CHECK(checked.message == "nothing there");
        CHECK(checked.checked_at == ManualClock::now());
        CHECK(checked.source == source);
    }
    CHECK(f.backend.models_checked().size() == 1);

    f.backend.fail(outage);
    const ModelKey unknown{"llm", "unknown"};
    const Availability failed = f.check_availability(unknown).value();
    CHECK(!failed.available);
    CHECK(failed.reason == AvailabilityReason::backend_error);
    CHECK(failed.message == outage.describe());
    CHECK(!failed.checked_at);
    CHECK(!failed.last_sample_at);
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

TEST_CASE("a backend that throws is an error, not a crash") {
    CollectorFixture f;
    f.backend.throw_always(std::make_exception_ptr(std::runtime_error("boom")));
    const auto thrown = f.collect(variant("v"));
    CHECK(thrown.error().is(Errc::internal));
    CHECK(thrown.error().message.find("boom") != std::string::npos);
}

TEST_CASE(
    "a cancelled caller leaves at once, and the fetch continues for the others and the cache") {
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

TEST_CASE("more waiting callers than max_waiters are rejected with the name of the bound") {
    CollectorFixture f({.max_waiters = 1});
    f.backend.hold();
    const auto first = f.start(variant("v"));
    const auto second = f.start(variant("v"));
    f.settle();
    CHECK((*second)->error().is(Errc::unavailable));
    CHECK((*second)->error().message.find("max_waiters") != std::string::npos);
    f.backend.release();
    f.settle();
    CHECK((*first)->has_value());
}

TEST_CASE("exceptions of an observer are counted and affect nothing else") {
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
