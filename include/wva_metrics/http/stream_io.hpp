// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/transport.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>

namespace wva_metrics::http {

// The operations of a `Stream` over Asio's own streams and sockets, to build a `Stream` upon them.

/// `Stream::read_some` over an Asio stream.
///
/// **Completes, errors, cancellation, threads:** see `Stream::read_some`.
template <typename AsioStream>
asio::awaitable<IoResult> read_some(AsioStream& stream, asio::mutable_buffer space) {
    IoResult result;
    result.bytes =
        co_await stream.async_read_some(space, asio::redirect_error(asio::deferred, result.error));
    co_return result;
}

/// `Stream::write` over an Asio stream.
///
/// **Completes, errors, cancellation, threads:** see `Stream::write`.
template <typename AsioStream>
asio::awaitable<IoResult> write_all(AsioStream& stream, asio::const_buffer bytes) {
    IoResult result;
    result.bytes = co_await asio::async_write(stream, bytes,
                                              asio::redirect_error(asio::deferred, result.error));
    co_return result;
}

/// Closes a TCP socket. A pending operation ends with `asio::error::operation_aborted`.
template <typename Socket>
void close_socket(Socket& socket) noexcept {
    boost::system::error_code ignored;
    socket.close(ignored);
}

/// `Stream::connect` over a TCP socket, which is closed first if it is open.
///
/// **Completes, errors, cancellation, threads:** see `Stream::connect`.
template <typename Socket>
asio::awaitable<boost::system::error_code> connect_socket(Socket& socket, tcp::endpoint address) {
    close_socket(socket);
    boost::system::error_code error;
    co_await socket.async_connect(address, asio::redirect_error(asio::deferred, error));
    if (!error) {
        // A request is one write, so waiting for more bytes to send would only delay it.
        boost::system::error_code ignored;
        socket.set_option(tcp::no_delay(true), ignored);
        socket.non_blocking(true, ignored);
    }
    co_return error;
}

/// `Stream::is_quiet` over a TCP socket that `connect_socket` connected.
template <typename Socket>
bool is_quiet_socket(Socket& socket) {
    boost::system::error_code error;
    char byte = 0;
    socket.receive(asio::buffer(&byte, 1), Socket::message_peek, error);
    return error == asio::error::would_block;
}

} // namespace wva_metrics::http
