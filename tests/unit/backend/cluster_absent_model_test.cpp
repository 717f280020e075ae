// SPDX-License-Identifier: Apache-2.0
#include "cluster_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

struct AbsentModel : ClusterFixture {
    AbsentModel() { scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000")); }

    /// The only warning about a model that has no replicas.
    std::string warning_about(const ModelKey& model) {
        const ReplicaSamples samples = pods(model);
        CHECK(samples.pods.empty());
        CHECK_FALSE(samples.partial);
        REQUIRE(samples.warnings.size() == 1);
        return samples.warnings[0];
    }
};

} // namespace

TEST_CASE_METHOD(AbsentModel, "replicas of a model that does not exist come with an explanation") {
    CHECK_THAT(warning_about({"llm", "meta/lama"}),
               ContainsSubstring("'meta/lama'") && ContainsSubstring("Check the model id"));
}

TEST_CASE_METHOD(AbsentModel, "replicas in a namespace that has none name the one that has") {
    // VictoriaMetrics hides from such a query what is younger than 30 s.
    CHECK_THAT(warning_about({"prod", "meta/llama"}),
               ContainsSubstring("'prod'") && ContainsSubstring("in namespace 'llm'"));
    const OptimizerMetrics metrics = load(variant_of("llama", "meta/llama", "prod"));
    CHECK(is_missing(metrics.arrival_rate_per_minute, ReadingReason::no_series));
    CHECK(warns_of(metrics.warnings, "in namespace 'llm'"));
}

TEST_CASE_METHOD(AbsentModel, "a namespace under another label is named by its label") {
    fake.clear();
    scrape(ScrapedServer{}, target("scraper-0", "10.0.0.1:8000",
                                   {{"namespace", "monitoring"},
                                    {"exported_namespace", "llm"},
                                    {"exported_pod", pod_a}}));
    const std::string warning = warning_about({"llm", "meta/llama"});
    CHECK_THAT(warning, ContainsSubstring("'exported_namespace'") &&
                            ContainsSubstring("prometheus.engine.labels.namespace") &&
                            !ContainsSubstring("monitoring"));

    // What it says helps.
    config.engine.labels.namespace_name = "exported_namespace";
    config.engine.labels.pod = "exported_pod";
    config.use_kube_state = false;
    CHECK(pod_names(replicas()) == std::vector{pod_a});
}

TEST_CASE_METHOD(AbsentModel, "an explanation costs one query a minute for all models") {
    const std::vector<ModelKey> models = {
        {"llm", "a"}, {"llm", "b"}, {"prod", "meta/llama"}, {"llm", "meta/llama"}};
    PrometheusBackend queried = backend();
    const auto explaining = [&] {
        const auto queries = fake.queries();
        return std::ranges::count_if(queries, [](const auto& query) {
            return query.text.find("running\",model_name=") != std::string::npos;
        });
    };
    for (int round = 0; round < 3; ++round) {
        const auto answers = run(queried.fetch_replica_samples(models));
        for (std::size_t i = 0; i < 3; ++i)
            CHECK(answers[i].value().warnings.size() == 1);
        CHECK(answers[3].value().warnings.empty());
        CHECK(explaining() == 1);
    }
}

TEST_CASE_METHOD(AbsentModel, "an explanation that cannot be had is no error") {
    fake.fail_next_containing("running\",model_name=", 1, 500);
    CHECK_THAT(warning_about({"prod", "meta/llama"}), ContainsSubstring("Check the model id"));
}

TEST_CASE_METHOD(AbsentModel, "a model that appears is explained no more") {
    const ModelKey model("llm", "qwen");
    warning_about(model);
    Labels labels = target("qwen-7d9f8b6c5d-aaaaa", "10.0.0.2:8000");
    labels.emplace_back("model_name", "qwen");
    fake.set_steady({"vllm:num_requests_running", labels}, 1);
    fake.set_steady({"vllm:num_requests_waiting", labels}, 1);
    const ReplicaSamples samples = pods(model);
    CHECK(samples.pods.size() == 1);
    CHECK(samples.warnings.empty());
}
