// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/detail/file_outage.hpp"
#include "wva_metrics/http/tls_config.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/system/error_code.hpp>
#include <openssl/ssl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <utility>

namespace wva_metrics::http::detail {

namespace asio = boost::asio;

/// Identifies the content of a file without reading it: files are replaced by renaming, or written
/// in place. All zero for a file that does not exist.
struct FileStamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;
    /// Opening a FIFO or a device could block for ever.
    bool is_regular = false;

    static FileStamp of(const std::string& path) {
        struct stat info {};
        if (path.empty() || ::stat(path.c_str(), &info) != 0)
            return {};
        return {info.st_dev,         info.st_ino,          info.st_size,
                info.st_mtim.tv_sec, info.st_mtim.tv_nsec, (info.st_mode & S_IFMT) == S_IFREG};
    }

    friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

/// The stamps of authority, certificate and key.
using TlsFileStamps = std::array<FileStamp, 3>;

inline TlsFileStamps read_stamps(const TlsConfig& config) {
    return {FileStamp::of(config.ca_file), FileStamp::of(config.certificate_file),
            FileStamp::of(config.private_key_file)};
}

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
    // Returns the error of a file, or none. `load` is called if the file may be opened.
    const auto use = [&error](const char* setting, const std::string& path, auto load) {
        std::string reason;
        if (path.empty() || FileStamp::of(path).is_regular) {
            load();
            reason = error ? error.message() : "";
        } else {
            reason = "it does not exist or is not a regular file";
        }
        return reason.empty() ? reason
                              : std::string(setting) + " " + path + " cannot be used: " + reason;
    };
    // Without a callback OpenSSL would ask for the passphrase on the terminal.
    context->set_password_callback(
        [](std::size_t, asio::ssl::context::password_purpose) { return std::string(); }, error);
    std::string problem;
    if (config.insecure_accept_any_certificate) {
        context->set_verify_mode(asio::ssl::verify_none, error);
    } else {
        context->set_verify_mode(asio::ssl::verify_peer, error);
        problem = use("tls.ca_file", config.ca_file, [&] {
            if (config.ca_file.empty())
                context->set_default_verify_paths(error);
            else
                context->load_verify_file(config.ca_file, error);
        });
    }
    if (problem.empty() && !config.certificate_file.empty())
        problem = use("tls.certificate_file", config.certificate_file,
                      [&] { context->use_certificate_chain_file(config.certificate_file, error); });
    if (problem.empty() && !config.private_key_file.empty())
        // Also checks that the key belongs to the certificate.
        problem = use("tls.private_key_file", config.private_key_file, [&] {
            context->use_private_key_file(config.private_key_file, asio::ssl::context::pem, error);
        });
    if (!problem.empty())
        return Error(Errc::invalid_config, std::move(problem));
    return context;
}

/// The TLS context that is made from the files, kept up to date. Thread-safe.
///
/// The files are read on the caller's thread: they are small and stay in memory.
class TlsFiles {
public:
    using ContextPtr = std::shared_ptr<asio::ssl::context>;

    /// Reads the files. The configuration must be valid.
    static Result<std::shared_ptr<TlsFiles>> open(TlsConfig config, TimePoint now) {
        // Before the files are read, so that a change during the reading is noticed later.
        const TlsFileStamps stamps = read_stamps(config);
        Result<ContextPtr> context = load_tls_context(config);
        if (!context)
            return std::move(context).error();
        return std::shared_ptr<TlsFiles>(
            new TlsFiles(std::move(config), stamps, *std::move(context), now));
    }

    const TlsConfig& config() const noexcept { return config_; }

    /// The context for a new connection. Reads the files again if they have changed, at most once
    /// per `reload_interval`, and for every connection while they cannot be used: then the last
    /// good context stays in use for `max_stale_files`, and the error after that names the file and
    /// the reason.
    Result<ContextPtr> current(TimePoint now) {
        const std::lock_guard lock(mutex_);
        if (outage_.is_on() || now - checked_at_ >= config_.reload_interval)
            update(now);
        if (std::optional<Error> error = outage_.error(now))
            return *std::move(error);
        return context_;
    }

    /// Call when a handshake has failed. Reads the files again if they have changed, and returns
    /// whether a new connection would use another context than `used`.
    bool reread(const ContextPtr& used, TimePoint now) {
        const std::lock_guard lock(mutex_);
        update(now);
        return context_ != used;
    }

private:
    TlsFiles(TlsConfig config, const TlsFileStamps& stamps, ContextPtr context, TimePoint now)
        : config_(std::move(config)), outage_(config_.max_stale_files, "tls.max_stale_files"),
          context_(std::move(context)), stamps_(stamps), checked_at_(now) {}

    void update(TimePoint now) {
        checked_at_ = now;
        const TlsFileStamps stamps = read_stamps(config_);
        if (stamps == stamps_) {
            // As it was when it was last used: a replacement that failed has been undone.
            outage_.end();
            return;
        }
        Result<ContextPtr> loaded = load_tls_context(config_);
        if (!loaded)
            return outage_.record(std::move(loaded).error(), now);
        outage_.end();
        context_ = *std::move(loaded);
        stamps_ = stamps;
    }

    const TlsConfig config_;
    std::mutex mutex_;
    FileOutage outage_;
    ContextPtr context_;
    /// Of the files that `context_` was made from.
    TlsFileStamps stamps_;
    TimePoint checked_at_;
};

} // namespace wva_metrics::http::detail
