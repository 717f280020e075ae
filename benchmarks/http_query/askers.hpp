// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "../support/measurement.hpp"

#include <wva_metrics/http/client.hpp>
#include <wva_metrics/prometheus/client.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/epoll.h>
#include <sys/socket.h>

/// The clients that are compared. Each sends the query `up` by POST, as `Client` and client_golang
/// do, on one thread.
namespace bench {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

inline constexpr std::string_view target = "/api/v1/query";
inline constexpr std::string_view form = "query=up&timeout=5s";
inline constexpr std::string_view form_type = "application/x-www-form-urlencoded";

/// A client with a fixed number of keep-alive connections.
class Asker {
public:
    virtual ~Asker() = default;
    /// Sends this many queries in total, with one query in flight on each connection. A wrong
    /// answer ends the program.
    virtual void ask(std::size_t queries) = 0;
};

/// One coroutine for each connection.
class CoroutineAsker : public Asker {
public:
    explicit CoroutineAsker(std::size_t connections) : connections_(connections) {}

    void ask(std::size_t queries) final {
        left_ = queries;
        for (std::size_t i = 0; i < connections_; ++i)
            asio::co_spawn(io_, ask_in_turn(i), [](const std::exception_ptr& thrown) {
                if (thrown)
                    std::rethrow_exception(thrown);
            });
        io_.restart();
        io_.run();
    }

protected:
    /// Sends one query on the given connection.
    virtual asio::awaitable<void> ask_once(std::size_t connection) = 0;
    asio::io_context& io() { return io_; }

private:
    asio::awaitable<void> ask_in_turn(std::size_t connection) {
        while (left_ > 0) {
            --left_;
            co_await ask_once(connection);
        }
    }

    asio::io_context io_{1};
    std::size_t connections_;
    std::size_t left_ = 0;
};

inline wva_metrics::http::ClientConfig client_config(std::uint16_t port, std::size_t connections) {
    wva_metrics::http::ClientConfig config;
    config.url = "http://127.0.0.1:" + std::to_string(port);
    config.limits.max_connections = connections;
    config.limits.max_idle = connections;
    return config;
}

inline wva_metrics::TimePoint soon() {
    return std::chrono::steady_clock::now() + std::chrono::seconds(10);
}

/// Ours as the backend uses it: encodes and sends the query, and decodes its answer.
class PrometheusAsker final : public CoroutineAsker {
public:
    PrometheusAsker(std::uint16_t port, std::size_t connections)
        : CoroutineAsker(connections),
          client_(io().get_executor(), {.http = client_config(port, connections)}) {}

private:
    asio::awaitable<void> ask_once(std::size_t /*connection*/) override {
        const auto sink = [](const wva_metrics::prometheus::SeriesView& series) {
            keep(series.samples.back().value);
        };
        const auto answer = co_await client_.query("up", sink, {}, soon());
        require(answer.has_value() && answer->series == 1, "a query of ours was not answered");
    }

    wva_metrics::prometheus::Client client_;
};

/// Ours without the Prometheus client: the body is not decoded.
class HttpAsker final : public CoroutineAsker {
public:
    HttpAsker(std::uint16_t port, std::size_t connections)
        : CoroutineAsker(connections),
          client_(io().get_executor(), client_config(port, connections)) {}

private:
    asio::awaitable<void> ask_once(std::size_t /*connection*/) override {
        auto request = wva_metrics::http::Request::post(std::string(target), std::string(form),
                                                        std::string(form_type));
        const auto response = co_await client_.send(std::move(request), soon());
        require(response.has_value() && response->status == 200 && !response->body.empty(),
                "a request of ours was not answered");
    }

