// SPDX-License-Identifier: Apache-2.0
//
// What becomes of handles that are empty, of another collector, too many, or older than what they read.
#include "support/collector_fixture.hpp"
#include "wva_metrics/any_collector.hpp"
#include "wva_metrics/cache/sharded_cache.hpp"

#include <boost/asio/use_future.hpp>
#include <catch2/catch_all.hpp>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

using ShardedCollector = Collector<ManualBackend, ShardedCache, NullObserver, ManualTimer>;

/// A collector with cells, and without an observer.
struct HandleFixture : CollectorFixture {
    ShardedCollector make_sharded(const CollectorConfig& config = {}) {
        return ShardedCollector(io.get_executor(), backend, config);
    }
    template <typename C>
    Result<OptimizerSnapshot> collect_by(C& from, const VariantHandle& handle) {
        std::optional<Result<OptimizerSnapshot>> got;
        from.async_collect(handle, [&](auto result) { got = std::move(result); });
        settle();
        return got.value();
    }
};

template <typename C>
std::optional<double> rate_by(C& from, const VariantHandle& handle) {
    std::optional<double> rate;
    from.visit(handle,
               [&](const OptimizerView& view) { rate = view->arrival_rate_per_minute.value(); });
    const auto found = from.find(handle);
    CHECK(found.has_value() == rate.has_value());
    return rate;
}

} // namespace

TEST_CASE_METHOD(HandleFixture, "an empty handle finds nothing, and cannot be collected") {
    ShardedCollector from = make_sharded();
    const VariantHandle none;
    const ModelHandle no_model;
    CHECK_FALSE(none);
    CHECK(rate_by(from, none) == std::nullopt);
    CHECK_FALSE(from.find(no_model, {}).has_value());
    CHECK_FALSE(from.visit(no_model, {}, [](const ReplicaView&) { FAIL(); }));
    const auto got = collect_by(from, none);
    CHECK(got.error().is(Errc::invalid_argument));
    CHECK(got.error().describe().find("the handle is empty") != std::string::npos);
    auto replicas = from.async_collect(no_model, {}, boost::asio::use_future);
    settle();
    CHECK(replicas.get().error().is(Errc::invalid_argument));
    AnyCollector any = make_sharded();
    CHECK_FALSE(any.find(none).has_value());
    CHECK(collect_by(any, none).error().is(Errc::invalid_argument));
}

TEST_CASE_METHOD(HandleFixture, "a handle of a variant with an invalid name says so") {
    ShardedCollector from = make_sharded();
    const VariantHandle bad = from.handle(variant(std::string(1000, 'v')));
    CHECK(rate_by(from, bad) == std::nullopt);
    CHECK(collect_by(from, bad).error().is(Errc::invalid_argument));
    CHECK(from.stats().handles == 0);
}

TEST_CASE_METHOD(HandleFixture, "a handle of another collector reads this one's values") {
    ShardedCollector one = make_sharded();
    backend.set(optimizer_metrics("v", 1));
    const VariantHandle handle = one.handle(variant("v"));
    collect_by(one, handle).value();
    backend.set(optimizer_metrics("v", 2));
    ShardedCollector other = make_sharded();
    CHECK(rate_by(other, handle) == std::nullopt);
    collect_by(other, handle).value();
    CHECK(rate_by(other, handle) == 2);
    CHECK(rate_by(one, handle) == 1);
    // Of another kind, too.
    collect(variant("v")).value();
    CHECK(rate_by(*collector, handle) == 2);
    CHECK(rate_by(*collector, VariantHandle(variant("v"))) == 2);
}

TEST_CASE_METHOD(HandleFixture, "a handle may outlive its collector, and serve its successor") {
    auto first = std::make_unique<ShardedCollector>(make_sharded());
    backend.set(optimizer_metrics("v", 1));
    const VariantHandle handle = first->handle(variant("v"));
    collect_by(*first, handle).value();
    first.reset();
    // At the same address, perhaps.
    auto second = std::make_unique<ShardedCollector>(make_sharded());
    CHECK(rate_by(*second, handle) == std::nullopt);
    collect_by(*second, handle).value();
    CHECK(rate_by(*second, handle) == 1);
    CHECK(handle.variant().name == "v");
}

