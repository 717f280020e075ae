// SPDX-License-Identifier: Apache-2.0
//
// Operations that begin after the collector's io_context has been destroyed.
#include "support/collector_fixture.hpp"
#include "support/doctor_backend.hpp"
#include "wva_metrics/any_collector.hpp"

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_future.hpp>
#include <catch2/catch_all.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

using OrphanedCollector = Collector<DoctorBackend, MemoryCache, NullObserver, ManualTimer>;
using OrphanedCollectors = std::tuple<OrphanedCollector, AnyCollector>;

/// What the cache knows when the operation begins, or what else is special about it.
enum class Situation { hit, stale, last_good, miss, invalid, closed };
constexpr Situation situations[] = {Situation::hit,  Situation::stale,   Situation::last_good,
                                    Situation::miss, Situation::invalid, Situation::closed};

/// What a handler has seen.
struct Seen {
    int calls = 0;
    bool has_value = false;
    Errc errc{};
    bool on_own_executor = false;
};

/// A collector that has collected once, on a context that is destroyed before the collector.
template <typename C>
struct OrphanedFixture {
    OrphanedFixture()
        : collector(std::in_place, OrphanedCollector(io->get_executor(), DoctorBackend())) {
        begin<OptimizerSnapshot>([](const auto&) {});
        begin<ReplicaSnapshot>([](const auto&) {});
        begin<Availability>([](const auto&) {});
        io->poll();
    }

    /// Begins the operation with this result.
    template <typename T>
    auto begin(auto&& token) {
        const std::string name = situation == Situation::invalid ? ""
                                 : situation == Situation::miss  ? "w"
                                                                 : "v";
        if constexpr (std::is_same_v<T, OptimizerSnapshot>)
            return collector->async_collect_optimizer_metrics(variant(name), token);
        else if constexpr (std::is_same_v<T, ReplicaSnapshot>)
            return collector->async_collect_replica_metrics({"llm", name}, {}, token);
        else if constexpr (std::is_same_v<T, Availability>)
            return collector->async_validate_availability({"llm", name}, token);
        else
            return collector->async_diagnose({"llm", name}, {}, token);
    }

    /// Begins it when the situation has come and, unless `alive`, the context is gone.
    template <typename T, typename Handler>
    void run(Situation next, bool alive, Handler handler) {
        situation = next;
        if (next == Situation::stale)
            ManualClock::advance(40s);
        if (next == Situation::last_good)
            ManualClock::advance(2min);
        auto operation = begin<T>(boost::asio::deferred);
        if (next == Situation::closed)
            collector.reset();
        if (!alive)
            io.reset();
        std::move(operation)(std::move(handler));
        CHECK(seen->calls == 0); // Not inside the call.
        own_io.poll();
        for (int i = 0; alive && i < 10; ++i) {
            io->restart();
            io->poll();
            own_io.restart();
            own_io.poll();
        }
    }

    auto handler() {
        return [this, seen_by_all = seen](const auto& result) {
            Seen& here = *seen_by_all;
            ++here.calls;
            here.has_value = result.has_value();
            if (result.has_error())
                here.errc = static_cast<Errc>(result.error().code.value());
            here.on_own_executor = own_io.get_executor().running_in_this_thread();
        };
    }

    /// Whether the operation has an answer without a fetch.
    template <typename T>
    bool is_answered() const {
        // Nothing vouches for an availability that is as old as that.
        return situation == Situation::hit ||
               (situation == Situation::stale && !std::is_same_v<T, Availability>);
    }

    std::unique_ptr<boost::asio::io_context> io = std::make_unique<boost::asio::io_context>();
    boost::asio::io_context own_io;
    std::optional<C> collector;
    Situation situation = Situation::hit;
    std::shared_ptr<Seen> seen = std::make_shared<Seen>();
};

/// Checks one operation in one situation with a handler that can still run.
template <typename T, typename C>
void check_completed(const OrphanedFixture<C>& f) {
    REQUIRE(f.seen->calls == 1);
    constexpr bool is_diagnosis = std::is_same_v<T, Diagnosis>;
    const bool is_closed_hit = f.situation == Situation::closed && f.seen->has_value;
    if (!is_diagnosis && (f.template is_answered<T>() || is_closed_hit))
        CHECK(f.seen->has_value);
    else
        CHECK(f.seen->errc == (f.situation == Situation::invalid && !is_diagnosis
                                   ? Errc::invalid_argument
                                   : Errc::aborted));
    CHECK(f.seen.use_count() == 1); // The handler is gone.
}

