// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

namespace wva_metrics::samples {

/// Whether the processes of a pod answer.
enum class PodLife : std::uint8_t {
    /// All that count answer, or those that do not are over.
    alive,
    /// Some answer; another is still scraped but cannot be read. The values lack it.
    part,
    /// None answers, but one is still scraped: it may be alive and too busy to answer.
    unread,
    /// None answers, and no `up` of its targets tells why.
    ended,
    /// None answers, and its targets are no longer scraped, or answer without it.
    gone,
    /// It may be one process or several, so that nothing can be added up.
    ambiguous,
};

/// The enumerator's name.
constexpr std::string_view to_string(PodLife life) noexcept {
    switch (life) {
    case PodLife::alive:
        return "alive";
    case PodLife::part:
        return "part";
    case PodLife::unread:
        return "unread";
    case PodLife::ended:
        return "ended";
    case PodLife::gone:
        return "gone";
    case PodLife::ambiguous:
        return "ambiguous";
    }
    return "unknown";
}

} // namespace wva_metrics::samples
