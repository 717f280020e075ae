// SPDX-License-Identifier: Apache-2.0

#include "unit/backend/epp_fixture.hpp"

#include "wva_metrics/backend/detail/epp_error.hpp"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <string>
#include <vector>

namespace wva_metrics {
namespace {

using Catch::Approx;
using Catch::Matchers::ContainsSubstring;
using test_support::EppPages;

std::string flow_queue(const std::string& labels, const std::string& value) {
    return "llm_d_epp_flow_control_queue_size{" + labels + "} " + value + "\n";
}

const std::string flow_control_runs =
    "llm_d_epp_flow_control_pool_saturation{inference_pool=\"p\",stage=\"effective\"} 0\n";

TEST_CASE("whether a request waits for a model is yes, no or unknown with a reason", "[epp]") {
    struct Case {
        std::string page;
        Queued queued;
        QueuedReason reason;
    };
    const std::string known =
        "llm_d_epp_request_total{model_name=\"m\",target_model_name=\"m\"} 3\n";
    const std::vector<Case> cases = {
        {flow_queue("model_name=\"m\"", "2"), Queued::yes, QueuedReason::none},
        {flow_queue("model_name=\"alias\",target_model_name=\"m\"", "2"), Queued::yes,
         QueuedReason::none},
        {flow_queue("model_name=\"m\"", "0"), Queued::no, QueuedReason::none},
        {flow_queue("model_name=\"m\",priority=\"0\"", "0") +
             flow_queue("model_name=\"m\",priority=\"9\"", "1"),
         Queued::yes, QueuedReason::none},
        // What waits for another model does not wait for this one.
        {flow_queue("model_name=\"n\"", "5"), Queued::no, QueuedReason::none},
        {flow_queue("model_name=\"m\",target_model_name=\"n\"", "5"), Queued::no,
         QueuedReason::none},
        // The new name counts, also when it is 0.
        {flow_queue("model_name=\"m\"", "0") +
             "inference_extension_flow_control_queue_size{model_name=\"m\"} 7\n",
         Queued::no, QueuedReason::none},
        {"inference_extension_flow_control_queue_size{model_name=\"m\"} 7\n", Queued::yes,
         QueuedReason::none},
        // An EPP removes the queue of a flow that is idle.
        {flow_control_runs, Queued::no, QueuedReason::none},
        {"llm_d_epp_flow_control_dispatch_cycle_duration_seconds_count 9\n", Queued::no,
         QueuedReason::none},
        {known, Queued::unknown, QueuedReason::no_flow_control},
        {"llm_d_epp_ready_endpoints{name=\"p\"} 0\n", Queued::unknown,
         QueuedReason::no_flow_control},
        {flow_queue("model_name=\"other\"", "4"), Queued::unknown, QueuedReason::folded},
        {flow_queue("model_name=\"other\",target_model_name=\"other\"", "4"), Queued::unknown,
         QueuedReason::folded},
        {flow_queue("model_name=\"other\"", "NaN"), Queued::unknown, QueuedReason::folded},
        {flow_queue("model_name=\"other\"", "0"), Queued::no, QueuedReason::none},
        // A name that the EPP has seen is never folded later.
        {flow_queue("model_name=\"other\"", "4") + known, Queued::no, QueuedReason::none},
        {flow_queue("model_name=\"other\"", "4") + flow_queue("model_name=\"m\"", "1"), Queued::yes,
         QueuedReason::none},
        {flow_queue("model_name=\"m\"", "NaN"), Queued::unknown, QueuedReason::not_finite},
        {flow_queue("model_name=\"m\"", "-1"), Queued::unknown, QueuedReason::implausible},
        {flow_queue("model_name=\"m\",priority=\"0\"", "5") +
             flow_queue("model_name=\"m\",priority=\"9\"", "-2"),
         Queued::unknown, QueuedReason::implausible},
        {flow_queue("model_name=\"m\"", "2") +
             "llm_d_epp_ready_endpoints{name=\"a\"} 1\nllm_d_epp_ready_endpoints{name=\"b\"} 1\n",
         Queued::unknown, QueuedReason::several_pools},
    };
    for (const Case& one : cases) {
        CAPTURE(one.page);
        EppPages epp;
        const EppQueued answer = epp.scrape(0, one.page).queued("m");
        CHECK(to_string(answer.queued) == to_string(one.queued));
        CHECK(to_string(answer.reason) == to_string(one.reason));
        CHECK(answer.requests.has_value() == (one.queued != Queued::unknown));
        CHECK((answer.requests.value_or(0) > 0) == (one.queued == Queued::yes));
        CHECK_FALSE(answer.message.empty());
    }
    EppPages epp;
    CHECK(epp.scrape(0, flow_queue("model_name=\"m\"", "2")).queued("m", "elsewhere").reason ==
          QueuedReason::other_namespace);
}

/// What an EPP has counted of two models after `n` steps of 10 s.
std::string counted(int n, const std::string& prefix = "llm_d_epp_",
                    const std::string& input = "request_input_tokens") {
    const auto line = [&](const std::string& name, const std::string& labels, double value) {
        return prefix + name + "{" + labels + "} " + std::to_string(value) + "\n";
    };
    const std::string m = "model_name=\"m\",target_model_name=\"m\",priority=\"0\"";
    const std::string alias = "model_name=\"alias\",target_model_name=\"m\",priority=\"0\"";
    return line("request_total", m, 100 + 10 * n) + line("request_total", alias, 5 * n) +
           line("request_total", "model_name=\"x\",target_model_name=\"x\"", 1000 * n) +
           line(input + "_sum", m, 10 + 2000 * n) + line(input + "_count", m, 7 + 10 * n) +
           line("request_ttft_seconds_sum", m + ",streaming=\"true\"", 2 * n) +
           line("request_ttft_seconds_count", m + ",streaming=\"true\"", 10 * n) +
           line("request_ttft_seconds_sum", m + ",streaming=\"false\"", 900 * n) +
           line("request_ttft_seconds_count", m + ",streaming=\"false\"", 10 * n);
}

TEST_CASE("the requests of a model's only workload are measured by the EPP's counters", "[epp]") {
    EppPages epp;
    epp.scrape(0, counted(0));
    CHECK(epp.optimizer("m").arrival_rate_per_minute.reason() == ReadingReason::warming_up);
    for (int n = 1; n <= 6; ++n)
        epp.scrape(10 * n, counted(n) + counted(n, "inference_objective_", "input_tokens"));
    const OptimizerMetrics metrics = epp.optimizer("m");
    CHECK(metrics.arrival_rate_per_minute.value() == Approx(90).epsilon(0.01));
    CHECK(metrics.arrival_rate_per_minute.metric() == "llm_d_epp_request_total");
    CHECK(metrics.avg_input_tokens.value() == Approx(200));
    CHECK(metrics.ttft_seconds.value() == Approx(0.2));
    CHECK(metrics.itl_seconds.reason() == ReadingReason::no_series);
    CHECK(metrics.warnings.empty());
}

TEST_CASE("old names of the counters are measured too", "[epp]") {
    for (const std::string prefix :
         {"llm_d_router_epp_", "inference_objective_", "inference_model_"}) {
        CAPTURE(prefix);
        EppPages epp;
        for (int n = 0; n <= 6; ++n)
            epp.scrape(10 * n, counted(n, prefix, "input_tokens"));
        CHECK(epp.optimizer("m").arrival_rate_per_minute.value() == Approx(90).epsilon(0.01));
        CHECK(epp.optimizer("m").avg_input_tokens.value() == Approx(200));
    }
}

TEST_CASE("a restart of the EPP gives no negative or huge rate", "[epp]") {
    EppPages epp;
    for (int n = 0; n <= 3; ++n)
        epp.scrape(10 * n, counted(n));
    for (int n = 4; n <= 6; ++n)
        epp.scrape(10 * n, counted(n - 4));
    const double rate = epp.optimizer("m").arrival_rate_per_minute.value();
    CHECK(rate > 0);
    CHECK(rate < 250); // What the new process had counted when it was first seen counts.
}

TEST_CASE("what the EPP counts for several workloads is of none of them", "[epp]") {
    EppPages epp;
    for (int n = 0; n <= 6; ++n)
        epp.scrape(10 * n, counted(n));
    const OptimizerMetrics metrics = epp.optimizer("m", 2);
    for (const auto& field : optimizer_readings)
        CHECK((metrics.*field.member).reason() == ReadingReason::unattributed);
    CHECK_THAT(metrics.warnings.at(0), ContainsSubstring("2 workloads"));
}

TEST_CASE("a model that can only be in 'other' is unknown", "[epp]") {
    EppPages epp;
    epp.scrape(0, "llm_d_epp_request_total{model_name=\"other\",target_model_name=\"other\"} 9\n"
                  "llm_d_epp_request_total{model_name=\"n\",target_model_name=\"n\"} 9\n");
    CHECK(epp.optimizer("m").arrival_rate_per_minute.reason() == ReadingReason::unattributed);
    CHECK(epp.availability("m").reason == AvailabilityReason::backend_error);
    CHECK(epp.availability("n").available);
    CHECK(epp.status().has_folded_models);
    CHECK(epp.status().models == std::vector<std::string>{"n"});
}

TEST_CASE("a model that the EPP never saw has no metrics, and the names that it has are said",
          "[epp]") {
    EppPages epp;
    epp.scrape(0, "llm_d_epp_request_total{model_name=\"Qwen/Qwen3-32B\"} 9\n"
                  "llm_d_epp_request_total{model_name=\"meta/Llama-3\"} 9\n");
    const OptimizerMetrics metrics = epp.optimizer("qwen3-32b");
    CHECK(metrics.arrival_rate_per_minute.reason() == ReadingReason::no_series);
    CHECK_THAT(metrics.warnings.at(0), ContainsSubstring("the nearest is 'Qwen/Qwen3-32B'"));
    CHECK(epp.availability("qwen3-32b").reason == AvailabilityReason::metrics_missing);
    CHECK_THAT(epp.availability("m", "elsewhere").message, ContainsSubstring("'elsewhere'"));
}

TEST_CASE("the endpoints are replicas of the pool's only model", "[epp]") {
    const std::string queues =
        "llm_d_epp_ready_endpoints{name=\"p\"} 3\n"
        "llm_d_epp_per_endpoint_queue_size{name=\"p\",model_server_endpoint=\"b-rank-0\"} 1\n"
        "llm_d_epp_per_endpoint_queue_size{name=\"p\",model_server_endpoint=\"b-rank-1\"} 2\n"
        "llm_d_epp_per_endpoint_queue_size{name=\"p\",model_server_endpoint=\"a\"} 0\n";
    EppPages epp;
    epp.scrape(0, queues + "llm_d_epp_request_total{model_name=\"m\"} 9\n");
    const Result<ReplicaSamples> samples = epp.replicas("m");
    REQUIRE(samples.has_value());
    REQUIRE(samples->pods.size() == 2);
    CHECK(samples->pods[0].pod == "a");
    CHECK(samples->pods[0].queue_length.value() == 0);
    CHECK(samples->pods[1].queue_length.value() == 3);
    CHECK(samples->pods[1].kv_cache_usage.reason() == ReadingReason::not_provided);
    CHECK(samples->pods[1].last_sample_at == epp.now());
    CHECK_FALSE(samples->partial);

    CHECK(epp.replicas("n").has_error());
    CHECK(epp.replicas("m", "elsewhere").error().is(Errc::rejected));
    epp.config.models = {"n"};
    CHECK(epp.replicas("n").has_value());
    epp.config.models = {"m", "n"};
    CHECK_THAT(epp.replicas("m").error().message, ContainsSubstring("several models"));
}

TEST_CASE("where the EPP does not say which endpoint serves a model, that is an error", "[epp]") {
    EppPages epp;
    epp.scrape(0, "llm_d_epp_per_endpoint_queue_size{name=\"p\",model_server_endpoint=\"a\"} 1\n"
                  "llm_d_epp_request_total{model_name=\"m\"} 9\n"
                  "llm_d_epp_request_total{model_name=\"lora\"} 9\n");
    CHECK_THAT(epp.replicas("m").error().message, ContainsSubstring("EppConfig::models"));
    epp.config.models = {"m"};
    CHECK(epp.replicas("m").has_value());
}

TEST_CASE("an EPP that has lost all endpoints has none, and one that hides them has an error",
          "[epp]") {
    EppPages epp;
    epp.config.models = {"m"};
    epp.scrape(0, "llm_d_epp_ready_endpoints{name=\"p\"} 0\n");
    CHECK(epp.replicas("m").value().pods.empty());
    epp.scrape(1, "llm_d_epp_ready_endpoints{name=\"p\"} 2\n");
    CHECK(epp.replicas("m").has_error());
}

TEST_CASE("each way to fail at an EPP says whose right is missing, or what to change", "[epp]") {
    struct Case {
        int status;
        std::string body;
        Errc code;
        std::string words;
    };
    const std::vector<Case> cases = {
        {401, "Unauthorized", Errc::unauthorized, "does not accept the token"},
        {403, "Authorization denied for user system:serviceaccount:a:b", Errc::forbidden,
         "non-resource URL '/metrics'"},
        {500, "Authentication failed", Errc::unavailable, "EPP's own service account"},
        {500, "Authorization for user x failed", Errc::unavailable, "subjectaccessreviews"},
        {400, "Client sent an HTTP request to an HTTPS server.", Errc::tls_failed, "https://"},
        {500, "panic", Errc::internal, "panic"},
        {400, "something else", Errc::internal, "something else"},
    };
    for (const Case& one : cases) {
        CAPTURE(one.status, one.body);
        const Error error =
            detail::explain_epp_error({Errc::internal, "HTTP; the answer begins: " + one.body,
                                       "http://epp:9090", one.status});
        CHECK(error.is(one.code));
        CHECK_THAT(error.message, ContainsSubstring(one.words));
        CHECK(error.endpoint == "http://epp:9090");
        CHECK(error.http_status == one.status);
    }
}

} // namespace
} // namespace wva_metrics
