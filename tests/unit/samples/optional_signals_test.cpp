// SPDX-License-Identifier: Apache-2.0
#include "unit/samples/measured_view.hpp"
#include "wva_metrics/samples/measure.hpp"
#include "wva_metrics/samples/value_evidence.hpp"
#include "wva_metrics/samples/view_table.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::samples::measured {

namespace {

using PageLabels = std::map<std::string, std::string>;

/// The series of one pod, and what is measured of them.
struct OptionalFixture {
    explicit OptionalFixture(EngineProfile of = vllm_profile(),
                             OptionalReadingSet chosen = OptionalReadingSet::all())
        : profile(std::move(of)), metrics(profile, chosen) {}

    void add(const std::string& name, PageLabels more, std::vector<Sample> samples) {
        more.insert({"__name__", name});
        more.insert({"instance", "10.0.0.1:8000"});
        more.insert({"namespace", "prod"});
        more.insert({"pod", "p"});
        std::vector<LabelView> labels;
        for (const auto& [label, value] : more)
            labels.push_back({label, value});
        const auto model = more.find(profile.labels.model);
        const bool has_model = model != more.end();
        table.add(has_model ? std::optional<std::size_t>(model->second == "m" ? 0 : 1)
                            : std::nullopt,
                  labels, samples);
    }
    void add_running(const std::string& model = "m", const std::string& engine = "0") {
        add("vllm:num_requests_running", {{"model_name", model}, {"engine", engine}}, four(2));
    }
    void add_capacity(const std::string& blocks, const std::string& engine = "0",
                      PageLabels more = {}) {
        more["num_gpu_blocks"] = blocks;
        more["block_size"] = "16";
        more["cache_dtype"] = "auto";
        more["engine"] = engine;
        add("vllm:cache_config_info", std::move(more), four(1));
    }
    static std::vector<Sample> four(double value) {
        return spaced(15s, 0s, {value, value, value, value});
    }
    SignalValue measure(Signal signal, std::size_t model = 0) {
        if (views.empty())
            views = std::move(table).take();
        REQUIRE(views[model].size() == 1);
        return samples::measure(views[model].front(), signal, metrics, now, rules);
    }
    HistogramValue histogram(Signal signal) {
        if (views.empty())
            views = std::move(table).take();
        REQUIRE(views[0].size() == 1);
        return ViewMeasurer(views[0].front(), metrics, now, rules).measure_histogram(signal);
    }

    EngineProfile profile;
    MetricSet metrics;
    SampleRules rules;
    ViewTable table{metrics, profile.labels, rules};
    std::map<std::size_t, std::vector<View>> views;
};

} // namespace

TEST_CASE("the metrics of optional signals are there only if a reading of them is chosen") {
    const MetricSet none(vllm_profile());
    const MetricSet running_only(vllm_profile(), {OptionalReading::running_requests,
                                                  OptionalReading::avg_ttft_seconds,
                                                  OptionalReading::requests_per_second});
    const auto names_of = [](const MetricSet& metrics) {
        return std::vector(metrics.names().begin(), metrics.names().end());
    };
    CHECK(names_of(none) == names_of(running_only));
    CHECK(none.optional().empty());
    CHECK(none.sources(Signal::running_requests).empty());
    CHECK(running_only.sources(Signal::running_requests).size() == 1);
    const MetricSet quantile(vllm_profile(), {OptionalReading::itl_p50_seconds});
    CHECK(quantile.find("vllm:inter_token_latency_seconds_bucket").has_value());
    CHECK(quantile.find("vllm:inter_token_latency_seconds").has_value());
    CHECK(!quantile.find("vllm:time_to_first_token_seconds_bucket").has_value());
    CHECK(quantile.names().size() == none.names().size() + 4);
}

TEST_CASE("the capacity of vLLM is in the labels of a series that names no model") {
    OptionalFixture pod;
    pod.add_running();
    pod.add_running("lora");
    pod.add_capacity("1000");
    const SignalValue capacity = pod.measure(Signal::kv_capacity);
    CHECK(capacity.reason == ReadingReason::none);
    CHECK(capacity.value == 16000);
    CHECK(capacity.time == now);
    CHECK(capacity.window == 0s);
    // Both models are served by the same process.
    CHECK(pod.measure(Signal::kv_capacity, 1).value == 16000);
    CHECK(pod.measure(Signal::running_requests).value == 2);
}

TEST_CASE("the capacities of several engines are added up") {
    OptionalFixture pod;
    pod.add_running("m", "0");
    pod.add_running("m", "1");
    pod.add_capacity("1000", "0");
    pod.add_capacity("500", "1");
    CHECK(pod.measure(Signal::kv_capacity).value == 24000);
}

TEST_CASE("a capacity that the server does not know yet is missing, and not 0") {
    for (const std::string blocks : {"None", "0", "-1", "nan", "inf", "12x", ""}) {
        CAPTURE(blocks);
        OptionalFixture pod;
        pod.add_running();
        pod.add_capacity(blocks);
        CHECK(pod.measure(Signal::kv_capacity).reason == ReadingReason::no_series);
    }
}

