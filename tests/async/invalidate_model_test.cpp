// SPDX-License-Identifier: Apache-2.0
#include "support/collector_fixture.hpp"
#include "support/plain_cache.hpp"
#include "wva_metrics/cache/sharded_cache.hpp"

#include <catch2/catch_all.hpp>

#include <optional>
#include <string>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

VariantAutoscaling variant_of(const std::string& model_id, const std::string& name) {
    return {"llm", name, model_id, "llama"};
}

} // namespace

TEMPLATE_TEST_CASE("invalidating a model removes every variant of it, tracked, refused or dropped",
                   "", MemoryCache, ShardedCache, PlainCache) {
    boost::asio::io_context io;
    ManualBackend backend;
    Collector<ManualBackend, TestType, NullObserver, ManualTimer> collector(
        io.get_executor(), backend, {.max_tracked = 1});
    const auto collect = [&](const VariantAutoscaling& which) {
        std::optional<Result<OptimizerSnapshot>> answer;
        collector.async_collect_optimizer_metrics(
            which, [&](Result<OptimizerSnapshot> result) { answer = std::move(result); });
        io.restart();
        io.poll();
        answer.value().value();
    };
    const auto knows = [&](const VariantAutoscaling& which) {
        return collector.find_optimizer_metrics(which.key()).has_value();
    };
    const ModelKey invalidated("llm", "meta/llama");
    const VariantAutoscaling tracked = variant_of("meta/llama", "tracked");
    const VariantAutoscaling refused = variant_of("meta/llama", "refused");
    const VariantAutoscaling other = variant_of("meta/llama-2", "other");
    const VariantAutoscaling elsewhere("llm2", "tracked", "meta/llama", "llama");
    for (const auto& each : {tracked, refused, other, elsewhere})
        collect(each);
    REQUIRE(collector.stats().tracked_variants == 1);

    const bool is_exact = SelectiveCache<TestType>;
    CHECK(collector.invalidate_model(invalidated) == (is_exact ? 2 : 3));
    CHECK(!knows(tracked));
    CHECK(!knows(refused));
    CHECK(knows(other) == is_exact);
    CHECK(knows(elsewhere));
    collect(refused);
    CHECK(backend.variants_requested().back().name == "refused");
    CHECK(collector.invalidate_model(invalidated) == 1);
    CHECK(collector.invalidate_model({"nowhere", "meta/llama"}) == 0);
}

TEST_CASE("a variant that served another model when it was fetched is removed with that model") {
    CollectorFixture f;
    f.collect(variant("v")).value();
    VariantAutoscaling moved = variant("v");
    moved.model_id = "meta/llama-2";
    CHECK(f.collector->track(moved));
    CHECK(f.collector->invalidate_model(f.model) == 1); // The entry is still of this one.
    CHECK(!f.collector->find_optimizer_metrics({"llm", "v"}));
}

TEST_CASE("an answer in flight of a variant that is not tracked is not cached after its model was "
          "invalidated") {
    CollectorFixture f({.track_on_collection = false, .max_tracked = 1});
    REQUIRE(f.collector->track(variant("other")));
    f.backend.hold();
    const auto pending = f.start(variant("v"));
    f.settle();
    f.collector->invalidate_model(f.model);
    f.backend.release();
    f.settle();
    CHECK(pending->value().has_value());
    CHECK(!f.collector->find_optimizer_metrics({"llm", "v"}));
    CHECK(f.collector->stats().discarded == 1);
}
