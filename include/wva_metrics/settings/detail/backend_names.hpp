// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/backend/pod_config.hpp"
#include "wva_metrics/settings/collector_settings.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace wva_metrics::detail {

// The names of the built-in backends.

inline constexpr std::string_view prometheus_name = "prometheus";
inline constexpr std::string_view pods_name = "pods";
inline constexpr std::string_view epp_name = "epp";

/// The names of the backends in layers, the preferred one first: two in `pods+prometheus`. One name
/// without a `+` is one.
inline std::vector<std::string_view> layers_of(std::string_view backend) {
    std::vector<std::string_view> names;
    for (std::size_t plus = backend.find('+'); plus != std::string_view::npos;
         plus = backend.find('+')) {
        names.push_back(backend.substr(0, plus));
        backend.remove_prefix(plus + 1);
    }
    names.push_back(backend);
    return names;
}

/// The chosen backend is this one, or has it as a layer.
inline bool uses_backend(const CollectorSettings& settings, std::string_view name) {
    const std::vector<std::string_view> names =
        layers_of(settings.backend.empty() ? prometheus_name : settings.backend);
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// A pod is read with TLS.
inline bool has_https(const PodConfig& pods) noexcept {
    const auto is_https = [](const auto& described) { return described.url.starts_with("https:"); };
    return std::any_of(pods.targets.begin(), pods.targets.end(), is_https) ||
           std::any_of(pods.services.begin(), pods.services.end(), is_https);
}

} // namespace wva_metrics::detail
