// SPDX-License-Identifier: Apache-2.0
#include "cluster_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

struct DuplicateSeries : ClusterFixture {
    DuplicateSeries() { scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000")); }

    /// Answers the next query with this text with two series.
    void script(const std::string& query, const std::string& type, const std::string& one,
                const std::string& other) {
        fake.fail_next_containing(query, 1, 200,
                                  R"({"status":"success","data":{"resultType":")" + type +
                                      R"(","result":[)" + one + "," + other + "]}}");
    }
    Result<ReplicaSamples> fetch() {
        return replicas(std::vector{ModelKey("llm", "meta/llama")}).at(0);
    }
};

} // namespace

TEST_CASE_METHOD(DuplicateSeries, "an answer that holds a series twice is refused") {
    SECTION("a matrix, whatever the order of the labels") {
        script("kv_cache", "matrix",
               R"({"metric":{"__name__":"up","pod":"p"},"values":[[1700000000,"1"]]})",
               R"({"metric":{"pod":"p","__name__":"up"},"values":[[1700000000,"0"]]})");
    }
    SECTION("a vector") {
        script("vector(0)", "vector", R"({"metric":{"pod":"p"},"value":[1700000000,"1"]})",
               R"({"metric":{"pod":"p"},"value":[1700000000,"1"]})");
    }
    const Result<ReplicaSamples> answer = fetch();
    REQUIRE(answer.has_error());
    CHECK(answer.error().is(Errc::bad_response));
    CHECK_THAT(answer.error().describe(), ContainsSubstring("twice"));
}

TEST_CASE_METHOD(DuplicateSeries, "what kube-state-metrics says twice is not believed") {
    const std::string one = R"({"metric":{"__name__":"kube_pod_info","pod":"p","namespace":"llm"},)"
                            R"("values":[[1700000000,"1"]]})";
    script("kube_pod_info", "matrix", one, one);
    const ReplicaSamples samples = fetch().value();
    REQUIRE(pod_names(samples) == std::vector{pod_a});
    CHECK(samples.pods[0].queue_length.value() == 3);
    CHECK(samples.partial);
    CHECK(warns_of(samples.warnings, "twice"));
}
