// SPDX-License-Identifier: Apache-2.0
#include "support/collector_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

TEST_CASE("a miss calls the backend and a hit does not") {
    CollectorFixture f;
    f.backend.set(optimizer_metrics("v", 42));

    const auto first = f.collect(variant("v"));
    REQUIRE(first.has_value());
    CHECK((*first)->arrival_rate_per_minute.value() == 42);
    CHECK(first->source() == Source::backend);
    CHECK(first->freshness() == Freshness::fresh);

    f.backend.set(optimizer_metrics("v", 43));
    f.advance(30s);
    const auto second = f.collect(variant("v"));
    CHECK((*second)->arrival_rate_per_minute.value() == 42);
    CHECK(second->source() == Source::cache);
    CHECK(second->freshness() ==
          Freshness::stale); // The sample is 30 s old, whatever the TTL says.
    CHECK(f.backend.batches() == 1);

    const CollectorStats stats = f.collector->stats();
    CHECK(stats.cache.hits == 1);
    CHECK(stats.cache.misses == 1);
    CHECK(stats.targets == 1);
}

TEST_CASE("past its TTL an entry is served at once and revalidated in the background") {
    CollectorFixture f;
    f.backend.set(optimizer_metrics("v", 1));
    f.collect(variant("v")).value();
    f.backend.set(optimizer_metrics("v", 2));
    f.advance(31s);

    const auto stale = f.collect(variant("v"));
    CHECK((*stale)->arrival_rate_per_minute.value() == 1);
    CHECK(f.backend.batches() == 2);
    CHECK((*f.collect(variant("v")))->arrival_rate_per_minute.value() == 2);
    CHECK(f.backend.batches() == 2);
    CHECK(f.collector->stats().cache.stale_hits == 1);
}

TEST_CASE("past the stale window the caller waits for a new answer") {
    CollectorFixture f;
    f.backend.set(optimizer_metrics("v", 1));
    f.collect(variant("v")).value();
    f.backend.set(optimizer_metrics("v", 2));
    f.advance(60s + 1ns);
    const auto fresh = f.collect(variant("v"));
    CHECK((*fresh)->arrival_rate_per_minute.value() == 2);
    CHECK(fresh->source() == Source::backend);
    // It was kept for a failing backend, but that is no hit.
    CHECK(f.collector->stats().cache.stale_hits == 0);
    CHECK(f.collector->stats().cache.misses == 2);
}

TEST_CASE("concurrent misses of one key share one fetch") {
    CollectorFixture f;
    f.backend.set(optimizer_metrics("v", 7));
    f.backend.hold();
    const auto a = f.start(variant("v"));
    f.settle();
    const auto b = f.start(variant("v", "llama", 99.0)); // Another cost measures the same.
    f.settle();
    CHECK(!a->has_value());
    f.backend.release();
    f.settle();
    CHECK((***a)->arrival_rate_per_minute.value() == 7);
    CHECK((***b)->arrival_rate_per_minute.value() == 7);
    CHECK(f.backend.batches() == 1);
    CHECK(f.collector->stats().coalesced == 1);
}

TEST_CASE("different targets that miss together are sent in one batch") {
    CollectorFixture f;
    std::vector<std::shared_ptr<std::optional<Result<OptimizerSnapshot>>>> waiting;
    for (int i = 0; i < 100; ++i)
        waiting.push_back(f.start(variant("v" + std::to_string(i))));
    f.settle();
    for (const auto& slot : waiting)
        CHECK(slot->value().has_value());
    CHECK(f.backend.batches() == 1);
    CHECK(f.backend.variants_requested().size() == 100);
}

TEST_CASE(
    "callers with different variants or costs get their own attribution of the same samples") {
    CollectorFixture f;
    f.backend.set(replica_samples(f.model, {"a100-7d9f8b6c5d-x2k4p", "h100-6c5d7d9f8b-q9w8z"}));
    const auto a = f.collect(f.model, {variant("a", "a100", 40)});
    const auto b = f.collect(f.model, {variant("b", "h100", 90)});
    const auto cheaper = f.collect(f.model, {variant("a", "a100", 20)});
    CHECK(f.backend.batches() == 1);
    REQUIRE((*a)->replicas.size() == 1);
    CHECK((*a)->replicas[0].variant == "a");
    CHECK((*a)->replicas[0].cost == 40);
    CHECK((*a)->unattributed_pods == std::vector<std::string>{"h100-6c5d7d9f8b-q9w8z"});
    REQUIRE((*b)->replicas.size() == 1);
    CHECK((*b)->replicas[0].variant == "b");
    CHECK((*cheaper)->replicas[0].cost == 20);
    // For the same caller again the same object is returned, once all workloads are known.
    const auto again = f.collect(f.model, {variant("a", "a100", 40)});
    CHECK(f.collect(f.model, {variant("a", "a100", 40)})->shared() == again->shared());
}

