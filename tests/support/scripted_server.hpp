// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

namespace asio = boost::asio;

/// A server on loopback that runs a script of the test for each connection, to misbehave in any
/// way.
///
/// The n-th connection gets the n-th script, and all later ones the last. For one thread. It serves
/// until its io_context is destroyed.
class ScriptedServer {
public:
    /// One connection, for its script. Operations throw boost::system::system_error, which ends the
    /// script.
    class Peer {
    public:
        Peer(asio::ip::tcp::socket socket, std::shared_ptr<std::vector<std::string>> requests)
            : socket_(std::move(socket)), requests_(std::move(requests)) {}

        /// Reads one request with its body, records it, and returns it.
        asio::awaitable<std::string> read_request() {
            const std::size_t head = co_await asio::async_read_until(
                socket_, asio::dynamic_buffer(received_), "\r\n\r\n", asio::use_awaitable);
            std::size_t length = 0;
            const std::size_t field = received_.find("Content-Length: ");
            if (field < head)
                length = std::stoul(received_.substr(field + 16));
            if (received_.size() < head + length)
                co_await asio::async_read(socket_, asio::dynamic_buffer(received_),
                                          asio::transfer_exactly(head + length - received_.size()),
                                          asio::use_awaitable);
            std::string request = received_.substr(0, head + length);
            received_.erase(0, head + length);
            requests_->push_back(request);
            co_return request;
        }

        asio::awaitable<void> send(std::string bytes) {
            co_await asio::async_write(socket_, asio::buffer(bytes), asio::use_awaitable);
        }

        /// Sends the same bytes repeatedly until the client closes the connection, and returns the
        /// number of bytes sent. Stops after 256 MiB.
        asio::awaitable<std::size_t> send_without_end(std::string bytes) {
            std::size_t total = 0;
            boost::system::error_code error;
            while (!error && total < (std::size_t{256} << 20)) {
                total += co_await asio::async_write(
                    socket_, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
            }
            co_return total;
        }

        asio::awaitable<void> wait(std::chrono::milliseconds time) {
            asio::steady_timer timer(socket_.get_executor(), time);
            co_await timer.async_wait(asio::use_awaitable);
        }

        /// Returns everything that the client sends until it closes the connection.
        asio::awaitable<std::string> receive_all() {
            boost::system::error_code ended;
            co_await asio::async_read(socket_, asio::dynamic_buffer(received_),
                                      asio::redirect_error(asio::use_awaitable, ended));
            co_return std::exchange(received_, {});
        }

        /// Returns when the client has closed the connection.
        asio::awaitable<void> wait_for_close() {
            char byte = 0;
            boost::system::error_code error;
            while (!error)
                co_await socket_.async_read_some(asio::buffer(&byte, 1),
                                                 asio::redirect_error(asio::use_awaitable, error));
        }

        /// Connects to a port of this machine, and passes all bytes on in both directions until one
        /// side ends.
        asio::awaitable<void> relay_to(std::uint16_t port) {
            using namespace asio::experimental::awaitable_operators;
            asio::ip::tcp::socket other(socket_.get_executor());
            const asio::ip::tcp::endpoint target(asio::ip::address_v4::loopback(), port);
            co_await other.async_connect(target, asio::use_awaitable);
            co_await (pass_on(socket_, other) || pass_on(other, socket_));
        }

        /// Ends the connection by RST instead of FIN.
        void reset() {
            socket_.set_option(asio::ip::tcp::socket::linger(true, 0));
            socket_.close();
        }

    private:
        static asio::awaitable<void> pass_on(asio::ip::tcp::socket& from,
                                             asio::ip::tcp::socket& to) {
            std::array<char, 4096> space{};
            boost::system::error_code error;
            while (!error) {
                const std::size_t size = co_await from.async_read_some(
                    asio::buffer(space), asio::redirect_error(asio::use_awaitable, error));
                if (!error)
                    co_await asio::async_write(to, asio::buffer(space.data(), size),
                                               asio::redirect_error(asio::use_awaitable, error));
            }
        }

        asio::ip::tcp::socket socket_;
        std::shared_ptr<std::vector<std::string>> requests_;
        std::string received_;
    };

