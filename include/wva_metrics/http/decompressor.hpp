// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::http {

/// Decompresses answers of one content coding. `make_gzip_decompressor` (http/gzip.hpp) makes one;
/// derive from it for another coding.
///
/// **Threads:** safe.
class Decompressor {
public:
    virtual ~Decompressor() = default;

    /// The coding's name in HTTP, for example `gzip`. It is offered to the server.
    virtual std::string_view coding() const noexcept = 0;

    /// Decompresses a whole body that is not empty. So a compressed body is kept until it is
    /// complete, even if it is passed to a sink.
    ///
    /// **Errors:**
    /// - `too_large`: the result would exceed `max_bytes`; found without allocating much more.
    /// - `bad_response`: the body is truncated, corrupt, or followed by other bytes.
    ///
    /// Throws only `std::bad_alloc`.
    ///
    /// **Threads:** any thread.
    virtual Result<std::string> decompress(std::string_view compressed,
                                           std::size_t max_bytes) const = 0;
};

} // namespace wva_metrics::http
