// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/tls_config.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace wva_metrics::http {

namespace detail {

/// Reads the files. TLS 1.2 or newer; the chain is verified unless the configuration says
/// otherwise.
inline Result<std::shared_ptr<asio::ssl::context>> load_tls_context(const TlsConfig& config) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
    SSL_CTX* const native = context->native_handle();
    // Spelled out, because OpenSSL's macros hold casts in the style of C.
    SSL_CTX_ctrl(native, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, nullptr);
    constexpr std::array<unsigned char, 9> protocols{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    SSL_CTX_set_alpn_protos(native, protocols.data(), static_cast<unsigned>(protocols.size()));

    boost::system::error_code error;
    const auto refuse = [&](const std::string& what) {
        return Error(Errc::invalid_config, what + ": " + error.message());
    };
    // Without this OpenSSL would ask for the passphrase on the terminal.
    context->set_password_callback(
        [](std::size_t, asio::ssl::context::password_purpose) { return std::string(); }, error);
    if (config.insecure_accept_any_certificate) {
        context->set_verify_mode(asio::ssl::verify_none, error);
    } else {
        context->set_verify_mode(asio::ssl::verify_peer, error);
        if (config.ca_file.empty())
            context->set_default_verify_paths(error);
        else
            context->load_verify_file(config.ca_file, error);
        if (error)
            return refuse("tls.ca_file " + config.ca_file + " cannot be used");
    }
    if (!config.certificate_file.empty()) {
        context->use_certificate_chain_file(config.certificate_file, error);
        if (error)
            return refuse("tls.certificate_file " + config.certificate_file + " cannot be used");
        // Also checks that it belongs to the certificate.
        context->use_private_key_file(config.private_key_file, asio::ssl::context::pem, error);
        if (error)
            return refuse("tls.private_key_file " + config.private_key_file + " cannot be used");
    }
    return context;
}

} // namespace detail

/// A TCP connection secured by TLS. The peer must present a certificate of a trusted authority
/// *and* for the host asked for: a name among its DNS names, or an address among its IP addresses;
/// the subject's common name does not count.
class TlsStream final : public Stream {
public:
    /// `server_name` replaces the host that is asked for where it is not empty; without `verify`
    /// any certificate will do.
    TlsStream(const asio::any_io_executor& executor, std::shared_ptr<asio::ssl::context> context,
              std::string server_name, bool verify)
        : context_(std::move(context)), stream_(executor, *context_),
          server_name_(std::move(server_name)), verify_(verify) {}

    asio::awaitable<boost::system::error_code> connect(tcp::endpoint address) override {
        return TcpStream::connect_socket(stream_.next_layer(), address);
    }

    asio::awaitable<HandshakeResult> handshake(std::string host) override {
        HandshakeResult result;
        if (!expect(server_name_.empty() ? host : server_name_)) {
            result.error = asio::error::invalid_argument;
            result.reason = "the host cannot be used as the name in a certificate";
            co_return result;
        }
        co_await stream_.async_handshake(asio::ssl::stream_base::client,
                                         asio::redirect_error(asio::use_awaitable, result.error));
        if (result.error)
            result.reason = explain(result.error);
        co_return result;
    }

    asio::awaitable<IoResult> read_some(asio::mutable_buffer space) override {
        IoResult result;
        result.bytes = co_await stream_.async_read_some(
            space, asio::redirect_error(asio::use_awaitable, result.error));
        co_return result;
    }
    asio::awaitable<IoResult> write(asio::const_buffer bytes) override {
        IoResult result;
        result.bytes = co_await asio::async_write(
            stream_, bytes, asio::redirect_error(asio::use_awaitable, result.error));
        co_return result;
    }

    bool is_quiet() override {
        SSL* const native = stream_.native_handle();
        return SSL_has_pending(native) == 0 && BIO_ctrl_pending(SSL_get_rbio(native)) == 0 &&
               TcpStream::is_quiet(stream_.next_layer());
    }
    void close() noexcept override { TcpStream::close(stream_.next_layer()); }
    bool is_tls_error(const boost::system::error_code& error) const noexcept override {
        return error.category() == asio::error::get_ssl_category();
    }

private:
    /// Tells OpenSSL whose certificate to expect, and the server which one to show.
    bool expect(const std::string& host) {
        SSL* const native = stream_.native_handle();
        boost::system::error_code no_address;
        asio::ip::make_address(host, no_address);
        if (no_address) {
            // A macro with a cast in the style of C, spelled out.
            void* const name = const_cast<char*>(host.c_str());
            if (SSL_ctrl(native, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name) !=
                1)
                return false;
        }
        if (!verify_)
            return true;
        X509_VERIFY_PARAM* const expected = SSL_get0_param(native);
        X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                                      X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
        return no_address ? X509_VERIFY_PARAM_set1_host(expected, host.data(), host.size()) == 1
                          : X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1;
    }