template <typename T, typename C>
void check_all_handlers() {
    for (const Situation situation : situations) {
        CAPTURE(situation);
        const auto with = [&](auto make_handler, bool can_run) {
            OrphanedFixture<C> f;
            f.template run<T>(situation, false, make_handler(f));
            if (!can_run) {
                CHECK(f.seen->calls == 0);
                CHECK(f.seen.use_count() == 1); // Destroyed, not leaked.
                return;
            }
            check_completed<T>(f);
            CHECK(f.seen->on_own_executor);
        };
        using Erased = boost::asio::any_completion_handler<void(Result<T>)>;
        with([](auto& f) { return f.handler(); }, false);
        with([](auto& f) { return Erased(f.handler()); }, false);
        with([](auto& f) { return bind_executor(f.own_io.get_executor(), f.handler()); }, true);
        with([](auto& f) { return bind_executor(boost::asio::make_strand(f.own_io), f.handler()); },
             true);
        with(
            [](auto& f) {
                return bind_executor(boost::asio::any_io_executor(f.own_io.get_executor()),
                                     f.handler());
            },
            true);
        with([](auto& f) { return Erased(bind_executor(f.own_io.get_executor(), f.handler())); },
             true);

        OrphanedFixture<C> f;
        f.situation = situation;
        f.io.reset();
        auto future = f.template begin<T>(boost::asio::use_future);
        REQUIRE(future.wait_for(std::chrono::seconds(0)) == std::future_status::ready);
        CHECK_NOTHROW(future.get());
    }
}

/// As above while the context lives: each operation completes once.
template <typename T, typename C>
void check_alive() {
    for (const Situation situation : situations) {
        CAPTURE(situation);
        OrphanedFixture<C> unbound;
        unbound.template run<T>(situation, true, unbound.handler());
        CHECK(unbound.seen->calls == 1);
        OrphanedFixture<C> bound;
        bound.template run<T>(situation, true,
                              bind_executor(bound.own_io.get_executor(), bound.handler()));
        CHECK(bound.seen->calls == 1);
        CHECK(bound.seen->on_own_executor);
    }
}

} // namespace

TEMPLATE_LIST_TEST_CASE("an operation after the context's end completes on its handler's executor, "
                        "or is dropped where there is none",
                        "", OrphanedCollectors) {
    check_all_handlers<OptimizerSnapshot, TestType>();
    check_all_handlers<ReplicaSnapshot, TestType>();
    check_all_handlers<Availability, TestType>();
    check_all_handlers<Diagnosis, TestType>();
}

TEMPLATE_LIST_TEST_CASE("the same operations complete once before the context's end", "",
                        OrphanedCollectors) {
    check_alive<OptimizerSnapshot, TestType>();
    check_alive<ReplicaSnapshot, TestType>();
    check_alive<Availability, TestType>();
    check_alive<Diagnosis, TestType>();
}

TEST_CASE("a deferred operation may outlive both an AnyCollector and its context") {
    for (const bool context_first : {true, false}) {
        OrphanedFixture<AnyCollector> f;
        auto operation = f.begin<OptimizerSnapshot>(boost::asio::deferred);
        auto dropped = f.begin<OptimizerSnapshot>(boost::asio::deferred);
        if (context_first)
            f.io.reset();
        f.collector.reset();
        f.io.reset();
        std::move(dropped)(f.handler());
        CHECK(f.seen.use_count() == 1);
        std::move(operation)(bind_executor(f.own_io.get_executor(), f.handler()));
        f.own_io.poll();
        check_completed<Diagnosis>(f); // That is, aborted.
    }
}

TEST_CASE("an AnyCollector may be made after the end of its collector's context") {
    auto io = std::make_unique<boost::asio::io_context>();
    OrphanedCollector collector(io->get_executor(), DoctorBackend());
    io.reset();
    AnyCollector any(std::move(collector));
    CHECK_FALSE(any.get_executor());
    boost::asio::io_context own_io;
    bool is_aborted = false;
    any.async_collect_optimizer_metrics(
        variant("v"), bind_executor(own_io.get_executor(), [&](const auto& result) {
            is_aborted = result.error().is(Errc::aborted);
        }));
    own_io.poll();
    CHECK(is_aborted);
}
