// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/metrics_assembler.hpp"

#include "wva_metrics/backend/prometheus_config.hpp"

#include <catch2/catch_all.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::detail;
using namespace std::chrono_literals;
using Catch::Matchers::ContainsSubstring;
using samples::PodLife;

namespace {

const std::string assembled_a = "llama-7d9f8b6c5d-aaaaa";
const std::string assembled_b = "llama-7d9f8b6c5d-bbbbb";

/// The report of one model, and what is assembled from it.
struct AssembledReport {
    AssembledReport() { report.clock = {samples::ServerTime(1'700'000'000s), TimePoint(100h)}; }

    JudgedPod& add(const std::string& name, PodLife life = PodLife::alive) {
        JudgedPod& pod = report.pods.emplace_back();
        pod.report.pod = name;
        pod.report.life = life;
        pod.report.last_sample = report.clock.evaluated - 3s;
        return pod;
    }
    void set(JudgedPod& pod, Signal signal, double number,
             ReadingReason reason = ReadingReason::none) const {
        samples::SignalValue& value = pod.report.values[wva_metrics::detail::index_of(signal)];
        value.reason = reason;
        value.value = value.latest = number;
        value.time = value.latest_at = report.clock.evaluated - 5s;
        value.window = 60s;
    }
    JudgedPod& add(const std::string& name, Signal signal, double number,
                   ReadingReason reason = ReadingReason::none) {
        JudgedPod& pod = add(name);
        set(pod, signal, number, reason);
        return pod;
    }

    MetricsAssembler assembler() const { return {config, names}; }
    Result<ReplicaSamples> replicas() const { return assembler().replicas(key, report); }
    std::vector<Result<OptimizerMetrics>>
    optimizer(const std::vector<VariantAutoscaling>& variants) const {
        return assembler().optimizer(key, report, variants);
    }
    OptimizerMetrics optimizer() const { return optimizer({llama}).at(0).value(); }

    PrometheusConfig config;
    wva_metrics::detail::SignalMetrics names{config.engine};
    VariantAutoscaling llama{"llm", "va", "m", "llama"};
    ModelKey key = llama.model();
    ModelReport report;
};

} // namespace

TEST_CASE_METHOD(AssembledReport, "a report without pods gives missing readings, nothing partial") {
    const ReplicaSamples samples = replicas().value();
    CHECK(samples.model == key);
    CHECK(samples.pods.empty());
    CHECK_FALSE(samples.partial);
    const OptimizerMetrics metrics = optimizer();
    for (const auto& field : optimizer_readings) {
        CHECK((metrics.*field.member).state() == ReadingState::missing);
        CHECK((metrics.*field.member).reason() == ReadingReason::no_series);
    }
    CHECK_FALSE(metrics.partial);
    CHECK(metrics.coverage == TotalCoverage{});
    CHECK(metrics.warnings.empty());
}

TEST_CASE_METHOD(AssembledReport, "a failed query is the answer to both kinds, for each variant") {
    report.failure = Error(Errc::too_costly, "too much");
    CHECK(replicas().error().message == "too much");
    const auto answers = optimizer({llama, llama});
    REQUIRE(answers.size() == 2);
    for (const auto& answer : answers)
        CHECK(answer.error().is(Errc::too_costly));
}

TEST_CASE_METHOD(AssembledReport,
                 "a pod has its gauges, its state, its owner and its last sample") {
    JudgedPod& pod = add(assembled_a, Signal::kv_cache_usage, 0.5);
    pod.state = PodState::ready;
    pod.owner = PodOwner{"Deployment", "llama", OwnerSource::owner_references};
    const ReplicaSample sample = replicas().value().pods.at(0);
    CHECK(sample.pod == assembled_a);
    CHECK(sample.kv_cache_usage.value() == 0.5);
    CHECK(sample.kv_cache_usage.metric() == "vllm:kv_cache_usage_perc");
    CHECK(sample.kv_cache_usage.sampled_at() == TimePoint(100h) - 5s);
    CHECK(sample.queue_length.reason() == ReadingReason::no_series);
    CHECK(sample.state == PodState::ready);
    CHECK(sample.owner == pod.owner);
    CHECK(sample.last_sample_at == TimePoint(100h) - 3s);
}

TEST_CASE_METHOD(AssembledReport, "a pod that is gone is listed apart, whatever was measured") {
    add(assembled_a, Signal::queue_length, 40).state = PodState::gone;
    add(assembled_b, Signal::queue_length, 2).state =
        GENERATE(PodState::unknown, PodState::ready, PodState::not_ready, PodState::terminating);
    const ReplicaSamples samples = replicas().value();
    REQUIRE(samples.pods.size() == 1);
    CHECK(samples.pods[0].pod == assembled_b);
    CHECK(samples.gone_pods == std::vector{assembled_a});
}

TEST_CASE_METHOD(AssembledReport, "processes without a pod are no replica") {
    add("", Signal::queue_length, 40);
    CHECK(replicas().value().pods.empty());
    CHECK(replicas().value().gone_pods.empty());
}

TEST_CASE_METHOD(AssembledReport, "warnings are in both kinds, what makes them partial first") {
    report.warnings = {"b", "a"};
    CHECK_FALSE(replicas().value().partial);
    CHECK(replicas().value().warnings == report.warnings);
    CHECK(optimizer().warnings == report.warnings);
    report.partial_because = {"z", "y"};
    CHECK(replicas().value().partial);
    CHECK(replicas().value().warnings == std::vector<std::string>{"y", "z", "b", "a"});
    CHECK(optimizer().partial);
    CHECK(optimizer().warnings == replicas().value().warnings);
}

TEST_CASE_METHOD(AssembledReport, "each variant gets the totals of its workload") {
    add(assembled_a, Signal::arrival_rate, 1);
    add(assembled_b, Signal::arrival_rate, 2);
    add("other-7d9f8b6c5d-aaaaa", Signal::arrival_rate, 4);
    VariantAutoscaling other{"llm", "vb", "m", "other", "H100", 8};
    other.target_kind = "Rollout";
    const auto answers = optimizer({other, llama});
    CHECK(answers.at(0)->arrival_rate_per_minute.value() == 240);
    CHECK(answers.at(0)->variant == "vb");
    CHECK(answers.at(0)->deployment == "other");
    CHECK(answers.at(0)->target_kind == "Rollout");
    CHECK(answers.at(1)->arrival_rate_per_minute.value() == 180);
    CHECK(answers.at(1)->model_id == "m");
    CHECK(answers.at(1)->namespace_name == "llm");
    CHECK(answers.at(1)->coverage == cover(2, {}));
}

TEST_CASE_METHOD(AssembledReport, "a total that lacks a living pod is partial and names the pod") {
    add(assembled_a, Signal::arrival_rate, 1);
    add(assembled_b, Signal::arrival_rate, 0, ReadingReason::unread);
    const OptimizerMetrics metrics = optimizer();
    CHECK(metrics.arrival_rate_per_minute.value() == 60);
    CHECK(metrics.arrival_rate_per_minute.is_lower_bound());
    CHECK(metrics.partial);
    CHECK(metrics.coverage == cover(1, {assembled_b}));
    REQUIRE(metrics.warnings.size() == 1);
    CHECK(metrics.warnings[0] == "the total lacks 1 of 2 pods: '" + assembled_b + "'");
}

TEST_CASE_METHOD(AssembledReport, "a warning names a few pods, and counts all of them") {
    for (int i = 100; i < 150; ++i)
        add("llama-7d9f8b6c5d-bb" + std::to_string(i), Signal::arrival_rate, 0,
            ReadingReason::ambiguous);
    const OptimizerMetrics metrics = optimizer();
    CHECK(metrics.arrival_rate_per_minute.reason() == ReadingReason::ambiguous);
    CHECK(metrics.coverage.missing.size() == TotalCoverage::max_named);
    CHECK_THAT(metrics.warnings.at(0), ContainsSubstring("lacks 50 of 50 pods") &&
                                           ContainsSubstring("bb109'") &&
                                           !ContainsSubstring("bb110"));
}

TEST_CASE_METHOD(AssembledReport, "pods of no variant make missing readings unattributed") {
    add("somebody-elses", Signal::arrival_rate, 1);
    CHECK(optimizer().arrival_rate_per_minute.reason() == ReadingReason::unattributed);
    CHECK(optimizer().ttft_seconds.reason() == ReadingReason::unattributed);
    add(assembled_a, Signal::arrival_rate, 1);
    CHECK(optimizer().arrival_rate_per_minute.value() == 60);
}

TEST_CASE_METHOD(
    AssembledReport,
    "series without a pod count for each variant, with a warning that names the label") {
    config.engine.labels.pod = "pod_name";
    add("", Signal::arrival_rate, 1);
    add(assembled_a, Signal::arrival_rate, 2);
    const VariantAutoscaling other{"llm", "vb", "m", "other"};
    const auto answers = optimizer({llama, other});
    CHECK(answers.at(0)->arrival_rate_per_minute.value() == 180);
    CHECK(answers.at(1)->arrival_rate_per_minute.value() == 60);
    for (const auto& answer : answers)
        CHECK_THAT(answer->warnings.at(0), ContainsSubstring("'m'") &&
                                               ContainsSubstring("label 'pod_name'") &&
                                               ContainsSubstring("whole model"));
}

TEST_CASE_METHOD(AssembledReport, "an average needs the configured number of requests") {
    JudgedPod& pod = add(assembled_a, Signal::ttft, 0.5);
    pod.report.values[wva_metrics::detail::index_of(Signal::ttft)].weight = 1; // 60 requests.
    CHECK(optimizer().ttft_seconds.value() == 0.5);
    config.min_requests = 61;
    CHECK(optimizer().ttft_seconds.reason() == ReadingReason::no_requests);
}

TEST_CASE_METHOD(AssembledReport,
                 "what the server does not provide is said to be so, of each pod") {
    config.engine.kv_cache_usage.clear();
    config.engine.arrival_rate.clear();
    names = wva_metrics::detail::SignalMetrics(config.engine);
    const PodLife life = GENERATE(PodLife::alive, PodLife::unread, PodLife::ambiguous);
    JudgedPod& pod = add(assembled_a, life);
    pod.report.role = ReplicaRole::prefill;
    for (samples::SignalValue& value : pod.report.values)
        value.reason = life == PodLife::unread ? ReadingReason::unread : ReadingReason::ambiguous;
    const ReplicaSample sample = replicas().value().pods.at(0);
    CHECK(sample.kv_cache_usage.reason() == ReadingReason::not_provided);
    CHECK(sample.queue_length.reason() != ReadingReason::not_provided);
    CHECK(sample.engine == "vllm");
    CHECK(sample.role == ReplicaRole::prefill);
    CHECK(optimizer().arrival_rate_per_minute.reason() == ReadingReason::not_provided);
}

TEST_CASE_METHOD(AssembledReport, "no requests are a value only if the answer is whole") {
    config.optional_readings = {OptionalReading::requests_in_window};
    const auto requests = [&] {
        return optimizer().optional.find(OptionalReading::requests_in_window);
    };
    CHECK(requests().reason() == ReadingReason::no_series);
    samples::SignalValue none;
    none.reason = ReadingReason::none;
    none.time = report.clock.evaluated;
    add(assembled_a).report.requests = none;
    CHECK(requests().value() == 0);
    SECTION("not if a part is missing") {
        report.partial_because.insert("a server was not asked");
        CHECK(requests().reason() == ReadingReason::unread);
    }
    SECTION("not if a pod belongs to no variant") {
        add("whose-7d9f8b6c5d-ccccc").report.requests = none;
        CHECK(requests().reason() == ReadingReason::unattributed);
    }
    SECTION("not if a pod has no samples") {
        set(add(assembled_b), Signal::running, 0, ReadingReason::unread);
        CHECK(requests().reason() == ReadingReason::unread);
        const ReplicaSamples pods = replicas().value();
        CHECK(pods.pods.at(1).optional.find(OptionalReading::requests_in_window).reason() ==
              ReadingReason::unread);
    }
}
