// SPDX-License-Identifier: Apache-2.0
//
// Loads a backend from a shared object and collects once: plugin_host ./random_load.so
#include <wva_metrics/settings/plugin/load_plugin.hpp>
#include <wva_metrics/wva_metrics.hpp>

#include <boost/asio.hpp>

#include <iostream>
#include <string>
#include <vector>

namespace asio = boost::asio;
using namespace wva_metrics;

// An unknown value counts as the highest load, so that it never scales anything down.
constexpr double highest_requests_per_minute = 600;
constexpr double full_kv_cache = 1;
constexpr double longest_queue = 20;

asio::awaitable<void> collect(AnyCollector& collector) {
    VariantAutoscaling variant("default", "chat", "llama", "chat");
    variant.target_kind = "StatefulSet";
    const std::vector<VariantAutoscaling> variants{variant};
    const auto metrics = co_await collector.async_collect_optimizer_metrics(variant);
    const auto replicas =
        co_await collector.async_collect_replica_metrics(variant.model(), variants);
    if (!metrics || !replicas) {
        std::cerr << (metrics ? replicas.error() : metrics.error()).describe() << "\n";
        co_return;
    }
    std::cout << "requests per minute: "
              << (*metrics)->arrival_rate_per_minute.value_or(highest_requests_per_minute) << "\n";
    for (const ReplicaMetrics& replica : (*replicas)->replicas)
        std::cout << replica.pod << ": KV cache " << replica.kv_cache_usage.value_or(full_kv_cache)
                  << ", queue " << replica.queue_length.value_or(longest_queue) << "\n";
}

int main(int count, char** arguments) {
    const std::string argument = count > 1 ? arguments[1] : "";
    if (argument == "--help") {
        std::cout
            << "usage: plugin_host SHARED_OBJECT\nCollects once from a backend in a plugin.\n";
        return 0;
    }
    if (count != 2 || argument.starts_with('-')) {
        std::cerr << "plugin_host: needs one shared object"
                  << (argument.starts_with('-') ? ", not the option " + argument : "")
                  << "; see --help\n";
        return 2;
    }
    CollectorFactory factory;
    const Result<std::string> backend = load_plugin(factory, argument);
    if (!backend) {
        std::cerr << backend.error().describe() << "\n";
        return 1;
    }
    std::cout << "loaded the backend " << *backend << "\n";

    CollectorSettings settings;
    settings.backend = *backend;
    asio::io_context io;
    Result<AnyCollector> collector = factory.make_collector(io.get_executor(), settings);
    if (!collector) {
        std::cerr << collector.error().describe() << "\n";
        return 1;
    }
    asio::co_spawn(io, collect(*collector), asio::detached);
    io.run();
}
