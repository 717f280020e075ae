// SPDX-License-Identifier: Apache-2.0
//
// Scrapes that are rare, late, or hidden by the store.
#include "support/asked_server.hpp"
#include "support/each_server.hpp"
#include "support/scenario.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

using namespace std::chrono_literals;
using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

namespace {

const std::string windowed_pod = "llama-7d9f8b6c5d-aaaaa";

/// The value, or that the window is too short for the scrapes; never that there is nothing.
void check_value_or_too_short(const Reading<double>& reading, double value) {
    if (reading)
        CHECK_THAT(reading.value(), WithinRel(value, 1e-6));
    else
        CHECK(reason_of(reading) == "window_too_short");
}

} // namespace

TEST_CASE("what was scraped a second ago is read from every store with its defaults") {
    Scenario cluster(each_server());
    const Ago every = GENERATE(2s, 5s, 15s, 30s);
    // The gauge was higher when it was scraped before.
    cluster.add(ServingProcess{.kv_usage = Course::step(0.2, 1500ms, 0.8)},
                cluster.target(windowed_pod), {.every = every});
    cluster.write();
    AskedServer asked(cluster.server());
    const OptimizerMetrics load = asked.optimizer(cluster.variant());
    const ReplicaSamples replicas = asked.replicas(cluster.model());
    INFO(cluster.server().name() << ", every " << every.count() << " ms");
    CHECK_THAT(load.arrival_rate_per_minute.value_or(-1), WithinRel(60.0, 1e-6));
    CHECK_THAT(cluster.ago(load.arrival_rate_per_minute), WithinAbs(1, asked.slack()));
    REQUIRE(replicas.pods.size() == 1);
    CHECK(replicas.pods[0].kv_cache_usage.value_or(-1) == 0.8);
    CHECK_THAT(cluster.ago(replicas.pods[0].kv_cache_usage), WithinAbs(1, asked.slack()));
}

TEST_CASE("a pod that began half a minute ago is measured over the time that it has served") {
    Scenario cluster(each_server());
    cluster.add(ServingProcess{.started = 40s}, cluster.target(windowed_pod), {.first = 31s});
    cluster.write();
    AskedServer asked(cluster.server());
    const OptimizerMetrics load = asked.optimizer(cluster.variant());
    INFO(cluster.server().name());
    CHECK_THAT(load.arrival_rate_per_minute.value_or(-1), WithinRel(60.0, 1e-6));
    CHECK_THAT(load.avg_input_tokens.value_or(-1), WithinRel(100.0, 1e-6));
}

TEST_CASE("a window that holds fewer than two samples is widened, or said to be too short") {
    Scenario cluster(each_server());
    const auto [every, last] =
        GENERATE(std::pair(Ago(60s), Ago(20s)), std::pair(Ago(60s), Ago(55s)),
                 std::pair(Ago(45s), Ago(40s)), std::pair(Ago(120s), Ago(50s)));
    cluster.add(ServingProcess{}, cluster.target(windowed_pod),
                {.first = 15min, .last = last, .every = every});
    cluster.write();
    AskedServer asked(cluster.server());
    const OptimizerMetrics load = asked.optimizer(cluster.variant());
    const ReplicaSamples replicas = asked.replicas(cluster.model());
    INFO(cluster.server().name() << ", every " << every.count() << " ms");
    check_value_or_too_short(load.arrival_rate_per_minute, 60);
    check_value_or_too_short(load.avg_output_tokens, 200);
    check_value_or_too_short(load.ttft_seconds, 0.25);
    const double newest = std::chrono::duration<double>(last).count();
    if (load.arrival_rate_per_minute)
        CHECK_THAT(cluster.ago(load.arrival_rate_per_minute), WithinAbs(newest, asked.slack()));
    REQUIRE(replicas.pods.size() == 1);
    CHECK(replicas.pods[0].queue_length.value_or(-1) == 3);
    CHECK_THAT(cluster.ago(replicas.pods[0].queue_length), WithinAbs(newest, asked.slack()));
}

TEST_CASE("scrapes so rare that no window holds two say so") {
    Scenario cluster(each_server());
    cluster.add(ServingProcess{}, cluster.target(windowed_pod),
                {.first = 30min, .last = 30s, .every = 6min});
    cluster.write();
    AskedServer asked(cluster.server());
    const OptimizerMetrics load = asked.optimizer(cluster.variant());
    INFO(cluster.server().name());
    CHECK_FALSE(load.arrival_rate_per_minute.has_value());
    CHECK(reason_of(load.arrival_rate_per_minute) != "no_series");
    const ReplicaSamples replicas = asked.replicas(cluster.model());
    REQUIRE(replicas.pods.size() == 1);
    CHECK(replicas.pods[0].queue_length.value_or(-1) == 3);
}

TEST_CASE("a peak is as old as the sample that holds it") {
    Scenario cluster(each_server());
    cluster.add(
        ServingProcess{.kv_usage = Course::step(0.95, 20s, 0), .queue = Course::step(7, 35s, 0)},
        cluster.target(windowed_pod));
    cluster.write();
    AskedServer asked(cluster.server());
    const ReplicaSamples replicas = asked.replicas(cluster.model());
    INFO(cluster.server().name());
    REQUIRE(replicas.pods.size() == 1);
    const ReplicaSample& pod = replicas.pods[0];
    CHECK(pod.kv_cache_usage.value_or(-1) == 0.95);
    CHECK_THAT(cluster.ago(pod.kv_cache_usage), WithinAbs(31, asked.slack()));
    CHECK(pod.queue_length.value_or(-1) == 7);
    CHECK_THAT(cluster.ago(pod.queue_length), WithinAbs(46, asked.slack()));
}
