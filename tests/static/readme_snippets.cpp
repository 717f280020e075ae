// SPDX-License-Identifier: Apache-2.0
//
// The code of the documents, word for word, so that it is compiled. The test `snippets` compares both.
#include "wva_metrics/kubernetes/owner_resolver.hpp"
#include "wva_metrics/kubernetes/variant_watcher.hpp"
#include "wva_metrics/settings/apply_settings.hpp"
#include "wva_metrics/settings/collector_factory.hpp"
#include "wva_metrics/settings/load_settings.hpp"
#include "wva_metrics/settings/make_epp_backend.hpp"
#include "wva_metrics/testing/backend_conformance.hpp"
#include "wva_metrics/testing/fake_prometheus.hpp"
#ifdef WVA_METRICS_WITH_TLS
#include "wva_metrics/kubernetes/tls_in_cluster.hpp"
#endif

#include <atomic>
#include <fstream>
#include <iostream>
#include <mutex>

#pragma GCC diagnostic ignored "-Wmissing-declarations"

// clang-format off
#include <wva_metrics/wva_metrics.hpp>
#include <boost/asio.hpp>
#include <iostream>

using namespace wva_metrics;

boost::asio::awaitable<void> show_rate(boost::asio::io_context& io) {
    PrometheusBackend backend(io.get_executor(), PrometheusConfig::at("http://prometheus:9090"));
    Collector<PrometheusBackend, ShardedCache> collector(io.get_executor(), std::move(backend));
    collector.start_background_fetching(); // Every 15 s, what was collected before.

    // Namespace, name, model as its servers report it, Deployment.
    const VariantAutoscaling variant("llm", "llama-a100", "meta-llama/Llama-3.1-8B-Instruct", "llama-a100");
    const auto metrics = co_await collector.async_collect_optimizer_metrics(variant);
    if (!metrics) {
        std::cerr << metrics.error().describe() << '\n'; // Which server, what failed, what to do.
        co_return;
    }
    const Reading<double>& rate = (*metrics)->arrival_rate_per_minute;
    if (rate && metrics->freshness() == Freshness::fresh)
        std::cout << (rate.is_lower_bound() ? "at least " : "") << rate.value() << " requests per minute\n";
    else
        std::cout << "keep the scale: " << to_string(metrics->freshness()) << ", " << to_string(rate.reason()) << '\n';
}

namespace asio = boost::asio;

/// For your proxy or client, which calls it for each answer of a pod that has the header.
void note_answer(PodBackend& backend, std::string_view pod, std::string_view endpoint_load_metrics) {
    const TimePoint now = std::chrono::steady_clock::now();
    if (const Result<void> taken = backend.ingest_orca("llm", pod, endpoint_load_metrics, now); !taken)
        std::cerr << taken.error().describe() << '\n'; // Not a report, or of a pod that is not scraped.
}

asio::awaitable<void> explain(AnyCollector& collector, const ModelKey& model) {
    const std::vector<VariantAutoscaling> expected; // The variants that should have the pods, or none.
    const Result<Diagnosis> diagnosis = co_await collector.async_diagnose(model, expected);
    if (!diagnosis)
        throw std::runtime_error(diagnosis.error().describe());
    for (const Finding& finding : diagnosis->findings) // Problems, the likeliest first, then remarks.
        std::cout << to_string(finding.code) << ": " << finding.text << '\n';
}

asio::awaitable<void> reconcile(AnyCollector& collector, VariantAutoscaling variant) {
    // Are there metrics at all? If not, the message says what to check.
    const auto availability = co_await collector.async_validate_availability(variant.model());
    if (availability && !availability->available)
        std::cout << availability->message << '\n';

    // Per variant. The first call asks Prometheus. From then on the variant is tracked, fetched in the background,
    // and answered from the cache.
    const auto metrics = co_await collector.async_collect_optimizer_metrics(variant);
    if (!metrics)
        std::cerr << metrics.error().describe() << '\n';
    else if ((*metrics)->ttft_seconds)
        std::cout << "TTFT " << (*metrics)->ttft_seconds.value() << " s, " << to_string(metrics->freshness()) << " from "
                  << to_string(metrics->source()) << '\n';

    // Per replica.
    const std::vector<VariantAutoscaling> variants{variant};
    const auto replicas = co_await collector.async_collect_replica_metrics(variant.model(), variants);
    if (replicas)
        for (const ReplicaMetrics& replica : (*replicas)->replicas)
            std::cout << replica.pod << ' ' << replica.kv_cache_usage.value_or(1) << '\n'; // Unknown counts as full here.

    // What is known now: from any thread, without waiting and without I/O.
    if (const auto known = collector.find_optimizer_metrics(variant.key()))
        std::cout << "collected " << format_duration(std::chrono::steady_clock::now() - known->collected_at()) << " ago\n";

    // The same again and again: a handle needs no search by name, and a visitor gets the metrics in place.
    const VariantHandle handle = collector.handle(variant); // Keep it from one pass to the next.
    collector.visit(handle, [](const OptimizerView& view) {
        std::cout << view->arrival_rate_per_minute.value_or(0) << ", " << to_string(view.freshness()) << '\n';
    });

    collector.invalidate_variant(variant); // After scaling it: the next call asks Prometheus.
    collector.untrack(variant.key());      // After deleting it: it is no longer fetched.
}

