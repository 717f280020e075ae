// SPDX-License-Identifier: Apache-2.0
#include "cluster_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::WithinRel;

namespace {

/// Two pods; one was deleted and its series ended a moment ago.
struct EndedPod : ClusterFixture {
    EndedPod() {
        scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000"));
        scrape({.per_second = 2, .ended = noon - 6s}, target(pod_b, "10.0.0.2:8000"),
               {.age = 4s, .removed = noon - 6s});
    }
};

} // namespace

TEST_CASE_METHOD(EndedPod, "after the end of one of two pods the rate is as fresh as before") {
    const TimePoint before = std::chrono::steady_clock::now();
    const OptimizerMetrics metrics = load();
    const Reading<double> rate = metrics.arrival_rate_per_minute;
    CHECK(rate.value() > 100); // It served in most of the window.
    CHECK(rate.value() < 181);
    CHECK(is_aged(rate.sampled_at(), before, 2s));
    CHECK_FALSE(rate.is_lower_bound());
    CHECK_FALSE(metrics.partial);
    CHECK(oldest_sample(metrics) >= before - 3s);
}

TEST_CASE_METHOD(EndedPod, "the load of an ended pod leaves the total with the window") {
    double last = load().arrival_rate_per_minute.value();
    for (int i = 0; i < 4; ++i) {
        fake.advance(15s);
        scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000"));
        const double next = load().arrival_rate_per_minute.value();
        CHECK(next <= last);
        last = next;
    }
    CHECK_THAT(last, WithinRel(60.0, 1e-6));
    CHECK(pod_names(pods()) == std::vector{pod_a});
}

TEST_CASE_METHOD(ClusterFixture, "the end of the only pod is not taken for a late answer") {
    scrape({.ended = noon - 30s}, target(pod_a, "10.0.0.1:8000"), {.removed = noon - 30s});
    for (int round = 0; round < 3; ++round) {
        const ReplicaSamples samples = pods();
        CHECK(samples.pods.empty());
        CHECK(samples.gone_pods.size() == (round < 2 ? 1 : 0));
        fake.advance(15s);
    }
}

TEST_CASE_METHOD(ClusterFixture, "a store that is behind has the values of its newest samples") {
    scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000"), {.behind = 50s});
    const TimePoint before = std::chrono::steady_clock::now();
    const Reading<double> rate = load().arrival_rate_per_minute;
    CHECK_THAT(rate.value(), WithinRel(60.0, 1e-6));
    CHECK(is_aged(rate.sampled_at(), before, 62s));
    CHECK(pods().pods.at(0).queue_length.value() == 3);
}
