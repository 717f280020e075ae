// SPDX-License-Identifier: Apache-2.0
#include "cluster_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <utility>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

TEST_CASE_METHOD(ClusterFixture, "a gauge that has fallen says that its value is an old peak") {
    const auto falls = [](double high) {
        return [high](FakePrometheus::Time time) { return time < noon - 20s ? high : 0.0; };
    };
    scrape({.queue = falls(40), .kv = falls(0.95)}, target(pod_a, "10.0.0.1:8000"));
    const TimePoint before = std::chrono::steady_clock::now();
    const ReplicaSample pod = pods().pods.at(0);
    for (const auto& [reading, peak] :
         {std::pair(pod.kv_cache_usage, 0.95), std::pair(pod.queue_length, 40.0)}) {
        CHECK(reading.value() == peak);
        CHECK(reading.statistic() == Statistic::peak);
        CHECK(reading.window() == 60s);
        CHECK(is_aged(reading.sampled_at(), before, 32s));
        CHECK(reading.latest() == 0);
        CHECK(is_aged(reading.latest_at(), before, 2s));
    }
}

TEST_CASE_METHOD(ClusterFixture, "a peak is over when it has left the window") {
    const auto kv = [](FakePrometheus::Time time) { return time < noon - 60s ? 0.95 : 0.1; };
    scrape({.kv = kv}, target(pod_a, "10.0.0.1:8000"));
    CHECK(pods().pods.at(0).kv_cache_usage.value() == 0.1);
}

TEST_CASE_METHOD(ClusterFixture, "a gauge that rises is as old as its last sample") {
    const auto kv = [](FakePrometheus::Time time) { return time < noon - 10s ? 0.1 : 0.95; };
    scrape({.kv = kv}, target(pod_a, "10.0.0.1:8000"));
    const TimePoint before = std::chrono::steady_clock::now();
    const Reading<double> usage = pods().pods.at(0).kv_cache_usage;
    CHECK(usage.value() == 0.95);
    CHECK(is_aged(usage.sampled_at(), before, 2s));
}
