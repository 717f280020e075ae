// SPDX-License-Identifier: Apache-2.0
//
// Asks a Prometheus that does not exist, through a collector made of types and through one made from settings.
#include <wva_metrics/backend/prometheus_backend.hpp>
#include <wva_metrics/cache/memory_cache.hpp>
#include <wva_metrics/collector.hpp>
#include <wva_metrics/settings/apply_settings.hpp>
#include <wva_metrics/settings/collector_factory.hpp>
#include <wva_metrics/settings/load_settings.hpp>

#include <boost/asio/io_context.hpp>

#include <iostream>
#include <string>

using namespace wva_metrics;

#ifdef WVA_METRICS_SEPARATE_COMPILATION
bool knows_no_pod(boost::asio::io_context& io);
#else
bool knows_no_pod(boost::asio::io_context&) {
    return true;
}
#endif

namespace {

template <MetricsCollector C>
bool has_backend_error(boost::asio::io_context& io, C& collector) {
    bool found = false;
    collector.async_validate_availability(
        ModelKey("llm", "llama"), [&](const Result<Availability>& answer) {
            found = answer.has_value() && answer->reason == AvailabilityReason::backend_error;
            std::cout << (answer ? answer->message : answer.error().describe()) << '\n';
        });
    io.restart();
    io.run();
    return found;
}

} // namespace

int main() {
    const std::string url = "http://127.0.0.1:1";
    boost::asio::io_context io;
    Collector<PrometheusBackend, MemoryCache> typed(
        io.get_executor(), PrometheusBackend(io.get_executor(), PrometheusConfig::at(url)));

    const CollectorSettings settings =
        load_settings(R"({"prometheus": {"client": {"url": ")" + url + R"("}}})").value().settings;
    AnyCollector from_settings = make_collector(io.get_executor(), settings).value();
    const bool is_unchanged =
        apply_settings(from_settings, settings, settings).value().applied.empty();

    return has_backend_error(io, typed) && has_backend_error(io, from_settings) && is_unchanged &&
                   knows_no_pod(io)
               ? 0
               : 1;
}
