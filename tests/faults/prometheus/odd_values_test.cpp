// SPDX-License-Identifier: Apache-2.0
//
// Answers that are well-formed and odd: what a user of a collector gets then. What is unknown is
// never zero.
#include "support/misbehaving_prometheus.hpp"

#include <catch2/catch_all.hpp>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

using namespace wva_metrics;
using namespace wva_metrics::test_support;
using Catch::Matchers::ContainsSubstring;

namespace {

/// A collector for the replicas of a model, whose samples are those of the test.
struct OddSamples : MisbehavingPrometheus {
    OddSamples() {
        set_kv({pod_a}, 0.5);
        set_queue({pod_a}, 3);
    }

    static std::string labels_of(const std::string& metric, const std::string& pod = pod_a) {
        return R"("__name__":")" + metric +
               R"(","namespace":"llm","model_name":"meta/llama","engine":"0","pod":")" + pod + '"';
    }
    static std::string series_of(const std::string& labels, const std::string& value) {
        return R"({"metric":{)" + labels + R"(},"values":[[1699999985,"0.5"],[1700000000,)" +
               value + "]]}";
    }
    /// These series are the answer to queries for samples. Other queries are answered as ever.
    void answer_with(const std::string& series, const std::string& more = {}) {
        server.misbehave({api_answer("matrix", "[" + series + "]", more)},
                         MisbehavingServer::always, "kv_cache");
    }
    void answer_kv_with(const std::string& value) {
        answer_with(series_of(labels_of("vllm:kv_cache_usage_perc"), value));
    }
    /// The only replica.
    ReplicaMetrics replica() {
        const ReplicaSnapshot snapshot = collect_replicas().value();
        REQUIRE(snapshot->replicas.size() == 1);
        return snapshot->replicas[0];
    }
};

} // namespace

TEST_CASE_METHOD(OddSamples, "NaN and the infinities in every spelling are no values") {
    const std::string value =
        GENERATE(as<std::string>{}, "NaN", "Nan", "nan", "+Inf", "Inf", "-Inf", "1e400");
    CAPTURE(value);
    answer_kv_with('"' + value + '"');
    const Reading<double> usage = replica().kv_cache_usage;
    CHECK(usage.state() == ReadingState::invalid);
    CHECK(usage.reason() == ReadingReason::not_finite);
    CHECK_FALSE(usage.has_value());
    CHECK(usage.value_or(-1) == -1);
}

TEST_CASE_METHOD(OddSamples, "a number of many digits is the nearest double") {
    const auto [text, value] = GENERATE(table<std::string, double>({
        {"0." + std::string(323, '0') + "5", 4.9e-324},
        {"9007199254740993", 9007199254740992.0},
        {"0." + std::string(380, '1'), 1.0 / 9},
    }));
    answer_with(series_of(labels_of("vllm:num_requests_waiting"), '"' + text + '"'));
    CHECK(replica().queue_length.latest() == value);
}

TEST_CASE_METHOD(OddSamples,
                 "one sample that is none costs the answer and not the value before it") {
    const std::string value =
        GENERATE(as<std::string>{}, "0.5", "null", "[]", R"("")", R"("0x10")", R"("1","2")");
    CAPTURE(value);
    REQUIRE(replica().kv_cache_usage.value() == 0.5);
    expire();
    answer_kv_with(value);
    const ReplicaSnapshot stale = collect_replicas().value();
    CHECK(stale.source() == Source::stale_on_error);
    REQUIRE(stale->replicas.size() == 1);
    CHECK(stale->replicas[0].kv_cache_usage.value() == 0.5);
    CHECK(collector().health().last_error.is(Errc::bad_response));
    CHECK(server.reused() == 0);
}

