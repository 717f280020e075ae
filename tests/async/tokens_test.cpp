// SPDX-License-Identifier: Apache-2.0
#include "support/any_collector_fixture.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/bind_allocator.hpp>
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

#include <atomic>
#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// Counts the allocations that are not freed yet, and all there ever were. Copies share the counts.
template <typename T>
struct CountingAllocator {
    using value_type = T;

    CountingAllocator(int& now, int& ever) : live(&now), total(&ever) {}
    template <typename U>
    CountingAllocator(const CountingAllocator<U>& other) : live(other.live), total(other.total) {}

    T* allocate(std::size_t count) {
        ++*live;
        ++*total;
        return std::allocator<T>().allocate(count);
    }
    void deallocate(T* memory, std::size_t count) {
        --*live;
        std::allocator<T>().deallocate(memory, count);
    }
    friend bool operator==(const CountingAllocator&, const CountingAllocator&) = default;

    int* live;
    int* total;
};

} // namespace

TEMPLATE_TEST_CASE("every operation takes callbacks, futures, coroutines and deferred tokens", "",
                   CollectorFixture, AnyCollectorFixture) {
    TestType f;
    auto& collector = f.target();
    auto future = collector.async_collect_optimizer_metrics(variant("v"), boost::asio::use_future);
    auto validated = collector.async_validate_availability(f.model, boost::asio::use_future);
    auto deferred = collector.async_collect_replica_metrics(f.model, {}, boost::asio::deferred);
    bool deferred_done = false;
    std::move(deferred)(
        [&](const Result<ReplicaSnapshot>& result) { deferred_done = result.has_value(); });
    bool coroutine_done = false;
    const auto body = [](TestType& fixture, bool& done) -> boost::asio::awaitable<void> {
        auto metrics = co_await fixture.target().async_collect_optimizer_metrics(
            variant("w"), boost::asio::use_awaitable);
        auto replicas = co_await fixture.target().async_collect_replica_metrics(
            fixture.model, {}, boost::asio::use_awaitable);
        auto available = co_await fixture.target().async_validate_availability(
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

TEMPLATE_TEST_CASE("without a token every operation can be awaited", "", CollectorFixture,
                   AnyCollectorFixture) {
    TestType f;
    bool done = false;
    const auto body = [](TestType& fixture, bool& is_done) -> boost::asio::awaitable<void> {
        auto metrics = co_await fixture.target().async_collect_optimizer_metrics(variant("v"));
        auto replicas = co_await fixture.target().async_collect_replica_metrics(fixture.model, {});
        auto available = co_await fixture.target().async_validate_availability(fixture.model);
        is_done = metrics.has_value() && replicas.has_value() && available.has_value();
    };
    boost::asio::co_spawn(f.io, body(f, done), boost::asio::detached);
    f.settle();
    CHECK(done);
}

TEMPLATE_TEST_CASE(
    "a move-only handler runs on the executor it is bound to, after a miss, a hit, a "
    "rejection and an error",
    "", CollectorFixture, AnyCollectorFixture) {
    TestType f;
    boost::asio::thread_pool pool(1);
    const auto runs_there = [&](const VariantAutoscaling& which) {
        auto owned = std::make_unique<int>(1);
        std::thread::id ran_on;
        std::atomic<bool> done = false;
        f.target().async_collect_optimizer_metrics(
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
    CHECK(f.target().stats().cache.hits == 1);
    pool.join();
}

TEMPLATE_TEST_CASE("a waiting handler keeps its own executor's context busy until it has run", "",
                   CollectorFixture, AnyCollectorFixture) {
    TestType f;
    f.backend.hold();
    boost::asio::io_context other;
    bool done = false;
    f.target().async_collect_optimizer_metrics(
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

TEMPLATE_TEST_CASE("a hit completes inside the call for a handler whose immediate executor allows "
                   "it, and never otherwise",
                   "", CollectorFixture, AnyCollectorFixture) {
    TestType f;
    int completions = 0;
    const auto collect = [&](auto handler) {
        f.target().async_collect_optimizer_metrics(variant("v"), std::move(handler));
    };
    const auto immediate = boost::asio::bind_immediate_executor(
        boost::asio::system_executor(), [&](const auto&) { ++completions; });
    collect(immediate);
    CHECK(completions == 0); // A miss.
    f.settle();
    CHECK(completions == 1);
    collect(immediate);
    CHECK(completions == 2);
    collect([&](const auto&) { ++completions; });
    CHECK(completions == 2);
    f.settle();
    CHECK(completions == 3);
}

TEMPLATE_TEST_CASE(
    "an operation allocates with its handler's allocator, and frees all of it before "
    "the handler runs",
    "", CollectorFixture, AnyCollectorFixture) {
    TestType f;
    f.backend.hold();
    int live = 0;
    int total = 0;
    int live_in_handler = -1;
    const auto collect = [&] {
        f.target().async_collect_optimizer_metrics(
            variant("v"),
            boost::asio::bind_allocator(CountingAllocator<void>(live, total),
                                        [&](const auto&) { live_in_handler = live; }));
    };
    collect();
    CHECK(live > 0); // A waiting miss.
    CHECK(total > 0);
    f.backend.release();
    f.settle();
    CHECK(live_in_handler == 0);
    CHECK(live == 0);

    live_in_handler = -1;
    collect(); // A hit.
    f.settle();
    CHECK(live_in_handler == 0);
    CHECK(live == 0);
}

TEMPLATE_TEST_CASE("a handler's allocator gets its memory back if the collector is destroyed", "",
                   CollectorFixture, AnyCollectorFixture) {
    int live = 0;
    int total = 0;
    bool is_aborted = false;
    {
        TestType f;
        f.backend.hold();
        f.target().async_collect_optimizer_metrics(
            variant("v"), boost::asio::bind_allocator(
                              CountingAllocator<void>(live, total), [&](const auto& result) {
                                  is_aborted = result.error().is(Errc::aborted) && live == 0;
                              }));
        f.settle();
        CHECK(live > 0);
        f.destroy();
        f.settle();
        CHECK(is_aborted);
    }
    CHECK(live == 0);
}

TEMPLATE_TEST_CASE("a handler's allocator gets its memory back if the io_context is destroyed", "",
                   CollectorFixture, AnyCollectorFixture) {
    const bool is_erased = GENERATE(false, true);
    INFO("in an any_completion_handler: " << is_erased);
    int live = 0;
    int total = 0;
    {
        TestType f;
        f.backend.hold();
        auto handler =
            boost::asio::bind_allocator(CountingAllocator<void>(live, total), [](const auto&) {});
        if (is_erased)
            f.target().async_collect_optimizer_metrics(
                variant("v"),
                boost::asio::any_completion_handler<void(Result<OptimizerSnapshot>)>(handler));
        else
            f.target().async_collect_optimizer_metrics(variant("v"), handler);
        CHECK(live > 0);
    } // Nothing ran: the handler is destroyed with the context.
    CHECK(live == 0);
}

TEMPLATE_TEST_CASE("a coroutine that is cancelled while it waits gets its cancellation", "",
                   CollectorFixture, AnyCollectorFixture) {
    TestType f;
    f.backend.hold();
    boost::asio::cancellation_signal signal;
    bool is_aborted = false;
    const auto body = [](TestType& fixture, bool& aborted) -> boost::asio::awaitable<void> {
        co_await boost::asio::this_coro::throw_if_cancelled(false);
        auto result = co_await fixture.target().async_collect_optimizer_metrics(
            variant("v"), boost::asio::use_awaitable);
        aborted = result.error().is(Errc::aborted);
    };
    boost::asio::co_spawn(
        f.io, body(f, is_aborted),
        boost::asio::bind_cancellation_slot(signal.slot(), boost::asio::detached));
    f.settle();
    signal.emit(boost::asio::cancellation_type::terminal);
    f.settle();
    CHECK(is_aborted);
    f.backend.release();
    f.settle();
}
