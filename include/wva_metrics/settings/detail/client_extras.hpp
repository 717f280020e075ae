// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/tls_config.hpp"
#ifdef WVA_METRICS_WITH_GZIP
#include "wva_metrics/http/gzip.hpp"
#endif
#ifdef WVA_METRICS_WITH_TLS
#include "wva_metrics/http/tls.hpp"
#endif

#include <string>
#include <utility>

namespace wva_metrics::detail {

// What a client gets from the optional parts of the library. This depends on macros, so either all
// translation units of a program are compiled with such a part, or none.

/// The program has TLS.
#ifdef WVA_METRICS_WITH_TLS
inline constexpr bool has_tls = true;
#else
inline constexpr bool has_tls = false;
#endif

/// Adds a TLS transport to the client. `what` begins with https, for the error.
inline Result<void> add_tls([[maybe_unused]] const http::TlsConfig& settings,
                            [[maybe_unused]] http::ClientConfig& client,
                            [[maybe_unused]] const std::string& what) {
#ifdef WVA_METRICS_WITH_TLS
    auto transport = http::make_tls_transport(settings);
    if (!transport)
        return std::move(transport).error();
    client.transport = *std::move(transport);
    return {};
#else
    return Error(Errc::invalid_config, what + " begins with https, but this program was built "
                                              "without TLS: link it with wva_metrics::tls");
#endif
}

/// Lets the client accept compressed answers.
inline void add_gzip([[maybe_unused]] http::ClientConfig& client) {
#ifdef WVA_METRICS_WITH_GZIP
    if (!client.decompressor)
        client.decompressor = http::make_gzip_decompressor();
#endif
}

} // namespace wva_metrics::detail