TEST_CASE_METHOD(OddSamples,
                 "samples without a pod are left out with a warning, and labels more or "
                 "less do not matter") {
    const std::string kv = "vllm:kv_cache_usage_perc";
    answer_with(series_of(labels_of(kv) + R"(,"extra":"x","empty":"")", R"("0.7")") + "," +
                series_of(labels_of(kv, ""), R"("0.9")") + "," +
                series_of(R"("__name__":"vllm:kv_cache_usage_perc")", R"("0.8")"));
    const ReplicaSnapshot snapshot = collect_replicas().value();
    REQUIRE(snapshot->replicas.size() == 1);
    CHECK(snapshot->replicas[0].pod == pod_a);
    CHECK(snapshot->replicas[0].kv_cache_usage.latest() == 0.7);
    REQUIRE_FALSE(snapshot->warnings.empty());
    CHECK_THAT(snapshot->warnings[0], ContainsSubstring("no label that names the pod"));
}

TEST_CASE_METHOD(OddSamples, "a server that has nothing of a model is neither an error nor zero") {
    fake.clear();
    const OptimizerSnapshot load = collect().value();
    for (const auto& field : optimizer_readings) {
        CAPTURE(field.name);
        CHECK(is_missing((*load).*field.member, ReadingReason::no_series));
    }
    CHECK(load.freshness() == Freshness::unavailable);
    CHECK(collect_replicas().value()->replicas.empty());
    CHECK(collector().stats().empty_answers == 2);
    CHECK(collector().stats().failed_targets == 0);
    CHECK(collector().health().healthy);
}

TEST_CASE_METHOD(OddSamples,
                 "a model that is idle or reports in part has answers that are not empty") {
    fake.clear();
    SECTION("idle") {
        set_load({pod_a}, 0);
        CHECK(rate() == 0);
    }
    SECTION("without requests that are counted") {
        set_kv({pod_a}, 0.5);
        const ReplicaMetrics only = replica();
        CHECK(only.kv_cache_usage.value() == 0.5);
        CHECK(is_missing(only.queue_length, ReadingReason::no_series));
    }
    CHECK(collector().stats().empty_answers == 0);
}

TEST_CASE_METHOD(OddSamples, "a metric that was renamed is read by its older name, which is told") {
    fake.clear();
    fake.set_steady(series("vllm:gpu_cache_usage_perc", {pod_a}), 0.6);
    set_running({pod_a});
    const Reading<double> usage = replica().kv_cache_usage;
    CHECK(usage.value() == 0.6);
    CHECK(usage.metric() == "vllm:gpu_cache_usage_perc");
}

TEST_CASE_METHOD(OddSamples, "a partial answer has its value and its warning, and is soon fetched "
                             "again") {
    const auto fetched = [&] { return collector().stats().targets; };
    const std::string sample = series_of(labels_of("vllm:kv_cache_usage_perc"), R"("0.7")");
    SECTION("with a warning") {
        answer_with(sample, R"(,"warnings":["store-1 did not answer"])");
        const ReplicaSnapshot partial = collect_replicas().value();
        CHECK(partial->partial);
        CHECK(partial->warnings == std::vector<std::string>{"store-1 did not answer"});
        REQUIRE(partial->replicas.size() == 1);
        CHECK(partial->replicas[0].kv_cache_usage.latest() == 0.7);
        server.behave();
        ManualClock::advance(6s); // Past `partial_ttl`.
        CHECK(collect_replicas().has_value());
        wait_until([&] { return collector().stats().in_flight == 0; });
        CHECK(fetched() == 2);
        CHECK_FALSE(collect_replicas().value()->partial);
    }
    SECTION("with an info, which says that nothing is missing") {
        answer_with(sample, R"(,"infos":["metric might not be a counter"])");
        const ReplicaSnapshot whole = collect_replicas().value();
        CHECK_FALSE(whole->partial);
        CHECK(whole->warnings.empty());
        ManualClock::advance(6s);
        CHECK(collect_replicas().value().source() == Source::cache);
        CHECK(fetched() == 1);
    }
}
