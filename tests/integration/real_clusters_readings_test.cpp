// SPDX-License-Identifier: Apache-2.0
//
// What readings say of themselves: over how long, of which samples, and what a total lacks.
#include "support/asked_server.hpp"
#include "support/each_server.hpp"
#include "support/scenario.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::WithinAbs;
using Catch::Matchers::WithinRel;

namespace {

const std::string described_pod = "llama-7d9f8b6c5d-aaaaa";
const std::string unread_pod = "llama-7d9f8b6c5d-bbbbb";

double in_seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

} // namespace

TEST_CASE("a peak says that it is one, and has the last sample beside it") {
    Scenario cluster(each_server());
    const ServingProcess idle_now{.kv_usage = Course::step(0.95, 20s, 0),
                                  .queue = Course::step(7, 35s, 1)};
    cluster.add(idle_now, cluster.target(described_pod));
    cluster.write();
    AskedServer asked(cluster.server());
    const ReplicaSamples replicas = asked.replicas(cluster.model());
    INFO(cluster.server().name());
    REQUIRE(replicas.pods.size() == 1);
    const Reading<double>& kv = replicas.pods[0].kv_cache_usage;
    const Reading<double>& queue = replicas.pods[0].queue_length;
    REQUIRE(kv.has_value());
    REQUIRE(queue.has_value());
    CHECK(to_string(kv.statistic()) == "peak");
    CHECK(kv.value() == 0.95);
    CHECK(kv.latest() == 0);
    CHECK_THAT(cluster.ago(kv), WithinAbs(31, asked.slack()));
    CHECK_THAT(cluster.ago(kv.latest_at()), WithinAbs(1, asked.slack()));
    CHECK(kv.window() == 1min);
    CHECK(queue.value() == 7);
    CHECK(queue.latest() == 1);
    CHECK_THAT(cluster.ago(queue), WithinAbs(46, asked.slack()));
}

TEST_CASE("a rate says over how long it was measured") {
    Scenario cluster(each_server());
    double window = 60;
    SECTION("the configured window") {
        cluster.add(ServingProcess{}, cluster.target(described_pod));
    }
    SECTION("what is covered of it") {
        cluster.add(ServingProcess{.started = 35s}, cluster.target(described_pod), {.first = 31s});
        window = 30;
    }
    cluster.write();
    AskedServer asked(cluster.server());
    const OptimizerMetrics load = asked.optimizer(cluster.variant());
    INFO(cluster.server().name());
    CHECK_THAT(load.arrival_rate_per_minute.value_or(-1), WithinRel(60.0, 1e-6));
    CHECK(to_string(load.arrival_rate_per_minute.statistic()) == "rate");
    CHECK_THAT(in_seconds(load.arrival_rate_per_minute.window()), WithinAbs(window, 0.01));
    CHECK(to_string(load.ttft_seconds.statistic()) == "average");
    CHECK_FALSE(load.arrival_rate_per_minute.is_lower_bound());
    CHECK(load.coverage.seen == 1);
    CHECK(load.coverage.counted == 1);
    CHECK(load.coverage.missing.empty());
}

TEST_CASE("where scrapes are rare, a reading says how rare") {
    Scenario cluster(each_server());
    cluster.add(ServingProcess{}, cluster.target(described_pod),
                {.first = 15min, .last = 30s, .every = 60s});
    cluster.write();
    AskedServer asked(cluster.server());
    const OptimizerMetrics load = asked.optimizer(cluster.variant());
    INFO(cluster.server().name());
    const Reading<double>& rate = load.arrival_rate_per_minute;
    CHECK_THAT(in_seconds(rate.spacing()), WithinAbs(60, 0.01));
    REQUIRE(rate.last_sample_at().has_value());
    CHECK_THAT(cluster.ago(*rate.last_sample_at()), WithinAbs(30, asked.slack()));
    if (rate)
        CHECK(in_seconds(rate.window()) > 60);
}

TEST_CASE("a total that lacks a living pod is a lower bound and names it") {
    Scenario cluster(each_server());
    cluster.add(ServingProcess{}, cluster.target(described_pod));
    const ServingProcess busy{
        .started = 50min, .requests_per_minute = 300, .kv_usage = 0.98, .queue = 60};
    const ScrapedLabels target = cluster.target(unread_pod, "10.0.0.2:8000");
    bool may_be_known = true;
    SECTION("it cannot be read") {
        cluster.add(busy, target, {.last = 51s, .end_marked = 36s, .failed_until = 6s});
    }
    SECTION("it has been read once so far") {
        cluster.add(ServingProcess{.started = 10s}, target, {.first = 1s});
        may_be_known = false;
    }
    for (const std::string& pod : {described_pod, unread_pod})
        cluster.add(ReportedPod{.pod = pod, .owner_name = "llama-7d9f8b6c5d"});
    cluster.write();
    AskedServer asked(cluster.server());
    const OptimizerMetrics load = asked.optimizer(cluster.variant());
    INFO(cluster.server().name());
    const Reading<double>& rate = load.arrival_rate_per_minute;
    CHECK(load.partial);
    CHECK(load.coverage.seen == 2);
    CHECK(load.coverage.counted == 1);
    CHECK(load.coverage.missing == std::vector<std::string>{unread_pod});
    REQUIRE(rate.has_value());
    CHECK(rate.is_lower_bound());
    // What the busy pod served before may count.
    CHECK(rate.value() >= 59.9);
    if (!may_be_known)
        CHECK(rate.value() < 60.1);
}

TEST_CASE("a pod that ended within the window is counted, and makes no total a lower bound") {
    Scenario cluster(each_server());
    cluster.add(ServingProcess{}, cluster.target(described_pod));
    cluster.add(ServingProcess{.started = 50min}, cluster.target(unread_pod, "10.0.0.2:8000"),
                {.last = 8s, .end_marked = 4s});
    cluster.add(ReportedPod{.pod = described_pod, .owner_name = "llama-7d9f8b6c5d"});
    cluster.add(ReportedPod{.pod = unread_pod,
                            .owner_name = "llama-7d9f8b6c5d",
                            .seen = {.last = 17s, .end_marked = 2s}});
    cluster.write();
    AskedServer asked(cluster.server());
    const OptimizerMetrics load = asked.optimizer(cluster.variant());
    INFO(cluster.server().name());
    CHECK_FALSE(load.partial);
    CHECK_FALSE(load.arrival_rate_per_minute.is_lower_bound());
    CHECK(load.coverage.counted == 2);
    CHECK(load.coverage.missing.empty());
    CHECK(load.arrival_rate_per_minute.value_or(-1) > 100);
}

TEST_CASE("the last sample of a pod is known also where it has no value") {
    Scenario cluster(each_server());
    cluster.add(ServingProcess{}, cluster.target(described_pod), {.last = 41s});
    cluster.write();
    AskedServer asked(cluster.server());
    const ReplicaSamples replicas = asked.replicas(cluster.model());
    INFO(cluster.server().name());
    REQUIRE(replicas.pods.size() == 1);
    REQUIRE(replicas.pods[0].last_sample_at.has_value());
    CHECK_THAT(cluster.ago(*replicas.pods[0].last_sample_at), WithinAbs(41, asked.slack()));
}
