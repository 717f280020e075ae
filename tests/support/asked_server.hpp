// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "real_server.hpp"
#include "wva_metrics/backend/prometheus_backend.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// Whether one of the sentences has this text.
inline bool mentions(const std::vector<std::string>& sentences, std::string_view text) {
    return std::any_of(sentences.begin(), sentences.end(), [&](const std::string& sentence) {
        return sentence.find(text) != std::string::npos;
    });
}

/// Why a reading has no value, in words that a failed test shows; `none` if it has one.
inline std::string_view reason_of(const Reading<double>& reading) {
    return to_string(reading.reason());
}

/// Asks a server through the library, in the calling thread.
class AskedServer {
public:
    explicit AskedServer(const RealServer& server) : config(PrometheusConfig::at(server.url())) {
        // So that a slow machine does not cause a timeout.
        using namespace std::chrono_literals;
        config.client.http.timeouts.attempt = config.client.http.timeouts.connect = 5min;
        config.batch_timeout = 5min;
    }

    /// By how many seconds the time of a sample may be wrong. It is told from the server's
    /// evaluation time, which VictoriaMetrics rounds to a second, and from when the answer arrived.
    double slack() const { return 1.5 + std::chrono::duration<double>(longest_call_).count(); }

    template <typename T>
    T run(boost::asio::awaitable<T> operation) {
        const auto started = std::chrono::steady_clock::now();
        std::optional<T> answer;
        std::exception_ptr failure;
        boost::asio::co_spawn(io, std::move(operation), [&](std::exception_ptr thrown, T result) {
            failure = thrown;
            answer.emplace(std::move(result));
        });
        io.restart();
        io.run();
        longest_call_ = std::max(longest_call_, std::chrono::steady_clock::now() - started);
        if (failure)
            std::rethrow_exception(failure);
        return std::move(answer).value();
    }

    OptimizerMetrics optimizer(const VariantAutoscaling& variant) {
        PrometheusBackend backend(io.get_executor(), config);
        return run(backend.fetch_optimizer_metrics({variant})).at(0).value();
    }
    ReplicaSamples replicas(const ModelKey& model) {
        PrometheusBackend backend(io.get_executor(), config);
        return run(backend.fetch_replica_samples({model})).at(0).value();
    }
    Availability availability(const ModelKey& model) {
        PrometheusBackend backend(io.get_executor(), config);
        return run(backend.check_availability(model)).value();
    }

    boost::asio::io_context io;
    PrometheusConfig config;

private:
    std::chrono::steady_clock::duration longest_call_{};
};

} // namespace wva_metrics::test_support
