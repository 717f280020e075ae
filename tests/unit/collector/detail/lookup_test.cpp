// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/collector/detail/lookup.hpp"

#include "support/collector_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// The parts of a collector that answer a reader, and a way to ask while the mutex is held.
struct LookupFixture {
    using Data = detail::CollectorData<ManualBackend, MemoryCache, RecordingObserver, ManualTimer>;

    LookupFixture() { data.owner = owner; }

    void settle() {
        io.restart();
        io.poll();
    }
    template <typename Metrics>
    void store(const CacheKeyView& key, Metrics metrics) {
        data.cache.insert_or_assign(
            key, detail::make_entry(CacheConfig(), std::move(metrics), ManualClock::now()));
    }
    /// Calls `ask()` on another thread, while this one holds the mutex as a scan does.
    template <typename Ask>
    auto ask_beside_a_scan(Ask ask) {
        std::unique_lock scan(data.mutex);
        auto answer = std::async(std::launch::async, std::move(ask));
        const auto status = answer.wait_for(std::chrono::minutes(1));
        scan.unlock();
        REQUIRE(status == std::future_status::ready);
        return answer.get();
    }
    std::optional<detail::Answer> find_beside_a_scan(const CacheKeyView& key) {
        return ask_beside_a_scan(
            [this, key] { return lookup.find(detail::KeyPlace{key}, ManualClock::now()); });
    }
    template <typename TargetType>
    CacheEntryPtr collect_beside_a_scan(TargetType target) {
        return ask_beside_a_scan([this, target] {
            return lookup.find_or_wait(target, ManualClock::now(),
                                       [&]() -> detail::WaiterPtr { throw "no hit"; });
        });
    }

    boost::asio::io_context io;
    ManualBackend backend;
    std::shared_ptr<int> owner = std::make_shared<int>();
    Data data{io.get_executor(), backend, CollectorConfig(), RecordingObserver()};
    detail::Dispatcher<Data> dispatcher{data};
    detail::Lookup<Data> lookup{data, dispatcher};
    const CacheKeyView variant_key = optimizer_key("llm", "v");
    const ModelKey model{"llm", "meta/llama"};
};

} // namespace

TEST_CASE("hits of every kind are served while the collector's mutex is held") {
    LookupFixture f;
    f.store(f.variant_key, optimizer_metrics("v", 60));
    f.store(replica_key(f.model), replica_samples(f.model, {"pod"}));
    f.store(availability_key(f.model), Availability{.available = true});
    const detail::OptimizerTarget target{variant("v")};

    CHECK(f.find_beside_a_scan(f.variant_key)->source == Source::cache);
    CHECK(f.collect_beside_a_scan(target));
    CHECK(f.collect_beside_a_scan(detail::ReplicaTarget{f.model}));
    CHECK(f.collect_beside_a_scan(detail::AvailabilityTarget{f.model}));
    CHECK_FALSE(f.find_beside_a_scan(optimizer_key("llm", "unknown")));

    ManualClock::advance(31s); // They are stale now.
    CHECK(f.find_beside_a_scan(f.variant_key)->source == Source::cache);
    CHECK(f.collect_beside_a_scan(target));
    CHECK(f.collect_beside_a_scan(detail::ReplicaTarget{f.model}));

    ManualClock::advance(30s); // Served only if the backend fails.
    CHECK_FALSE(f.find_beside_a_scan(f.variant_key));
}

TEST_CASE("a stale hit beside a scan is revalidated after it, once") {
    LookupFixture f;
    f.store(f.variant_key, optimizer_metrics("v", 60));
    ManualClock::advance(31s);
    CHECK(f.find_beside_a_scan(f.variant_key));
    CHECK(f.find_beside_a_scan(f.variant_key));
    CHECK(f.collect_beside_a_scan(detail::OptimizerTarget{variant("v")}));
    CHECK(f.backend.batches() == 0);
    f.settle();
    CHECK(f.backend.variants_requested().size() == 1);
    CHECK(f.data.cache.find(f.variant_key, ManualClock::now())->collected_at() ==
          ManualClock::now());
}

TEST_CASE("a request beside a scan that finds nothing keeps its target tracked") {
    LookupFixture f;
    const auto target =
        std::make_shared<const detail::Target>(detail::OptimizerTarget{variant("v")});
    f.data.coordinator.track(target, ManualClock::now());
    ManualClock::advance(9min);
    CHECK_FALSE(f.find_beside_a_scan(f.variant_key));
    f.settle();
    ManualClock::advance(9min);
    CHECK(f.data.coordinator.evict_idle(ManualClock::now()).empty());
    ManualClock::advance(2min);
    CHECK(f.data.coordinator.evict_idle(ManualClock::now()).size() == 1);
}

TEST_CASE("the last good value is served beside a scan while the backend fails") {
    LookupFixture f;
    f.store(f.variant_key, optimizer_metrics("v", 60));
    f.backend.fail(Error(Errc::unreachable, "down"));
    ManualClock::advance(61s);
    CHECK_FALSE(f.find_beside_a_scan(f.variant_key)); // Not known yet.
    f.settle();
    CHECK(f.find_beside_a_scan(f.variant_key)->source == Source::stale_on_error);
}

TEST_CASE("what is noted beside a scan is dropped with the executor's context") {
    LookupFixture f;
    f.store(f.variant_key, optimizer_metrics("v", 60));
    ManualClock::advance(31s);
    f.data.executor.release();
    CHECK(f.find_beside_a_scan(f.variant_key));
}

TEST_CASE("the collector's own look-ups are not counted") {
    CollectorFixture f;
    f.check_availability(f.model);
    const CacheStats before = f.collector->stats().cache;
    f.check_availability(f.model); // Looks for the replicas, which were never fetched.
    f.collect(f.model, {}).value();
    f.check_availability(f.model);
    const CacheStats after = f.collector->stats().cache;
    CHECK(after.hits + after.stale_hits + after.misses ==
          before.hits + before.stale_hits + before.misses + 3);
}