TEST_CASE_METHOD(HandleFixture, "handles beyond the bound work, and those given back make room") {
    CollectorConfig config;
    config.max_handles = 2;
    ShardedCollector from = make_sharded(config);
    backend.set(optimizer_metrics("c", 3));
    std::vector<VariantHandle> kept = {from.handle(variant("a")), from.handle(variant("b"))};
    CHECK(from.stats().handles == 2);
    const VariantHandle third = from.handle(variant("c"));
    CHECK(from.stats().handles == 2);
    CHECK(collect_by(from, third).has_value());
    CHECK(rate_by(from, third) == 3);
    const VariantHandle copy = kept[0];
    kept.clear();
    CHECK(from.stats().handles == 1);
    const ModelHandle of_model = from.handle(model);
    CHECK(from.stats().handles == 2);
    config.max_handles = 0;
    from.reconfigure(config).value();
    CHECK(rate_by(from, from.handle(variant("c"))) == 3);
    CHECK(from.stats().handles == 2);
}

TEST_CASE_METHOD(HandleFixture, "what a visitor throws leaves the call, and is no failed cache") {
    ShardedCollector from = make_sharded();
    const VariantHandle handle = from.handle(variant("v"));
    collect_by(from, handle).value();
    const auto throwing = [](const auto&) { throw std::runtime_error("from the visitor"); };
    for (const Duration age : {0s, 40s}) {
        ManualClock::advance(age); // Fresh, then stale.
        CHECK_THROWS_WITH(from.visit(handle, throwing), "from the visitor");
        CHECK_THROWS_WITH(from.visit_optimizer_metrics({"llm", "v"}, throwing), "from the visitor");
    }
    CHECK(from.stats().cache_failures == 0);
    CHECK(from.find(handle).has_value());
}

TEST_CASE_METHOD(HandleFixture, "a visitor of attributed replicas counts no reference to them") {
    const std::vector<VariantAutoscaling> variants = {variant("v")};
    backend.set(replica_samples(model, {"llama-7d9f8b6c5d-x2k4p"}));
    ShardedCollector reader = make_sharded();
    const ModelHandle handle = reader.handle(model);
    std::optional<Result<ReplicaSnapshot>> got;
    reader.async_collect(handle, variants, [&](auto result) { got = std::move(result); });
    settle();
    const std::shared_ptr<const ModelReplicas> kept = got.value().value().shared();
    const long before = kept.use_count();
    long during = 0;
    const ModelReplicas* seen = nullptr;
    CHECK(reader.visit(handle, variants, [&](const ReplicaView& view) {
        during = kept.use_count();
        seen = &*view;
    }));
    CHECK(during == before);
    CHECK(seen == kept.get());
}

TEST_CASE_METHOD(HandleFixture, "a visitor may call the collector that calls it") {
    ShardedCollector from = make_sharded();
    const VariantHandle handle = from.handle(variant("v"));
    backend.set(optimizer_metrics("v", 5));
    collect_by(from, handle).value();
    std::optional<double> inner;
    const bool was_there = from.visit(handle, [&](const OptimizerView& view) {
        inner = rate_by(from, handle);
        from.invalidate_variant(variant("v"));
        CHECK_FALSE(from.find(handle).has_value());
        CHECK(view->arrival_rate_per_minute.value() == 5); // Its own entry stays.
    });
    CHECK(was_there);
    CHECK(inner == 5);
}

TEST_CASE_METHOD(HandleFixture, "reads by handle keep a variant tracked, and no reads do not") {
    // While the backend fails long enough, nothing is cached that could note the read.
    const bool fails = GENERATE(false, true);
    const int reads_by = GENERATE(0, 1, 2);
    CAPTURE(fails, reads_by);
    ShardedCollector from = make_sharded();
    const VariantHandle handle = from.handle(variant("v"));
    from.track(variant("v"));
    from.start_background_fetching();
    advance(15s);
    if (fails)
        backend.fail(Error(Errc::unavailable, "it is down"));
    for (int minute = 0; minute < 20; ++minute) {
        for (int quarter = 0; quarter < 4; ++quarter)
            advance(15s);
        if (reads_by == 1)
            static_cast<void>(from.find(handle));
        if (reads_by == 2)
            from.visit(handle, [](const OptimizerView&) {});
        settle();
    }
    CHECK(from.stats().tracked_variants == (reads_by == 0 ? 0 : 1));
}
