// SPDX-License-Identifier: Apache-2.0
#include "backend_fixture.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <limits>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::WithinRel;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

std::string joined(const std::vector<std::string>& lines) {
    std::string all;
    for (const std::string& line : lines)
        all += line + '\n';
    return all;
}

} // namespace

TEST_CASE_METHOD(BackendFixture, "each optimizer metric has the value of its formula") {
    set_load({}, 0.175, 100, 150, 0.5, 0.05);
    const OptimizerMetrics metrics = optimizer(variant_of("llama"));

    CHECK(metrics.namespace_name == "llm");
    CHECK(metrics.variant == "llama-va");
    CHECK(metrics.model_id == "meta/llama");
    CHECK(metrics.deployment == "llama");
    CHECK_THAT(metrics.arrival_rate_per_minute.value(), WithinRel(10.5, 1e-9));
    CHECK_THAT(metrics.avg_input_tokens.value(), WithinRel(100.0, 1e-9));
    CHECK_THAT(metrics.avg_output_tokens.value(), WithinRel(150.0, 1e-9));
    CHECK_THAT(metrics.ttft_seconds.value(), WithinRel(0.5, 1e-9));
    CHECK_THAT(metrics.itl_seconds.value(), WithinRel(0.05, 1e-9));
    CHECK(metrics.arrival_rate_per_minute.metric() == "vllm:request_success_total");
    CHECK(metrics.avg_input_tokens.metric() == "vllm:request_prompt_tokens");
    CHECK(metrics.avg_output_tokens.metric() == "vllm:request_generation_tokens");
    CHECK(metrics.ttft_seconds.metric() == "vllm:time_to_first_token_seconds");
    CHECK(metrics.itl_seconds.metric() == "vllm:inter_token_latency_seconds");
    CHECK_FALSE(metrics.partial);
    CHECK(metrics.warnings.empty());
}

TEST_CASE_METHOD(BackendFixture, "requests count whatever their finish reason") {
    set_requests({}, 1);
    fake.set_rate(series("vllm:request_success_total", {}, {{"finished_reason", "length"}}), 0.5);
    CHECK_THAT(optimizer(variant_of("llama")).arrival_rate_per_minute.value(),
               WithinRel(90.0, 1e-9));
}

TEST_CASE_METHOD(
    BackendFixture,
    "variants of one model get their own rates and averages, and the rates add up to the model's") {
    set_load({"big-7d9f8b6c5d-aaaaa"}, 1, 100);
    set_load({"big-7d9f8b6c5d-bbbbb"}, 3, 200);
    set_load({"small-5c6d7f8b9c-aaaaa"}, 0.5, 1000);
    const auto answers = optimizer({variant_of("big"), variant_of("small")});

    const OptimizerMetrics& big = answers[0].value();
    const OptimizerMetrics& small = answers[1].value();
    CHECK_THAT(big.arrival_rate_per_minute.value(), WithinRel(240.0, 1e-9));
    CHECK_THAT(small.arrival_rate_per_minute.value(), WithinRel(30.0, 1e-9));
    CHECK_THAT(big.arrival_rate_per_minute.value() + small.arrival_rate_per_minute.value(),
               WithinRel(60 * (1 + 3 + 0.5), 1e-9));
    // Weighted by requests, not by pods.
    CHECK_THAT(big.avg_input_tokens.value(), WithinRel((1 * 100 + 3 * 200) / 4.0, 1e-9));
    CHECK_THAT(small.avg_input_tokens.value(), WithinRel(1000.0, 1e-9));
}

TEST_CASE_METHOD(BackendFixture, "workloads of one name and different kinds get their own rates") {
    set_load({"llama-7d9f8b6c5d-aaaaa"}, 1);
    set_load({"llama-0"}, 3);
    VariantAutoscaling set = variant_of("llama");
    set.name = "set";
    set.target_kind = "StatefulSet";
    const auto answers = optimizer({variant_of("llama"), set});
    CHECK_THAT(answers[0].value().arrival_rate_per_minute.value(), WithinRel(60.0, 1e-9));
    CHECK_THAT(answers[1].value().arrival_rate_per_minute.value(), WithinRel(180.0, 1e-9));
    CHECK(answers[0].value().target_kind == "Deployment");
    CHECK(answers[1].value().target_kind == "StatefulSet");
}

TEST_CASE_METHOD(
    BackendFixture,
    "a variant gets the same values with or without the model's other variants in the batch") {
    set_load({"llama-7d9f8b6c5d-aaaaa"}, 1);
    set_load({"llama-large-7d9f8b6c5d-aaaaa"}, 7);
    CHECK_THAT(optimizer(variant_of("llama")).arrival_rate_per_minute.value(),
               WithinRel(60.0, 1e-9));
}

