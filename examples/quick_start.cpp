// SPDX-License-Identifier: Apache-2.0
//
// quick_start [PROMETHEUS [NAMESPACE MODEL DEPLOYMENT]]
// Collects the metrics of one variant. Callbacks instead of a coroutine: callbacks.cpp.
#include <wva_metrics/wva_metrics.hpp>

#include <boost/asio.hpp>

#include <exception>
#include <iostream>

namespace asio = boost::asio;
using namespace wva_metrics;

/// Returns the exit status.
asio::awaitable<int> show(asio::io_context& io, PrometheusBackend backend,
                          VariantAutoscaling variant) {
    Collector<PrometheusBackend, ShardedCache> collector(io.get_executor(), backend);
    // Fetches tracked variants every 15 s; a collected variant is tracked.
    collector.start_background_fetching();

    const auto metrics = co_await collector.async_collect_optimizer_metrics(variant);
    if (!metrics) {
        std::cerr << metrics.error().describe() << '\n'; // Which server, what failed, what to do.
        co_return 1;
    }
    const Reading<double>& rate = (*metrics)->arrival_rate_per_minute;
    if (!rate)
        std::cout << "unknown, not zero: " << to_string(rate.reason()) << '\n';
    else if (metrics->freshness() != Freshness::fresh)
        std::cout << "too old to scale by: " << rate.value() << " requests per minute\n";
    else
        std::cout << rate.value() << " requests per minute\n";
    co_return 0;
}

int main(int argc, char** argv) {
    const bool has_variant = argc == 5;
    if ((argc > 2 && !has_variant) || (argc > 1 && argv[1][0] == '-')) {
        const bool is_help = std::string(argv[1]) == "--help";
        (is_help ? std::cout : std::cerr)
            << "usage: quick_start [PROMETHEUS [NAMESPACE MODEL DEPLOYMENT]]\n";
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
    int status = 1;
    asio::co_spawn(io, show(io, *backend, variant),
                   [&status](const std::exception_ptr& thrown, int shown) {
                       if (thrown)
                           std::rethrow_exception(thrown);
                       status = shown;
                   });
    // Returns when show() has ended: the collector is destroyed with the coroutine, which stops the
    // background fetching, so `io` has no more work.
    io.run();
    return status;
}
