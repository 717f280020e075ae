// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "real_server.hpp"

#include <chrono>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// The path of the Prometheus binary (environment variable WVA_METRICS_PROMETHEUS), or nothing if
/// it is not executable.
///
/// Tests that need it start with
///
///     const auto binary = find_prometheus();
///     if (!binary)
///         SKIP(prometheus_missing);
inline std::optional<std::string> find_prometheus() {
    return program_at("WVA_METRICS_PROMETHEUS");
}

inline constexpr const char* prometheus_missing =
    "needs a real Prometheus: set WVA_METRICS_PROMETHEUS to the path of its binary";

/// A real Prometheus of any version.
class RealPrometheus final : public RealServer {
public:
    struct Options {
        /// The content of prometheus.yml.
        std::string config = "global:\n  scrape_interval: 1s\n";
        /// Appended to the command line, e.g. `--web.enable-remote-write-receiver`.
        std::vector<std::string> arguments{};
        /// Time limit for becoming ready, and for ending after SIGTERM.
        std::chrono::seconds patience{30};
        /// For messages.
        std::string name = "prometheus";
    };

    explicit RealPrometheus(std::string binary) : RealPrometheus(std::move(binary), Options{}) {}

    RealPrometheus(std::string binary, Options options)
        : RealServer(options.name, "/-/ready", options.patience), binary_(std::move(binary)),
          options_(std::move(options)) {
        launch();
    }

    /// Replaces the configuration; takes effect at the next start or restart.
    void set_config(std::string text) { options_.config = std::move(text); }

    /// The number of queries since its start, failed ones included, from its own metrics.
    double query_count() const { return sum_of_queries("prometheus_http_requests_total"); }
    /// Bytes of the answers to them, as sent.
    double answer_bytes() const {
        return sum_of_queries("prometheus_http_response_size_bytes_sum");
    }

private:
    /// The sum of one of its own metrics over all series about queries.
    double sum_of_queries(const std::string& metric) const {
        std::istringstream page(exchange(port(), "GET", "/metrics").body);
        double sum = 0;
        for (std::string line; std::getline(page, line);)
            if (line.starts_with(metric + "{") &&
                line.find("handler=\"/api/v1/query\"") != std::string::npos)
                sum += std::strtod(line.c_str() + line.rfind(' '), nullptr);
        return sum;
    }

    std::vector<std::string> prepare() const override {
        write_file("prometheus.yml", options_.config);
        std::vector<std::string> words{
            binary_,
            "--config.file=" + (directory() / "prometheus.yml").string(),
            "--storage.tsdb.path=" + (directory() / "data").string(),
            "--storage.tsdb.retention.time=100y",
            "--web.listen-address=127.0.0.1:" + std::to_string(port()),
        };
        words.insert(words.end(), options_.arguments.begin(), options_.arguments.end());
        return words;
    }

    std::string binary_;
    Options options_;
};

} // namespace wva_metrics::test_support
