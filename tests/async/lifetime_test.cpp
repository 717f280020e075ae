// SPDX-License-Identifier: Apache-2.0
#include "support/collector_fixture.hpp"

#include "wva_metrics/collector/detail/batch.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <catch2/catch_all.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// A phase of a fetch in which something else happens.
struct Phase {
    std::string name;
    std::function<void(CollectorFixture&)> enter;
};

std::vector<Phase> phases() {
    return {
        {"no fetch", [](CollectorFixture&) {}},
        {"queued, not yet sent", [](CollectorFixture& f) { f.start(variant("v")); }},
        {"sent, waiting for the backend",
         [](CollectorFixture& f) {
             f.backend.hold();
             f.start(variant("v"));
             f.start(f.model, {variant("v")});
             f.settle();
         }},
        {"answered, not yet settled",
         [](CollectorFixture& f) {
             f.backend.hold();
             f.start(variant("v"));
             f.settle();
             f.backend.release();
         }},
        {"settled, completion not yet run",
         [](CollectorFixture& f) {
             f.start(variant("v"));
             f.io.restart();
             for (int i = 0; i < 4; ++i)
                 f.io.poll_one();
         }},
        {"revalidating after a stale hit",
         [](CollectorFixture& f) {
             f.collect(variant("v")).value();
             f.backend.hold();
             f.advance(31s);
             f.collect(variant("v")).value();
         }},
        {"in a background round",
         [](CollectorFixture& f) {
             f.collector->track(variant("v"));
             f.collector->track(f.model);
             f.collector->start_background_fetching();
             f.backend.hold();
             f.advance(15s);
         }},
        {"timed out, while the backend still runs",
         [](CollectorFixture& f) {
             f.backend.hold();
             f.start(variant("v"));
             f.settle();
             f.advance(10s);
         }},
    };
}

} // namespace

TEST_CASE("destroying the collector in any phase completes every waiter exactly once") {
    for (const Phase& phase : phases()) {
        INFO(phase.name);
        CollectorFixture f;
        phase.enter(f);
        int completions = 0;
        f.collector->async_collect_optimizer_metrics(variant("waiting"),
                                                     [&](const auto&) { ++completions; });
        f.collector.reset();
        f.backend.release();
        f.settle();
        CHECK(completions == 1);
        CHECK(f.io.stopped()); // Nothing keeps the io_context busy.
    }
}

TEST_CASE("a destroyed collector notifies its observer no more") {
    for (const Phase& phase : phases()) {
        INFO(phase.name);
        CollectorFixture f;
        phase.enter(f);
        f.collector.reset();
        f.observer.take();
        f.backend.release();
        f.settle();
        CHECK(f.observer.take().empty());
    }
}

TEST_CASE("a batch that is cancelled before it runs does not call the backend") {
    CollectorFixture f;
    const auto target =
        std::make_shared<const detail::Target>(detail::OptimizerTarget{variant("v")});
    const auto batch = std::make_shared<detail::Batch<ManualTimer>>(
        f.io.get_executor(),
        std::vector{std::make_shared<detail::Flight>(target, nullptr, ManualClock::now() + 10s)},
        detail::Origin::caller, detail::OverdueCalls());
    std::optional<detail::BatchAnswers> answers;
    batch->cancel();
    batch->run(
        std::make_shared<ManualBackend>(f.backend), 10s,
        [&](const auto& /*batch*/, detail::BatchAnswers given) { answers = std::move(given); });
    f.settle();
    REQUIRE(answers.has_value());
    CHECK(answers->error().is(Errc::aborted));
    CHECK(f.backend.batches() == 0);
    CHECK(f.io.stopped());
}

TEST_CASE("the io_context may be destroyed first, in any phase, and the collector used and "
          "destroyed after it") {
    for (const Phase& phase : phases()) {
        INFO(phase.name);
        auto backend = ManualBackend();
        auto io = std::make_unique<boost::asio::io_context>();
        std::unique_ptr<CollectorFixture::CollectorType> collector;
        auto payload = std::make_shared<int>(1);
        {
            CollectorFixture f; // Destroyed with its io_context, after the collector is moved out.
            phase.enter(f);
            f.collector->async_collect_optimizer_metrics(variant("waiting"),
                                                         [payload](const auto&) {});
            collector = std::move(f.collector);
        }
        CHECK(payload.use_count() == 1); // The handler was destroyed with its context, not leaked.
        collector->find_optimizer_metrics({"llm", "v"});
        collector->track(variant("other"));
        collector->untrack(VariantKey{"llm", "v"});
        collector->invalidate_model({"llm", "meta/llama"});
        CHECK(!collector->start_background_fetching());
        collector->stop_background_fetching();
        collector.reset();
    }
}

TEST_CASE("stopping and restarting the io_context in any phase loses nothing") {
    for (const Phase& phase : phases()) {
        INFO(phase.name);
        CollectorFixture f;
        phase.enter(f);
        f.io.stop();
        f.io.poll();
        f.backend.release();
        f.settle();
        const auto result = f.collect(variant("after"));
        CHECK(result.has_value());
    }
}

TEST_CASE("cancelling a waiter in any phase completes it exactly once") {
    for (const Phase& phase : phases()) {
        INFO(phase.name);
        CollectorFixture f;
        phase.enter(f);
        boost::asio::cancellation_signal signal;
        int completions = 0;
        f.collector->async_collect_optimizer_metrics(
            variant("v"), boost::asio::bind_cancellation_slot(signal.slot(),
                                                              [&](const auto&) { ++completions; }));
        signal.emit(boost::asio::cancellation_type::terminal);
        f.settle();
        CHECK(completions == 1);
        signal.emit(boost::asio::cancellation_type::terminal);
        f.backend.release();
        f.settle();
        CHECK(completions == 1);
    }
}

TEST_CASE("untracking and invalidating in any phase keeps answers in flight out of the cache") {
    for (const Phase& phase : phases()) {
        INFO(phase.name);
        CollectorFixture f;
        phase.enter(f);
        f.collector->untrack(VariantKey{"llm", "v"});
        f.collector->invalidate_model(f.model);
        f.backend.release();
        f.settle();
        CHECK(!f.collector->find_optimizer_metrics({"llm", "v"}));
        CHECK(!f.collector->find_replica_metrics(f.model, {}));
    }
}

TEST_CASE("a handler may destroy the collector that calls it") {
    CollectorFixture f;
    bool called = false;
    f.collector->async_collect_optimizer_metrics(variant("v"), [&](const auto&) {
        called = true;
        f.collector.reset();
    });
    const auto other = f.start(variant("w"));
    f.settle();
    CHECK(called);
    CHECK(other->has_value());
}

TEST_CASE("a collector can be moved, and assigning over one ends it") {
    CollectorFixture f;
    f.backend.hold();
    const auto pending = f.start(variant("v"));
    f.settle();
    CollectorFixture::CollectorType moved = std::move(*f.collector);
    moved = CollectorFixture::CollectorType(f.io.get_executor(), f.backend);
    f.settle();
    CHECK((*pending)->error().is(Errc::aborted));
    f.backend.release();
    f.settle();
}
