// SPDX-License-Identifier: Apache-2.0
#include "cluster_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <optional>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// Two pods, of which one was deleted 20 s ago.
struct DeletedPod : ClusterFixture {
    DeletedPod() { scrape_all(); }

    void scrape_all() {
        scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000"));
        scrape({.ended = deleted}, target(pod_b, "10.0.0.2:8000"),
               {.age = 7s, .removed = discovered});
        report_pod(pod_a);
        report_pod(pod_b, {}, deleted);
    }

    const FakePrometheus::Time deleted = noon - 20s;
    /// The target is scraped a little longer than it answers.
    const FakePrometheus::Time discovered = noon - GENERATE(20s, 5s);
};

} // namespace

TEST_CASE_METHOD(DeletedPod, "a deleted pod is gone within a scrape interval, and stays gone") {
    for (int i = 0; i < 8; ++i) {
        CAPTURE(i);
        const ReplicaSamples samples = pods();
        CHECK(pod_names(samples) == std::vector{pod_a});
        CHECK_FALSE(samples.partial);
        const OptimizerMetrics metrics = load();
        CHECK_FALSE(metrics.arrival_rate_per_minute.is_lower_bound());
        CHECK_FALSE(metrics.partial);
        CHECK(metrics.coverage.missing.empty());
        fake.advance(i < 4 ? 5s : 60s);
        scrape_all();
    }
}
