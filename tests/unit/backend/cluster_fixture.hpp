// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend_fixture.hpp"
#include "wva_metrics/prometheus/flavor.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// One inference server, all of whose values are functions of the time.
struct ScrapedServer {
    double per_second = 1;
    std::function<double(FakePrometheus::Time)> queue = [](auto) { return 3; };
    std::function<double(FakePrometheus::Time)> kv = [](auto) { return 0.5; };
    FakePrometheus::Time started = noon - 1h;
    /// It answers no more from then on.
    std::optional<FakePrometheus::Time> ended{};
    /// "" if it does not label its engine.
    std::string engine = "0";

    static std::function<double(FakePrometheus::Time)> always(double value) {
        return [value](auto) { return value; };
    }
    bool answers(FakePrometheus::Time time) const {
        return time >= started && (!ended || time < *ended);
    }
    double seconds(FakePrometheus::Time time) const {
        return std::chrono::duration<double>(time - started).count();
    }
};

/// When a target is scraped.
struct Scraped {
    /// The age of the newest scrape at noon.
    std::chrono::milliseconds age = 2s;
    std::chrono::milliseconds spacing = 15s;
    /// What is newer than this has not arrived in the store.
    std::chrono::milliseconds behind = 0s;
    /// From then on the target is no longer scraped.
    std::optional<FakePrometheus::Time> removed{};
};

/// A cluster as Prometheus and as VictoriaMetrics show it: each test runs for both.
struct ClusterFixture : BackendFixture {
    ClusterFixture() { fake.set_flavor(flavor); }

    bool is_victoria_metrics() const { return flavor == prometheus::Flavor::victoria_metrics; }

    /// The labels of the target of a pod of deployment `llama`, with others.
    static Labels target(const std::string& pod, const std::string& instance,
                         const Labels& more = {}) {
        Labels labels = {{"namespace", "llm"}, {"pod", pod}, {"job", "vllm"}};
        if (!instance.empty())
            labels.emplace_back("instance", instance);
        for (const auto& added : more) {
            std::erase_if(labels, [&](const auto& label) { return label.first == added.first; });
            labels.push_back(added);
        }
        return labels;
    }

    /// Writes all that was scraped from a target in the last ten minutes. Call it again after the
    /// clock of the fake has moved.
    void scrape(const ScrapedServer& server, const Labels& labels, const Scraped& when = {}) {
        const auto is_scraped = [&](FakePrometheus::Time time) {
            return !when.removed || time < *when.removed;
        };
        const FakePrometheus::Time newest = fake.now() - when.behind;
        FakePrometheus::Time time = noon - when.age - 40 * when.spacing;
        bool was_there = false;
        bool was_scraped = false;
        for (; time <= newest; time += when.spacing) {
            const bool is_there = is_scraped(time) && server.answers(time);
            for (const auto& [series, value] : page(server, labels, time)) {
                if (is_there)
                    fake.append(series, value, time);
                else if (was_there)
                    fake.end(series, time);
            }
            const FakePrometheus::Series up{"up", labels};
            if (is_scraped(time))
                fake.append(up, is_there ? 1 : 0, time);
            else if (was_scraped)
                fake.end(up, time);
            was_there = is_there;
            was_scraped = is_scraped(time);
        }
    }

    /// What kube-state-metrics says of a pod: it is there until `removed`.
    void report_pod(const std::string& pod, const Labels& more = {},
                    std::optional<FakePrometheus::Time> removed = {}) {
        Labels labels = {{"namespace", "llm"}, {"pod", pod}, {"instance", "10.9.9.9:8080"}};
        for (const auto& added : more) {
            std::erase_if(labels, [&](const auto& label) { return label.first == added.first; });
            labels.push_back(added);
        }
        Labels ready = labels;
        ready.emplace_back("condition", "true");
        bool was_there = false;
        for (FakePrometheus::Time time = noon - 5s - 40 * 15s; time <= fake.now(); time += 15s) {
            const bool is_there = !removed || time < *removed;
            for (const auto& series : {FakePrometheus::Series{"kube_pod_info", labels},
                                       FakePrometheus::Series{"kube_pod_status_ready", ready}}) {
                if (is_there)
                    fake.append(series, 1, time);
                else if (was_there)
                    fake.end(series, time);
            }
            was_there = is_there;
        }
    }

    /// The answers of one backend, which remembers earlier rounds.
    OptimizerMetrics load(const VariantAutoscaling& variant = variant_of("llama")) {
        return run(lasting().fetch_optimizer_metrics({variant})).at(0).value();
    }
    ReplicaSamples pods(const ModelKey& model = {"llm", "meta/llama"}) {
        return run(lasting().fetch_replica_samples({model})).at(0).value();
    }

    static bool warns_of(const std::vector<std::string>& warnings, const std::string& text) {
        return std::ranges::any_of(warnings, [&](const std::string& warning) {
            return warning.find(text) != std::string::npos;
        });
    }
    /// True if a time that was returned for a query sent between `before` and now is this old.
    static bool is_aged(TimePoint time, TimePoint before, Duration age) {
        return time >= before - age && time <= std::chrono::steady_clock::now() - age;
    }

    const prometheus::Flavor flavor =
        GENERATE(prometheus::Flavor::prometheus, prometheus::Flavor::victoria_metrics);

private:
    /// Made by the first query, when the test has changed the configuration.
    PrometheusBackend& lasting() {
        if (!backend_)
            backend_.emplace(backend());
        return *backend_;
    }

    static std::vector<std::pair<FakePrometheus::Series, double>>
    page(const ScrapedServer& server, const Labels& target_labels, FakePrometheus::Time time) {
        const double requests = server.per_second * server.seconds(time);
        std::vector<std::pair<FakePrometheus::Series, double>> all;
        const auto add = [&](const std::string& metric, double value, const Labels& more = {}) {
            FakePrometheus::Series series{metric, target_labels};
            series.labels.emplace_back("model_name", "meta/llama");
            if (!server.engine.empty())
                series.labels.emplace_back("engine", server.engine);
            series.labels.insert(series.labels.end(), more.begin(), more.end());
            all.emplace_back(std::move(series), value);
        };
        add("vllm:num_requests_running", 1);
        add("vllm:num_requests_waiting", server.queue(time));
        add("vllm:kv_cache_usage_perc", server.kv(time));
        add("vllm:request_success_total", requests, {{"finished_reason", "stop"}});
        const std::pair<std::string, double> histograms[] = {
            {"vllm:request_prompt_tokens", 100},
            {"vllm:request_generation_tokens", 50},
            {"vllm:time_to_first_token_seconds", 0.25},
        };
        for (const auto& [metric, average] : histograms) {
            add(metric + "_count", requests);
            add(metric + "_sum", requests * average);
        }
        add("vllm:inter_token_latency_seconds_count", requests * 49);
        add("vllm:inter_token_latency_seconds_sum", requests * 49 * 0.0125);
        const double start =
            std::chrono::duration<double>(server.started.time_since_epoch()).count();
        all.emplace_back(FakePrometheus::Series{"process_start_time_seconds", target_labels},
                         start);
        return all;
    }

    std::optional<PrometheusBackend> backend_;
};

} // namespace wva_metrics::test_support
