// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace wva_metrics {

/// Where an answer came from.
enum class Source : std::uint8_t {
    /// Fetched for this call.
    backend,
    /// From the cache, within its TTL or its `stale_while_revalidate` window.
    cache,
    /// The last good value, served because the backend failed.
    stale_on_error,
};

/// The enumerator's name.
constexpr std::string_view to_string(Source source) noexcept {
    switch (source) {
    case Source::backend:
        return "backend";
    case Source::cache:
        return "cache";
    case Source::stale_on_error:
        return "stale_on_error";
    }
    return "unknown";
}

} // namespace wva_metrics
