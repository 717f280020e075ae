// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "child_process.hpp"
#include "http_exchange.hpp"
#include "temporary_directory.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

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
    const char* path = std::getenv("WVA_METRICS_PROMETHEUS");
    if (path == nullptr || ::access(path, X_OK) != 0)
        return std::nullopt;
    return path;
}

inline constexpr const char* prometheus_missing =
    "needs a real Prometheus: set WVA_METRICS_PROMETHEUS to the path of its binary";

/// A real Prometheus on a free loopback port, with its configuration and data in a temporary
/// directory. Stopped, and its directory removed, by the destructor; it also dies with the thread
/// that started it, so that a crashed test leaves nothing behind.
///
/// Not thread-safe. Failures throw std::runtime_error with the end of Prometheus's own log.
class RealPrometheus {
public:
    struct Options {
        /// The content of prometheus.yml.
        std::string config = "global:\n  scrape_interval: 1s\n";
        /// Appended to the command line, e.g. `--web.enable-remote-write-receiver`.
        std::vector<std::string> arguments{};
        /// Time limit for becoming ready, and for ending after SIGTERM.
        std::chrono::seconds patience{30};
    };

    explicit RealPrometheus(std::string binary) : RealPrometheus(std::move(binary), Options{}) {}

    RealPrometheus(std::string binary, Options options)
        : binary_(std::move(binary)), options_(std::move(options)) {
        // Another process can take the port before Prometheus binds it.
        for (int attempts_left = 4;; --attempts_left) {
            port_ = free_port();
            try {
                start();
                return;
            } catch (const std::runtime_error&) {
                stop();
                if (attempts_left == 0 || !port_was_taken())
                    throw;
            }
        }
    }

    RealPrometheus(const RealPrometheus&) = delete;
    RealPrometheus& operator=(const RealPrometheus&) = delete;
    ~RealPrometheus() { stop(); }

    std::uint16_t port() const noexcept { return port_; }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    /// Only while it is running.
    pid_t pid() const noexcept { return process_->pid(); }
    bool running() const noexcept { return process_.has_value(); }
    std::filesystem::path log_file() const { return directory_.path() / "prometheus.log"; }

    /// Starts a stopped Prometheus on its old port with its old data, and waits until it is ready.
    void start() {
        if (running())
            return;
        write_config();
        spawn();
        wait_until_ready();
    }

    /// Ends the process (SIGTERM, after `patience` SIGKILL) and waits for its end.
    void stop() noexcept {
        if (running())
            process_->stop(options_.patience);
        process_.reset();
    }

    void restart() {
        stop();
        start();
    }

    /// Kills the process at once, as a crash does, without a clean shutdown.
    void kill_hard() noexcept {
        if (running())
            process_->kill_hard();
        process_.reset();
    }

    /// Replaces the configuration; takes effect at the next start or restart.
    void set_config(std::string text) { options_.config = std::move(text); }

    /// Sends an instant query (POST) at Unix time `time`, or now. Returns status and body.
    HttpAnswer query(const std::string& promql, std::optional<double> time = {}) const {
        return post_query(port_, promql, time);
    }

    /// The number of queries since its start, failed ones included, from its own metrics.
    double query_count() const {
        std::istringstream page(exchange(port_, "GET", "/metrics").body);
        double count = 0;
        for (std::string line; std::getline(page, line);)
            if (line.starts_with("prometheus_http_requests_total{") &&
                line.find("handler=\"/api/v1/query\"") != std::string::npos)
                count += std::strtod(line.c_str() + line.rfind(' '), nullptr);
        return count;
    }

private:
    static std::uint16_t free_port() {
        boost::asio::io_context context;
        using Tcp = boost::asio::ip::tcp;
        const Tcp::acceptor probe(context, {boost::asio::ip::address_v4::loopback(), 0});
        return probe.local_endpoint().port();
    }

    bool port_was_taken() const {
        return read_file(log_file()).find("address already in use") != std::string::npos;
    }

    void write_config() const {
        std::ofstream file(directory_.path() / "prometheus.yml", std::ios::trunc);
        file << options_.config;
        if (!file.flush())
            throw std::runtime_error("cannot write prometheus.yml");
    }

    void spawn() {
        std::vector<std::string> words{
            binary_,
            "--config.file=" + (directory_.path() / "prometheus.yml").string(),
            "--storage.tsdb.path=" + (directory_.path() / "data").string(),
            "--storage.tsdb.retention.time=100y",
            "--web.listen-address=127.0.0.1:" + std::to_string(port_),
        };
        words.insert(words.end(), options_.arguments.begin(), options_.arguments.end());
        process_.emplace(std::move(words), ChildProcess::Output{log_file(), log_file()});
    }

    void wait_until_ready() {
        const auto give_up = std::chrono::steady_clock::now() + options_.patience;
        while (true) {
            try {
                if (exchange(port_, "GET", "/-/ready").status == 200)
                    return;
            } catch (const std::exception&) {
                // Not listening yet.
            }
            if (process_->ended_within(std::chrono::milliseconds(20))) {
                process_.reset();
                throw std::runtime_error("Prometheus ended while starting:\n" +
                                         tail_of(log_file()));
            }
            if (std::chrono::steady_clock::now() > give_up)
                throw std::runtime_error("Prometheus did not become ready:\n" +
                                         tail_of(log_file()));
        }
    }

    std::string binary_;
    Options options_;
    TemporaryDirectory directory_;
    std::uint16_t port_ = 0;
    std::optional<ChildProcess> process_;
};

} // namespace wva_metrics::test_support
