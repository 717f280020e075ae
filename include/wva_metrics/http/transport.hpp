// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
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

/// One connection as a stream of bytes.
///
/// At most one operation runs at a time, and all run on one strand; a stream that is not in use may
/// move to another strand. Operations support Asio's terminal cancellation.
class Stream {
public:
    virtual ~Stream() = default;

    /// Connects to one address. May be called again after a failure.
    virtual asio::awaitable<boost::system::error_code> connect(tcp::endpoint address) = 0;
    /// Secures the connection; the peer must prove that it is `host`, a name or an IP address.
    virtual asio::awaitable<HandshakeResult> handshake(std::string host) = 0;
    /// Reads at least one byte, or fails. The error is `asio::error::eof` only if the peer ended
    /// the stream properly.
    virtual asio::awaitable<IoResult> read_some(asio::mutable_buffer space) = 0;
    /// Writes all bytes, or fails.
    virtual asio::awaitable<IoResult> write(asio::const_buffer bytes) = 0;

    /// True if nothing has arrived since the last read, not even the end of the stream. Does not
    /// wait.
    virtual bool is_quiet() = 0;
    /// Closes the connection. A pending operation ends with `asio::error::operation_aborted`.
    virtual void close() noexcept = 0;
    /// True if an error comes from the security layer.
    virtual bool is_tls_error(const boost::system::error_code&) const noexcept { return false; }
};

/// Makes streams and resolves host names. Derive from it to use another kind of connection or
/// another resolver.
///
/// Its functions may be called from several threads at once.
class Transport {
public:
    /// Takes the addresses, or the error that there are none.
    using ResolveHandler =
        std::function<void(boost::system::error_code, std::vector<tcp::endpoint>)>;

    virtual ~Transport() = default;

    /// The scheme of the URLs that it serves: `http` or `https`.
    virtual std::string_view scheme() const noexcept = 0;

    /// A stream that is not connected yet. `executor` is the client's.
    virtual std::unique_ptr<Stream> make_stream(const asio::any_io_executor& executor) = 0;

    /// Resolves a host name. Calls the handler exactly once, from any thread, but not before this
    /// function returns.
    ///
    /// Asio calls the system's resolver on one thread per execution context and cannot cancel that
    /// call: it continues after all waiters have left, and destroying the context waits for it.
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