TEST_CASE("the capacity of another target is not taken") {
    OptionalFixture pod;
    pod.add_running();
    SECTION("of another pod") {
        pod.add_capacity("1000", "0", {{"pod", "q"}});
    }
    SECTION("of another address") {
        pod.add_capacity("1000", "0", {{"instance", "10.0.0.2:8000"}});
    }
    SECTION("of another namespace") {
        pod.add_capacity("1000", "0", {{"namespace", "test"}});
    }
    SECTION("of another model, which it names") {
        pod.add_capacity("1000", "0", {{"model_name", "other"}});
    }
    CHECK(pod.measure(Signal::kv_capacity).reason == ReadingReason::no_series);
}

TEST_CASE("the capacity of a server with two metrics is their product") {
    OptionalFixture pod(triton_profile());
    const std::string blocks = "nv_trt_llm_kv_cache_block_metrics";
    const auto add = [&](const std::string& type, double value, const std::string& version) {
        pod.add(blocks, {{"kv_cache_block_type", type}, {"model", "m"}, {"version", version}},
                OptionalFixture::four(value));
    };
    add("max", 100, "1");
    add("tokens_per", 64, "1");
    add("max", 10, "2");
    add("tokens_per", 32, "2");
    SECTION("of each engine") {
        CHECK(pod.measure(Signal::kv_capacity).value == 6720);
    }
    SECTION("and one that lacks a factor does not count") {
        add("max", 1000, "3");
        CHECK(pod.measure(Signal::kv_capacity).value == 6720);
    }
}

TEST_CASE("a prefix cache's hit rate is the growth of hits by that of lookups") {
    OptionalFixture pod(sglang_profile());
    const PageLabels engine = {{"model_name", "m"}, {"engine_type", "unified"}};
    for (const std::string source : {"device", "host"}) {
        PageLabels labels = engine;
        labels["cache_source"] = source;
        pod.add("sglang:cached_tokens_total", labels, spaced(15s, 0s, rising(5, 30)));
    }
    pod.add("sglang:prompt_tokens_total", engine, spaced(15s, 0s, rising(5, 240)));
    const SignalValue hits = pod.measure(Signal::prefix_cache_hit_rate);
    CHECK(hits.reason == ReadingReason::none);
    CHECK_THAT(hits.value / hits.weight, Catch::Matchers::WithinRel(0.25, 1e-12));
    CHECK(pod.measure(Signal::generation_rate).reason == ReadingReason::no_series);
}

TEST_CASE("a histogram is measured by the first name that has one, in its unit") {
    EngineProfile profile = vllm_profile();
    profile.queue_time = {"new_ms * 0.001", "old_seconds"};
    const auto add = [](OptionalFixture& pod, const std::string& name, const std::string& le,
                        double step) {
        pod.add(name + "_bucket", {{"model_name", "m"}, {"engine", "0"}, {"le", le}},
                spaced(15s, 0s, rising(5, step)));
    };
    OptionalFixture pod(profile);
    add(pod, "old_seconds", "1", 15);
    add(pod, "old_seconds", "+Inf", 30);
    SECTION("the older name") {
        const HistogramValue histogram = pod.histogram(Signal::queue_time);
        CHECK(histogram.value.alias == 1);
        REQUIRE(histogram.buckets.size() == 2);
        CHECK(histogram.buckets[0].upper_bound == 1);
        CHECK_THAT(histogram.value.weight, Catch::Matchers::WithinRel(2.0, 1e-12));
    }
    SECTION("the newer name") {
        add(pod, "new_ms", "1000", 15);
        add(pod, "new_ms", "+Inf", 45);
        const HistogramValue histogram = pod.histogram(Signal::queue_time);
        CHECK(histogram.value.alias == 0);
        CHECK(histogram.buckets[0].upper_bound == 1);
        CHECK(histogram.buckets[1].upper_bound == infinity);
        CHECK_THAT(histogram.value.weight, Catch::Matchers::WithinRel(3.0, 1e-12));
        CHECK(histogram.value.time == now);
        CHECK(histogram.value.spacing == 15s);
    }
    CHECK(pod.histogram(Signal::itl).value.reason == ReadingReason::no_series);
}

TEST_CASE("what is chosen besides does not change which views are one process") {
    const auto verdict = [](OptionalReadingSet chosen, double difference) {
        const EngineProfile profile = vllm_profile();
        const MetricSet metrics(profile, chosen);
        const SampleRules rules;
        std::vector<View> views;
        for (const std::string job : {"one", "two"}) {
            OptionalFixture pod(profile, chosen);
            const PageLabels engine = {{"model_name", "m"}, {"engine", "0"}, {"job", job}};
            pod.add(std::string(finished), engine, OptionalFixture::four(1000));
            // A request is being served, and none has ended.
            pod.add("vllm:generation_tokens_total", engine,
                    spaced(15s, 0s, rising(5, 30, job == "one" ? 1000 : 1000 + difference)));
            views.push_back(std::move(pod.table).take()[0].at(0));
        }
        return compare_values(views[0], views[1], MetricTraits(metrics), rules);
    };
    CHECK(verdict({}, 0) == ValueVerdict::idle);
    for (const double difference : {0.0, 7.0, 5000.0})
        CHECK(verdict(OptionalReadingSet::all(), difference) == ValueVerdict::idle);
}

TEST_CASE("a quotient of counters is no histogram, and not provided as one") {
    OptionalFixture pod(llama_cpp_profile());
    pod.add("llamacpp:requests_processing", {{"", ""}}, OptionalFixture::four(1));
    CHECK(pod.metrics.buckets(Signal::itl).empty());
    CHECK(pod.metrics.buckets(Signal::queue_time).empty());
}

} // namespace wva_metrics::samples::measured
