// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/join_problems.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/credentials.hpp"
#include "wva_metrics/http/detail/proxy_answer.hpp"
#include "wva_metrics/http/no_proxy.hpp"
#include "wva_metrics/http/proxy_config.hpp"
#include "wva_metrics/http/tcp_transport.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/http/url.hpp"
#include "wva_metrics/version.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/error_code.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::http {

/// A connection through a proxy: after the TCP connection to the proxy is established, the proxy is
/// asked to connect to the server (HTTP CONNECT). All else goes to the server, as without a proxy.
class ProxyStream final : public Stream {
public:
    /// `inner`: not connected yet. `request`: asks the proxy to connect.
    ProxyStream(std::unique_ptr<Stream> inner, std::string request)
        : inner_(std::move(inner)), request_(std::move(request)) {}

    asio::awaitable<boost::system::error_code> connect(tcp::endpoint address) override {
        boost::system::error_code error = co_await inner_->connect(address);
        reason_.clear();
        if (!error)
            error = co_await open_tunnel();
        co_return error;
    }
    std::string explain(const boost::system::error_code& error) const override {
        return reason_.empty() ? inner_->explain(error) : "it " + reason_;
    }

    asio::awaitable<HandshakeResult> handshake(std::string host) override {
        return inner_->handshake(std::move(host));
    }
    asio::awaitable<IoResult> read_some(asio::mutable_buffer space) override {
        return inner_->read_some(space);
    }
    asio::awaitable<IoResult> write(asio::const_buffer bytes) override {
        return inner_->write(bytes);
    }
    IoResult try_write(asio::const_buffer bytes) override { return inner_->try_write(bytes); }
    asio::awaitable<IoResult> read_plain(asio::mutable_buffer space) override {
        return inner_->read_plain(space);
    }
    asio::awaitable<IoResult> write_plain(asio::const_buffer bytes) override {
        return inner_->write_plain(bytes);
    }
    bool is_quiet() override { return inner_->is_quiet(); }
    void close() noexcept override { inner_->close(); }
    bool is_tls_error(const boost::system::error_code& error) const noexcept override {
        return inner_->is_tls_error(error);
    }
    bool reread_trust() override { return inner_->reread_trust(); }

private:
    asio::awaitable<boost::system::error_code> open_tunnel() {
        using Progress = detail::ProxyAnswer::Progress;
        const IoResult written = co_await inner_->write_plain(asio::buffer(request_));
        if (written.error)
            co_return written.error;
        detail::ProxyAnswer answer;
        std::array<char, 1024> space{};
        Progress progress = Progress::incomplete;
        while (progress == Progress::incomplete) {
            const IoResult read = co_await inner_->read_plain(asio::buffer(space));
            if (read.error == asio::error::eof)
                answer.end();
            reason_ = answer.reason();
            if (read.error)
                co_return read.error;
            progress = answer.add({space.data(), read.bytes});
        }
        reason_ = answer.reason();
        co_return progress == Progress::accepted ? boost::system::error_code()
                                                 : asio::error::connection_refused;
    }

    const std::unique_ptr<Stream> inner_;
    const std::string request_;
    /// What the proxy did instead of connecting; empty = nothing wrong.
    std::string reason_;
};

/// Connects through a proxy, except to servers of `ProxyConfig::no_proxy` and the own machine. Made
/// by `make_proxy_transport`. Several clients may share one.
///
/// **Threads:** safe.
class ProxyTransport final : public Transport {
public:
    std::string_view scheme() const noexcept override { return inner_->scheme(); }
    std::optional<Url> proxy_for(const Url& server) const override {
        return is_no_proxy(no_proxy_, server) ? inner_->proxy_for(server)
                                              : std::optional<Url>(proxy_);
    }
    std::unique_ptr<Stream> make_stream(const asio::any_io_executor& executor) override {
        return inner_->make_stream(executor);
    }
    std::unique_ptr<Stream> make_stream_to(const asio::any_io_executor& executor,
                                           const Url& server) override {
        std::unique_ptr<Stream> stream = inner_->make_stream_to(executor, server);
        if (is_no_proxy(no_proxy_, server))
            return stream;
        return std::make_unique<ProxyStream>(std::move(stream), connect_request(server));
    }
    void resolve(const asio::any_io_executor& executor, const std::string& host, std::uint16_t port,
                 ResolveHandler handler) override {
        inner_->resolve(executor, host, port, std::move(handler));
    }

private:
    friend Result<std::shared_ptr<Transport>>
    make_proxy_transport(const ProxyConfig& config, std::shared_ptr<Transport> inner);

    ProxyTransport(const ProxyConfig& config, std::shared_ptr<Transport> inner)
        : inner_(std::move(inner)), proxy_(*parse_url(config.url)), no_proxy_(config.no_proxy),
          authorization_(*CredentialSource(config.credentials, {}).authorization({})) {}

    std::string connect_request(const Url& server) const {
        const std::string target = server.authority();
        std::string request = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target +
                              "\r\nUser-Agent: wva_metrics/" WVA_METRICS_VERSION_STRING "\r\n";
        if (!authorization_.empty())
            request += "Proxy-Authorization: " + authorization_ + "\r\n";
        return request + "\r\n";
    }

    const std::shared_ptr<Transport> inner_;
    const Url proxy_;
    const std::vector<std::string> no_proxy_;
    /// The value of the header; empty = none.
    const std::string authorization_;
};

/// Makes a transport for `ClientConfig::transport` that connects through a proxy, for `https` and
/// for `http` URLs by HTTP CONNECT: the proxy must permit it for the server's port. The proxy
/// resolves the server's name. `Timeouts::connect` bounds the TCP connection to the proxy and its
/// answer.
///
/// **Parameters:**
/// - `config`: the proxy.
/// - `inner`: the transport to the server: what `make_tls_transport` returns for `https` URLs, null
///   for `http` URLs. It must have streams that are TCP connections.
///
/// **Errors:**
/// - `invalid_config`: the configuration is invalid.
///
/// **Threads:** any thread.
inline Result<std::shared_ptr<Transport>>
make_proxy_transport(const ProxyConfig& config, std::shared_ptr<Transport> inner = nullptr) {
    if (!inner)
        inner = std::make_shared<TcpTransport>();
    if (const std::vector<std::string> problems = validate(config); !problems.empty())
        return Error(Errc::invalid_config, wva_metrics::detail::join_problems(problems));
    if (config.url.empty())
        return inner;
    return std::shared_ptr<Transport>(new ProxyTransport(config, std::move(inner)));
}

} // namespace wva_metrics::http
