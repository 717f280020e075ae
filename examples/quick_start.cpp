// SPDX-License-Identifier: Apache-2.0
//
// quick_start [PROMETHEUS [NAMESPACE MODEL DEPLOYMENT]]
// Collects the metrics of one variant. Callbacks instead of a coroutine: callbacks.cpp.
#include <wva_metrics/wva_metrics.hpp>

#include <boost/asio.hpp>

#include <iostream>

namespace asio = boost::asio;
using namespace wva_metrics;

asio::awaitable<void> show(asio::io_context& io, std::string url, VariantAutoscaling variant) {
    Collector<PrometheusBackend, ShardedCache> collector(
        io.get_executor(), PrometheusBackend(io.get_executor(), PrometheusConfig::at(url)));
    collector.start_background_fetching(); // Every 15 s; from now on the cache answers.

    const auto metrics = co_await collector.async_collect_optimizer_metrics(variant);
    if (!metrics)
        std::cout << metrics.error().describe() << '\n'; // Which server, what failed, what to do.
    else if (const Reading<double>& rate = (*metrics)->arrival_rate_per_minute)
        std::cout << rate.value() << " requests per minute\n";
    else
        std::cout << "unknown, not zero: " << to_string(rate.reason()) << '\n';
}

int main(int argc, char** argv) {
    const std::string url = argc > 1 ? argv[1] : "http://localhost:9090";
    const VariantAutoscaling variant =
        argc > 4 ? VariantAutoscaling(argv[2], argv[4], argv[3], argv[4])
                 : VariantAutoscaling("llm", "llama-a100", "meta-llama/Llama-3.1-8B-Instruct",
                                      "llama-a100");
    asio::io_context io;
    asio::co_spawn(io, show(io, url, variant), asio::detached);
    io.run();
}