    wva_metrics::http::Client client_;
};

/// The bytes of the request, for clients that prepare it once.
inline std::string request_bytes() {
    return "POST " + std::string(target) +
           " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: " + std::string(form_type) +
           "\r\nContent-Length: " + std::to_string(form.size()) + "\r\n\r\n" + std::string(form);
}

/// The smallest client written with Beast: it has no limits, and it waits forever for a silent
/// server.
class BeastAsker final : public CoroutineAsker {
public:
    BeastAsker(std::uint16_t port, std::size_t connections) : CoroutineAsker(connections) {
        for (std::size_t i = 0; i < connections; ++i) {
            Connection& connection = connections_.emplace_back(tcp::socket(io()));
            connection.socket.connect({asio::ip::address_v4::loopback(), port});
            connection.socket.set_option(tcp::no_delay(true));
        }
    }

private:
    struct Connection {
        explicit Connection(tcp::socket connected) : socket(std::move(connected)) {}
        tcp::socket socket;
        boost::beast::flat_buffer buffer;
    };

    asio::awaitable<void> ask_once(std::size_t index) override {
        namespace http = boost::beast::http;
        Connection& connection = connections_[index];
        co_await asio::async_write(connection.socket, asio::buffer(bytes_), asio::use_awaitable);
        http::response_parser<http::string_body> parser;
        co_await http::async_read(connection.socket, connection.buffer, parser,
                                  asio::use_awaitable);
        require(parser.get().result_int() == 200 && !parser.get().body().empty(),
                "a request of Beast's was not answered");
    }

    std::vector<Connection> connections_;
    const std::string bytes_ = request_bytes();
};

/// The lower bound: the kernel's cost, and the least parsing that finds the end of an answer.
class RawAsker final : public Asker {
public:
    RawAsker(std::uint16_t port, std::size_t connections) {
        for (std::size_t i = 0; i < connections; ++i) {
            tcp::socket& socket = sockets_.emplace_back(io_);
            socket.connect({asio::ip::address_v4::loopback(), port});
            socket.set_option(tcp::no_delay(true));
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.fd = socket.native_handle();
            require(::epoll_ctl(poller_, EPOLL_CTL_ADD, event.data.fd, &event) == 0, "epoll_ctl");
        }
    }
    ~RawAsker() override { ::close(poller_); }
    RawAsker(const RawAsker&) = delete;
    RawAsker& operator=(const RawAsker&) = delete;

    void ask(std::size_t queries) override {
        std::size_t unsent = queries;
        std::size_t unanswered = queries;
        const auto send = [&](int descriptor) {
            if (unsent == 0)
                return;
            --unsent;
            require(::send(descriptor, bytes_.data(), bytes_.size(), MSG_NOSIGNAL) ==
                        static_cast<ssize_t>(bytes_.size()),
                    "a raw request was not sent");
        };
        for (tcp::socket& socket : sockets_)
            send(socket.native_handle());
        std::array<epoll_event, 64> events{};
        while (unanswered > 0) {
            const int count = ::epoll_wait(poller_, events.data(), events.size(), -1);
            for (int i = 0; i < count; ++i) {
                const int descriptor = events.at(static_cast<std::size_t>(i)).data.fd;
                receive(descriptor);
                --unanswered;
                send(descriptor);
            }
        }
    }

private:
    /// Small answers arrive in one piece.
    void receive(int descriptor) {
        const ssize_t got = ::recv(descriptor, buffer_.data(), buffer_.size(), 0);
        const std::string_view answer(buffer_.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
        constexpr std::string_view name = "Content-Length: ";
        const std::size_t at = answer.find(name);
        const std::size_t head = answer.find("\r\n\r\n");
        std::size_t length = 0;
        if (at < head)
            std::from_chars(answer.data() + at + name.size(), answer.data() + head, length);
        require(answer.starts_with("HTTP/1.1 200") && length > 0 &&
                    answer.size() == head + 4 + length,
                "a raw request was not answered");
    }

    asio::io_context io_;
    std::vector<tcp::socket> sockets_;
    int poller_ = ::epoll_create1(0);
    std::array<char, 8192> buffer_{};
    const std::string bytes_ = request_bytes();
};

} // namespace bench
