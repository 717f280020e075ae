// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/context_hook.hpp"
#include "wva_metrics/testing/detail/fake_prometheus_api.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <utility>

namespace wva_metrics::testing::detail {

namespace asio = boost::asio;

/// The sockets of a fake Prometheus. They are used on one strand only.
class FakePrometheusServer : public std::enable_shared_from_this<FakePrometheusServer> {
public:
    FakePrometheusServer(const asio::any_io_executor& executor, std::uint16_t port)
        : api_(script, series), io_(std::make_unique<Io>(executor)),
          hook_(executor, [this] { drop_io(); }) {
        listen({asio::ip::address_v4::loopback(), port});
        endpoint_ = io_->acceptor.local_endpoint();
    }

    FakeScript script;
    FakeSeries series;

    std::uint16_t port() const noexcept { return endpoint_.port(); }

    /// Runs `task(*this)` on the strand, unless the io_context has been destroyed.
    template <typename Task>
    void post(Task task) {
        const std::lock_guard lock(io_mutex_);
        if (io_)
            asio::post(io_->strand, [self = shared_from_this(), task] { task(*self); });
    }

    // The functions up to `wake` run on the strand.

    void start() {
        if (!io_->acceptor.is_open())
            listen(endpoint_);
        // Each stop begins a new generation, so that only one loop accepts.
        asio::co_spawn(io_->strand, accept(shared_from_this(), io_->generation), asio::detached);
    }

    void stop() {
        boost::system::error_code ignored;
        ++io_->generation;
        io_->acceptor.close(ignored);
        for (Socket* socket : io_->connections)
            socket->close(ignored);
        io_->changed.cancel();
    }

    /// Stops permanently.
    void close() {
        io_->closed = true;
        stop();
    }

    /// Resumes the coroutines in `change`.
    void wake() { io_->changed.cancel(); }

    /// Waits until `count` queries have arrived or the server is closed. Runs on any executor. It
    /// is a static function that owns the server, because the coroutine may outlive the fake.
    static asio::awaitable<void> received(std::shared_ptr<FakePrometheusServer> self,
                                          std::size_t count) {
        const auto strand = self->io_->strand;
        co_await asio::co_spawn(strand, received_on_strand(std::move(self), count),
                                asio::use_awaitable);
    }

private:
    using Tcp = asio::ip::tcp;
    using Socket = Tcp::socket;

    static constexpr std::size_t max_header_bytes = std::size_t{1} << 20;
    static constexpr std::size_t max_body_bytes = std::size_t{10} << 20;
    // Go's server sends longer answers in chunks.
    static constexpr std::size_t max_unchunked_bytes = 2048;

    struct Io {
        explicit Io(const asio::any_io_executor& executor)
            : strand(asio::make_strand(executor)), acceptor(strand), changed(strand) {
            changed.expires_at(asio::steady_timer::time_point::max());
        }
        asio::strand<asio::any_io_executor> strand;
        Tcp::acceptor acceptor;
        /// Never expires; cancelled to resume all coroutines in `change`.
        asio::steady_timer changed;
        std::unordered_set<Socket*> connections;
        std::size_t generation = 0;
        bool closed = false;
    };

    /// Lists a connection for `stop` while it is served.
    class Registration {
    public:
        Registration(FakePrometheusServer& server, Socket& socket)
            : server_(server), socket_(socket) {
            server_.io_->connections.insert(&socket_);
        }
        Registration(const Registration&) = delete;
        Registration& operator=(const Registration&) = delete;
        ~Registration() {
            if (server_.io_)
                server_.io_->connections.erase(&socket_);
        }

    private:
        FakePrometheusServer& server_;
        Socket& socket_;
    };

    void listen(const Tcp::endpoint& endpoint) {
        io_->acceptor.open(endpoint.protocol());
        io_->acceptor.set_option(asio::socket_base::reuse_address(true));
        io_->acceptor.bind(endpoint);
        io_->acceptor.listen();
    }

    void drop_io() {
        const std::lock_guard lock(io_mutex_);
        io_.reset();
    }

    /// Waits for `wake` or `stop`.
    asio::awaitable<void> change() {
        co_await io_->changed.async_wait(asio::as_tuple(asio::use_awaitable));
    }

    static asio::awaitable<void> received_on_strand(std::shared_ptr<FakePrometheusServer> self,
                                                    std::size_t count) {
        while (self->script.query_count() < count && !self->io_->closed)
            co_await self->change();
    }

    static asio::awaitable<void> accept(std::shared_ptr<FakePrometheusServer> self,
                                        std::size_t generation) {
        while (self->io_->generation == generation) {
            auto [failure, socket] =
                co_await self->io_->acceptor.async_accept(asio::as_tuple(asio::use_awaitable));
            if (self->io_->generation != generation)
                break;
            if (!failure)
                asio::co_spawn(self->io_->strand, serve(self, std::move(socket)), asio::detached);
        }
    }

    static asio::awaitable<void> serve(std::shared_ptr<FakePrometheusServer> self, Socket socket) {
        const Registration registration(*self, socket);
        boost::beast::flat_buffer buffer;
        bool keep_alive = true;
        while (keep_alive) {
            http::request_parser<http::string_body> parser;
            parser.header_limit(max_header_bytes);
            parser.body_limit(max_body_bytes);
            auto [read_failure, bytes_read] = co_await http::async_read(
                socket, buffer, parser, asio::as_tuple(asio::use_awaitable));
            std::optional<FakePrometheusApi::Response> response;
            if (!read_failure) {
                const auto request = parser.release();
                keep_alive = request.keep_alive();
                response = self->api_.answer(request);
                if (response && request.method() == http::verb::head)
                    response->body().clear();
                if (FakePrometheusApi::is_query(request)) {
                    self->wake();
                    while (self->script.held() && socket.is_open())
                        co_await self->change();
                }
            } else {
                keep_alive = false;
                response = rejection(read_failure);
            }
            if (!response)
                break;
            response->keep_alive(keep_alive);
            response->chunked(response->body().size() > max_unchunked_bytes);
            response->prepare_payload();
            auto [write_failure, bytes_written] =
                co_await http::async_write(socket, *response, asio::as_tuple(asio::use_awaitable));
            if (write_failure)
                break;
        }
        boost::system::error_code ignored;
        socket.shutdown(Socket::shutdown_both, ignored);
    }

    static std::optional<FakePrometheusApi::Response>
    rejection(const boost::system::error_code& failure) {
        if (failure == http::error::header_limit)
            return FakePrometheusApi::text(431, "431 Request Header Fields Too Large");
        if (failure == http::error::body_limit)
            return FakePrometheusApi::text(413, "413 Request Entity Too Large");
        if (failure.category() == http::make_error_code(http::error::bad_method).category() &&
            failure != http::error::end_of_stream && failure != http::error::partial_message)
            return FakePrometheusApi::text(400, "400 Bad Request");
        return std::nullopt;
    }

    FakePrometheusApi api_;
    mutable std::mutex io_mutex_;
    std::unique_ptr<Io> io_;
    Tcp::endpoint endpoint_;
    wva_metrics::detail::ContextHook hook_;
};

} // namespace wva_metrics::testing::detail
