// SPDX-License-Identifier: Apache-2.0
#include "support/any_collector_fixture.hpp"
#include "wva_metrics/cache/no_op_cache.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/bind_immediate_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/system_executor.hpp>
#include <boost/asio/thread_pool.hpp>
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

/// Holds one of two collectors of different types.
Result<AnyCollector> choose(bool cached, CollectorFixture& f) {
    if (cached)
        return Collector<ManualBackend, MemoryCache, NullObserver, ManualTimer>(f.io.get_executor(),
                                                                                f.backend);
    return Collector<ManualBackend, NoOpCache, NullObserver, ManualTimer>(f.io.get_executor(),
                                                                          f.backend);
}

} // namespace

TEST_CASE("collectors of different types are used alike in an AnyCollector") {
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

TEMPLATE_TEST_CASE("a handler may be an any_completion_handler", "", AnyCollectorFixture,
                   CollectorFixture) {
    TestType f;
    boost::asio::thread_pool pool(1);
    const auto collect = [&](auto handler) {
        f.target().async_collect_optimizer_metrics(variant("v"), std::move(handler));
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

TEST_CASE("a cancelled caller of an AnyCollector leaves, and the fetch continues for others") {
    AnyCollectorFixture f;
    f.backend.hold();
    boost::asio::cancellation_signal signal;
    std::optional<Result<OptimizerSnapshot>> left;
    std::optional<Result<OptimizerSnapshot>> stayed;
    f.target().async_collect_optimizer_metrics(
        variant("v"), boost::asio::bind_cancellation_slot(
                          signal.slot(), [&](auto result) { left = std::move(result); }));
    f.target().async_collect_optimizer_metrics(variant("v"),
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

TEST_CASE("destroying or replacing an AnyCollector completes each waiting caller once") {
    for (const bool replaced : {false, true}) {
        AnyCollectorFixture f;
        f.backend.hold();
        int completions = 0;
        f.target().async_collect_optimizer_metrics(variant("v"), [&](const auto& result) {
            completions += result.error().is(Errc::aborted) ? 1 : 100;
        });
        f.settle();
        CHECK(completions == 0);
        if (replaced)
            *f.any = choose(true, f).value();
        else
            f.destroy();
        f.settle();
        CHECK(completions == 1);
        f.backend.release();
        f.settle();
        CHECK(completions == 1);
    }
}

TEST_CASE("an operation deferred past the end of its AnyCollector is aborted, and does not keep it "
          "alive") {
    AnyCollectorFixture f;
    f.backend.hold();
    auto deferred =
        f.target().async_collect_optimizer_metrics(variant("later"), boost::asio::deferred);
    bool waiter_aborted = false;
    f.target().async_collect_optimizer_metrics(variant("v"), [&](const auto& result) {
        waiter_aborted = result.error().is(Errc::aborted);
    });
    f.destroy();
    f.settle();
    CHECK(waiter_aborted);
    bool aborted = false;
    std::move(deferred)([&](const auto& result) { aborted = result.error().is(Errc::aborted); });
    CHECK(!aborted); // Not inside the call.
    f.settle();
    CHECK(aborted);
}

TEST_CASE("a handler may destroy the AnyCollector that calls it, inside a call as well") {
    AnyCollectorFixture f;
    f.target().async_collect_optimizer_metrics(variant("v"), [](const auto&) {});
    f.settle();
    bool called = false;
    f.target().async_collect_optimizer_metrics(
        variant("v"),
        boost::asio::bind_immediate_executor(boost::asio::system_executor(), [&](const auto&) {
            f.destroy();
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
    CHECK(payload.use_count() == 1); // The handler was destroyed with its context, not leaked.
    CHECK(!any.find_optimizer_metrics({"llm", "v"}));
    any.track(variant("v"));
    CHECK(!any.start_background_fetching());
}

TEST_CASE("an AnyCollector forwards all other functions") {
    AnyCollectorFixture f;
    const std::vector<VariantAutoscaling> variants{variant("v")};
    f.backend.set(replica_samples(f.model, {"llama-7d9f8b6c5d-x2k4p"}));
    f.target().track(variant("v"));
    f.target().track(f.model);
    CHECK(f.target().start_background_fetching());
    CHECK(!f.target().start_background_fetching());
    CHECK(f.target().health().background_running);
    f.advance(15s);
    CHECK(f.target().stats().tracked_variants == 1);
    CHECK(f.target().stats().tracked_models == 1);
    CHECK(f.target().find_optimizer_metrics({"llm", "v"}).has_value());
    const auto replicas = f.target().find_replica_metrics(f.model, variants);
    REQUIRE(replicas.has_value());
    CHECK((*replicas)->replicas.at(0).variant == "v");

    CHECK(f.target().invalidate_variant(variant("v")) == 2);
    f.advance(15s);
    CHECK(f.target().invalidate_model(f.model) == 2);
    f.advance(15s);
    CHECK(f.target().invalidate_prefix("replica:") == 1);
    f.target().untrack(VariantKey{"llm", "v"});
    f.target().untrack(f.model);
    CHECK(f.target().stats().tracked_variants == 0);
    CHECK(f.target().stats().tracked_models == 0);
    f.target().stop_background_fetching();
    CHECK(!f.target().health().background_running);

    CollectorConfig config = f.target().config();
    config.cache.ttl = 7s;
    CHECK(f.target().reconfigure(config).has_value());
    CHECK(f.target().config().cache.ttl == 7s);
    config.cache.ttl = 0s;
    CHECK(f.target().reconfigure(config).error().is(Errc::invalid_config));
    CHECK(f.target().config().cache.ttl == 7s);
    CHECK(f.target().get_executor() == f.io.get_executor());
}
