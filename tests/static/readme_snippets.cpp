// SPDX-License-Identifier: Apache-2.0
//
// The README's code, word for word, so that it is compiled. The test `snippets` compares both.
#include "wva_metrics/kubernetes/owner_resolver.hpp"
#include "wva_metrics/kubernetes/variant_watcher.hpp"
#include "wva_metrics/settings/apply_settings.hpp"
#include "wva_metrics/settings/collector_factory.hpp"
#include "wva_metrics/settings/load_settings.hpp"
#include "wva_metrics/testing/fake_prometheus.hpp"
#ifdef WVA_METRICS_WITH_TLS
#include "wva_metrics/kubernetes/tls_in_cluster.hpp"
#endif

#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <atomic>
#include <fstream>
#include <iostream>
#include <mutex>

#pragma GCC diagnostic ignored "-Wmissing-declarations"

// clang-format off
#include <wva_metrics/wva_metrics.hpp>

namespace asio = boost::asio;
using namespace wva_metrics;

asio::awaitable<void> reconcile(asio::io_context& io) {
    Collector<PrometheusBackend, ShardedCache> collector(
        io.get_executor(), PrometheusBackend(io.get_executor(), PrometheusConfig::at("http://prometheus:9090")));
    collector.start_background_fetching();

    const VariantAutoscaling variant("llm", "llama-a100", "meta-llama/Llama-3.1-8B-Instruct", "llama-a100", "A100", 40.0);

    // The first time it asks Prometheus; from then on it is tracked, renewed every 15 s and answered from the cache.
    const auto metrics = co_await collector.async_collect_optimizer_metrics(variant);
    if (!metrics) {
        std::cerr << metrics.error().describe() << '\n';   // Who was asked, what went wrong, what to do.
        co_return;
    }
    const Reading<double>& rate = (*metrics)->arrival_rate_per_minute;
    if (rate.has_value() && metrics->freshness() == Freshness::fresh)
        std::cout << rate.value() << " requests per minute, measured "
                  << format_duration(rate.age(std::chrono::steady_clock::now())) << " ago\n";
    else
        std::cout << "keep the current scale: " << to_string(rate.reason()) << '\n';

    // What is known now, from any thread, without waiting or suspending.
    if (const auto known = collector.find_optimizer_metrics(variant.key()))
        std::cout << to_string(known->source()) << '\n';

    const std::vector<VariantAutoscaling> variants{variant};
    const auto replicas =
        co_await collector.async_collect_replica_metrics(variant.model(), variants);
    if (replicas)
        for (const ReplicaMetrics& replica : (*replicas)->replicas)
            std::cout << replica.pod << ' ' << replica.kv_cache_usage.value_or(1.0) << '\n'; // Unknown counts as full here.
}

void reload(AnyCollector& collector, CollectorSettings& current) {
    const LoadedSettings wanted = load_settings_file("collector.json").value();
    std::cout << describe(wanted); // Every value and who said so; secrets are ***.
    // What can change in a running collector does, and its cache stays.
    const AppliedSettings result = apply_settings(collector, current, wanted.settings).value();
    for (const std::string& path : result.needs_new_collector)
        std::cout << path << " needs a restart\n";
    current = wanted.settings;
}

#ifdef WVA_METRICS_WITH_TLS
void with_cluster(asio::io_context& io) {
    const kubernetes::Client cluster(io.get_executor(), kubernetes::in_cluster_config().value());
    auto owners = std::make_shared<kubernetes::OwnerResolver>(cluster);
    owners->start();
    PrometheusConfig prometheus = PrometheusConfig::at("http://prometheus:9090");
    prometheus.owners = owners; // Asked first; then kube-state-metrics, then the pods' names.
    Collector<PrometheusBackend, ShardedCache> collector(
        io.get_executor(), PrometheusBackend(io.get_executor(), std::move(prometheus)));

    kubernetes::VariantWatcherConfig config;
    config.on_change = [&](const kubernetes::VariantsChange& change) {
        track_change(collector, change); // Fetched from now on, or no longer.
    };
    config.on_problem = [](const Error& error) { std::cerr << error.describe() << '\n'; };
    kubernetes::VariantWatcher variants(cluster, config);
    variants.start();
    io.run();
}
#endif

void observe(const asio::any_io_executor& executor, PrometheusBackend backend) {
LogObserver log([](LogLevel level, std::string_view line) { std::clog << to_string(level) << ' ' << line << '\n'; },
                LogLevel::info);
Collector<PrometheusBackend, MemoryCache, decltype(log)> collector(executor, std::move(backend), {}, log);
}

namespace observer_of_the_headers {

struct CountMisses {
    std::atomic<int>& misses;
    void operator()(const events::Miss&) { ++misses; }
};

static_assert(CollectorObserver<CountMisses>);

}

void record(const asio::any_io_executor& executor, PrometheusBackend backend) {
std::ofstream file("trace.csv");
std::mutex mutex;
TraceObserver trace([&](std::string_view line) {
    const std::lock_guard lock(mutex);
    file << line << '\n';
});
Collector<PrometheusBackend, ShardedCache, decltype(trace)> collector(executor, std::move(backend), {}, trace);
}

void fake_one(asio::io_context& io) {
testing::FakePrometheus fake(io.get_executor());
fake.set({"vllm:kv_cache_usage_perc", {{"namespace", "llm"}, {"model_name", "m"}, {"pod", "llama-7d9f8b6c5d-x2k4p"}}}, 0.42);
PrometheusBackend backend(io.get_executor(), PrometheusConfig::at(fake.url()));
}

void fake_of_the_headers() {
    using testing::FakePrometheus;
    asio::io_context context;
    FakePrometheus prometheus(context);
    prometheus.set({"vllm:kv_cache_usage_perc", {{"namespace", "llm"}, {"pod", "p-0"}}}, 0.42);
    // point the code under test at prometheus.url(), and run the context
}
