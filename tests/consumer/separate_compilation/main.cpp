// SPDX-License-Identifier: Apache-2.0
//
// Queries a fake Prometheus in the same process, so that all network code is linked and runs.
#include <wva_metrics/testing/fake_prometheus.hpp>
#include <wva_metrics/wva_metrics.hpp>

#ifdef WVA_METRICS_WITH_TLS
#include <wva_metrics/http/tls.hpp>
#endif

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <cstdlib>
#include <iostream>

namespace asio = boost::asio;
using namespace wva_metrics;

asio::awaitable<void> collect_once(asio::io_context& io, testing::FakePrometheus& prometheus,
                                   bool& answered) {
    PrometheusConfig config = PrometheusConfig::at(prometheus.url());
#ifdef WVA_METRICS_WITH_TLS
    config.client.http.transport = http::make_tls_transport({}).value();
    config.client.http.transport = nullptr;
#endif
    Collector<PrometheusBackend, MemoryCache> collector(
        io.get_executor(), PrometheusBackend(io.get_executor(), config));
    const ModelKey model("llm", "llama");
    const auto available =
        co_await collector.async_validate_availability(model, asio::use_awaitable);
    answered = available.has_value() && available->available;
    std::cout << (available ? available->message : available.error().describe()) << '\n';
    prometheus.stop();
}

int main() {
    asio::io_context io;
    testing::FakePrometheus prometheus(io);
    prometheus.set({"vllm:num_requests_running",
                    {{"namespace", "llm"}, {"model_name", "llama"}, {"pod", "llama-0"}}},
                   3);
    bool answered = false;
    asio::co_spawn(io, collect_once(io, prometheus, answered), asio::detached);
    io.run();
    return answered ? EXIT_SUCCESS : EXIT_FAILURE;
}
