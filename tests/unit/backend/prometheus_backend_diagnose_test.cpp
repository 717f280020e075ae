// SPDX-License-Identifier: Apache-2.0
#include "cluster_fixture.hpp"
#include "wva_metrics/cache/no_op_cache.hpp"
#include "wva_metrics/collector.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <catch2/catch_all.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;

namespace {

struct DiagnosedCluster : ClusterFixture {
    DiagnosedCluster() { config.use_kube_state = false; }

    /// The problems of a model.
    std::vector<FindingCode> problems(const ModelKey& model = {"llm", "meta/llama"},
                                      std::vector<VariantAutoscaling> variants = {}) {
        PrometheusBackend asked = backend();
        const Diagnosis diagnosis = run(asked.diagnose(model, std::move(variants))).value();
        CHECK(diagnosis.model == model);
        std::vector<FindingCode> codes;
        for (const Finding& finding : diagnosis.findings) {
            UNSCOPED_INFO(to_string(finding.code) << ": " << finding.text);
            if (finding.is_problem)
                codes.push_back(finding.code);
        }
        return codes;
    }
    void scrape_pod(const Labels& more = {}) {
        scrape(ScrapedServer{}, target(pod_a, "10.0.0.1:8000", more));
    }

    using Codes = std::vector<FindingCode>;
};

} // namespace

TEST_CASE_METHOD(DiagnosedCluster, "a model that is scraped well is healthy") {
    scrape_pod();
    CHECK(problems({"llm", "meta/llama"}, {variant_of("llama")}).empty());
    CHECK(problems({"llm", "meta/llama"}, {variant_of("other")}) ==
          Codes{FindingCode::pods_match_no_variant});
}

TEST_CASE_METHOD(DiagnosedCluster, "a diagnosis finds where an absent model is") {
    scrape_pod();
    CHECK(problems({"llm", "meta/lama"}) == Codes{FindingCode::model_id_mismatch});
    CHECK(problems({"prod", "meta/llama"}) == Codes{FindingCode::wrong_namespace});
    CHECK(problems({"prod", "qwen"}) == Codes{FindingCode::not_scraped});
    CHECK(problems({"llm", "qwen"}) == Codes{FindingCode::model_id_mismatch});
    CHECK(problems({"llm", ""}) == Codes{FindingCode::invalid_argument});
}

TEST_CASE_METHOD(DiagnosedCluster, "a diagnosis finds labels that the scrape did not honour") {
    scrape_pod({{"namespace", "monitoring"}, {"exported_namespace", "llm"}});
    CHECK(problems() == Codes{FindingCode::labels_not_honored});
}

TEST_CASE_METHOD(DiagnosedCluster, "a diagnosis tells another label's name from a scrape's doing") {
    scrape_pod({{"namespace", "monitoring"}, {"exported_namespace", "llm"}});
    CHECK(problems() == Codes{FindingCode::labels_not_honored});
    scrape(ScrapedServer{}, {{"kubernetes_namespace", "old"},
                             {"kubernetes_pod_name", pod_b},
                             {"instance", "10.0.0.2:8000"}});
    PrometheusBackend asked = backend();
    const Diagnosis found = run(asked.diagnose({"old", "meta/llama"}, {})).value();
    REQUIRE_FALSE(found.findings.empty());
    CHECK(found.findings.front().code == FindingCode::labels_not_honored);
    CHECK_THAT(
        found.findings.front().text,
        Catch::Matchers::StartsWith("the model's namespace is in the label "
                                    "'kubernetes_namespace', not in 'namespace': configure"));
}

TEST_CASE_METHOD(DiagnosedCluster, "a diagnosis says that pods may have their metrics off") {
    const auto text = [this] {
        PrometheusBackend asked = backend();
        const Diagnosis found = run(asked.diagnose({"llm", "meta/llama"}, {})).value();
        REQUIRE_FALSE(found.findings.empty());
        CHECK(found.findings.front().code == FindingCode::not_scraped);
        return found.findings.front().text;
    };
    CHECK_THAT(text(), !Catch::Matchers::ContainsSubstring("switched off"));
    for (const auto age : {32s, 17s, 2s})
        fake.append({"up", target(pod_a, "10.0.0.1:8000")}, 1, noon - age);
    CHECK_THAT(text(), Catch::Matchers::ContainsSubstring("(jobs 'vllm')") &&
                           Catch::Matchers::ContainsSubstring("--disable-log-stats"));
}

TEST_CASE_METHOD(DiagnosedCluster, "a diagnosis finds metrics with another prefix or engine") {
    const Labels labels = {{"namespace", "llm"}, {"model_name", "meta/llama"}, {"pod", pod_a}};
    fake.set_steady({"ray_vllm_num_requests_running", labels}, 1);
    CHECK(problems() == Codes{FindingCode::metrics_renamed});
    fake.clear();
    fake.set_steady({"sglang:num_running_reqs", labels}, 1);
    CHECK(problems() == Codes{FindingCode::other_engine});
}

TEST_CASE_METHOD(DiagnosedCluster, "a diagnosis asks at most three queries more than a round") {
    PrometheusBackend asked = backend();
    run(asked.fetch_replica_samples({{"llm", "meta/llama"}}));
    const std::size_t before = fake.query_count();
    run(asked.fetch_replica_samples({{"llm", "meta/llama"}}));
    const std::size_t round = fake.query_count() - before;
    run(asked.diagnose({"llm", "meta/llama"}, {}));
    CHECK(fake.query_count() - before - round <= round + 3);
}

TEST_CASE_METHOD(DiagnosedCluster, "what cannot be asked is said, and nothing is guessed") {
    scrape_pod();
    fake.fail_next_containing("topk", 1000, 422);
    CHECK(problems({"prod", "qwen"}) == Codes{FindingCode::server_trouble});
}

TEST_CASE_METHOD(DiagnosedCluster, "a server that refuses is a finding") {
    const auto [status, code] = GENERATE(
        std::pair(401, FindingCode::unauthorized), std::pair(403, FindingCode::forbidden),
        std::pair(404, FindingCode::not_found), std::pair(503, FindingCode::server_trouble));
    fake.fail_next(1000, status);
    CHECK(problems() == Codes{code});
}

TEST_CASE_METHOD(DiagnosedCluster, "a collector diagnoses past its cache") {
    scrape_pod();
    Collector<PrometheusBackend, NoOpCache> collector(io.get_executor(), backend());
    const auto answer =
        run(collector.async_diagnose({"llm", "meta/lama"}, {}, asio::use_awaitable));
    REQUIRE(answer.has_value());
    CHECK_FALSE(answer->is_healthy());
    CHECK(answer->findings.at(0).code == FindingCode::model_id_mismatch);
}

TEST_CASE_METHOD(DiagnosedCluster, "a diagnosis ends with its collector, or when it is cancelled") {
    fake.hold();
    std::optional<Result<Diagnosis>> answer;
    const auto keep = [&](Result<Diagnosis> result) { answer = std::move(result); };
    std::optional<Collector<PrometheusBackend, NoOpCache>> collector;
    collector.emplace(io.get_executor(), backend());
    asio::cancellation_signal signal;
    collector->async_diagnose({"llm", "meta/llama"}, {},
                              asio::bind_cancellation_slot(signal.slot(), keep));
    io.poll();
    SECTION("destroyed") {
        collector.reset();
    }
    SECTION("cancelled") {
        signal.emit(asio::cancellation_type::total);
    }
    wait_until([&] { return answer.has_value(); });
    REQUIRE(answer->has_error());
    CHECK(answer->error().is(Errc::aborted));
}
