// SPDX-License-Identifier: Apache-2.0
#include "../support/collector_fixture.hpp"

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_all.hpp>

#include <memory>
#include <thread>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

TEST_CASE("every operation takes callbacks, futures, coroutines and deferred tokens") {
    CollectorFixture f;
    auto future =
        f.collector->async_collect_optimizer_metrics(variant("v"), boost::asio::use_future);
    auto validated = f.collector->async_validate_availability(f.model, boost::asio::use_future);
    auto deferred = f.collector->async_collect_replica_metrics(f.model, {}, boost::asio::deferred);
    bool deferred_done = false;
    std::move(deferred)(
        [&](const Result<ReplicaSnapshot>& result) { deferred_done = result.has_value(); });
    bool coroutine_done = false;
    const auto body = [](CollectorFixture& fixture, bool& done) -> boost::asio::awaitable<void> {
        auto metrics = co_await fixture.collector->async_collect_optimizer_metrics(
            variant("w"), boost::asio::use_awaitable);
        auto replicas = co_await fixture.collector->async_collect_replica_metrics(
            fixture.model, {}, boost::asio::use_awaitable);
        auto available = co_await fixture.collector->async_validate_availability(
            fixture.model, boost::asio::use_awaitable);
        done = metrics.has_value() && replicas.has_value() && available.has_value();
    };
    boost::asio::co_spawn(f.io, body(f, coroutine_done), boost::asio::detached);
    f.settle();
    CHECK(future.get().has_value());
    CHECK(validated.get()->available);
    CHECK(deferred_done);
    CHECK(coroutine_done);
}

TEST_CASE("a handler is move-only and runs on the executor it is bound to, after a hit and after a "
          "miss") {
    CollectorFixture f;
    boost::asio::thread_pool pool(1);
    for (int round = 0; round < 2; ++round) { // A miss, then a hit.
        auto owned = std::make_unique<int>(round);
        std::thread::id ran_on;
        std::atomic<bool> done = false;
        f.collector->async_collect_optimizer_metrics(
            variant("v"),
            boost::asio::bind_executor(pool, [&, owned = std::move(owned)](const auto& result) {
                ran_on = std::this_thread::get_id();
                done = result.has_value();
                done.notify_all();
            }));
        f.settle();
        done.wait(false);
        CHECK(ran_on != std::this_thread::get_id());
    }
    CHECK(f.collector->stats().cache.hits == 1);
    pool.join();
}

TEST_CASE("a waiting handler keeps its own executor's context busy until it has run") {
    CollectorFixture f;
    f.backend.hold();
    boost::asio::io_context other;
    bool done = false;
    f.collector->async_collect_optimizer_metrics(
        variant("v"),
        boost::asio::bind_executor(other.get_executor(), [&](const auto&) { done = true; }));
    f.settle();
    other.poll();
    CHECK(!other.stopped());
    f.backend.release();
    f.settle();
    other.run();
    CHECK(done);
}

TEST_CASE("a coroutine that is cancelled while it waits gets its cancellation") {
    CollectorFixture f;
    f.backend.hold();
    boost::asio::cancellation_signal signal;
    Errc seen{};
    const auto body = [](CollectorFixture& fixture, Errc& code) -> boost::asio::awaitable<void> {
        co_await boost::asio::this_coro::throw_if_cancelled(false);
        auto result = co_await fixture.collector->async_collect_optimizer_metrics(
            variant("v"), boost::asio::use_awaitable);
        code = result.error().is(Errc::aborted) ? Errc::aborted : Errc::internal;
    };
    boost::asio::co_spawn(
        f.io, body(f, seen),
        boost::asio::bind_cancellation_slot(signal.slot(), boost::asio::detached));
    f.settle();
    signal.emit(boost::asio::cancellation_type::terminal);
    f.settle();
    CHECK(seen == Errc::aborted);
    f.backend.release();
    f.settle();
}
