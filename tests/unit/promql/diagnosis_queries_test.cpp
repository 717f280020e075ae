// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/promql/diagnosis_queries.hpp"

#include "wva_metrics/engine/known_engines.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::promql;

TEST_CASE("a query for nearby models selects by each label, and is bounded") {
    EngineProfile profile = vllm_profile();
    profile.labels.namespace_name = "ns";
    const std::string text = nearby_models_query(profile, "llm", "meta\"llama").value();
    const std::string by =
        "by (exported_model_name,exported_namespace,k8s_namespace_name,kubernetes_namespace,model,"
        "model_id,model_name,namespace,ns,served_model_name)";
    CHECK(text.starts_with("topk(1000, count " + by + " ({"));
    CHECK(text.find(") or topk(1001, count " + by + " ({") != std::string::npos);
    for (const std::string selector :
         {R"(ns="llm"})", R"(exported_namespace="llm"})", R"(model_name="meta\"llama"})",
          R"(served_model_name="meta\"llama"})"})
        CHECK(text.find(R"({__name__="vllm:num_requests_running",)" + selector) !=
              std::string::npos);
    CHECK(nearby_models_query(profile, "\xff", "m").error().is(Errc::invalid_argument));
    CHECK(nearby_models_query(profile, "llm", "\xff").error().is(Errc::invalid_argument));
}

TEST_CASE("a query for similar metrics needs names") {
    const std::vector<std::string> endings = {"a.b", "c"};
    CHECK(similar_metrics_query(endings, "ns", "llm").value() ==
          R"(count by (__name__) ({__name__=~".*(a\\.b|c)(_count)?",ns="llm"}))");
    CHECK(similar_metrics_query({}, "ns", "llm").error().is(Errc::invalid_argument));
}

TEST_CASE("the jobs that scrape a namespace are asked for with their `up`") {
    CHECK(scrape_jobs_query("ns", "l\"lm").value() == R"(min by (__name__,job) (up{ns="l\"lm"}))");
    CHECK(scrape_jobs_query("ns", "\xff").error().is(Errc::invalid_argument));
}