TEST_CASE_METHOD(BackendFixture,
                 "an average over almost no requests is missing, not huge and not 0") {
    const double requests = GENERATE(0.0, 1e-12, 0.49);
    set_load({}, requests / 60, 100);
    const OptimizerMetrics metrics = optimizer(variant_of("llama"));
    CHECK_THAT(metrics.arrival_rate_per_minute.value(), Catch::Matchers::WithinAbs(requests, 1e-9));
    for (const Reading<double>& average : {metrics.avg_input_tokens, metrics.avg_output_tokens,
                                           metrics.ttft_seconds, metrics.itl_seconds}) {
        CHECK(is_missing(average, ReadingReason::no_requests));
        CHECK_FALSE(average.metric().empty());
    }
}

TEST_CASE_METHOD(BackendFixture, "the minimum number of requests for an average is configurable") {
    set_load({}, 0.1 / 60, 100);
    config.min_requests = 0;
    CHECK_THAT(optimizer(variant_of("llama")).avg_input_tokens.value(), WithinRel(100.0, 1e-6));
    fake.clear();
    set_load({}, 0, 100);
    CHECK(is_missing(optimizer(variant_of("llama")).avg_input_tokens, ReadingReason::no_requests));
}

TEST_CASE_METHOD(BackendFixture, "a metric without series is missing, not an error and not zero") {
    SECTION("some") {
        set_requests({}, 1);
        set_average("vllm:time_to_first_token_seconds", {}, 1, 0.5);
        const OptimizerMetrics metrics = optimizer(variant_of("llama"));
        CHECK(metrics.arrival_rate_per_minute.has_value());
        CHECK(metrics.ttft_seconds.has_value());
        CHECK(is_missing(metrics.avg_input_tokens, ReadingReason::no_series));
        CHECK(is_missing(metrics.avg_output_tokens, ReadingReason::no_series));
        CHECK(is_missing(metrics.itl_seconds, ReadingReason::no_series));
    }
    SECTION("all, as for a variant that is scaled to zero") {
        const OptimizerMetrics metrics = optimizer(variant_of("llama"));
        CHECK(is_missing(metrics.arrival_rate_per_minute, ReadingReason::no_series));
        CHECK(is_missing(metrics.itl_seconds, ReadingReason::no_series));
        CHECK_FALSE(metrics.partial);
    }
    SECTION("a counter with a single sample has no rate yet") {
        fake.set(series("vllm:request_success_total", {}), 5);
        CHECK(is_missing(optimizer(variant_of("llama")).arrival_rate_per_minute,
                         ReadingReason::warming_up));
    }
}

TEST_CASE_METHOD(BackendFixture, "NaN and infinities are invalid readings") {
    const double odd = GENERATE(not_a_number, infinity);
    set_load({}, 1);
    fake.set(series("vllm:request_success_total", {}, {{"finished_reason", "stop"}}), odd);
    fake.set(series("vllm:request_prompt_tokens_sum", {}), odd);
    fake.set(series("vllm:request_generation_tokens_count", {}), odd);
    const OptimizerMetrics metrics = optimizer(variant_of("llama"));
    CHECK(metrics.arrival_rate_per_minute.state() == ReadingState::invalid);
    CHECK(metrics.avg_input_tokens.state() == ReadingState::invalid);
    CHECK(metrics.avg_output_tokens.state() == ReadingState::invalid);
    CHECK(metrics.ttft_seconds.has_value());
}

TEST_CASE_METHOD(BackendFixture, "the older metric name is used if the newer one does not exist") {
    set_average("vllm:time_per_output_token_seconds", {}, 1, 0.08);
    const Reading<double> itl = optimizer(variant_of("llama")).itl_seconds;
    CHECK_THAT(itl.value(), WithinRel(0.08, 1e-9));
    CHECK(itl.metric() == "vllm:time_per_output_token_seconds");
}

TEST_CASE_METHOD(BackendFixture, "the newer of two metric names is used if both exist") {
    set_average("vllm:time_per_output_token_seconds", {}, 1, 0.08);
    set_average("vllm:inter_token_latency_seconds", {}, 1, 0.05);
    const Reading<double> itl = optimizer(variant_of("llama")).itl_seconds;
    CHECK_THAT(itl.value(), WithinRel(0.05, 1e-9));
    CHECK(itl.metric() == "vllm:inter_token_latency_seconds");
}

