// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/http_calls.hpp"
#include "support/protections.hpp"
#include "wva_metrics/backend/prometheus_backend.hpp"
#include "wva_metrics/testing/fake_prometheus.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::FakePrometheus;

inline const FakePrometheus::Time noon{std::chrono::seconds(1'700'000'000)};

/// A pod that serves a model, for the labels of its series.
struct Server {
    std::string pod = "llama-7d9f8b6c5d-x2x4z";
    std::string model = "meta/llama";
    std::string namespace_name = "llm";
};

using Labels = std::vector<std::pair<std::string, std::string>>;

/// A series of a server's metric; an empty pod makes one without that label.
inline FakePrometheus::Series series(const std::string& metric, const Server& server,
                                     const Labels& more = {}) {
    FakePrometheus::Series made{
        metric,
        {{"namespace", server.namespace_name}, {"model_name", server.model}, {"pod", server.pod}}};
    made.labels.insert(made.labels.end(), more.begin(), more.end());
    return made;
}

/// Two pods of the deployment `llama`.
inline const std::string pod_a = "llama-7d9f8b6c5d-aaaaa";
inline const std::string pod_b = "llama-7d9f8b6c5d-bbbbb";

inline std::vector<std::string> pod_names(const ReplicaSamples& samples) {
    std::vector<std::string> names;
    for (const ReplicaSample& sample : samples.pods)
        names.push_back(sample.pod);
    return names;
}

inline bool is_missing(const Reading<double>& reading, ReadingReason reason) {
    return reading.state() == ReadingState::missing && reading.reason() == reason;
}

inline VariantAutoscaling variant_of(const std::string& deployment,
                                     const std::string& model = "meta/llama",
                                     const std::string& namespace_name = "llm") {
    return {namespace_name, deployment + "-va", model, deployment};
}

/// A fake Prometheus with a fixed time, and a backend that queries it, in one thread.
struct BackendFixture {
    BackendFixture() {
        fake.set_time(noon);
        // So that a slow machine does not cause a timeout.
        config.client.http.timeouts.attempt = config.client.http.timeouts.connect = 10min;
        config.batch_timeout = 10min;
        config.client.http.protection = unprotected;
    }

    // What servers report. A server reports all of its metrics at each scrape, every 15 s, and
    // always how many requests run: that series tells whether it lives.

    void set_running(const Server& server, const std::string& engine = "0") {
        fake.set_steady(series("vllm:num_requests_running", server, {{"engine", engine}}), 1);
    }
    void set_requests(const Server& server, double per_second) {
        set_running(server);
        fake.set_rate(series("vllm:request_success_total", server, {{"finished_reason", "stop"}}),
                      per_second);
    }
    /// A histogram that took `per_second` observations of this average.
    void set_average(const std::string& metric, const Server& server, double per_second,
                     double average) {
        set_running(server);
        fake.set_rate(series(metric + "_count", server), per_second);
        fake.set_rate(series(metric + "_sum", server), per_second * average);
    }
    /// The series of `set_load`.
    static std::vector<FakePrometheus::Series> load_series(const Server& server) {
        std::vector<FakePrometheus::Series> all = {
            series("vllm:num_requests_running", server, {{"engine", "0"}}),
            series("vllm:request_success_total", server, {{"finished_reason", "stop"}})};
        for (const std::string metric :
             {"vllm:request_prompt_tokens", "vllm:request_generation_tokens",
              "vllm:time_to_first_token_seconds", "vllm:inter_token_latency_seconds"}) {
            all.push_back(series(metric + "_count", server));
            all.push_back(series(metric + "_sum", server));
        }
        return all;
    }
    /// The last samples of these series are 30 s old, and the scrape after them found them gone.
    void end_30s_ago(const std::vector<FakePrometheus::Series>& all) {
        for (const FakePrometheus::Series& ended : all) {
            fake.end(ended, fake.now() - 15s);
            fake.end(ended, fake.now());
        }
    }
    /// Everything that optimizer metrics are made of.
    void set_load(const Server& server, double per_second, double input_tokens = 100,
                  double output_tokens = 150, double ttft = 0.5, double itl = 0.05) {
        set_requests(server, per_second);
        set_average("vllm:request_prompt_tokens", server, per_second, input_tokens);
        set_average("vllm:request_generation_tokens", server, per_second, output_tokens);
        set_average("vllm:time_to_first_token_seconds", server, per_second, ttft);
        set_average("vllm:inter_token_latency_seconds", server, per_second, itl);
    }
    void set_kv(const Server& server, double usage, const std::string& engine = "0") {
        set_running(server, engine);
        fake.set_steady(series("vllm:kv_cache_usage_perc", server, {{"engine", engine}}), usage);
    }
    void set_queue(const Server& server, double waiting, const std::string& engine = "0") {
        set_running(server, engine);
        fake.set_steady(series("vllm:num_requests_waiting", server, {{"engine", engine}}), waiting);
    }
    /// Adds samples of these values, 15 s apart; the last one is `age` old.
    void set_last(const FakePrometheus::Series& changed, std::vector<double> values,
                  FakePrometheus::Time::duration age = 0s) {
        FakePrometheus::Time time = fake.now() - age - 15s * values.size();
        for (const double value : values)
            fake.append(changed, value, time += 15s);
    }
    /// A pod that reported this until 30 s ago, and is not scraped any more.
    void set_ended_kv(const Server& server, double usage) {
        set_kv(server, usage);
        end_30s_ago({series("vllm:kv_cache_usage_perc", server, {{"engine", "0"}}),
                     series("vllm:num_requests_running", server, {{"engine", "0"}})});
    }

    // What kube-state-metrics reports, which is scraped every 15 s, too.

    static FakePrometheus::Series pod_info(const std::string& pod,
                                           const std::string& namespace_name = "llm") {
        return {"kube_pod_info", {{"namespace", namespace_name}, {"pod", pod}}};
    }
    void add_pod(const std::string& pod, const std::string& namespace_name = "llm") {
        fake.set_steady(pod_info(pod, namespace_name), 1);
    }
    /// The pod was there a minute ago and is not any more.
    void remove_pod(const std::string& pod, const std::string& namespace_name = "llm") {
        const FakePrometheus::Series removed = pod_info(pod, namespace_name);
        fake.remove(removed);
        set_last(removed, std::vector<double>(5, 1), 60s);
        fake.end(removed, fake.now() - 45s);
    }
    void set_owner(const std::string& pod, const std::string& kind, const std::string& name,
                   const std::string& namespace_name = "llm") {
        fake.set_steady({"kube_pod_owner",
                         {{"namespace", namespace_name},
                          {"pod", pod},
                          {"owner_kind", kind},
                          {"owner_name", name}}},
                        1);
    }

    /// Runs until the condition is true. Throws if that does not happen within two minutes.
    template <typename Condition>
    void wait_until(Condition condition) {
        io.restart();
        while (!condition()) {
            if (io.run_one_for(2min) == 0)
                throw std::runtime_error("the condition did not become true");
        }
    }

    // Queries.

    PrometheusBackend backend() { return PrometheusBackend(io.get_executor(), config); }

    template <typename T>
    T run(asio::awaitable<T> operation) {
        std::optional<T> answer;
        std::exception_ptr failure;
        asio::co_spawn(io, std::move(operation), [&](std::exception_ptr thrown, T result) {
            failure = thrown;
            answer.emplace(std::move(result));
        });
        wait_until([&] { return answer.has_value(); });
        if (failure)
            std::rethrow_exception(failure);
        return *std::move(answer);
    }

    std::vector<Result<OptimizerMetrics>> optimizer(std::vector<VariantAutoscaling> variants) {
        PrometheusBackend queried = backend();
        return run(queried.fetch_optimizer_metrics(std::move(variants)));
    }
    OptimizerMetrics optimizer(const VariantAutoscaling& variant) {
        return optimizer(std::vector{variant}).at(0).value();
    }
    std::vector<Result<ReplicaSamples>> replicas(std::vector<ModelKey> models) {
        PrometheusBackend queried = backend();
        return run(queried.fetch_replica_samples(std::move(models)));
    }
    ReplicaSamples replicas(const ModelKey& model = {"llm", "meta/llama"}) {
        return replicas(std::vector{model}).at(0).value();
    }
    Result<Availability> check_availability(const ModelKey& model = {"llm", "meta/llama"}) {
        PrometheusBackend queried = backend();
        return run(queried.check_availability(model));
    }

    asio::io_context io;
    FakePrometheus fake{io};
    PrometheusConfig config = PrometheusConfig::at(fake.url());
};

} // namespace wva_metrics::test_support
