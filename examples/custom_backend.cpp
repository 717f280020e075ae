// SPDX-License-Identifier: Apache-2.0
//
// A backend of your own is a class with three coroutines. This one returns fixed values of two
// pods; the second pod does not report its queue length.
#include <wva_metrics/wva_metrics.hpp>

#include <boost/asio.hpp>

#include <iostream>
#include <string>

namespace asio = boost::asio;
using namespace wva_metrics;

Reading<double> measured(double value) {
    return Reading<double>::measured(value, std::chrono::steady_clock::now());
}

struct FixedMetrics {
    asio::awaitable<Result<Availability>> check_availability(ModelKey model) {
        co_return Availability{true, AvailabilityReason::metrics_found, model.model_id + " is up"};
    }

    // Returns one answer per variant, in the same order. Readings that are not set stay unknown.
    asio::awaitable<std::vector<Result<OptimizerMetrics>>>
    fetch_optimizer_metrics(std::vector<VariantAutoscaling> variants) {
        OptimizerMetrics metrics;
        metrics.arrival_rate_per_minute = measured(90);
        co_return std::vector<Result<OptimizerMetrics>>(variants.size(), metrics);
    }

    // Returns one answer per model, in the same order.
    asio::awaitable<std::vector<Result<ReplicaSamples>>>
    fetch_replica_samples(std::vector<ModelKey> models) {
        ReplicaSamples samples;
        samples.pods.push_back({.pod = "chat-7d9f8b6c5d-x2x4z",
                                .kv_cache_usage = measured(0.42),
                                .queue_length = measured(3)});
        samples.pods.push_back(
            {.pod = "chat-7d9f8b6c5d-z8k2w",
             .kv_cache_usage = measured(0.57),
             .queue_length = Reading<double>::missing(ReadingReason::no_series)});
        co_return std::vector<Result<ReplicaSamples>>(models.size(), samples);
    }
};

void show(const std::string& name, const Reading<double>& reading) {
    const std::string reason = "unknown, not 0 (" + std::string(to_string(reading.reason())) + ")";
    std::cout << name << ": " << (reading ? std::to_string(reading.value()) : reason) << "\n";
}

asio::awaitable<void> collect(asio::io_context& io) {
    LogObserver observer([](auto, std::string_view line) { std::cerr << line << "\n"; },
                         LogLevel::debug);
    Collector<FixedMetrics, MemoryCache, decltype(observer)> collector(
        io.get_executor(), FixedMetrics(), {}, observer);
    const VariantAutoscaling variant("llm", "chat-h100", "llama", "chat", "H100");
    const std::vector<VariantAutoscaling> variants{variant};
    const auto metrics = co_await collector.async_collect_optimizer_metrics(variant);
    show("requests per minute", metrics.value()->arrival_rate_per_minute);
    show("time to first token", metrics.value()->ttft_seconds);
    co_await collector.async_collect_replica_metrics(variant.model(), variants);

    // From the cache: without a fetch and without co_await; may be called from any thread.
    const auto replicas = collector.find_replica_metrics(variant.model(), variants);
    for (const ReplicaMetrics& replica : replicas.value()->replicas)
        show("queue of " + replica.pod, replica.queue_length);
    std::cout << "cache hit rate: " << collector.stats().cache.hit_rate() << "\n";
}

int main(int argc, char** argv) {
    if (argc > 1) {
        const bool is_help = std::string(argv[1]) == "--help";
        (is_help ? std::cout : std::cerr)
            << "usage: custom_backend\nCollects from a backend with fixed values.\n";
        return is_help ? 0 : 2;
    }
    asio::io_context io;
    auto done = asio::co_spawn(io, collect(io), asio::use_future);
    io.run();
    done.get();
}