TEST_CASE(
    "a variant that scales another deployment now is another target, also in the background") {
    CollectorFixture f;
    f.collect(variant("v", "old")).value();
    f.collect(variant("v", "new")).value();
    CHECK(f.backend.variants_requested().back().deployment == "new");
    f.advance(31s);
    f.collect(variant("v", "new")).value();
    CHECK(f.backend.variants_requested().back().deployment == "new");
}

TEST_CASE("a variant that scales another kind of workload now is another target, also in the "
          "background") {
    CollectorFixture f;
    f.collect(variant("v")).value();
    VariantAutoscaling changed = variant("v");
    changed.target_kind = "StatefulSet";
    CHECK(f.collect(changed).value()->target_kind == "StatefulSet");
    CHECK(f.backend.variants_requested().back().target_kind == "StatefulSet");
    f.advance(31s);
    f.collect(changed).value();
    CHECK(f.backend.variants_requested().size() == 3);
    CHECK(f.backend.variants_requested().back().target_kind == "StatefulSet");
}

TEST_CASE("an invalid target is rejected before anything is sent") {
    CollectorFixture f;
    CHECK(f.collect(variant("")).error().is(Errc::invalid_argument));
    CHECK(f.collect(variant("v", "")).error().is(Errc::invalid_argument));
    CHECK(f.collect(ModelKey{"llm", ""}, {}).error().is(Errc::invalid_argument));
    CHECK(f.collect(ModelKey{"", "m"}, {}).error().is(Errc::invalid_argument));
    CHECK(f.backend.batches() == 0);
}

TEST_CASE("completions never run inside the initiating function") {
    CollectorFixture f;
    f.collect(variant("v")).value();
    bool done = false;
    f.collector->async_collect_optimizer_metrics(variant("v"), [&](const auto&) { done = true; });
    CHECK(!done);
    f.settle();
    CHECK(done);
}

TEST_CASE(
    "with caching off every call reaches the backend, and concurrent equal calls share one fetch") {
    CollectorFixture f({.cache = {.enabled = false}});
    f.collect(variant("v")).value();
    f.collect(variant("v")).value();
    CHECK(f.backend.batches() == 2);
    const auto a = f.start(variant("v"));
    const auto b = f.start(variant("v"));
    f.settle();
    CHECK(f.backend.variants_requested().size() == 3);
    CHECK(!f.collector->find_optimizer_metrics({"llm", "v"}));
}

TEST_CASE("an invalid configuration is rejected with all its problems") {
    boost::asio::io_context io;
    try {
        const CollectorFixture::CollectorType collector(
            io.get_executor(), ManualBackend(), {.cache = {.ttl = -1s}, .call_timeout = 0s});
        FAIL("accepted");
    } catch (const ResultError& error) {
        CHECK(error.error().is(Errc::invalid_config));
        CHECK(error.error().message.find("cache.ttl") != std::string::npos);
        CHECK(error.error().message.find("call_timeout") != std::string::npos);
    }
}

TEST_CASE("a backend need not fill in the identity of its answers") {
    struct Terse {
        asio::awaitable<Result<Availability>> check_availability(ModelKey) {
            co_return Availability{};
        }
        asio::awaitable<std::vector<Result<OptimizerMetrics>>>
        fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants) {
            co_return std::vector<Result<OptimizerMetrics>>(variants.size(), OptimizerMetrics());
        }
        asio::awaitable<std::vector<Result<ReplicaSamples>>>
        fetch_replica_samples(std::vector<ModelKey> models) {
            ReplicaSamples samples;
            samples.pods.resize(1);
            samples.pods[0].pod = "llama-7d9f8b6c5d-x2k4p";
            co_return std::vector<Result<ReplicaSamples>>(models.size(), samples);
        }
    };
    boost::asio::io_context io;
    Collector<Terse, MemoryCache, NullObserver, ManualTimer> collector(io.get_executor(), Terse());
    std::size_t replicas = 0;
    std::string deployment;
    collector.async_collect_replica_metrics(
        {"llm", "meta/llama"}, {variant("v")},
        [&](const Result<ReplicaSnapshot>& result) { replicas = (*result)->replicas.size(); });
    collector.async_collect_optimizer_metrics(
        variant("v"),
        [&](const Result<OptimizerSnapshot>& result) { deployment = (*result)->deployment; });
    io.poll();
    CHECK(replicas == 1);
    CHECK(deployment == "llama");
}
