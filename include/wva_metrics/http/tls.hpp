// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/join_problems.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/detail/tls_files.hpp"
#include "wva_metrics/http/stream_io.hpp"
#include "wva_metrics/http/tls_config.hpp"
#include "wva_metrics/http/transport.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/system/error_code.hpp>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::http {

/// A TCP connection secured by TLS. The peer must present a certificate that a trusted authority
/// signed *and* that contains the host: a name among its DNS names, or an address among its IP
/// addresses. The subject's common name is ignored.
class TlsStream final : public Stream {
public:
    /// `context`: what was made from `files`, which tell when it is out of date, and how
    /// certificates are verified.
    TlsStream(const asio::any_io_executor& executor, std::shared_ptr<detail::TlsFiles> files,
              std::shared_ptr<asio::ssl::context> context)
        : files_(std::move(files)), context_(std::move(context)), stream_(executor, *context_) {}

    asio::awaitable<boost::system::error_code> connect(tcp::endpoint address) override {
        return connect_socket(stream_.next_layer(), address);
    }

    asio::awaitable<HandshakeResult> handshake(std::string host) override {
        HandshakeResult result;
        const std::string& server_name = files_->config().server_name;
        if (!set_expected_host(server_name.empty() ? host : server_name)) {
            result.error = asio::error::invalid_argument;
            result.reason = "the host cannot be used as the name in a certificate";
            co_return result;
        }
        co_await stream_.async_handshake(asio::ssl::stream_base::client,
                                         asio::redirect_error(asio::deferred, result.error));
        if (result.error)
            result.reason = explain_handshake(result.error);
        co_return result;
    }

    asio::awaitable<IoResult> read_some(asio::mutable_buffer space) override {
        return http::read_some(stream_, space);
    }
    asio::awaitable<IoResult> write(asio::const_buffer bytes) override {
        return write_all(stream_, bytes);
    }

    asio::awaitable<IoResult> read_plain(asio::mutable_buffer space) override {
        return http::read_some(stream_.next_layer(), space);
    }
    asio::awaitable<IoResult> write_plain(asio::const_buffer bytes) override {
        return write_all(stream_.next_layer(), bytes);
    }

    bool is_quiet() override {
        SSL* const native = stream_.native_handle();
        return SSL_has_pending(native) == 0 && BIO_ctrl_pending(SSL_get_rbio(native)) == 0 &&
               is_quiet_socket(stream_.next_layer());
    }
    void close() noexcept override { close_socket(stream_.next_layer()); }
    bool is_tls_error(const boost::system::error_code& error) const noexcept override {
        return error.category() == asio::error::get_ssl_category();
    }
    bool reread_trust() override {
        return files_->reread(context_, std::chrono::steady_clock::now());
    }

private:
    /// Sets the host that the certificate must contain, and sends it to the server if it is a name
    /// (SNI). Returns false if OpenSSL rejects it.
    bool set_expected_host(const std::string& host) {
        SSL* const native = stream_.native_handle();
        boost::system::error_code no_address;
        asio::ip::make_address(host, no_address);
        if (no_address) {
            // Not by OpenSSL's macro, which contains a C-style cast.
            void* const name = const_cast<char*>(host.c_str());
            if (SSL_ctrl(native, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name) !=
                1)
                return false;
        }
        if (!verifies())
            return true;
        X509_VERIFY_PARAM* const expected = SSL_get0_param(native);
        X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                                      X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
        return no_address ? X509_VERIFY_PARAM_set1_host(expected, host.data(), host.size()) == 1
                          : X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1;
    }

    bool verifies() const noexcept { return !files_->config().insecure_accept_any_certificate; }

    std::string explain_handshake(const boost::system::error_code& error) {
        const long verified = SSL_get_verify_result(stream_.native_handle());
        if (verifies() && is_tls_error(error) && verified != X509_V_OK)
            return "the server's certificate was not accepted: " +
                   std::string(X509_verify_cert_error_string(verified));
        if (error == asio::error::eof || error == asio::ssl::error::stream_truncated)
            return "the server closed the connection";
        return error.message();
    }

    const std::shared_ptr<detail::TlsFiles> files_;
    const std::shared_ptr<asio::ssl::context> context_;
    asio::ssl::stream<tcp::socket> stream_;
};

/// TLS over TCP, for `https` URLs. Made by `make_tls_transport`. Several clients may share one.
///
/// Replaced files are read again when a connection is made, and at once after a handshake has
/// failed. If they have changed since, the call connects once more.
///
/// **Threads:** safe.
class TlsTransport final : public Transport {
public:
    std::string_view scheme() const noexcept override { return "https"; }
    /// Throws `ResultError` if the files have been unusable for `max_stale_files`.
    std::unique_ptr<Stream> make_stream(const asio::any_io_executor& executor) override {
        auto context = files_->current(std::chrono::steady_clock::now()).value();
        return std::make_unique<TlsStream>(executor, files_, std::move(context));
    }

private:
    friend Result<std::shared_ptr<Transport>> make_tls_transport(TlsConfig config);

    explicit TlsTransport(std::shared_ptr<detail::TlsFiles> files) : files_(std::move(files)) {}

    const std::shared_ptr<detail::TlsFiles> files_;
};

/// Reads the files and makes a transport for `ClientConfig::transport`.
///
/// **Parameters:**
/// - `config`: the files, and how certificates are verified.
///
/// **Errors:**
/// - `invalid_config`: the configuration is invalid, or a file cannot be used; the message has
///   OpenSSL's reason.
///
/// **Threads:** any thread.
inline Result<std::shared_ptr<Transport>> make_tls_transport(TlsConfig config) {
    if (const std::vector<std::string> problems = validate(config); !problems.empty())
        return Error(Errc::invalid_config, wva_metrics::detail::join_problems(problems));
    Result<std::shared_ptr<detail::TlsFiles>> files =
        detail::TlsFiles::open(std::move(config), std::chrono::steady_clock::now());
    if (!files)
        return std::move(files).error();
    return std::shared_ptr<Transport>(new TlsTransport(*std::move(files)));
}

} // namespace wva_metrics::http
