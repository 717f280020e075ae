// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/pod_config.hpp"
#include "wva_metrics/settings/collector_settings.hpp"

#include <algorithm>
#include <string_view>

namespace wva_metrics::detail {

// The names of the built-in backends.

inline constexpr std::string_view prometheus_name = "prometheus";
inline constexpr std::string_view pods_name = "pods";
inline constexpr std::string_view layered_name = "pods+prometheus";

/// The chosen backend asks Prometheus.
inline bool asks_prometheus(const CollectorSettings& settings) noexcept {
    return settings.backend.empty() || settings.backend == prometheus_name ||
           settings.backend == layered_name;
}

/// The chosen backend reads pods.
inline bool reads_pods(const CollectorSettings& settings) noexcept {
    return settings.backend == pods_name || settings.backend == layered_name;
}

/// A pod is read with TLS.
inline bool has_https(const PodConfig& pods) noexcept {
    const auto is_https = [](const auto& described) { return described.url.starts_with("https:"); };
    return std::any_of(pods.targets.begin(), pods.targets.end(), is_https) ||
           std::any_of(pods.services.begin(), pods.services.end(), is_https);
}

} // namespace wva_metrics::detail
