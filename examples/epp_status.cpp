// SPDX-License-Identifier: Apache-2.0
//
// Asks an endpoint picker (EPP) for the status of its pool, and whether requests wait for a model that
// may have no replica yet. A collector reads the same page by a document: see epp.json.
#include <wva_metrics/wva_metrics.hpp>
#ifdef WVA_METRICS_WITH_TLS // Defined if wva_metrics::tls is linked.
#include <wva_metrics/http/tls.hpp>
#endif

#include <boost/asio.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <string>

namespace asio = boost::asio;
using namespace wva_metrics;

constexpr const char* usage = "usage: epp_status URL NAMESPACE MODEL [TOKEN_FILE [CA_FILE]]\n";

void show(const std::string& name, const Reading<double>& reading) {
    std::cout << "  " << name << ": ";
    if (reading)
        std::cout << reading.value() << ", "
                  << format_duration(reading.age(std::chrono::steady_clock::now())) << " old\n";
    else
        std::cout << "unknown, not 0 (" << to_string(reading.reason()) << ")\n";
}

asio::awaitable<void> ask(EppBackend backend, ModelKey model) {
    const Result<EppPoolStatus> answer = co_await backend.fetch_pool_status();
    const EppPoolStatus& pool =
        answer.value(); // Throws what went wrong, e.g. whose right is missing.
    std::cout << "pool " << pool.pool << "\n";
    show("ready endpoints", pool.ready_endpoints);
    show("KV cache usage, mean", pool.average_kv_cache_usage);
    show("queue of a server, mean", pool.average_queue_length);
    show("saturation", pool.saturation);
    show("requests held by the EPP", pool.queued_requests);
    for (const EppFlowQueue& queue : pool.queues)
        show("  of " + queue.model + " with priority " + queue.priority, queue.requests);
    for (const EppEndpointQueue& endpoint : pool.endpoints)
        show("queue of " + endpoint.pod, endpoint.queue_length);
    for (const std::string& warning : pool.warnings)
        std::cout << "  note: " << warning << "\n";

    const Result<EppQueued> waiting = co_await backend.is_anything_queued(std::move(model));
    std::cout << "does a request wait? " << to_string(waiting.value().queued) << ": "
              << waiting.value().message << "\n";
}

int main(int argc, char** argv) {
    if (argc < 4 || argc > 6) {
        std::cerr << usage;
        return 2;
    }
    try {
        EppConfig config = EppConfig::at(argv[1], argv[2]);
        if (argc > 4 && *argv[4] != '\0')
            config.client.credentials = http::Credentials::bearer_file(argv[4]);
#ifdef WVA_METRICS_WITH_TLS
        if (http::parse_url(config.client.url).value().is_secure())
            config.client.transport =
                http::make_tls_transport({.ca_file = argc > 5 ? argv[5] : ""}).value();
#endif
        asio::io_context io;
        std::exception_ptr failure;
        asio::co_spawn(io, ask(EppBackend(io.get_executor(), config), ModelKey(argv[2], argv[3])),
                       [&](std::exception_ptr thrown) { failure = thrown; });
        io.run();
        if (failure)
            std::rethrow_exception(failure);
        return 0;
    } catch (const std::exception& error) {
        std::cerr << "epp_status: " << error.what() << "\n";
        return 1;
    }
}
