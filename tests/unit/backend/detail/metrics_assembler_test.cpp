// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/metrics_assembler.hpp"

#include "support/labelled_series.hpp"
#include "support/query_times.hpp"

#include <catch2/catch_all.hpp>

#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using promql::Part;
using test_support::requested_at;

namespace {

const std::string pod_a = "llama-7d9f8b6c5d-aaaaa";
const std::string pod_b = "llama-7d9f8b6c5d-bbbbb";

/// One model with one variant, and the result of a batch about it.
struct Fixture {
    void add(Signal signal, Part part, const std::string& pod, double value) {
        found.signals[signal].rows.push_back({0, pod, "", {part, 0}, value, 0, requested_at});
    }
    void add_to_pods(Part part, const std::string& pod) {
        const std::string tag = promql::to_string(promql::PartTag{part});
        const std::vector<std::string> columns = {"wva_part", "namespace", "pod", "owner_kind",
                                                  "owner_name"};
        const std::vector<std::string_view> labels = {tag, "llm", pod};
        test_support::with_series(columns, labels, 1, [&](const prometheus::SeriesView& series) {
            found.pods.add(series, columns);
        });
    }
    void fail(Signal signal, const std::string& text) {
        found.signals[signal].failures.emplace(0, Error(Errc::too_costly, text));
    }
    MetricsAssembler assembler() {
        for (auto& [signal, rows] : found.signals)
            rows.sort();
        return {config, plan, found};
    }
    Result<ReplicaSamples> replicas() { return assembler().replicas(0); }
    Result<OptimizerMetrics> optimizer() {
        return assembler().optimizer(0, std::vector{variant}).at(0);
    }

    PrometheusConfig config;
    VariantAutoscaling variant{"llm", "va", "m", "llama"};
    promql::QueryPlan plan{std::vector{variant.model()}, config.engine, config.windows};
    BatchResult found;
};

} // namespace

TEST_CASE_METHOD(Fixture, "without any rows all readings are missing and nothing is partial") {
    CHECK(replicas().value().pods.empty());
    const OptimizerMetrics metrics = optimizer().value();
    CHECK(metrics.arrival_rate_per_minute.reason() == ReadingReason::no_series);
    CHECK(metrics.ttft_seconds.reason() == ReadingReason::no_series);
    CHECK_FALSE(metrics.partial);
}

TEST_CASE_METHOD(Fixture, "a pod with rows of only one signal is a replica") {
    add(Signal::kv_cache_usage, Part::value, pod_a, 0.5);
    add(Signal::queue_length, Part::value, pod_b, 2);
    const ReplicaSamples samples = replicas().value();
    REQUIRE(samples.pods.size() == 2);
    CHECK(samples.pods[0].pod == pod_a);
    CHECK(samples.pods[0].queue_length.reason() == ReadingReason::no_series);
    CHECK(samples.pods[1].kv_cache_usage.reason() == ReadingReason::no_series);
}

TEST_CASE_METHOD(Fixture, "a signal that failed is missing for every pod, with one warning") {
    add(Signal::kv_cache_usage, Part::value, pod_a, 0.5);
    fail(Signal::queue_length, "too much");
    const ReplicaSamples samples = replicas().value();
    REQUIRE(samples.pods.size() == 1);
    CHECK(samples.pods[0].kv_cache_usage.value() == 0.5);
    CHECK(samples.pods[0].queue_length.reason() == ReadingReason::backend_error);
    CHECK(samples.partial);
    CHECK(samples.warnings == std::vector<std::string>{"too_costly: too much"});
}

TEST_CASE_METHOD(Fixture, "if all signals fail the answer is the error of the first one") {
    fail(Signal::kv_cache_usage, "kv");
    fail(Signal::queue_length, "queue");
    CHECK(replicas().error().message == "kv");
    for (const auto& field : optimizer_readings)
        fail(field.signal, std::string(to_string(field.signal)));
    CHECK(optimizer().error().message == "arrival_rate");
}

TEST_CASE_METHOD(Fixture, "an outage that fails several signals gives one warning") {
    for (const Signal signal : {Signal::input_tokens, Signal::output_tokens, Signal::ttft})
        fail(signal, "too much");
    add(Signal::arrival_rate, Part::rate, pod_a, 1);
    const OptimizerMetrics metrics = optimizer().value();
    CHECK(metrics.arrival_rate_per_minute.value() == 60);
    CHECK(metrics.ttft_seconds.reason() == ReadingReason::backend_error);
    CHECK(metrics.itl_seconds.reason() == ReadingReason::no_series);
    CHECK(metrics.partial);
    CHECK(metrics.warnings == std::vector<std::string>{"too_costly: too much"});
}

TEST_CASE_METHOD(Fixture, "series with and without a pod label are added up") {
    add(Signal::arrival_rate, Part::rate, "", 1);
    CHECK(optimizer().value().arrival_rate_per_minute.value() == 60);
    add(Signal::arrival_rate, Part::rate, pod_a, 2);
    CHECK(optimizer().value().arrival_rate_per_minute.value() == 180);
    add(Signal::arrival_rate, Part::rate, "somebody-elses", 4);
    const OptimizerMetrics metrics = optimizer().value();
    CHECK(metrics.arrival_rate_per_minute.value() == 180);
    CHECK(metrics.warnings.size() == 1);
}

TEST_CASE_METHOD(Fixture, "variants of the same deployment get the same values") {
    add(Signal::arrival_rate, Part::rate, pod_a, 1);
    const VariantAutoscaling twin{"llm", "twin", "m", "llama"};
    const auto answers = assembler().optimizer(0, std::vector{variant, twin});
    CHECK(answers.at(0)->arrival_rate_per_minute.value() == 60);
    CHECK(answers.at(1)->arrival_rate_per_minute.value() == 60);
    CHECK(answers.at(1)->variant == "twin");
}

TEST_CASE_METHOD(
    Fixture,
    "a pod that kube-state-metrics reports as gone is omitted once all its series have ended") {
    const Signal ends_first = GENERATE(Signal::kv_cache_usage, Signal::queue_length);
    const Signal ends_last = ends_first == Signal::queue_length ? Signal::kv_cache_usage //
                                                                : Signal::queue_length;
    for (const auto& field : replica_readings<ReplicaSample>)
        add(field.signal, Part::value, pod_a, 0.5);
    add_to_pods(Part::gone, pod_a);
    add_to_pods(Part::reporting, "");
    CHECK(replicas().value().pods.empty());
    CHECK(replicas().value().gone_pods == std::vector{pod_a});

    add(ends_last, Part::time, pod_a, 0);
    const ReplicaSamples samples = replicas().value();
    CHECK(samples.gone_pods.empty());
    REQUIRE(samples.pods.size() == 1);
    CHECK(samples.pods[0].kv_cache_usage.value() == 0.5);
    CHECK(samples.pods[0].queue_length.value() == 0.5);
}

TEST_CASE_METHOD(Fixture, "replicas do not depend on the order of the rows") {
    const bool swapped = GENERATE(false, true);
    add(Signal::queue_length, Part::value, swapped ? pod_b : pod_a, 1);
    add(Signal::queue_length, Part::value, swapped ? pod_a : pod_b, 1);
    const ReplicaSamples samples = replicas().value();
    CHECK(samples.pods.at(0).pod == pod_a);
    CHECK(samples.pods.at(1).pod == pod_b);
}