    std::string explain(const boost::system::error_code& error) {
        const long verdict = SSL_get_verify_result(stream_.native_handle());
        if (verify_ && is_tls_error(error) && verdict != X509_V_OK)
            return "the server's certificate was not accepted: " +
                   std::string(X509_verify_cert_error_string(verdict));
        if (error == asio::error::eof || error == asio::ssl::error::stream_truncated)
            return "the server closed the connection";
        return error.message();
    }

    const std::shared_ptr<asio::ssl::context> context_;
    asio::ssl::stream<tcp::socket> stream_;
    const std::string server_name_;
    const bool verify_;
};

/// TLS over TCP, for `https` URLs. Made by `make_tls_transport`; thread-safe, and may serve several
/// clients.
class TlsTransport final : public Transport {
public:
    std::string_view scheme() const noexcept override { return "https"; }
    std::unique_ptr<Stream> make_stream(const asio::any_io_executor& executor) override {
        return std::make_unique<TlsStream>(
            executor, current_context(std::chrono::steady_clock::now()), config_.server_name,
            !config_.insecure_accept_any_certificate);
    }

private:
    friend Result<std::shared_ptr<Transport>> make_tls_transport(TlsConfig config);
    using Stamps = std::array<std::filesystem::file_time_type, 3>;

    TlsTransport(TlsConfig config, Stamps stamps, std::shared_ptr<asio::ssl::context> context)
        : config_(std::move(config)), context_(std::move(context)), stamps_(stamps),
          checked_at_(std::chrono::steady_clock::now()) {}

    /// When the files were written; a constant for those that are not there.
    static Stamps read_stamps(const TlsConfig& config) {
        std::error_code ignored;
        return {std::filesystem::last_write_time(config.ca_file, ignored),
                std::filesystem::last_write_time(config.certificate_file, ignored),
                std::filesystem::last_write_time(config.private_key_file, ignored)};
    }

    /// Reads changed files again. Where that fails (a rotation that is half done), the old ones
    /// stay in use.
    std::shared_ptr<asio::ssl::context> current_context(TimePoint now) {
        const std::lock_guard lock(mutex_);
        if (now - checked_at_ >= config_.reload_interval) {
            checked_at_ = now;
            const Stamps stamps = read_stamps(config_);
            if (stamps != stamps_) {
                Result<std::shared_ptr<asio::ssl::context>> loaded =
                    detail::load_tls_context(config_);
                if (loaded) {
                    context_ = *std::move(loaded);
                    stamps_ = stamps;
                }
            }
        }
        return context_;
    }

    const TlsConfig config_;
    std::mutex mutex_;
    std::shared_ptr<asio::ssl::context> context_;
    Stamps stamps_;
    TimePoint checked_at_;
};

/// Reads the files and makes a transport for `ClientConfig::transport`; `Errc::invalid_config` with
/// the reason in OpenSSL's words where they cannot be used.
inline Result<std::shared_ptr<Transport>> make_tls_transport(TlsConfig config) {
    if (const std::vector<std::string> problems = validate(config); !problems.empty()) {
        std::string text = problems.front();
        for (std::size_t i = 1; i < problems.size(); ++i)
            text += "; " + problems[i];
        return Error(Errc::invalid_config, std::move(text));
    }
    // Taken first: a change while the files are read is then seen later.
    const TlsTransport::Stamps stamps = TlsTransport::read_stamps(config);
    Result<std::shared_ptr<asio::ssl::context>> context = detail::load_tls_context(config);
    if (!context)
        return std::move(context).error();
    return std::shared_ptr<Transport>(
        new TlsTransport(std::move(config), stamps, *std::move(context)));
}

} // namespace wva_metrics::http
