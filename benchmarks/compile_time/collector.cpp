// SPDX-License-Identifier: Apache-2.0
//
// A unit that makes a collector and asks once.
#include <wva_metrics/backend/prometheus_backend.hpp>
#include <wva_metrics/cache/sharded_cache.hpp>
#include <wva_metrics/collector.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <iostream>

namespace asio = boost::asio;
using namespace wva_metrics;

asio::awaitable<void> ask(asio::io_context& io) {
    Collector<PrometheusBackend, ShardedCache> collector(
        io.get_executor(),
        PrometheusBackend(io.get_executor(), PrometheusConfig::at("http://127.0.0.1:9090")));
    const VariantAutoscaling variant("llm", "llama-a100", "llama", "llama-a100", "A100", 40.0);
    const auto metrics = co_await collector.async_collect_optimizer_metrics(variant);
    if (metrics)
        std::cout << (*metrics)->arrival_rate_per_minute.value_or(0) << '\n';
}

int main() {
    asio::io_context io;
    asio::co_spawn(io, ask(io), asio::detached);
    io.run();
}
