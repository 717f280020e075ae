// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::prometheus {

/// The make of a server that has Prometheus' query API. They differ in what raw samples contain and
/// in what instant queries hide.
enum class Flavor : std::uint8_t {
    /// Not known. Such a server is queried like Prometheus.
    unknown,
    /// Prometheus itself.
    prometheus,
    /// VictoriaMetrics, single-node or cluster.
    victoria_metrics,
    /// Thanos Query.
    thanos,
    /// Grafana Mimir or Grafana Enterprise Metrics.
    mimir,
};

/// What a server says that it is.
struct ServerMake {
    /// The make.
    Flavor flavor = Flavor::unknown;
    /// Its version, for people; empty if the server does not tell it, as VictoriaMetrics.
    std::string version{};

    friend bool operator==(const ServerMake&, const ServerMake&) = default;
};

namespace detail {

inline constexpr std::array<std::pair<Flavor, std::string_view>, 5> flavor_names{
    {{Flavor::unknown, "unknown"},
     {Flavor::prometheus, "prometheus"},
     {Flavor::victoria_metrics, "victoria_metrics"},
     {Flavor::thanos, "thanos"},
     {Flavor::mimir, "mimir"}}};

} // namespace detail

/// The name in settings and logs, e.g. `victoria_metrics`.
constexpr std::string_view to_string(Flavor flavor) noexcept {
    for (const auto& [known, name] : detail::flavor_names) {
        if (known == flavor)
            return name;
    }
    return "unknown";
}

/// The make with this name, as `to_string` writes it; nothing for any other text.
constexpr std::optional<Flavor> parse_flavor(std::string_view text) noexcept {
    for (const auto& [flavor, name] : detail::flavor_names) {
        if (name == text)
            return flavor;
    }
    return std::nullopt;
}

/// All names, for messages: `unknown, prometheus, ...`.
inline std::string flavor_list() {
    std::string names;
    for (const auto& [flavor, name] : detail::flavor_names)
        (names += names.empty() ? "" : ", ") += name;
    return names;
}

} // namespace wva_metrics::prometheus