asio::awaitable<Queued> is_waited_for(EppSettings section, ModelKey model) {
    const auto executor = co_await asio::this_coro::executor;
    EppBackend epp = make_epp_backend(executor, section).value(); // Keep it: it keeps its connection.
    const Result<EppQueued> waiting = co_await epp.is_anything_queued(model);
    co_return waiting ? waiting->queued : Queued::unknown; // Unknown does not mean no.
}

void reload(AnyCollector& collector, CollectorSettings& current) {
    const LoadedSettings wanted = load_settings_file("collector.json").value();
    std::cout << describe(wanted); // Every value and its source; secrets are ***.
    // What can change in a running collector does, and its cache stays.
    const AppliedSettings result = apply_settings(collector, current, wanted.settings).value();
    for (const std::string& path : result.needs_new_collector)
        std::cout << path << " needs a restart\n";
    current = wanted.settings;
}

#ifdef WVA_METRICS_WITH_TLS
PrometheusConfig secured() {
    PrometheusConfig config = PrometheusConfig::at("https://thanos-querier.openshift-monitoring:9091");
    config.client.http.credentials =
        http::Credentials::bearer_file("/var/run/secrets/kubernetes.io/serviceaccount/token");
    config.client.http.transport =
        http::make_tls_transport({.ca_file = "/etc/pki/service-ca.crt"}).value();
    return config;
}

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

void report(const AnyCollector& collector) {
    const CollectorStats stats = collector.stats();
    std::cout << "hit rate " << stats.cache.hit_rate() << ", " << stats.targets << " targets in " << stats.batches
              << " batches, " << stats.failed_targets << " failed\n";
    const CollectorHealth health = collector.health();
    if (!health.healthy)
        std::cout << health.consecutive_failures << " batches failed in a row: " << health.last_error.describe() << '\n';
}

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

std::optional<double> usage_to_scale_on(const ReplicaSnapshot& snapshot, TimePoint now) {
    const FreshnessThresholds thresholds; // Those of the collector.
    const SignalPosture silent_is_full{Posture::saturated, 1.0};
    const AssessedReplicas usage = assess(snapshot->replicas, &ReplicaMetrics::kv_cache_usage, silent_is_full,
                                          thresholds.replica_metrics, thresholds.unavailable, now);
    return usage.average.value; // Empty only if the servers do not provide it.
}

PrometheusConfig with_latencies(std::string url) {
    PrometheusConfig config = PrometheusConfig::at(std::move(url));
    config.optional_readings = {OptionalReading::kv_capacity_tokens,
                                OptionalReading::ttft_p90_seconds};
    return config;
}

std::optional<double> slow_first_token(const OptimizerSnapshot& snapshot) {
    const Reading<double> ttft = snapshot->optional.find(OptionalReading::ttft_p90_seconds);
    return ttft ? std::optional(ttft.value()) : std::nullopt; // Or see ttft.reason().
}

prometheus::ClientConfig with_replicas() {
    prometheus::ClientConfig config;
    config.http.url = "http://prometheus-0.monitoring:9090"; // Preferred.
    config.replicas = {"http://prometheus-1.monitoring:9090"};
    return config;
}

constexpr EngineTable atom_table{
    .name = "atom",
    .running = {R"(atom:requests{state="running"})"},
    .arrival_rate = {"atom:finished_total"},
    .ttft = {"atom:first_token_ms * 0.001"},
    .kv_cache_usage = {"atom:kv_percent * 0.01"},
    .queue_length = {R"(atom:requests{state="queued"} + atom:requests{state="swapped"})"},
    .engine_labels = {"dp_rank"},
    .copy_labels = {"tp_rank"},
};

const EngineProfile atom_profile = profile_of(atom_table);

template <MetricsBackend Backend>
void hold_to_the_contract(testing::ConformanceSubject<Backend> subject) {
    using testing::BackendConformance;
for (const std::string& problem : BackendConformance(subject).check())
    std::cerr << problem << '\n';
}