TEST_CASE_METHOD(BackendFixture, "pods of old and new versions have one average") {
    set_average("vllm:time_per_output_token_seconds", {"llama-7d9f8b6c5d-aaaaa"}, 1, 0.08);
    set_average("vllm:inter_token_latency_seconds", {"llama-5c6d7f8b9c-bbbbb"}, 3, 0.04);
    const Reading<double> itl = optimizer(variant_of("llama")).itl_seconds;
    CHECK_THAT(itl.value(), WithinRel((1 * 0.08 + 3 * 0.04) / 4, 1e-9));
    CHECK(itl.metric() == "vllm:inter_token_latency_seconds");
}

TEST_CASE_METHOD(BackendFixture, "a server whose metric was renamed is read by the new name") {
    set_average("vllm:inter_token_latency_seconds", {}, 1, 0.05);
    end_30s_ago({series("vllm:inter_token_latency_seconds_sum", {}),
                 series("vllm:inter_token_latency_seconds_count", {})});
    SECTION("once that has a rate") {
        set_average("vllm:time_per_output_token_seconds", {}, 1, 0.08);
        const Reading<double> itl = optimizer(variant_of("llama")).itl_seconds;
        CHECK_THAT(itl.value(), WithinRel(0.08, 1e-9));
        CHECK(itl.metric() == "vllm:time_per_output_token_seconds");
    }
    SECTION("and until then by its old one") {
        fake.set(series("vllm:time_per_output_token_seconds_count", {}), 1);
        fake.set(series("vllm:time_per_output_token_seconds_sum", {}), 1);
        const Reading<double> itl = optimizer(variant_of("llama")).itl_seconds;
        CHECK_THAT(itl.value(), WithinRel(0.05, 1e-9));
        CHECK(itl.metric() == "vllm:inter_token_latency_seconds");
    }
}

TEST_CASE_METHOD(BackendFixture, "a rate is as old as the newest sample that it counts") {
    set_requests({"llama-7d9f8b6c5d-aaaaa"}, 1);
    fake.advance(8s);
    set_requests({"llama-7d9f8b6c5d-bbbbb"}, 1);
    fake.advance(5s);
    const TimePoint before = std::chrono::steady_clock::now();
    const Reading<double> rate = optimizer(variant_of("llama")).arrival_rate_per_minute;
    const TimePoint after = std::chrono::steady_clock::now();
    CHECK_THAT(rate.value(), WithinRel(120.0, 1e-9));
    CHECK(rate.statistic() == Statistic::rate);
    CHECK(rate.window() == 60s);
    CHECK(rate.spacing() == 15s);
    CHECK(rate.sampled_at() >= before - 5s);
    CHECK(rate.sampled_at() <= after - 5s);
}

TEST_CASE_METHOD(
    BackendFixture,
    "a deleted pod counts for the part of the window in which it served, and is no longer seen") {
    const Server gone{"llama-7d9f8b6c5d-aaaaa"};
    set_load(gone, 1, 100);
    end_30s_ago(load_series(gone));
    add_pod("llama-7d9f8b6c5d-bbbbb");
    remove_pod(gone.pod);
    const TimePoint before = std::chrono::steady_clock::now();
    const OptimizerMetrics metrics = optimizer(variant_of("llama"));
    const TimePoint after = std::chrono::steady_clock::now();
    const Reading<double> rate = metrics.arrival_rate_per_minute;
    // Two samples, and half an interval beyond the second, as Prometheus extrapolates.
    CHECK_THAT(rate.value(), WithinRel(37.5, 1e-9));
    CHECK_THAT(metrics.avg_input_tokens.value(), WithinRel(100.0, 1e-9));
    CHECK(rate.sampled_at() >= before - 30s);
    CHECK(rate.sampled_at() <= after - 30s);
    CHECK_FALSE(rate.is_lower_bound());
    CHECK_FALSE(metrics.partial);

    fake.advance(31s);
    CHECK(is_missing(optimizer(variant_of("llama")).arrival_rate_per_minute,
                     ReadingReason::no_series));
}

TEST_CASE_METHOD(
    BackendFixture,
    "without a pod label each variant gets the values of the whole model, with a warning") {
    Server anonymous;
    anonymous.pod.clear();
    set_load(anonymous, 2);
    const auto answers = optimizer({variant_of("big"), variant_of("small")});
    for (const auto& answer : answers) {
        CHECK_THAT(answer.value().arrival_rate_per_minute.value(), WithinRel(120.0, 1e-9));
        CHECK_THAT(joined(answer.value().warnings), ContainsSubstring("label 'pod'") &&
                                                        ContainsSubstring("meta/llama") &&
                                                        ContainsSubstring("whole model"));
    }
}

