// SPDX-License-Identifier: Apache-2.0
#include "backend_fixture.hpp"
#include "support/collector_fixture.hpp"

#include <boost/asio/steady_timer.hpp>
#include <catch2/catch_all.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::WithinRel;

namespace {

const std::string llama_pod = "llama-7d9f8b6c5d-aaaaa";
const std::string large_pod = "large-5c6d7f8b9c-bbbbb";
const ModelKey llama_model{"llm", "meta/llama"};

/// A collector with a fake Prometheus. Its clock is manual (unless `Timer` is another); HTTP uses
/// the real clock.
template <typename Timer>
struct CollectorOverPrometheus : BackendFixture {
    using CollectorType = Collector<PrometheusBackend, MemoryCache, RecordingObserver, Timer>;

    Result<OptimizerSnapshot> collect(const VariantAutoscaling& variant) {
        std::optional<Result<OptimizerSnapshot>> answer;
        collector.async_collect_optimizer_metrics(
            variant, [&](Result<OptimizerSnapshot> result) { answer = std::move(result); });
        wait_until([&] { return answer.has_value(); });
        return *std::move(answer);
    }
    Result<ReplicaSnapshot> collect(const ModelKey& which,
                                    std::vector<VariantAutoscaling> variants) {
        std::optional<Result<ReplicaSnapshot>> answer;
        collector.async_collect_replica_metrics(
            which, std::move(variants),
            [&](Result<ReplicaSnapshot> result) { answer = std::move(result); });
        wait_until([&] { return answer.has_value(); });
        return *std::move(answer);
    }
    Availability check_availability(const ModelKey& which = llama_model) {
        std::optional<Result<Availability>> answer;
        collector.async_validate_availability(
            which, [&](Result<Availability> result) { answer = std::move(result); });
        wait_until([&] { return answer.has_value(); });
        return answer->value();
    }
    double arrival_rate(const VariantAutoscaling& variant) {
        return collect(variant).value()->arrival_rate_per_minute.value();
    }
    void replace_load(const Server& server, double per_second) {
        fake.clear();
        set_load(server, per_second);
    }

    RecordingObserver observer;
    CollectorType collector{io.get_executor(), backend(), {}, observer};
};

using Fixture = CollectorOverPrometheus<ManualTimer>;
using RealTimeFixture = CollectorOverPrometheus<asio::steady_timer>;

} // namespace

TEST_CASE_METHOD(Fixture, "metrics are served from the cache, even if Prometheus has lost them") {
    set_load({llama_pod}, 0.175);
    set_kv({llama_pod}, 0.5);
    CHECK_THAT(arrival_rate(variant_of("llama")), WithinRel(10.5, 1e-9));
    CHECK(collect(llama_model, {variant_of("llama")}).value()->replicas.size() == 1);
    const std::size_t sent = fake.query_count();

    fake.clear();
    const OptimizerSnapshot again = collect(variant_of("llama")).value();
    CHECK_THAT(again->arrival_rate_per_minute.value(), WithinRel(10.5, 1e-9));
    CHECK(again.source() == Source::cache);
    CHECK(collect(llama_model, {variant_of("llama")}).value()->replicas.size() == 1);
    CHECK(fake.query_count() == sent);
}

TEST_CASE_METHOD(Fixture, "an entry past its TTL is revalidated in the background, and past the "
                          "stale window before the answer") {
    set_load({llama_pod}, 1);
    CHECK_THAT(arrival_rate(variant_of("llama")), WithinRel(60.0, 1e-9));

    replace_load({llama_pod}, 2);
    ManualClock::advance(31s);
    CHECK_THAT(arrival_rate(variant_of("llama")), WithinRel(60.0, 1e-9));
    wait_until([&] { return collector.stats().in_flight == 0; });
    CHECK_THAT(arrival_rate(variant_of("llama")), WithinRel(120.0, 1e-9));

    replace_load({llama_pod}, 3);
    ManualClock::advance(61s);
    CHECK_THAT(arrival_rate(variant_of("llama")), WithinRel(180.0, 1e-9));
}

TEST_CASE_METHOD(Fixture, "invalidating a variant fetches its load and its model's replicas again, "
                          "whatever its deployment's name") {
    const VariantAutoscaling variant{"llm", "a-name-of-its-own", "meta/llama", "llama"};
    set_load({llama_pod}, 1);
    set_kv({llama_pod}, 0.1);
    CHECK_THAT(arrival_rate(variant), WithinRel(60.0, 1e-9));
    CHECK(collect(llama_model, {variant}).value()->replicas.at(0).kv_cache_usage.value() == 0.1);

    replace_load({llama_pod}, 2);
    set_kv({llama_pod}, 0.2);
    CHECK(collector.invalidate_variant(variant) == 2);
    CHECK_THAT(arrival_rate(variant), WithinRel(120.0, 1e-9));
    CHECK(collect(llama_model, {variant}).value()->replicas.at(0).kv_cache_usage.value() == 0.2);
}

