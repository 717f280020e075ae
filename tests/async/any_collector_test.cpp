// SPDX-License-Identifier: Apache-2.0
#include "../support/collector_fixture.hpp"

#include "wva_metrics/any_collector.hpp"
#include "wva_metrics/cache/no_op_cache.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/bind_immediate_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_all.hpp>

#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// The fixture's collector in an `AnyCollector`.
struct AnyFixture : CollectorFixture {
    explicit AnyFixture(CollectorConfig config = {}) : CollectorFixture(std::move(config)) {}

    std::optional<AnyCollector> any{std::move(*collector)};
};

/// Made of one of two collectors of different types.
Result<AnyCollector> choose(bool cached, CollectorFixture& f) {
    if (cached)
        return Collector<ManualBackend, MemoryCache, NullObserver, ManualTimer>(f.io.get_executor(),
                                                                                f.backend);
    return Collector<ManualBackend, NoOpCache, NullObserver, ManualTimer>(f.io.get_executor(),
                                                                          f.backend);
}

} // namespace

TEST_CASE("collectors of different types are used alike once they are in an AnyCollector") {
    CollectorFixture f;
    for (const bool cached : {false, true}) {
        AnyCollector any = choose(cached, f).value();
        for (int i = 0; i < 2; ++i) {
            auto future =
                any.async_collect_optimizer_metrics(variant("v"), boost::asio::use_future);
            f.settle();
            CHECK(future.get().has_value());
        }
        CHECK(any.find_optimizer_metrics({"llm", "v"}).has_value() == cached);
        CHECK(any.stats().cache.hits == (cached ? 2 : 0));
    }
}

