// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/url.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::http {

namespace asio = boost::asio;
/// Asio's TCP.
using tcp = asio::ip::tcp;

/// The result of reading or writing.
struct IoResult {
    /// Empty if the operation succeeded.
    boost::system::error_code error{};
    /// Bytes read or written, also before an error.
    std::size_t bytes = 0;
};

/// The result of securing a connection.
struct HandshakeResult {
    /// Empty if the operation succeeded.
    boost::system::error_code error{};
    /// The reason of the error, in the words of the security library.
    std::string reason{};
};

/// One connection as a stream of bytes. Derive from it, and from `Transport`, to use another kind
/// of connection.
///
/// **Errors:** in the result of each operation: an error code of Asio, of the operating system or
/// of the security library.
///
/// **Cancellation:** terminal: a pending operation ends with `asio::error::operation_aborted`.
///
/// **Threads:** not thread-safe. At most one operation runs at a time, and all run on one strand; a
/// stream that is not in use may move to another strand.
class Stream {
public:
    virtual ~Stream() = default;

    /// Connects to one address. May be called again after a failure.
    ///
    /// **Completes:** when the connection is established, with no error; or with the error.
    ///
    /// **Errors, cancellation, threads:** see the class.
    virtual asio::awaitable<boost::system::error_code> connect(tcp::endpoint address) = 0;
    /// The error of `connect` in words.
    virtual std::string explain(const boost::system::error_code& error) const {
        return error.message();
    }
    /// Secures the connection. Called once, after `connect`.
    ///
    /// **Parameters:**
    /// - `host`: a name or an IP address; the peer must prove that it is this host.
    ///
    /// **Completes:** when the connection is secure; immediately if the stream has no security.
    ///
    /// **Errors, cancellation, threads:** see the class. `HandshakeResult::reason` explains the
    /// error.
    virtual asio::awaitable<HandshakeResult> handshake(std::string host) = 0;
    /// Reads into `space`, which must outlive the operation.
    ///
    /// **Completes:** with at least one byte, or with an error.
    ///
    /// **Errors, cancellation, threads:** see the class. The error is `asio::error::eof` only if
    /// the peer ended the stream properly.
    virtual asio::awaitable<IoResult> read_some(asio::mutable_buffer space) = 0;
    /// Writes `bytes`, which must outlive the operation.
    ///
    /// **Completes:** when all bytes are written, or with an error.
    ///
    /// **Errors, cancellation, threads:** see the class.
    virtual asio::awaitable<IoResult> write(asio::const_buffer bytes) = 0;
    /// Writes what can be written without waiting, which may be nothing, and returns how much that
    /// was. If there is no error, `write` is then called with the rest. Most requests fit into a
    /// socket's buffer as a whole, and then need no turn of the event loop and no coroutine.
    virtual IoResult try_write(asio::const_buffer /*bytes*/) { return {}; }

    /// As `read_some`, but beneath the security: for what is exchanged with a proxy between `connect`
    /// and `handshake`.
    ///
    /// **Completes, errors, cancellation, threads:** see `read_some`.
    virtual asio::awaitable<IoResult> read_plain(asio::mutable_buffer space) {
        return read_some(space);
    }
    /// As `write`, but beneath the security.
    ///
    /// **Completes, errors, cancellation, threads:** see `write`.
    virtual asio::awaitable<IoResult> write_plain(asio::const_buffer bytes) { return write(bytes); }

    /// True if nothing has arrived since the last read, not even the end of the stream. Does not
    /// wait.
    virtual bool is_quiet() = 0;
    /// Closes the connection. A pending operation ends with `asio::error::operation_aborted`.
    virtual void close() noexcept = 0;
    /// True if an error comes from the security layer.
    virtual bool is_tls_error(const boost::system::error_code&) const noexcept { return false; }
    /// Called after a failed handshake, and after a new connection was lost before any answer (with
    /// TLS 1.3 a server rejects a client certificate then). Reads certificates again that may have
    /// been replaced, and returns whether a new stream would use others: then the call connects
    /// once more.
    virtual bool reread_trust() { return false; }
};

/// Makes streams and resolves host names. Derive from it to use another kind of connection or
/// another resolver.
///
/// **Threads:** safe.
class Transport {
public:
    /// Takes the addresses, or the error that there are none.
    using ResolveHandler =
        std::function<void(boost::system::error_code, std::vector<tcp::endpoint>)>;

    virtual ~Transport() = default;

    /// The scheme of the URLs that it serves: `http` or `https`.
    virtual std::string_view scheme() const noexcept = 0;

    /// A stream that is not connected yet. `executor` is the client's. Throws `ResultError` if no
    /// stream can be made; the call then fails with its error.
    virtual std::unique_ptr<Stream> make_stream(const asio::any_io_executor& executor) = 0;

    /// As `make_stream`, for a connection to this server. A proxy needs to know it.
    virtual std::unique_ptr<Stream> make_stream_to(const asio::any_io_executor& executor,
                                                   const Url& /*server*/) {
        return make_stream(executor);
    }

    /// The proxy that connections to this server go through: its name is resolved, and streams
    /// connect to its address. Nothing = they connect to the server.
    virtual std::optional<Url> proxy_for(const Url& /*server*/) const { return std::nullopt; }

    /// Resolves a host name.
    ///
    /// Asio calls the system's resolver on one thread per execution context.
    ///
    /// **Parameters:**
    /// - `executor`: the client's.
    /// - `host`, `port`: the name to resolve, and the port of the resulting addresses.
    /// - `handler`: called exactly once, from any thread, but not before this function returns.
    ///
    /// **Completes:** by calling the handler with the addresses.
    ///
    /// **Errors:** passed to the handler, with no addresses.
    ///
    /// **Cancellation:** none. The call of the system's resolver continues after all waiters have
    /// left, and destroying the execution context waits for it.
    ///
    /// **Threads:** any thread.
    virtual void resolve(const asio::any_io_executor& executor, const std::string& host,
                         std::uint16_t port, ResolveHandler handler) {
        auto resolver = std::make_shared<tcp::resolver>(executor);
        resolver->async_resolve(
            host, std::to_string(port), tcp::resolver::numeric_service,
            [resolver, handler = std::move(handler)](boost::system::error_code error,
                                                     const tcp::resolver::results_type& results) {
                handler(error, std::vector<tcp::endpoint>(results.begin(), results.end()));
            });
    }
};

} // namespace wva_metrics::http