TEST_CASE_METHOD(Fixture, "invalidating a model fetches all of its variants again") {
    set_load({llama_pod}, 1);
    set_load({large_pod}, 2);
    CHECK_THAT(arrival_rate(variant_of("llama")), WithinRel(60.0, 1e-9));
    CHECK_THAT(arrival_rate(variant_of("large")), WithinRel(120.0, 1e-9));

    fake.clear();
    set_load({llama_pod}, 3);
    set_load({large_pod}, 4);
    CHECK(collector.invalidate_model(llama_model) == 2);
    CHECK_THAT(arrival_rate(variant_of("llama")), WithinRel(180.0, 1e-9));
    CHECK_THAT(arrival_rate(variant_of("large")), WithinRel(240.0, 1e-9));
}

TEST_CASE_METHOD(Fixture,
                 "groups of variants of one model each get their own pods, from one fetch") {
    set_kv({llama_pod}, 0.1);
    set_kv({large_pod}, 0.2);
    VariantAutoscaling llama = variant_of("llama");
    llama.accelerator = "A100";
    llama.cost = 80;
    VariantAutoscaling large = variant_of("large");
    large.accelerator = "H100";

    const ReplicaSnapshot first = collect(llama_model, {llama}).value();
    const ReplicaSnapshot second = collect(llama_model, {large}).value();
    CHECK(fake.query_count() == 4);
    REQUIRE(first->replicas.size() == 1);
    CHECK(first->replicas[0].pod == llama_pod);
    CHECK(first->replicas[0].accelerator == "A100");
    CHECK(first->replicas[0].cost == 80);
    CHECK(first->unattributed_pods == std::vector{large_pod});
    REQUIRE(second->replicas.size() == 1);
    CHECK(second->replicas[0].pod == large_pod);
    CHECK(second->replicas[0].accelerator == "H100");
    CHECK(second->unattributed_pods == std::vector{llama_pod});
}

TEST_CASE_METHOD(
    Fixture, "a pod belongs to the owner in kube-state-metrics, and is reported if it has none") {
    set_kv({"llama-0"}, 0.1);
    set_kv({llama_pod}, 0.2);
    set_owner("llama-0", "StatefulSet", "llama");
    set_owner(llama_pod, "ReplicaSet", "somebody-else-7d9f8b6c5d");
    const ReplicaSnapshot replicas = collect(llama_model, {variant_of("llama")}).value();
    REQUIRE(replicas->replicas.size() == 1);
    CHECK(replicas->replicas[0].pod == "llama-0");
    CHECK(replicas->unattributed_pods == std::vector{llama_pod});
}

TEST_CASE_METHOD(Fixture, "a model without servers has missing readings, not zeros") {
    const OptimizerSnapshot snapshot = collect(variant_of("llama")).value();
    CHECK_FALSE(snapshot->arrival_rate_per_minute.has_value());
    CHECK_FALSE(snapshot->ttft_seconds.has_value());
    CHECK(snapshot.freshness() == Freshness::unavailable);
    CHECK(collect(llama_model, {variant_of("llama")}).value()->replicas.empty());
}

TEST_CASE_METHOD(Fixture,
                 "a failing Prometheus is an error with its cause, and nothing is cached") {
    fake.fail_next_containing("vllm:", 1, 500, "the disk is full");
    const auto failed = collect(variant_of("llama"));
    REQUIRE(failed.has_error());
    CHECK_THAT(failed.error().describe(), ContainsSubstring("the disk is full"));
    CHECK(collector.cache().size() == 0);

    set_load({llama_pod}, 1);
    ManualClock::advance(3s); // Past `negative_ttl`.
    CHECK_THAT(arrival_rate(variant_of("llama")), WithinRel(60.0, 1e-9));
}

TEST_CASE_METHOD(Fixture, "availability is queried once, and every caller gets the reason") {
    fake.set(series("vllm:num_requests_running", {llama_pod}), 0);
    CHECK(check_availability().reason == AvailabilityReason::metrics_found);
    CHECK(check_availability().reason == AvailabilityReason::metrics_found);
    CHECK(fake.query_count() == 2);

    const Availability missing = check_availability({"other", "meta/llama"});
    CHECK_FALSE(missing.available);
    CHECK(missing.reason == AvailabilityReason::metrics_missing);
    CHECK_THAT(missing.message,
               ContainsSubstring("'other'") && ContainsSubstring("in namespace 'llm'"));

    fake.fail_next(1, 500, "the disk is full");
    const Availability failed = check_availability({"third", "meta/llama"});
    CHECK_FALSE(failed.available);
    CHECK(failed.reason == AvailabilityReason::backend_error);
    CHECK_THAT(failed.message, ContainsSubstring("the disk is full"));
}