TEST_CASE("every operation of an AnyCollector takes callbacks, futures, coroutines and deferred "
          "tokens") {
    AnyFixture f;
    auto future = f.any->async_collect_optimizer_metrics(variant("v"), boost::asio::use_future);
    auto validated = f.any->async_validate_availability(f.model, boost::asio::use_future);
    auto deferred = f.any->async_collect_replica_metrics(f.model, {}, boost::asio::deferred);
    bool deferred_done = false;
    std::move(deferred)(
        [&](const Result<ReplicaSnapshot>& result) { deferred_done = result.has_value(); });
    bool coroutine_done = false;
    const auto body = [](AnyFixture& fixture, bool& done) -> boost::asio::awaitable<void> {
        auto metrics = co_await fixture.any->async_collect_optimizer_metrics(
            variant("w"), boost::asio::use_awaitable);
        auto replicas = co_await fixture.any->async_collect_replica_metrics(
            fixture.model, {}, boost::asio::use_awaitable);
        auto available = co_await fixture.any->async_validate_availability(
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

TEST_CASE("through an AnyCollector a move-only handler runs on the executor it is bound to, after "
          "a miss, a hit, a refusal and an error") {
    AnyFixture f;
    boost::asio::thread_pool pool(1);
    const auto runs_there = [&](const VariantAutoscaling& which) {
        auto owned = std::make_unique<int>(1);
        std::thread::id ran_on;
        std::atomic<bool> done = false;
        f.any->async_collect_optimizer_metrics(
            which, boost::asio::bind_executor(boost::asio::make_strand(pool),
                                              [&, owned = std::move(owned)](const auto&) {
                                                  ran_on = std::this_thread::get_id();
                                                  done = true;
                                                  done.notify_all();
                                              }));
        f.settle();
        done.wait(false);
        return ran_on != std::this_thread::get_id();
    };
    CHECK(runs_there(variant("v")));
    CHECK(runs_there(variant("v")));
    CHECK(runs_there(VariantAutoscaling()));
    f.backend.fail(Error(Errc::unreachable, "down"));
    CHECK(runs_there(variant("w")));
    CHECK(f.any->stats().cache.hits == 1);
    pool.join();
}

TEST_CASE("through an AnyCollector a waiting handler keeps its own executor's context busy") {
    AnyFixture f;
    f.backend.hold();
    boost::asio::io_context other;
    bool done = false;
    f.any->async_collect_optimizer_metrics(
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

TEST_CASE("through an AnyCollector a hit completes inside the call for a handler that allows it, "
          "and never otherwise") {
    AnyFixture f;
    int at_once = 0;
    const auto collect = [&](auto handler) {
        f.any->async_collect_optimizer_metrics(variant("v"), std::move(handler));
    };
    const auto immediate = boost::asio::bind_immediate_executor(boost::asio::system_executor(),
                                                                [&](const auto&) { ++at_once; });
    collect(immediate);
    CHECK(at_once == 0); // A miss.
    f.settle();
    CHECK(at_once == 1);
    collect(immediate);
    CHECK(at_once == 2);
    collect([&](const auto&) { ++at_once; });
    CHECK(at_once == 2);
    f.settle();
    CHECK(at_once == 3);
}

TEMPLATE_TEST_CASE("a handler may be erased by its owner already", "", AnyFixture,
                   CollectorFixture) {
    TestType f;
    boost::asio::thread_pool pool(1);
    const auto collect = [&](auto handler) {
        if constexpr (requires { f.any; })
            f.any->async_collect_optimizer_metrics(variant("v"), std::move(handler));
        else
            f.collector->async_collect_optimizer_metrics(variant("v"), std::move(handler));
    };
    for (int round = 0; round < 2; ++round) { // A miss, then a hit.
        boost::asio::cancellation_signal signal;
        std::thread::id ran_on;
        std::atomic<bool> done = false;
        collect(boost::asio::any_completion_handler<void(Result<OptimizerSnapshot>)>(
            boost::asio::bind_cancellation_slot(
                signal.slot(), boost::asio::bind_executor(pool, [&](const auto& result) {
                    ran_on = std::this_thread::get_id();
                    done = round == 0 ? result.error().is(Errc::aborted) : result.has_value();
                    done.notify_all();
                }))));
        signal.emit(boost::asio::cancellation_type::terminal);
        f.settle();
        done.wait(false);
        CHECK(ran_on != std::this_thread::get_id());
    }
    pool.join();
}

TEST_CASE("a caller of an AnyCollector leaves by its cancellation slot, and the fetch goes on for "
          "others") {
    AnyFixture f;
    f.backend.hold();
    boost::asio::cancellation_signal signal;
    std::optional<Result<OptimizerSnapshot>> left;
    std::optional<Result<OptimizerSnapshot>> stayed;
    f.any->async_collect_optimizer_metrics(
        variant("v"), boost::asio::bind_cancellation_slot(
                          signal.slot(), [&](auto result) { left = std::move(result); }));
    f.any->async_collect_optimizer_metrics(variant("v"),
                                           [&](auto result) { stayed = std::move(result); });
    f.settle();
    signal.emit(boost::asio::cancellation_type::total);
    f.settle();
    REQUIRE(left);
    CHECK(left->error().is(Errc::aborted));
    CHECK(!stayed);
    f.backend.release();
    f.settle();
    REQUIRE(stayed);
    CHECK(stayed->has_value());
    CHECK(f.backend.variants_requested().size() == 1);
}

TEST_CASE("destroying or replacing an AnyCollector completes who waits, once") {
    for (const bool replaced : {false, true}) {
        AnyFixture f;
        f.backend.hold();
        int completions = 0;
        f.any->async_collect_optimizer_metrics(variant("v"), [&](const auto& result) {
            completions += result.error().is(Errc::aborted) ? 1 : 100;
        });
        f.settle();
        CHECK(completions == 0);
        if (replaced)
            *f.any = choose(true, f).value();
        else
            f.any.reset();
        f.settle();
        CHECK(completions == 1);
        f.backend.release();
        f.settle();
        CHECK(completions == 1);
    }
}

TEST_CASE("an operation deferred past the end of its AnyCollector is aborted, and does not keep it "
          "alive") {
    AnyFixture f;
    f.backend.hold();
    auto deferred = f.any->async_collect_optimizer_metrics(variant("later"), boost::asio::deferred);
    bool waiter_aborted = false;
    f.any->async_collect_optimizer_metrics(variant("v"), [&](const auto& result) {
        waiter_aborted = result.error().is(Errc::aborted);
    });
    f.any.reset();
    f.settle();
    CHECK(waiter_aborted);
    bool aborted = false;
    std::move(deferred)([&](const auto& result) { aborted = result.error().is(Errc::aborted); });
    CHECK(!aborted); // Not inside the call.
    f.settle();
    CHECK(aborted);
}

TEST_CASE("a handler may destroy the AnyCollector that calls it, inside a call as well") {
    AnyFixture f;
    f.any->async_collect_optimizer_metrics(variant("v"), [](const auto&) {});
    f.settle();
    bool called = false;
    f.any->async_collect_optimizer_metrics(
        variant("v"),
        boost::asio::bind_immediate_executor(boost::asio::system_executor(), [&](const auto&) {
            f.any.reset();
            called = true;
        }));
    CHECK(called);
    f.settle();
}

TEST_CASE("an AnyCollector's io_context may be destroyed first") {
    ManualBackend backend;
    auto io = std::make_unique<boost::asio::io_context>();
    AnyCollector any = Collector<ManualBackend, MemoryCache, NullObserver, ManualTimer>(
        io->get_executor(), backend);
    const auto payload = std::make_shared<int>(1);
    backend.hold();
    any.async_collect_optimizer_metrics(variant("v"), [payload](const auto&) {});
    io->poll();
    io.reset();
    CHECK(payload.use_count() == 1); // The handler was dropped with its context, not leaked.
    CHECK(!any.find_optimizer_metrics({"llm", "v"}));
    any.track(variant("v"));
    CHECK(!any.start_background_fetching());
}

TEST_CASE("an AnyCollector passes everything else on") {
    AnyFixture f;
    const std::vector<VariantAutoscaling> variants{variant("v")};
    f.backend.set(replica_samples(f.model, {"llama-7d9f8b6c5d-x2k4p"}));
    f.any->track(variant("v"));
    f.any->track(f.model);
    CHECK(f.any->start_background_fetching());
    CHECK(!f.any->start_background_fetching());
    CHECK(f.any->health().background_running);
    f.advance(15s);
    CHECK(f.any->stats().tracked_variants == 1);
    CHECK(f.any->stats().tracked_models == 1);
    CHECK(f.any->find_optimizer_metrics({"llm", "v"}).has_value());
    const auto replicas = f.any->find_replica_metrics(f.model, variants);
    REQUIRE(replicas.has_value());
    CHECK((*replicas)->replicas.at(0).variant == "v");

    CHECK(f.any->invalidate_variant(variant("v")) == 2);
    f.advance(15s);
    CHECK(f.any->invalidate_model(f.model) == 2);
    f.advance(15s);
    CHECK(f.any->invalidate_prefix("replica:") == 1);
    f.any->untrack(VariantKey{"llm", "v"});
    f.any->untrack(f.model);
    CHECK(f.any->stats().tracked_variants == 0);
    CHECK(f.any->stats().tracked_models == 0);
    f.any->stop_background_fetching();
    CHECK(!f.any->health().background_running);

    CollectorConfig config = f.any->config();
    config.cache.ttl = 7s;
    CHECK(f.any->reconfigure(config).has_value());
    CHECK(f.any->config().cache.ttl == 7s);
    config.cache.ttl = 0s;
    CHECK(f.any->reconfigure(config).error().is(Errc::invalid_config));
    CHECK(f.any->config().cache.ttl == 7s);
    CHECK(f.any->get_executor() == f.io.get_executor());
}
