// SPDX-License-Identifier: Apache-2.0
#include "cluster_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

/// kube-state-metrics is scraped without `honorLabels`, the servers have plain labels.
struct ExportedPods : ClusterFixture {
    void report(const std::string& pod, std::optional<FakePrometheus::Time> removed = {}) {
        report_pod(
            "kube-state-metrics-0",
            {{"namespace", "monitoring"}, {"exported_namespace", "llm"}, {"exported_pod", pod}},
            removed);
    }
    std::size_t queries_for_pods() const {
        const auto queries = fake.queries();
        return static_cast<std::size_t>(std::ranges::count_if(queries, [](const auto& query) {
            return query.text.find("kube_pod_info") != std::string::npos;
        }));
    }
};

} // namespace

TEST_CASE_METHOD(ExportedPods, "kube-state-metrics without honorLabels is found by itself") {
    scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000"));
    scrape({.ended = noon - 40s}, target(pod_b, "10.0.0.2:8000"), {.removed = noon - 40s});
    report(pod_a);
    report(pod_b, noon - 60s);
    for (const std::size_t queries : {2U, 3U, 4U}) { // The second time it is known.
        const ReplicaSamples samples = pods();
        REQUIRE(pod_names(samples) == std::vector{pod_a});
        CHECK(samples.pods[0].state == PodState::ready);
        CHECK(samples.gone_pods == std::vector{pod_b});
        CHECK(samples.warnings.empty());
        CHECK(queries_for_pods() == queries);
    }
}

TEST_CASE_METHOD(ExportedPods, "without kube-state-metrics the other labels are tried once") {
    scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000"));
    for (const std::size_t queries : {2U, 3U, 4U}) {
        CHECK(pod_names(pods()) == std::vector{pod_a});
        CHECK(queries_for_pods() == queries);
    }
}

TEST_CASE_METHOD(ExportedPods, "kube-state-metrics with honorLabels takes one query") {
    scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000"));
    report_pod(pod_a);
    CHECK(pods().pods.at(0).state == PodState::ready);
    CHECK(queries_for_pods() == 1);
}
