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
#include <exception>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

namespace wva_metrics::test_support {

/// The path in this environment variable, or nothing if it is not that of a program.
inline std::optional<std::string> program_at(const char* variable) {
    const char* path = std::getenv(variable);
    if (path == nullptr || ::access(path, X_OK) != 0)
        return std::nullopt;
    return path;
}

/// A real server with the query API of Prometheus, on a free loopback port, with its files in a
/// temporary directory. Stopped, and its directory removed, by the destructor; it also dies with
/// the thread that started it, so that a crashed test leaves nothing behind.
///
/// Not thread-safe. Failures throw std::runtime_error with the end of the server's own log.
class RealServer {
public:
    RealServer(const RealServer&) = delete;
    RealServer& operator=(const RealServer&) = delete;
    virtual ~RealServer() { stop(); }

    /// For messages.
    const std::string& name() const noexcept { return name_; }
    std::uint16_t port() const noexcept { return port_; }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    /// Only while it is running.
    pid_t pid() const noexcept { return process_->pid(); }
    bool running() const noexcept { return process_.has_value(); }
    std::filesystem::path log_file() const { return directory() / (name_ + ".log"); }

    /// Starts a stopped server on its old port with its old data, and waits until it is ready.
    void start() {
        if (running())
            return;
        std::vector<std::string> words = prepare();
        process_.emplace(std::move(words), ChildProcess::Output{log_file(), log_file()});
        wait_until_ready();
    }

    /// Ends the process (SIGTERM, after `patience` SIGKILL) and waits for its end.
    void stop() noexcept {
        if (running())
            process_->stop(patience_);
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

    /// Sends an instant query (POST) at Unix time `time`, or now. Returns status and body.
    HttpAnswer query(const std::string& promql, std::optional<double> time = {}) const {
        return post_query(port_, promql, time);
    }

    /// Makes all samples that were written so far visible to queries.
    virtual void flush() const {}

protected:
    /// `ready_path` answers 200 once the server is ready. `patience` is the time limit for that,
    /// and for ending after SIGTERM.
    RealServer(std::string name, std::string ready_path, std::chrono::seconds patience)
        : name_(std::move(name)), ready_path_(std::move(ready_path)), patience_(patience) {}

    /// Writes the server's files. Returns the path of the program and its arguments.
    virtual std::vector<std::string> prepare() const = 0;

    /// The first start, for the constructor of a derived class.
    void launch() {
        // Another process can take the port before the server binds it.
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

    const std::filesystem::path& directory() const noexcept { return directory_.path(); }

    void write_file(const std::string& name, const std::string& text) const {
        std::ofstream file(directory() / name, std::ios::trunc);
        file << text;
        if (!file.flush())
            throw std::runtime_error("cannot write " + name);
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

    void wait_until_ready() {
        const auto give_up = std::chrono::steady_clock::now() + patience_;
        while (true) {
            try {
                if (exchange(port_, "GET", ready_path_).status == 200)
                    return;
            } catch (const std::exception&) {
                // Not listening yet.
            }
            if (process_->ended_within(std::chrono::milliseconds(20))) {
                process_.reset();
                throw std::runtime_error(name_ + " ended while starting:\n" + tail_of(log_file()));
            }
            if (std::chrono::steady_clock::now() > give_up)
                throw std::runtime_error(name_ + " did not become ready:\n" + tail_of(log_file()));
        }
    }

    std::string name_;
    std::string ready_path_;
    std::chrono::seconds patience_;
    TemporaryDirectory directory_;
    std::uint16_t port_ = 0;
    std::optional<ChildProcess> process_;
};

} // namespace wva_metrics::test_support
