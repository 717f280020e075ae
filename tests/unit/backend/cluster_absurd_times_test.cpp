// SPDX-License-Identifier: Apache-2.0
#include "cluster_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

TEST_CASE_METHOD(ClusterFixture, "a sample whose time is none or absurd is refused") {
    scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000"));
    const std::string time = GENERATE(R"("NaN")", "NaN", "-1", "1e300", "1e13", "null", "{}");
    CAPTURE(time);
    fake.fail_next_containing(
        "kv_cache", 1, 200,
        R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":)"
        R"({"__name__":"vllm:kv_cache_usage_perc","namespace":"llm","model_name":"meta/llama",)"
        R"("pod":"p"},"values":[[)" +
            time + R"(,"0.5"]]}]}})");
    const auto answers = replicas(std::vector{ModelKey("llm", "meta/llama")});
    REQUIRE(answers[0].has_error());
    CHECK(answers[0].error().is(Errc::bad_response));
    // The next round is right.
    CHECK(replicas().pods.size() == 1);
}

TEST_CASE_METHOD(ClusterFixture, "an absurd time of the server itself is refused") {
    scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000"));
    fake.fail_next_containing(
        "vector(0)", 1, 200,
        R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[)" +
            std::string(GENERATE("NaN", "-5", "1e300")) + R"(,"0"]}]}})");
    CHECK(replicas(std::vector{ModelKey("llm", "meta/llama")})[0].error().is(Errc::bad_response));
}

TEST_CASE_METHOD(ClusterFixture, "samples of the server's future do not count") {
    scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000"));
    const FakePrometheus::Series queue{
        "vllm:num_requests_waiting",
        target(pod_a, "10.0.0.1:8000", {{"model_name", "meta/llama"}, {"engine", "0"}})};
    fake.append(queue, 99, noon + 30s);
    CHECK(pods().pods.at(0).queue_length.value() == 3);
}

TEST_CASE_METHOD(ClusterFixture, "the clock of the server may differ from ours by any time") {
    // `noon` is years ago, and so is everything else here; ages are right nevertheless.
    scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000"));
    const TimePoint before = std::chrono::steady_clock::now();
    CHECK(is_aged(pods().pods.at(0).queue_length.latest_at(), before, 2s));
}
