// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/join_problems.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/stream_io.hpp"
#include "wva_metrics/http/tls_config.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/reading.hpp"

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

/// Reads the files. The context accepts TLS 1.2 or newer and verifies the server's certificate
/// chain, unless the configuration disables that.
inline Result<std::shared_ptr<asio::ssl::context>> load_tls_context(const TlsConfig& config) {
    auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
    SSL_CTX* const native = context->native_handle();
    // Not by OpenSSL's macro, which contains C-style casts.
    SSL_CTX_ctrl(native, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, nullptr);
    constexpr std::array<unsigned char, 9> protocols{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    SSL_CTX_set_alpn_protos(native, protocols.data(), static_cast<unsigned>(protocols.size()));

    boost::system::error_code error;
    const auto reject = [&](const std::string& what) {
        return Error(Errc::invalid_config, what + ": " + error.message());
    };
    // Without a callback OpenSSL would ask for the passphrase on the terminal.
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
            return reject("tls.ca_file " + config.ca_file + " cannot be used");
    }
    if (!config.certificate_file.empty()) {
        context->use_certificate_chain_file(config.certificate_file, error);
        if (error)
            return reject("tls.certificate_file " + config.certificate_file + " cannot be used");
        // Also checks that the key belongs to the certificate.
        context->use_private_key_file(config.private_key_file, asio::ssl::context::pem, error);
        if (error)
            return reject("tls.private_key_file " + config.private_key_file + " cannot be used");
    }
    return context;
}

} // namespace detail

/// A TCP connection secured by TLS. The peer must present a certificate that a trusted authority
/// signed *and* that contains the host: a name among its DNS names, or an address among its IP
/// addresses. The subject's common name is ignored.
class TlsStream final : public Stream {
public:
    /// `server_name`: expected instead of the host, unless empty. `verify`: false = any certificate
    /// is accepted.
    TlsStream(const asio::any_io_executor& executor, std::shared_ptr<asio::ssl::context> context,
              std::string server_name, bool verify)
        : context_(std::move(context)), stream_(executor, *context_),
          server_name_(std::move(server_name)), verify_(verify) {}

    asio::awaitable<boost::system::error_code> connect(tcp::endpoint address) override {
        return connect_socket(stream_.next_layer(), address);
    }

    asio::awaitable<HandshakeResult> handshake(std::string host) override {
        HandshakeResult result;
        if (!set_expected_host(server_name_.empty() ? host : server_name_)) {
            result.error = asio::error::invalid_argument;
            result.reason = "the host cannot be used as the name in a certificate";
            co_return result;
        }
        co_await stream_.async_handshake(asio::ssl::stream_base::client,
                                         asio::redirect_error(asio::deferred, result.error));
        if (result.error)
            result.reason = explain(result.error);
        co_return result;
    }

    asio::awaitable<IoResult> read_some(asio::mutable_buffer space) override {
        return http::read_some(stream_, space);
    }
    asio::awaitable<IoResult> write(asio::const_buffer bytes) override {
        return write_all(stream_, bytes);
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
        if (!verify_)
            return true;
        X509_VERIFY_PARAM* const expected = SSL_get0_param(native);
        X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                                      X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
        return no_address ? X509_VERIFY_PARAM_set1_host(expected, host.data(), host.size()) == 1
                          : X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1;
    }

    std::string explain(const boost::system::error_code& error) {
        const long verified = SSL_get_verify_result(stream_.native_handle());
        if (verify_ && is_tls_error(error) && verified != X509_V_OK)
            return "the server's certificate was not accepted: " +
                   std::string(X509_verify_cert_error_string(verified));
        if (error == asio::error::eof || error == asio::ssl::error::stream_truncated)
            return "the server closed the connection";
        return error.message();
    }

    const std::shared_ptr<asio::ssl::context> context_;
    asio::ssl::stream<tcp::socket> stream_;
    const std::string server_name_;
    const bool verify_;
};

/// TLS over TCP, for `https` URLs. Made by `make_tls_transport`. Several clients may share one.
///
/// **Threads:** safe.
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
    using WriteTimes = std::array<std::filesystem::file_time_type, 3>;

    TlsTransport(TlsConfig config, WriteTimes write_times,
                 std::shared_ptr<asio::ssl::context> context)
        : config_(std::move(config)), context_(std::move(context)), write_times_(write_times),
          checked_at_(std::chrono::steady_clock::now()) {}

    /// The files' times of last modification; a constant for a file that does not exist.
    static WriteTimes read_write_times(const TlsConfig& config) {
        std::error_code ignored;
        return {std::filesystem::last_write_time(config.ca_file, ignored),
                std::filesystem::last_write_time(config.certificate_file, ignored),
                std::filesystem::last_write_time(config.private_key_file, ignored)};
    }

    /// Reads the files again if they have changed. If that fails (they are being replaced just
    /// now), the old context stays in use.
    std::shared_ptr<asio::ssl::context> current_context(TimePoint now) {
        const std::lock_guard lock(mutex_);
        if (now - checked_at_ >= config_.reload_interval) {
            checked_at_ = now;
            const WriteTimes write_times = read_write_times(config_);
            if (write_times != write_times_) {
                Result<std::shared_ptr<asio::ssl::context>> loaded =
                    detail::load_tls_context(config_);
                if (loaded) {
                    context_ = *std::move(loaded);
                    write_times_ = write_times;
                }
            }
        }
        return context_;
    }

    const TlsConfig config_;
    std::mutex mutex_;
    std::shared_ptr<asio::ssl::context> context_;
    WriteTimes write_times_;
    TimePoint checked_at_;
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
    // Before the files are read, so that a change during the reading is noticed later.
    const TlsTransport::WriteTimes write_times = TlsTransport::read_write_times(config);
    Result<std::shared_ptr<asio::ssl::context>> context = detail::load_tls_context(config);
    if (!context)
        return std::move(context).error();
    return std::shared_ptr<Transport>(
        new TlsTransport(std::move(config), write_times, *std::move(context)));
}

} // namespace wva_metrics::http
