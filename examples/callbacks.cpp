// SPDX-License-Identifier: Apache-2.0
//
// callbacks [PROMETHEUS [NAMESPACE MODEL DEPLOYMENT]]
// Collects the metrics of one variant with a callback. A coroutine instead: quick_start.cpp.
#include <wva_metrics/wva_metrics.hpp>

#include <boost/asio.hpp>

#include <iostream>

namespace asio = boost::asio;
using namespace wva_metrics;

void show(const Result<OptimizerSnapshot>& metrics) {
    if (!metrics) {
        std::cout << metrics.error().describe() << '\n'; // Which server, what failed, what to do.
        return;
    }
    const Reading<double>& rate = (*metrics)->arrival_rate_per_minute;
    if (!rate)
        std::cout << "unknown, not zero: " << to_string(rate.reason()) << '\n';
    else if (metrics->freshness() != Freshness::fresh)
        std::cout << "too old to scale by: " << rate.value() << " requests per minute\n";
    else
        std::cout << rate.value() << " requests per minute\n";
}

int main(int argc, char** argv) {
    const bool has_variant = argc == 5;
    if ((argc > 2 && !has_variant) || (argc > 1 && argv[1][0] == '-')) {
        const bool is_help = std::string(argv[1]) == "--help";
        (is_help ? std::cout : std::cerr)
            << "usage: callbacks [PROMETHEUS [NAMESPACE MODEL DEPLOYMENT]]\n";
        return is_help ? 0 : 2;
    }
    const std::string url = argc > 1 ? argv[1] : "http://localhost:9090";
    const std::string namespace_name = has_variant ? argv[2] : "llm";
    const std::string model_id = has_variant ? argv[3] : "meta-llama/Llama-3.1-8B-Instruct";
    const std::string deployment = has_variant ? argv[4] : "llama-a100";
    const std::string variant_name = deployment; // Any name; often that of the Deployment.
    const VariantAutoscaling variant(namespace_name, variant_name, model_id, deployment);

    asio::io_context io;
    const auto backend = PrometheusBackend::make(io.get_executor(), PrometheusConfig::at(url));
    if (!backend) {
        std::cerr << backend.error().describe() << '\n'; // For example a URL without a host.
        return 1;
    }
    Collector<PrometheusBackend, ShardedCache> collector(io.get_executor(), *backend);
    // Fetches tracked variants every 15 s; a collected variant is tracked.
    collector.start_background_fetching();

    // The callback runs in io.run(), never inside this call.
    int status = 1;
    collector.async_collect_optimizer_metrics(variant, [&](Result<OptimizerSnapshot> metrics) {
        show(metrics);
        status = metrics ? 0 : 1;
        // The background fetching would keep io.run() running for ever.
        collector.stop_background_fetching();
    });
    io.run();
    return status;
}
