// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

#include <string>

namespace wva_metrics::kubernetes {

/// A `Status` object, in which an API server explains a failure.
struct ApiStatus {
    /// The HTTP status; 0 if it is missing.
    int code = 0;
    /// One word, e.g. `Forbidden`, `Expired`.
    std::string reason;
    /// A sentence for people, on one line.
    std::string message;
};

/// Whether the API server no longer has the requested resource version or page (HTTP 410).
inline bool is_gone(const Error& error) noexcept {
    return error.http_status == 410;
}

} // namespace wva_metrics::kubernetes
