// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/certificates.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// TLS before a server on loopback that speaks plain HTTP. For one thread. It serves until its
/// io_context is destroyed.
class TlsTunnel {
public:
    TlsTunnel(boost::asio::io_context& context, std::uint16_t server, const Certificate& identity) {
        set_identity(identity);
        boost::asio::ip::tcp::acceptor acceptor(context,
                                                {boost::asio::ip::address_v4::loopback(), 0});
        port_ = acceptor.local_endpoint().port();
        boost::asio::co_spawn(context, accept(std::move(acceptor), state_, server),
                              boost::asio::detached);
    }

    std::string url(const std::string& scheme = "https") const {
        return scheme + "://localhost:" + std::to_string(port_);
    }

    /// Uses another certificate from now on, and ends all connections.
    void set_identity(const Certificate& identity) {
        state_->tls = std::make_shared<Tls>(Tls::tls_server);
        const std::string certificate = identity.certificate_pem();
        const std::string key = identity.key_pem();
        state_->tls->use_certificate_chain(boost::asio::buffer(certificate));
        state_->tls->use_private_key(boost::asio::buffer(key), Tls::pem);
        end_connections();
    }
    /// Ends all TCP connections, without a proper end of TLS.
    void end_connections() {
        for (const std::weak_ptr<Pair>& weak : std::exchange(state_->open, {}))
            if (const std::shared_ptr<Pair> pair = weak.lock())
                pair->close();
    }
    /// Connections accepted so far.
    std::size_t connections() const { return state_->connections; }

private:
    using Tls = boost::asio::ssl::context;
    using Socket = boost::asio::ip::tcp::socket;

    struct Pair {
        boost::asio::ssl::stream<Socket> client;
        Socket server;
        std::shared_ptr<Tls> tls;

        void close() {
            boost::system::error_code ignored;
            client.next_layer().close(ignored);
            server.close(ignored);
        }
    };
    struct State {
        std::shared_ptr<Tls> tls;
        std::vector<std::weak_ptr<Pair>> open;
        std::size_t connections = 0;
    };

    static boost::asio::awaitable<void> accept(boost::asio::ip::tcp::acceptor acceptor,
                                               std::shared_ptr<State> state, std::uint16_t server) {
        for (;;) {
            Socket socket = co_await acceptor.async_accept(boost::asio::use_awaitable);
            ++state->connections;
            const auto pair = std::make_shared<Pair>(Pair{
                {std::move(socket), *state->tls}, Socket(acceptor.get_executor()), state->tls});
            state->open.push_back(pair);
            boost::asio::co_spawn(acceptor.get_executor(), serve(pair, server),
                                  boost::asio::detached);
        }
    }

    static boost::asio::awaitable<void> serve(std::shared_ptr<Pair> pair, std::uint16_t server) {
        try {
            co_await pair->client.async_handshake(boost::asio::ssl::stream_base::server,
                                                  boost::asio::use_awaitable);
            const boost::asio::ip::tcp::endpoint target(boost::asio::ip::address_v4::loopback(),
                                                        server);
            co_await pair->server.async_connect(target, boost::asio::use_awaitable);
            boost::asio::co_spawn(pair->server.get_executor(), answer(pair), boost::asio::detached);
            co_await pump(pair->client, pair->server);
        } catch (const boost::system::system_error&) {
            // The client closed the connection or rejected the certificate, as in some tests.
        }
        pair->close();
    }
    static boost::asio::awaitable<void> answer(std::shared_ptr<Pair> pair) {
        try {
            co_await pump(pair->server, pair->client);
        } catch (const boost::system::system_error&) {
            // One of both has ended the connection.
        }
    }

    template <typename From, typename To>
    static boost::asio::awaitable<void> pump(From& from, To& to) {
        std::array<char, 4096> piece{};
        for (;;) {
            const std::size_t size = co_await from.async_read_some(boost::asio::buffer(piece),
                                                                   boost::asio::use_awaitable);
            co_await boost::asio::async_write(to, boost::asio::buffer(piece, size),
                                              boost::asio::use_awaitable);
        }
    }

    std::uint16_t port_ = 0;
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

} // namespace wva_metrics::test_support