TEST_CASE_METHOD(
    Fixture,
    "the last good values stay while Prometheus is down, and are fetched again when it is up") {
    set_load({llama_pod}, 1);
    CHECK_THAT(arrival_rate(variant_of("llama")), WithinRel(60.0, 1e-9));
    fake.stop();
    run_ready(io);
    ManualClock::advance(61s);
    const OptimizerSnapshot stale = collect(variant_of("llama")).value();
    CHECK(stale.source() == Source::stale_on_error);
    CHECK_THAT(stale->arrival_rate_per_minute.value(), WithinRel(60.0, 1e-9));

    replace_load({llama_pod}, 2);
    fake.start();
    run_ready(io);
    ManualClock::advance(3s);
    const OptimizerSnapshot back = collect(variant_of("llama")).value();
    CHECK(back.source() == Source::backend);
    CHECK_THAT(back->arrival_rate_per_minute.value(), WithinRel(120.0, 1e-9));
}

TEST_CASE_METHOD(Fixture, "if a query fails once the last values stay") {
    // Here the backend's samples and the collector use different clocks.
    collector.reconfigure({.cache = {.stale_if_error = 10'000h}}).value();
    set_kv({llama_pod}, 0.1);
    set_queue({llama_pod}, 1);
    CHECK_FALSE(collect(llama_model, {variant_of("llama")}).value()->partial);
    set_kv({llama_pod}, 0.2);
    set_queue({llama_pod}, 2);
    ManualClock::advance(61s);
    SECTION("if it is one for the samples") {
        fake.fail_next_containing(GENERATE("vector(0)", "kv_cache"), 1, 503);
        const ReplicaSnapshot last = collect(llama_model, {variant_of("llama")}).value();
        CHECK(last.source() == Source::stale_on_error);
        REQUIRE(last->replicas.size() == 1);
        CHECK(last->replicas[0].kv_cache_usage.value() == 0.1);
        CHECK(last->replicas[0].queue_length.value() == 1);
    }
    SECTION("but not if it is the one for the pods") {
        fake.fail_next_containing("kube_pod_info", 1, 503);
        const ReplicaSnapshot partial = collect(llama_model, {variant_of("llama")}).value();
        CHECK(partial->partial);
        REQUIRE(partial->replicas.size() == 1);
        CHECK(partial->replicas[0].kv_cache_usage.value() == 0.2);
        CHECK(partial->replicas[0].queue_length.value() == 2);
    }
}

TEST_CASE_METHOD(
    Fixture, "a background round for a thousand variants of a thousand models makes few requests") {
    for (std::size_t i = 0; i < 1000; ++i) {
        const VariantAutoscaling variant("ns-" + std::to_string(i % 4), "va-" + std::to_string(i),
                                         "m" + std::to_string(i), "llama");
        const Server server{llama_pod, variant.model_id, variant.namespace_name};
        fake.set_rate(series("vllm:request_success_total", server), 1, 1min);
        set_kv(server, 0.5);
        collector.track(variant);
        collector.track(variant.model());
    }
    CHECK(collector.start_background_fetching());
    ManualClock::advance(15s);
    wait_until([&] { return observer.saw("round 1000+1000"); });
    CHECK(fake.query_count() <= 4);
    collector.stop_background_fetching();

    // All metrics are in the cache, without another query.
    const std::size_t sent = fake.query_count();
    const auto known = collector.find_optimizer_metrics(VariantKey("ns-3", "va-999"));
    REQUIRE(known);
    CHECK((*known)->arrival_rate_per_minute.has_value());
    CHECK(collect(ModelKey("ns-3", "m999"), {}).value()->unattributed_pods.size() == 1);
    CHECK(fake.query_count() == sent);
}

TEST_CASE_METHOD(RealTimeFixture,
                 "a snapshot is as fresh as its samples, however recently they were fetched") {
    SECTION("fresh") {
        set_kv({llama_pod}, 0.5);
        fake.advance(5s);
        CHECK(collect(llama_model, {variant_of("llama")}).value().freshness() == Freshness::fresh);
    }
    SECTION("stale") {
        set_kv({llama_pod}, 0.5);
        fake.advance(40s);
        CHECK(collect(llama_model, {variant_of("llama")}).value().freshness() == Freshness::stale);
    }
    SECTION("unavailable") {
        CHECK(collect(llama_model, {variant_of("llama")}).value().freshness() ==
              Freshness::unavailable);
    }
}