    using PeerPtr = std::shared_ptr<Peer>;
    using Script = std::function<asio::awaitable<void>(PeerPtr)>;

    /// `address`: of loopback; port 0 = any that is free.
    ScriptedServer(asio::io_context& context, std::vector<Script> scripts,
                   const asio::ip::tcp::endpoint& address = {asio::ip::address_v4::loopback(), 0}) {
        asio::ip::tcp::acceptor acceptor(context, address);
        port_ = acceptor.local_endpoint().port();
        // The coroutine owns the acceptor, because tests destroy the context first.
        asio::co_spawn(context,
                       serve(std::move(acceptor), std::move(scripts), connections_, requests_),
                       asio::detached);
    }
    ScriptedServer(const ScriptedServer&) = delete;
    ScriptedServer& operator=(const ScriptedServer&) = delete;

    std::uint16_t port() const noexcept { return port_; }
    std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }
    /// Connections accepted so far.
    std::size_t connections() const { return *connections_; }
    /// Requests read so far.
    const std::vector<std::string>& requests() const { return *requests_; }

private:
    static asio::awaitable<void> serve(asio::ip::tcp::acceptor acceptor,
                                       std::vector<Script> scripts,
                                       std::shared_ptr<std::size_t> connections,
                                       std::shared_ptr<std::vector<std::string>> requests) {
        for (;;) {
            asio::ip::tcp::socket socket = co_await acceptor.async_accept(asio::use_awaitable);
            const std::size_t index = (*connections)++;
            const auto peer = std::make_shared<Peer>(std::move(socket), requests);
            Script script = scripts[std::min(index, scripts.size() - 1)];
            asio::co_spawn(acceptor.get_executor(), play(std::move(script), peer), asio::detached);
        }
    }

    static asio::awaitable<void> play(Script script, PeerPtr peer) {
        try {
            co_await script(peer);
        } catch (const boost::system::system_error&) {
            // The client closed the connection, as in some tests.
        }
    }

    std::uint16_t port_ = 0;
    std::shared_ptr<std::size_t> connections_ = std::make_shared<std::size_t>(0);
    std::shared_ptr<std::vector<std::string>> requests_ =
        std::make_shared<std::vector<std::string>>();
};

/// A well-formed answer.
inline std::string http_answer(const std::string& body, const std::string& extra_headers = "",
                               const std::string& status = "200 OK") {
    return "HTTP/1.1 " + status + "\r\nContent-Type: application/json\r\n" + extra_headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

/// A short valid answer.
inline const std::string ok_answer = http_answer("{}");

/// Answers every request on the connection with these bytes.
inline ScriptedServer::Script answer_each_with(std::string bytes) {
    return [bytes = std::move(bytes)](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        for (;;) {
            co_await peer->read_request();
            co_await peer->send(bytes);
        }
    };
}

/// Answers the first request with these bytes and closes the connection.
inline ScriptedServer::Script answer_and_close(std::string bytes) {
    return [bytes = std::move(bytes)](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->read_request();
        co_await peer->send(bytes);
    };
}

/// Answers the first request with these bytes and sends nothing more.
inline ScriptedServer::Script answer_then_silence(std::string bytes) {
    return [bytes = std::move(bytes)](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        co_await peer->read_request();
        co_await peer->send(bytes);
        co_await peer->wait_for_close();
    };
}

/// Reads requests and never answers.
inline ScriptedServer::Script never_answer() {
    return [](ScriptedServer::PeerPtr peer) -> asio::awaitable<void> {
        for (;;)
            co_await peer->read_request();
    };
}

} // namespace wva_metrics::test_support
