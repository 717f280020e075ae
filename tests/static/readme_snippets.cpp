// SPDX-License-Identifier: Apache-2.0
//
// The README's code, so that it compiles.
#include <wva_metrics/testing/fake_prometheus.hpp>
#include <wva_metrics/wva_metrics.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <iostream>

namespace asio = boost::asio;
using namespace wva_metrics;

asio::awaitable<void> reconcile(asio::io_context& io);
void observe(asio::io_context& io);
void fake(asio::io_context& io);

asio::awaitable<void> reconcile(asio::io_context& io) {
    Collector<PrometheusBackend, ShardedCache> collector(
        io.get_executor(),
        PrometheusBackend(io.get_executor(), PrometheusConfig::at("http://prometheus:9090")));
    collector.start_background_fetching();

    const VariantAutoscaling variant("llm", "llama-a100", "meta-llama/Llama-3.1-8B-Instruct",
                                     "llama-a100", "A100", 40.0);

    const auto metrics =
        co_await collector.async_collect_optimizer_metrics(variant, asio::use_awaitable);
    if (!metrics) {
        std::cerr << metrics.error().describe() << '\n';
        co_return;
    }
    const Reading<double>& rate = (*metrics)->arrival_rate_per_minute;
    if (rate.has_value() && metrics->freshness() == Freshness::fresh)
        std::cout << rate.value() << " requests per minute, measured "
                  << format_duration(rate.age(std::chrono::steady_clock::now())) << " ago\n";
    else
        std::cout << "keep the current scale: " << to_string(rate.reason()) << '\n';

    if (const auto known = collector.find_optimizer_metrics(variant.key()))
        std::cout << to_string(known->source()) << '\n';

    const std::vector<VariantAutoscaling> variants{variant};
    const auto replicas = co_await collector.async_collect_replica_metrics(
        variant.model(), variants, asio::use_awaitable);
    if (replicas)
        for (const ReplicaMetrics& replica : (*replicas)->replicas)
            std::cout << replica.pod << ' ' << replica.kv_cache_usage.value_or(1.0) << '\n';
}

void observe(asio::io_context& io) {
    PrometheusBackend backend(io.get_executor(), PrometheusConfig::at("http://prometheus:9090"));
    LogObserver log(
        [](LogLevel level, std::string_view line) {
            std::clog << to_string(level) << ' ' << line << '\n';
        },
        LogLevel::info);
    Collector<PrometheusBackend, MemoryCache, decltype(log)> collector(io.get_executor(),
                                                                       std::move(backend), {}, log);
}

void fake(asio::io_context& io) {
    testing::FakePrometheus fake(io.get_executor());
    fake.set({"vllm:kv_cache_usage_perc",
              {{"namespace", "llm"}, {"model_name", "m"}, {"pod", "llama-7d9f8b6c5d-x2k4p"}}},
             0.42);
    PrometheusBackend backend(io.get_executor(), PrometheusConfig::at(fake.url()));
}
