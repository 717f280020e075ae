// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/backend/detail/metrics_assembler.hpp"
#include "wva_metrics/backend/detail/model_judge.hpp"
#include "wva_metrics/backend/detail/pod_impl.hpp"
#include "wva_metrics/backend/pod_config.hpp"
#include "wva_metrics/backend/prometheus_backend.hpp"
#include "wva_metrics/samples/view_table.hpp"
#include "wva_metrics/scrape/sample_store.hpp"
#include "wva_metrics/testing/fake_prometheus.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_floating_point.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {
namespace {

using namespace std::chrono_literals;
using samples::LabelView;
using testing::FakePrometheus;

const samples::ServerTime sample_noon{1'700'000'000s};

/// One series of a pod's page, which starts with a value and grows evenly.
struct PageSeries {
    std::string name;
    std::vector<std::pair<std::string, std::string>> labels;
    double per_second;
    double last;
};

std::vector<PageSeries> series_of_pod(double load) {
    const std::vector<std::pair<std::string, std::string>> engine = {{"engine", "0"},
                                                                     {"model_name", "llama"}};
    std::vector<PageSeries> all = {{"vllm:num_requests_running", engine, 0, load},
                                   {"vllm:num_requests_waiting", engine, 0, 2 * load},
                                   {"vllm:kv_cache_usage_perc", engine, 0, load / 10}};
    auto done = engine;
    done.emplace_back("finished_reason", "stop");
    all.push_back({"vllm:request_success_total", done, load, 1000 * load});
    for (const std::string histogram :
         {"vllm:request_prompt_tokens", "vllm:request_generation_tokens",
          "vllm:time_to_first_token_seconds", "vllm:inter_token_latency_seconds"}) {
        all.push_back({histogram + "_count", engine, load, 1000 * load});
        all.push_back({histogram + "_sum", engine, load * 7, 9000 * load});
    }
    return all;
}

/// What only optional readings need.
std::vector<PageSeries> optional_series_of_pod(double load) {
    const std::vector<std::pair<std::string, std::string>> engine = {{"engine", "0"},
                                                                     {"model_name", "llama"}};
    std::vector<PageSeries> all = {
        {"vllm:cache_config_info",
         {{"block_size", "16"}, {"engine", "0"}, {"num_gpu_blocks", "2000"}},
         0,
         1},
        {"vllm:prefix_cache_hits_total", engine, load, 1000 * load},
        {"vllm:prefix_cache_queries_total", engine, 4 * load, 8000 * load},
        {"vllm:generation_tokens_total", engine, 9 * load, 70000 * load}};
    for (const std::string histogram :
         {"vllm:time_to_first_token_seconds", "vllm:inter_token_latency_seconds",
          "vllm:request_queue_time_seconds", "vllm:e2e_request_latency_seconds"})
        for (const auto& [le, share] :
             {std::pair{"0.1", load / 10}, std::pair{"1.0", 0.9}, std::pair{"+Inf", 1.0}}) {
            auto labels = engine;
            labels.emplace_back("le", le);
            all.push_back({histogram + "_bucket", labels, load * share, 1000 * load * share});
        }
    return all;
}

std::vector<PageSeries> page_of_pod(double load) {
    std::vector<PageSeries> all = series_of_pod(load);
    for (PageSeries& series : optional_series_of_pod(load))
        all.push_back(std::move(series));
    return all;
}

const ModelKey llama_model("llm", "llama");
const std::map<std::string, double> loads = {{"llama-7d9f8b6c5d-aaaaa", 2},
                                             {"llama-7d9f8b6c5d-bbbbb", 5}};
constexpr auto scrape_interval = 15s;

/// Both kinds of metrics.
struct Measured {
    OptimizerMetrics optimizer;
    ReplicaSamples replicas;
};

std::vector<VariantAutoscaling> llama_variants() {
    return {VariantAutoscaling("llm", "llama-va", "llama", "llama")};
}

Measured measured_by_prometheus(OptionalReadingSet chosen) {
    asio::io_context context;
    FakePrometheus fake(context);
    fake.set_time(sample_noon);
    for (const auto& [pod, load] : loads)
        for (const PageSeries& series : page_of_pod(load)) {
            FakePrometheus::Series stored{series.name, series.labels};
            stored.labels.emplace_back("namespace", "llm");
            stored.labels.emplace_back("pod", pod);
            stored.labels.emplace_back("instance", pod + ":8000");
            for (int back = 20; back >= 0; --back)
                fake.append(stored, series.last - series.per_second * 15 * back,
                            sample_noon - back * scrape_interval);
        }
    PrometheusConfig config = PrometheusConfig::at(fake.url());
    config.use_kube_state = false;
    config.optional_readings = chosen;
    PrometheusBackend backend(context.get_executor(), config);
    std::optional<Measured> result;
    const auto measure = [&]() -> asio::awaitable<void> {
        Measured measured;
        std::vector<VariantAutoscaling> variants = llama_variants();
        const auto optimizer = co_await backend.fetch_optimizer_metrics(std::move(variants));
        measured.optimizer = optimizer.front().value();
        std::vector<ModelKey> models(1, llama_model);
        const auto replicas = co_await backend.fetch_replica_samples(std::move(models));
        measured.replicas = replicas.front().value();
        result = measured;
    };
    asio::co_spawn(context, measure(), [](std::exception_ptr thrown) {
        if (thrown)
            std::rethrow_exception(thrown);
    });
    while (!result)
        REQUIRE(context.run_one() > 0);
    return *result;
}

/// The road of `PodRound`, with the times of the test.
Measured measured_by_pods(OptionalReadingSet chosen) {
    PodConfig config;
    config.optional_readings = chosen;
    const samples::SampleRules rules = detail::rules_of(config);
    const samples::MetricSet metrics(config.engine, chosen);
    const detail::SignalMetrics names(config.engine);
    samples::ViewTable table(metrics, config.engine.labels, rules);
    std::vector<std::unique_ptr<scrape::SampleStore>> stores;
    for (const auto& [pod, load] : loads) {
        auto& store = stores.emplace_back(std::make_unique<scrape::SampleStore>(
            samples::Labels{{"instance", pod + ":8000"}, {"namespace", "llm"}, {"pod", pod}},
            scrape::Retention::of(rules)));
        for (int back = 20; back >= 0; --back) {
            store->begin(sample_noon - back * scrape_interval);
            for (const PageSeries& series : page_of_pod(load)) {
                std::vector<LabelView> labels;
                for (const auto& [name, value] : series.labels)
                    labels.push_back({name, value});
                const Result<void> added =
                    store->add(series.name, labels, series.last - series.per_second * 15 * back);
                REQUIRE(added.has_value());
            }
            store->end();
        }
        store->visit([&](auto labels, auto history, bool has_ended) {
            const bool names_model = std::ranges::any_of(
                labels, [](const LabelView& label) { return label.name == "model_name"; });
            table.add(!names_model ? std::nullopt : std::optional<std::size_t>(0), labels, history,
                      has_ended);
        });
    }
    detail::ModelViews views;
    views.clock = {sample_noon, std::chrono::steady_clock::now()};
    views.now = sample_noon;
    views.views = std::move(std::move(table).take()[0]);
    detail::UndecidedPods undecided;
    const detail::ModelJudge judge(metrics, rules, undecided);
    const detail::ModelReport report = judge.judge(llama_model, views, detail::PodStates());
    const detail::MetricsAssembler assembler(config, names);
    Measured measured;
    measured.optimizer = assembler.optimizer(llama_model, report, llama_variants()).front().value();
    measured.replicas = assembler.replicas(llama_model, report).value();
    return measured;
}

TEST_CASE("the same scrapes have the same readings, through Prometheus and from the pods") {
    const Measured stored = measured_by_prometheus({});
    const Measured direct = measured_by_pods({});
    for (const auto& field : optimizer_readings) {
        CAPTURE(field.name);
        const Reading<double>& expected = stored.optimizer.*field.member;
        const Reading<double>& found = direct.optimizer.*field.member;
        REQUIRE(expected.has_value());
        REQUIRE(found.has_value());
        CHECK(found.value() == expected.value());
        CHECK(found.window() == expected.window());
        CHECK(found.metric() == expected.metric());
    }
    CHECK(direct.optimizer.coverage.seen == stored.optimizer.coverage.seen);
    REQUIRE(direct.replicas.pods.size() == stored.replicas.pods.size());
    for (std::size_t i = 0; i < direct.replicas.pods.size(); ++i) {
        CHECK(direct.replicas.pods[i].pod == stored.replicas.pods[i].pod);
        CHECK(direct.replicas.pods[i].queue_length.value() ==
              stored.replicas.pods[i].queue_length.value());
        CHECK(direct.replicas.pods[i].kv_cache_usage.value() ==
              stored.replicas.pods[i].kv_cache_usage.value());
        CHECK(direct.replicas.pods[i].optional.empty());
        CHECK(stored.replicas.pods[i].optional.empty());
    }
    CHECK(direct.optimizer.optional.empty());
    CHECK(stored.optimizer.optional.empty());
}

void check_same(const OptionalReadings& stored, const OptionalReadings& direct) {
    REQUIRE(stored.entries().size() == direct.entries().size());
    for (const OptionalReadings::Entry& expected : stored.entries()) {
        CAPTURE(to_string(expected.which));
        const Reading<double> found = direct.find(expected.which);
        REQUIRE(expected.reading.has_value());
        REQUIRE(found.has_value());
        CHECK(found.value() == expected.reading.value());
        CHECK(found.window() == expected.reading.window());
        CHECK(found.metric() == expected.reading.metric());
        CHECK(found.statistic() == expected.reading.statistic());
    }
}

TEST_CASE("the optional readings are the same too, through Prometheus and from the pods") {
    const Measured stored = measured_by_prometheus(OptionalReadingSet::all());
    const Measured direct = measured_by_pods(OptionalReadingSet::all());
    check_same(stored.optimizer.optional, direct.optimizer.optional);
    REQUIRE(direct.replicas.pods.size() == 2);
    for (std::size_t i = 0; i < 2; ++i)
        check_same(stored.replicas.pods[i].optional, direct.replicas.pods[i].optional);

    const auto is = [](const OptionalReadings& readings, OptionalReading which, double value,
                       Statistic statistic, const std::string& metric) {
        const Reading<double> reading = readings.find(which);
        CAPTURE(to_string(which));
        CHECK_THAT(reading.value(), Catch::Matchers::WithinRel(value, 1e-12));
        CHECK(reading.statistic() == statistic);
        CHECK(reading.metric() == metric);
    };
    const OptionalReadings& pod = direct.replicas.pods[0].optional; // Its load is 2.
    CHECK(pod.entries().size() == optional_readings.size());
    is(pod, OptionalReading::kv_capacity_tokens, 32000, Statistic::last_sample,
       "vllm:cache_config_info[num_gpu_blocks * block_size]");
    is(pod, OptionalReading::prefix_cache_hit_rate, 0.25, Statistic::average,
       "vllm:prefix_cache_hits_total / vllm:prefix_cache_queries_total");
    is(pod, OptionalReading::avg_ttft_seconds, 7, Statistic::average,
       "vllm:time_to_first_token_seconds");
    is(pod, OptionalReading::avg_itl_seconds, 7, Statistic::average,
       "vllm:inter_token_latency_seconds");
    is(pod, OptionalReading::generation_tokens_per_second, 18, Statistic::rate,
       "vllm:generation_tokens_total");
    is(pod, OptionalReading::requests_per_second, 2, Statistic::rate, "vllm:request_success_total");
    is(pod, OptionalReading::running_requests, 2, Statistic::last_sample,
       "vllm:num_requests_running");
    // Of 2 a second, 0.4 within 0.1 s, 1.8 within 1 s: 1 a second within 0.1 + 0.9 * 0.6 / 1.4.
    is(pod, OptionalReading::queue_time_p50_seconds, 0.1 + 0.9 * 0.6 / 1.4, Statistic::quantile,
       "vllm:request_queue_time_seconds");
    is(pod, OptionalReading::queue_time_p99_seconds, 1, Statistic::quantile,
       "vllm:request_queue_time_seconds");

    // Of a variant there are quantiles: of all requests, 2.9, 6.3 and 7 a second.
    const OptionalReadings& variant = direct.optimizer.optional;
    CHECK(variant.entries().size() == 13);
    // Between the first of four samples in the window and the last, of both pods.
    is(variant, OptionalReading::requests_in_window, 45 * 7, Statistic::count,
       "vllm:request_success_total");
    is(variant, OptionalReading::e2e_latency_p50_seconds, 0.1 + 0.9 * 0.6 / 3.4,
       Statistic::quantile, "vllm:e2e_request_latency_seconds");
    is(variant, OptionalReading::ttft_p90_seconds, 1, Statistic::quantile,
       "vllm:time_to_first_token_seconds");
}

} // namespace
} // namespace wva_metrics
