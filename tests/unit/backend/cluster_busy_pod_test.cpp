// SPDX-License-Identifier: Apache-2.0
#include "cluster_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::WithinRel;

namespace {

/// Two pods, of which one is too busy to answer scrapes: its `up` is 0.
struct BusyPod : ClusterFixture {
    BusyPod() { scrape_all(); }

    void scrape_all() {
        scrape(calm, target(pod_a, "10.0.0.1:8000"));
        scrape(busy, target(pod_b, "10.0.0.2:8000"), {.age = 5s});
    }
    void later(std::chrono::seconds by) {
        fake.advance(by);
        scrape_all();
    }

    ScrapedServer calm;
    /// Its last scrape was at 50 s before noon: one in the window.
    ScrapedServer busy{.per_second = 4,
                       .queue = ScrapedServer::always(60),
                       .kv = ScrapedServer::always(0.98),
                       .ended = noon - 40s};
};

} // namespace

TEST_CASE_METHOD(BusyPod, "a total that lacks a pod that cannot be read says so") {
    const OptimizerMetrics metrics = load();
    CHECK(metrics.arrival_rate_per_minute.is_lower_bound());
    CHECK(metrics.partial);
    CHECK(metrics.coverage == cover(1, {pod_b}));
    CHECK(warns_of(metrics.warnings, "'" + pod_b + "'"));
    const TimePoint before = std::chrono::steady_clock::now();
    const ReplicaSamples samples = pods();
    REQUIRE(pod_names(samples) == std::vector{pod_a, pod_b});
    CHECK(samples.pods[1].kv_cache_usage.value() == 0.98);
    CHECK(samples.pods[1].queue_length.value() == 60);
    CHECK(is_aged(samples.pods[1].queue_length.latest_at(), before, 50s));
    REQUIRE(samples.pods[1].last_sample_at);
    CHECK(is_aged(*samples.pods[1].last_sample_at, before, 50s));
}

TEST_CASE_METHOD(BusyPod, "a pod that cannot be read does not vanish when its samples do") {
    pods(); // In this round it cannot be read already.
    for (int i = 0; i < 8; ++i) {
        later(30s);
        const OptimizerMetrics metrics = load();
        CAPTURE(i);
        CHECK_THAT(metrics.arrival_rate_per_minute.value(), WithinRel(60.0, 1e-6));
        CHECK(metrics.arrival_rate_per_minute.is_lower_bound());
        CHECK(metrics.coverage == cover(1, {pod_b}));
    }
    const ReplicaSamples samples = pods();
    REQUIRE(pod_names(samples) == std::vector{pod_a, pod_b});
    CHECK(is_missing(samples.pods[1].queue_length, ReadingReason::unread));

    // It answers again.
    busy.ended.reset();
    later(60s);
    const OptimizerMetrics whole = load();
    CHECK_THAT(whole.arrival_rate_per_minute.value(), WithinRel(300.0, 1e-6));
    CHECK_FALSE(whole.arrival_rate_per_minute.is_lower_bound());
    CHECK(whole.coverage == cover(2, {}));
}

TEST_CASE_METHOD(BusyPod, "a pod that is gone is not one that cannot be read") {
    load();
    report_pod(pod_a);
    report_pod(pod_b, {}, noon - 70s);
    later(30s);
    report_pod(pod_a);
    const OptimizerMetrics metrics = load();
    CHECK_THAT(metrics.arrival_rate_per_minute.value(), WithinRel(60.0, 1e-6));
    CHECK_FALSE(metrics.arrival_rate_per_minute.is_lower_bound());
    CHECK(pod_names(pods()) == std::vector{pod_a});
}

TEST_CASE_METHOD(ClusterFixture, "a pod that is known to be ready and has no up is not lost") {
    // As where `up` is dropped, or has no label that names the pod.
    const ScrapedServer calm;
    const ScrapedServer busy{.ended = noon - 40s};
    const auto scrape_all = [&] {
        for (const std::string& pod : {pod_a, pod_b})
            report_pod(pod);
        scrape(calm, target(pod_a, "10.0.0.1:8000"));
        scrape(busy, target(pod_b, "10.0.0.2:8000"));
        for (const auto& labels : {target(pod_a, "10.0.0.1:8000"), target(pod_b, "10.0.0.2:8000")})
            fake.remove({"up", labels});
    };
    scrape_all();
    load();
    fake.advance(2min);
    scrape_all();
    CHECK(load().coverage == cover(1, {pod_b}));
    CHECK(pods().pods.size() == 2);
}
