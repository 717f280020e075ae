// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/stream_io.hpp"
#include "wva_metrics/http/transport.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace wva_metrics::http {

/// A TCP connection without encryption, over any socket with the interface of `tcp::socket`.
template <typename Socket = tcp::socket>
class BasicTcpStream final : public Stream {
public:
    /// Not connected yet.
    explicit BasicTcpStream(const asio::any_io_executor& executor) : socket_(executor) {}

    asio::awaitable<boost::system::error_code> connect(tcp::endpoint address) override {
        return connect_socket(socket_, address);
    }
    asio::awaitable<HandshakeResult> handshake(std::string /*host*/) override {
        co_return HandshakeResult{};
    }

    asio::awaitable<IoResult> read_some(asio::mutable_buffer space) override {
        return http::read_some(socket_, space);
    }
    asio::awaitable<IoResult> write(asio::const_buffer bytes) override {
        return write_all(socket_, bytes);
    }
    IoResult try_write(asio::const_buffer bytes) override {
        IoResult result;
        result.bytes = socket_.write_some(bytes, result.error);
        if (result.error == asio::error::would_block)
            result.error.clear();
        return result;
    }

    bool is_quiet() override { return is_quiet_socket(socket_); }
    void close() noexcept override { close_socket(socket_); }

private:
    Socket socket_;
};

/// A TCP connection without encryption.
using TcpStream = BasicTcpStream<>;

/// Plain TCP, for `http` URLs.
template <typename Socket = tcp::socket>
class BasicTcpTransport final : public Transport {
public:
    std::string_view scheme() const noexcept override { return "http"; }
    std::unique_ptr<Stream> make_stream(const asio::any_io_executor& executor) override {
        return std::make_unique<BasicTcpStream<Socket>>(executor);
    }
};

/// Plain TCP, for `http` URLs.
using TcpTransport = BasicTcpTransport<>;

} // namespace wva_metrics::http
