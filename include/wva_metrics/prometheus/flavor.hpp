// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace wva_metrics::prometheus {

/// The make of a server with the query API of Prometheus.
enum class Flavor : std::uint8_t { unknown, prometheus, victoria_metrics, thanos, mimir };

/// The enumerator's name.
constexpr std::string_view to_string(Flavor flavor) noexcept {
    constexpr std::array<std::string_view, 5> names = {"unknown", "prometheus", "victoria_metrics",
                                                       "thanos", "mimir"};
    return names[static_cast<std::size_t>(flavor)];
}

/// The flavor with this name. Empty for any other text.
constexpr std::optional<Flavor> parse_flavor(std::string_view text) noexcept {
    for (const Flavor flavor : {Flavor::unknown, Flavor::prometheus, Flavor::victoria_metrics,
                                Flavor::thanos, Flavor::mimir})
        if (to_string(flavor) == text)
            return flavor;
    return std::nullopt;
}

} // namespace wva_metrics::prometheus
