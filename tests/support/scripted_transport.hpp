// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/tcp_transport.hpp"
#include "wva_metrics/http/transport.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::test_support {

/// TCP whose name lookups the test completes, and whose steps stall if the test wants it. For one
/// thread.
class ScriptedTransport final : public http::Transport {
public:
    /// Connecting to this address never ends by itself, as with a firewall that drops packets.
    std::optional<http::tcp::endpoint> black_hole;
    bool stall_handshake = false;
    /// The handshake with this address never ends by itself.
    std::optional<http::tcp::endpoint> stalled_handshake;
    /// At most as many bytes are received at once.
    std::size_t largest_read = std::numeric_limits<std::size_t>::max();

    /// The result of each lookup. Empty = the test completes `lookups`.
    std::vector<http::tcp::endpoint> addresses;
    std::vector<ResolveHandler> lookups;
    std::size_t connects = 0;
    std::size_t handshakes = 0;

    std::string_view scheme() const noexcept override { return "http"; }

    std::unique_ptr<http::Stream>
    make_stream(const http::asio::any_io_executor& executor) override {
        return std::make_unique<Stream>(executor, *this);
    }

    void resolve(const http::asio::any_io_executor& executor, const std::string&, std::uint16_t,
                 ResolveHandler handler) override {
        if (addresses.empty()) {
            lookups.push_back(std::move(handler));
            return;
        }
        http::asio::post(
            executor, [handler = std::move(handler), result = addresses] { handler({}, result); });
    }

private:
    class Stream final : public http::Stream {
    public:
        Stream(const http::asio::any_io_executor& executor, ScriptedTransport& script)
            : tcp_(executor), stall_(executor, std::chrono::steady_clock::time_point::max()),
              script_(script) {}

        http::asio::awaitable<boost::system::error_code>
        connect(http::tcp::endpoint address) override {
            ++script_.connects;
            address_ = address;
            if (script_.black_hole == address) {
                boost::system::error_code error;
                co_await stall_.async_wait(
                    http::asio::redirect_error(http::asio::use_awaitable, error));
                co_return error;
            }
            co_return co_await tcp_.connect(address);
        }
        http::asio::awaitable<http::HandshakeResult> handshake(std::string) override {
            ++script_.handshakes;
            http::HandshakeResult result;
            if (script_.stall_handshake || script_.stalled_handshake == address_)
                co_await stall_.async_wait(
                    http::asio::redirect_error(http::asio::use_awaitable, result.error));
            co_return result;
        }
        http::asio::awaitable<http::IoResult> read_some(http::asio::mutable_buffer space) override {
            return tcp_.read_some(http::asio::buffer(space, script_.largest_read));
        }
        http::asio::awaitable<http::IoResult> write(http::asio::const_buffer bytes) override {
            return tcp_.write(bytes);
        }
        bool is_quiet() override { return tcp_.is_quiet(); }
        void close() noexcept override {
            tcp_.close();
            stall_.cancel();
        }

    private:
        http::TcpStream tcp_;
        http::tcp::endpoint address_;
        http::asio::steady_timer stall_;
        ScriptedTransport& script_;
    };
};

} // namespace wva_metrics::test_support
