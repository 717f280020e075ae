// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace wva_metrics::http {

/// Undoes one content coding of the answers. `make_gzip_decompressor` (http/gzip.hpp) makes one;
/// derive from it to bring your own. Its functions may be called from several threads at once.
class Decompressor {
public:
    virtual ~Decompressor() = default;

    /// The coding's name in HTTP, which servers are offered: `gzip`.
    virtual std::string_view coding() const noexcept = 0;

    /// Decompresses a whole body that is not empty.
    ///
    /// Errors: `too_large` where it would become larger than `max_bytes`, found without ever
    /// holding much more than that; `bad_response` where it is truncated, corrupt, or followed by
    /// anything. It does not throw but for a lack of memory.
    virtual Result<std::string> decompress(std::string_view compressed,
                                           std::size_t max_bytes) const = 0;
};

} // namespace wva_metrics::http
