// SPDX-License-Identifier: Apache-2.0
//
// Makes a collector log its typical events: a cache miss and a hit, an outage of the backend, which
// is logged once, and the recovery.
#pragma once

#include <wva_metrics/testing/fake_backend.hpp>
#include <wva_metrics/wva_metrics.hpp>

#include <boost/asio.hpp>

#include <chrono>

namespace logging {

namespace asio = boost::asio;

/// Takes less than a second. The observer receives all events.
template <wva_metrics::CollectorObserver Observer>
asio::awaitable<void> run_demo(asio::any_io_executor executor, Observer observer) {
    using namespace wva_metrics;
    using namespace std::chrono_literals;
    testing::FakeBackend<> backend; // Copies share one state.
    CollectorConfig config;
    config.cache.ttl = 100ms; // Short, so that entries expire within this second.
    config.cache.negative_ttl = 10ms;
    Collector<testing::FakeBackend<>, MemoryCache, Observer> collector(executor, backend, config,
                                                                       observer);
    asio::steady_timer timer(executor);
    const VariantAutoscaling variant("llm", "llama-a100", "llama", "llama-a100");
    for (int i = 0; i < 2; ++i)
        co_await collector.async_collect_optimizer_metrics(variant);

    collector.start_background_fetching();
    backend.fail(Error(Errc::unreachable, "connection refused", "http://prometheus:9090"));
    timer.expires_after(400ms); // Several rounds fail, but only one line reports it.
    co_await timer.async_wait(asio::use_awaitable);
    backend.recover();
    timer.expires_after(200ms);
    co_await timer.async_wait(asio::use_awaitable);
}

} // namespace logging
