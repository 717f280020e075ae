// SPDX-License-Identifier: Apache-2.0
//
// Writes what a collector does to stderr, a line each with time and level. Made to be copied: it
// needs find_package(wva_metrics) and nothing else. The backend here fails when it is told to, so
// that there is something to see: a miss and a hit, an outage that is told of once, the recovery.
#include <wva_metrics/testing/fake_backend.hpp>
#include <wva_metrics/wva_metrics.hpp>

#include <boost/asio.hpp>

#include <chrono>
#include <ctime>
#include <iomanip>
#include <iostream>
#include <sstream>
#include <string_view>

namespace asio = boost::asio;
using namespace wva_metrics;
using namespace std::chrono_literals;

/// May be called from any thread: each line is written at once.
void write_line(LogLevel level, std::string_view line) {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::ostringstream text;
    text << std::put_time(&utc, "%FT%TZ ") << to_string(level) << ' ' << line << '\n';
    std::cerr << text.str();
}

asio::awaitable<void> show(asio::any_io_executor executor) {
    // In production: LogLevel::info, which is silent about single look-ups and fetches.
    LogObserver log(write_line, LogLevel::debug);
    testing::FakeBackend<> backend; // Copies share what they are told.
    CollectorConfig config;
    config.cache.ttl = 100ms; // Short, so that everything happens within a second.
    config.cache.negative_ttl = 10ms;
    Collector<testing::FakeBackend<>, MemoryCache, decltype(log)> collector(executor, backend,
                                                                            config, log);
    asio::steady_timer timer(executor);
    const VariantAutoscaling variant("llm", "llama-a100", "llama", "llama-a100");
    for (int i = 0; i < 2; ++i)
        co_await collector.async_collect_optimizer_metrics(variant, asio::use_awaitable);

    collector.start_background_fetching();
    backend.fail(Error(Errc::unreachable, "connection refused", "http://prometheus:9090"));
    timer.expires_after(400ms); // Some rounds fail; one line says so.
    co_await timer.async_wait(asio::use_awaitable);
    backend.recover();
    timer.expires_after(200ms);
    co_await timer.async_wait(asio::use_awaitable);
}

int main() {
    asio::io_context io;
    asio::co_spawn(io, show(io.get_executor()), asio::detached);
    io.run();
}
