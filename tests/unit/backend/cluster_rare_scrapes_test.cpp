// SPDX-License-Identifier: Apache-2.0
#include "cluster_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::WithinRel;

TEST_CASE_METHOD(ClusterFixture, "rare scrapes have the value over a wider window, which it says") {
    const auto [spacing, window] = GENERATE(table<std::chrono::seconds, std::chrono::seconds>(
        {{60s, 240s}, {40s, 160s}, {120s, 300s}}));
    CAPTURE(spacing.count());
    const ScrapedServer server{.per_second = 3};
    scrape(server, target(pod_a, "10.0.0.1:8000"), {.age = 25s, .spacing = spacing});
    // The first round asks for everything, the next for what that one needed.
    for (int round = 0; round < 3; ++round) {
        const OptimizerMetrics metrics = load();
        const Reading<double> rate = metrics.arrival_rate_per_minute;
        CHECK_THAT(rate.value(), WithinRel(180.0, 1e-6));
        CHECK(rate.spacing() == spacing);
        CHECK(rate.window() == window);
        CHECK_THAT(metrics.avg_input_tokens.value(), WithinRel(100.0, 1e-6));
        CHECK_FALSE(metrics.partial);
        CHECK(pods().pods.at(0).queue_length.value() == 3);
    }
}

TEST_CASE_METHOD(ClusterFixture, "a window that holds two samples is not widened") {
    scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000"), {.age = 5s, .spacing = 30s});
    const Reading<double> rate = load().arrival_rate_per_minute;
    CHECK_THAT(rate.value(), WithinRel(60.0, 1e-6));
    CHECK(rate.window() == 60s);
    CHECK(rate.spacing() == 30s);
}

TEST_CASE_METHOD(ClusterFixture, "scrapes that are too rare for any window are said to be so") {
    scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000"), {.age = 100s, .spacing = 400s});
    for (int round = 0; round < 2; ++round) {
        const OptimizerMetrics metrics = load();
        CHECK(is_missing(metrics.arrival_rate_per_minute, ReadingReason::window_too_short));
        CHECK(metrics.partial);
        CHECK(metrics.coverage == cover(0, {pod_a}));
        const ReplicaSamples samples = pods();
        REQUIRE(pod_names(samples) == std::vector{pod_a});
        CHECK(samples.pods[0].queue_length.value() == 3);
    }
}

TEST_CASE_METHOD(ClusterFixture, "a server that is scraped for the first time is warming up") {
    scrape({.started = noon - 10s}, target(pod_a, "10.0.0.1:8000"));
    CHECK(is_missing(load().arrival_rate_per_minute, ReadingReason::warming_up));
    CHECK(pods().pods.at(0).queue_length.value() == 3);
    fake.advance(15s);
    scrape({.started = noon - 10s}, target(pod_a, "10.0.0.1:8000"));
    CHECK_THAT(load().arrival_rate_per_minute.value(), WithinRel(60.0, 1e-6));
}
