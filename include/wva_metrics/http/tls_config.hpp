// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace wva_metrics::http {

/// How the server's certificate is verified, and which certificate the client presents. TLS 1.2 is
/// the oldest version that is used. The files are in PEM format and are read again when they change.
///
/// Plain values, without OpenSSL; `make_tls_transport` (http/tls.hpp) uses them.
struct TlsConfig {
    /// The trusted authorities; empty = those of the system.
    std::string ca_file{};
    /// The client's certificate chain, if the server asks for one. Set it together with
    /// `private_key_file`, or set neither.
    std::string certificate_file{};
    /// The key of `certificate_file`, without a passphrase.
    std::string private_key_file{};
    /// The name or IP address that the server's certificate must contain; empty = the URL's host.
    std::string server_name{};
    /// The files are checked for changes when a connection is made, at most once per interval; and
    /// at once after a failed handshake.
    Duration reload_interval = std::chrono::seconds(60);
    /// How long the last good files stay in use while those on the disk are missing, empty or
    /// half-written. After that no connection is made, and the error names the file and the reason.
    /// An hour is long enough to repair them, and far shorter than a certificate's life.
    Duration max_stale_files = std::chrono::hours(1);
    /// Disables the protection that TLS gives: anybody between client and server can read and
    /// change everything, the token included.
    bool insecure_accept_any_certificate = false;

    /// Same values.
    friend bool operator==(const TlsConfig&, const TlsConfig&) = default;
};

/// All problems of a configuration, one sentence each; empty if it is valid. Reads no file.
inline std::vector<std::string> validate(const TlsConfig& config) {
    std::vector<std::string> problems;
    if (config.certificate_file.empty() != config.private_key_file.empty())
        problems.emplace_back(
            config.certificate_file.empty()
                ? "tls.certificate_file must be set together with tls.private_key_file"
                : "tls.private_key_file must be set together with tls.certificate_file");
    if (config.insecure_accept_any_certificate && !config.ca_file.empty())
        problems.emplace_back(
            "tls.ca_file has no effect with tls.insecure_accept_any_certificate; set one of them");
    if (config.reload_interval < Duration::zero())
        problems.emplace_back("tls.reload_interval must not be negative");
    if (config.max_stale_files < Duration::zero())
        problems.emplace_back("tls.max_stale_files must not be negative");
    return problems;
}

} // namespace wva_metrics::http