TEST_CASE_METHOD(BackendFixture,
                 "the owner in kube-state-metrics takes precedence over the pod's name") {
    const Server server{"llama-7d9f8b6c5d-aaaaa"};
    set_load(server, 1);
    set_owner(server.pod, "StatefulSet", "other");
    const auto answers = optimizer({variant_of("llama"), variant_of("other")});
    CHECK(is_missing(answers[0].value().arrival_rate_per_minute, ReadingReason::no_series));
    CHECK_THAT(answers[1].value().arrival_rate_per_minute.value(), WithinRel(60.0, 1e-9));
}

TEST_CASE_METHOD(BackendFixture,
                 "a reading is missing as unattributed if the pods do not match a variant") {
    set_load({"somebody-elses-pod"}, 1);
    const OptimizerMetrics metrics = optimizer(variant_of("llama"));
    CHECK(is_missing(metrics.arrival_rate_per_minute, ReadingReason::unattributed));
    CHECK(is_missing(metrics.itl_seconds, ReadingReason::unattributed));
}

TEST_CASE_METHOD(BackendFixture, "labels and metrics can have other names") {
    config.engine.labels.namespace_name = "exported_namespace";
    config.engine.labels.model = "model";
    config.engine.labels.pod = "pod_name";
    config.engine.arrival_rate = {"my:requests_total"};
    fake.set_rate({"my:requests_total",
                   {{"exported_namespace", "llm"},
                    {"model", "meta/llama"},
                    {"pod_name", "llama-7d9f8b6c5d-aaaaa"}}},
                  1);
    const Reading<double> rate = optimizer(variant_of("llama")).arrival_rate_per_minute;
    CHECK_THAT(rate.value(), WithinRel(60.0, 1e-9));
    CHECK(rate.metric() == "my:requests_total");
}

TEST_CASE_METHOD(BackendFixture, "the same model id in two namespaces is two models") {
    set_load({"llama-7d9f8b6c5d-aaaaa", "meta/llama", "blue"}, 1, 100);
    set_load({"llama-7d9f8b6c5d-aaaaa", "meta/llama", "green"}, 4, 400);
    const auto answers = optimizer({variant_of("llama", "meta/llama", "blue"),
                                    variant_of("llama", "meta/llama", "green"),
                                    variant_of("llama", "meta/llama", "red")});
    CHECK_THAT(answers[0].value().arrival_rate_per_minute.value(), WithinRel(60.0, 1e-9));
    CHECK_THAT(answers[0].value().avg_input_tokens.value(), WithinRel(100.0, 1e-9));
    CHECK_THAT(answers[1].value().arrival_rate_per_minute.value(), WithinRel(240.0, 1e-9));
    CHECK_THAT(answers[1].value().avg_input_tokens.value(), WithinRel(400.0, 1e-9));
    CHECK(is_missing(answers[2].value().arrival_rate_per_minute, ReadingReason::no_series));
}

TEST_CASE_METHOD(BackendFixture, "model ids with any characters are not confused with each other") {
    const std::vector<std::string> ids = {"meta-llama/Llama-3.1-8B",
                                          "meta-llama/Llama-3X1-8B",
                                          "a|b",
                                          "a",
                                          "b",
                                          ".*",
                                          "say \"hi\"",
                                          "back\\slash",
                                          "back\\\\slash",
                                          "line\nbreak",
                                          "tab\there",
                                          "(unclosed",
                                          "[a-z]+",
                                          "$^",
                                          "{namespace=\"x\"}",
                                          "\xF0\x9F\xA6\x99 llama",
                                          "\xD9\x86\xD9\x85",
                                          " "};
    std::vector<VariantAutoscaling> variants;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        // Each pod's series are of one model only, so any mix-up changes a number.
        set_requests({"llama-7d9f8b6c5d-aaaaa", ids[i]}, static_cast<double>(i + 1));
        variants.push_back(variant_of("llama", ids[i]));
    }
    const auto together = optimizer(variants);
    for (std::size_t i = 0; i < ids.size(); ++i) {
        CAPTURE(ids[i]);
        const double expected = 60 * static_cast<double>(i + 1);
        CHECK_THAT(together[i].value().arrival_rate_per_minute.value(), WithinRel(expected, 1e-9));
        CHECK_THAT(optimizer(variants[i]).arrival_rate_per_minute.value(),
                   WithinRel(expected, 1e-9));
    }
}

TEST_CASE_METHOD(BackendFixture, "a deployment's name is not a pattern") {
    set_requests({"llama.v1-7d9f8b6c5d-aaaaa"}, 1);
    set_requests({"llamaXv1-7d9f8b6c5d-aaaaa"}, 5);
    CHECK_THAT(optimizer(variant_of("llama.v1")).arrival_rate_per_minute.value(),
               WithinRel(60.0, 1e-9));
}
