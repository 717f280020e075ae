// SPDX-License-Identifier: Apache-2.0
#include "cluster_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <string>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::WithinRel;

TEST_CASE_METHOD(ClusterFixture, "two servers in one pod on two ports are added up") {
    const std::string engine = GENERATE("0", "");
    const ScrapedServer one{
        .queue = ScrapedServer::always(5), .kv = ScrapedServer::always(0.3), .engine = engine};
    const ScrapedServer two{.per_second = 2,
                            .queue = ScrapedServer::always(7),
                            .kv = ScrapedServer::always(0.6),
                            .started = noon - 50min,
                            .engine = engine};
    scrape(one, target(pod_a, "10.0.0.1:8000"));
    scrape(two, target(pod_a, "10.0.0.1:8001"), {.age = 9s});
    CHECK_THAT(load().arrival_rate_per_minute.value(), WithinRel(180.0, 1e-6));
    const ReplicaSamples samples = pods();
    REQUIRE(samples.pods.size() == 1);
    CHECK(samples.pods[0].queue_length.value() == 12);
    CHECK(samples.pods[0].kv_cache_usage.value() == 0.6);
    CHECK(samples.warnings.empty());
}

TEST_CASE_METHOD(ClusterFixture, "two idle servers are told apart by one more query a minute") {
    const ScrapedServer one{.per_second = 0, .queue = ScrapedServer::always(5)};
    const ScrapedServer two{
        .per_second = 0, .queue = ScrapedServer::always(7), .started = noon - 50min};
    scrape(one, target(pod_a, "10.0.0.1:8000"));
    scrape(two, target(pod_a, "10.0.0.1:8001"), {.age = 9s});
    const auto asked = [&] {
        const auto queries = fake.queries();
        return std::ranges::count_if(queries, [](const auto& query) {
            return query.text.find("process_start_time_seconds") != std::string::npos;
        });
    };
    for (int round = 0; round < 3; ++round) {
        CHECK(pods().pods.at(0).queue_length.value() == 12);
        CHECK(asked() == 1);
    }
}

TEST_CASE_METHOD(ClusterFixture, "two servers that nothing tells apart are ambiguous") {
    const ScrapedServer one{.per_second = 0, .queue = ScrapedServer::always(5)};
    const ScrapedServer two{.per_second = 0, .queue = ScrapedServer::always(7)};
    for (const std::string port : {"8000", "8001"}) {
        const Labels labels = target(pod_a, "10.0.0.1:" + port);
        scrape(port == "8000" ? one : two, labels);
        fake.remove({"process_start_time_seconds", labels});
    }
    const ReplicaSamples samples = pods();
    CHECK(is_missing(samples.pods.at(0).queue_length, ReadingReason::ambiguous));
    CHECK(warns_of(samples.warnings, pod_a));
    CHECK(load().partial);
}
