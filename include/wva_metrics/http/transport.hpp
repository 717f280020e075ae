// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/if_used.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::http {

namespace asio = boost::asio;
/// Asio's TCP.
using tcp = asio::ip::tcp;

/// What came of reading or writing.
struct IoResult {
    /// Empty where it went well.
    boost::system::error_code error{};
    /// Bytes read or written, also before an error.
    std::size_t bytes = 0;
};

/// What came of securing a connection.
struct HandshakeResult {
    /// Empty where it went well.
    boost::system::error_code error{};
    /// Why, in the words of the security library.
    std::string reason{};
};

/// One connection as a stream of bytes.
///
/// One operation at a time, and everything on one strand, except that a stream which is not in use
/// may move from one strand to another. Operations honour Asio's terminal cancellation.
class Stream {
public:
    virtual ~Stream() = default;

    /// Connects to one address. May be called again after a failure.
    virtual asio::awaitable<boost::system::error_code> connect(tcp::endpoint address) = 0;
    /// Secures the connection; `host` is the name or the IP address that the peer must prove to be.
    virtual asio::awaitable<HandshakeResult> handshake(std::string host) = 0;
    /// Reads at least one byte, or fails; `asio::error::eof` only where the peer ended the stream
    /// properly.
    virtual asio::awaitable<IoResult> read_some(asio::mutable_buffer space) = 0;
    /// Writes all of it, or fails.
    virtual asio::awaitable<IoResult> write(asio::const_buffer bytes) = 0;

    /// True where nothing has arrived since the last read, not even the end of the stream. Does not
    /// wait.
    virtual bool is_quiet() = 0;
    /// Ends everything under way with `asio::error::operation_aborted`.
    virtual void close() noexcept = 0;
    /// Does an error come from the security layer?
    virtual bool is_tls_error(const boost::system::error_code&) const noexcept { return false; }
};

/// Makes streams and looks up names. Derive from it to bring your own wire, or your own resolver.
///
/// Its functions may be called from several threads at once.
class Transport {
public:
    /// Takes the addresses, or the error that there are none.
    using LookUpHandler =
        std::function<void(boost::system::error_code, std::vector<tcp::endpoint>)>;

    virtual ~Transport() = default;

    /// The scheme of the URLs that it serves: `http` or `https`.
    virtual std::string_view scheme() const noexcept = 0;
    /// A stream that is not connected yet.
    virtual std::unique_ptr<Stream> make_stream(const asio::any_io_executor& executor) = 0;

    /// Finds a host's addresses and calls the handler exactly once, from any thread, but not before
    /// it returns.
    ///
    /// Asio asks the system's resolver on one thread per execution context and cannot take a
    /// question back: it goes on after everyone has stopped waiting, and destroying the context
    /// waits for it.
    virtual void look_up(const asio::any_io_executor& executor, const std::string& host,
                         std::uint16_t port, LookUpHandler handler) {
        auto resolver = std::make_shared<tcp::resolver>(executor);
        resolver->async_resolve(
            host, std::to_string(port), tcp::resolver::numeric_service,
            [resolver, handler = std::move(handler)](boost::system::error_code error,
                                                     const tcp::resolver::results_type& results) {
                handler(error, std::vector<tcp::endpoint>(results.begin(), results.end()));
            });
    }
};

/// A TCP connection, in the clear. (A template so that only programs that connect pay for its
/// coroutines.)
template <wva_metrics::detail::IfUsed>
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
        IoResult result;
        result.bytes = co_await socket_.async_read_some(
            space, asio::redirect_error(asio::deferred, result.error));
        co_return result;
    }
    asio::awaitable<IoResult> write(asio::const_buffer bytes) override {
        // Most requests fit into the socket's buffer at once, and then need no turn of the event
        // loop.
        IoResult result;
        result.bytes = socket_.write_some(asio::const_buffer(bytes), result.error);
        if (result.error == asio::error::would_block)
            result.error.clear();
        if (!result.error && result.bytes < bytes.size())
            result.bytes += co_await asio::async_write(
                socket_, bytes + result.bytes, asio::redirect_error(asio::deferred, result.error));
        co_return result;
    }

    bool is_quiet() override { return is_quiet(socket_); }
    void close() noexcept override { close(socket_); }

    // The same three for whoever builds another stream upon a socket.
    /// `connect`, for whoever builds another stream upon a socket.
    static asio::awaitable<boost::system::error_code> connect_socket(tcp::socket& socket,
                                                                     tcp::endpoint address) {
        close(socket);
        boost::system::error_code error;
        co_await socket.async_connect(address, asio::redirect_error(asio::use_awaitable, error));
        if (!error) {
            // A request is one write, and waits for nobody.
            boost::system::error_code ignored;
            socket.set_option(tcp::no_delay(true), ignored);
            socket.non_blocking(true, ignored);
        }
        co_return error;
    }
    /// `is_quiet`, likewise.
    static bool is_quiet(tcp::socket& socket) {
        boost::system::error_code error;
        char byte = 0;
        socket.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, error);
        return error == asio::error::would_block;
    }
    /// `close`, likewise.
    static void close(tcp::socket& socket) noexcept {
        boost::system::error_code ignored;
        socket.close(ignored);
    }

private:
    tcp::socket socket_;
};

/// A TCP connection, in the clear.
using TcpStream = BasicTcpStream<wva_metrics::detail::IfUsed::compile>;

/// Plain TCP, for `http` URLs. (A template likewise.)
template <wva_metrics::detail::IfUsed used>
class BasicTcpTransport final : public Transport {
public:
    std::string_view scheme() const noexcept override { return "http"; }
    std::unique_ptr<Stream> make_stream(const asio::any_io_executor& executor) override {
        return std::make_unique<BasicTcpStream<used>>(executor);
    }
};

/// Plain TCP, for `http` URLs.
using TcpTransport = BasicTcpTransport<wva_metrics::detail::IfUsed::compile>;

} // namespace wva_metrics::http
