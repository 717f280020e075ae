// SPDX-License-Identifier: Apache-2.0
#include "support/counted_calls.hpp"
#include "support/throwing_executor.hpp"

#include <catch2/catch_all.hpp>

#include <memory>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// A collector on an executor that throws.
struct ThrowingExecutorFixture : CountedCalls {
    using CollectorType = Collector<ManualBackend, MemoryCache, NullObserver, ManualTimer>;

    /// Begins one operation of each kind.
    void begin_all() {
        begin([&] { collector.async_collect_optimizer_metrics(variant("v"), counter()); });
        begin([&] {
            collector.async_collect_replica_metrics({"llm", "meta/llama"}, {}, counter());
        });
        begin([&] { collector.async_validate_availability({"llm", "meta/llama"}, counter()); });
        begin([&] { collector.async_collect_optimizer_metrics(variant("v"), counter()); });
    }

    std::shared_ptr<ExecutorFaults> faults = std::make_shared<ExecutorFaults>();
    ManualBackend backend;
    CollectorType collector{ThrowingExecutor(io.get_executor(), faults), backend};
};

} // namespace

TEST_CASE("wherever an executor throws, every call ends once, and later calls and rounds go on") {
    const int refused = GENERATE(1, 2, 5, 1000);
    int taken = 0;
    for (bool has_failed = true; has_failed; ++taken) {
        CAPTURE(refused, taken);
        REQUIRE(taken < 300);
        ThrowingExecutorFixture f;
        f.collector.start_background_fetching();
        f.settle();
        f.faults->taken = taken;
        f.faults->refused = refused;
        f.begin_all();
        f.settle();
        f.advance(45s); // A stale hit, and rounds.
        f.begin_all();
        f.settle();
        f.faults->refused = 0;
        has_failed = f.faults->failures > 0;

        f.advance(11s); // What was lost inside Asio is noticed at the deadline.
        f.begin_all();  // It replaces what is lost.
        f.settle();
        CHECK(f.ended == f.begun);
        CHECK(f.collector.stats().in_flight == 0);
        f.advance(2s); // negative_ttl
        const int values = f.values;
        f.begin_all();
        f.settle();
        CHECK(f.values == values + 4);

        // Rounds go on, or it is told that they do not, and they can be started again.
        if (!f.collector.health().background_running)
            CHECK(f.collector.start_background_fetching());
        const auto rounds = f.collector.stats().background_rounds;
        for (int i = 0; i < 4; ++i)
            f.advance(30s);
        CHECK(f.collector.stats().background_rounds >= rounds + 2);
    }
    CHECK(taken > 20); // It has thrown at many places.
}
