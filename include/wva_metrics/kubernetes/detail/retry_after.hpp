// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>
#include <system_error>

namespace wva_metrics::kubernetes::detail {

/// How long a server asks to wait by a `Retry-After` header, at most `longest`. API servers send a
/// number of seconds; nothing for any other text.
inline std::optional<Duration> parse_retry_after(std::string_view text, Duration longest) noexcept {
    if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos)
        return std::nullopt;
    int seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error != std::errc())
        return longest;
    return std::min<Duration>(std::chrono::seconds(seconds), longest);
}

} // namespace wva_metrics::kubernetes::detail
