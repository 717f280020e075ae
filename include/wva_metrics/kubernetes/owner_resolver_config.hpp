// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/detail/namespace_name.hpp"
#include "wva_metrics/reading.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace wva_metrics::kubernetes {

/// Which pods `OwnerResolver` watches, and how long their states are trusted. Check it with
/// `validate`.
struct OwnerResolverConfig {
    /// The followed namespaces. An empty name means all namespaces: it requires the permission to
    /// read them all, and makes other names superfluous. Four resources are followed in each
    /// namespace; see `ClientConfig::max_watches`.
    std::vector<std::string> namespaces{""};
    /// A label selector of the pods, e.g. `app.kubernetes.io/part-of=llm`; empty = all pods. With a
    /// selector, no pod is reported as gone: a live pod may merely stop matching.
    std::string pod_selector{};
    /// If the API server has sent nothing for this long, all pod states are `unknown`. Set it above
    /// `ClientConfig::idle_timeout`: a watch that is silent for so long is opened again, which shows
    /// that the API server is there.
    Duration max_staleness = std::chrono::minutes(3);
    /// How long a deleted pod is reported as gone; 0 = never.
    Duration deleted_pod_retention = std::chrono::minutes(10);
    /// Maximum number of remembered deleted pods. Above it, the oldest are forgotten.
    std::size_t max_deleted_pods = 10'000;
    /// Called when a problem of a reflector starts; see `ReflectorHandler::on_problem`.
    std::function<void(const Error&)> on_problem{};
};

/// All problems of a configuration, one sentence each; empty if it is valid. Only the API server
/// can tell whether a label selector is valid.
inline std::vector<std::string> validate(const OwnerResolverConfig& config) {
    std::vector<std::string> problems;
    if (config.namespaces.empty())
        problems.emplace_back("namespaces must not be empty; the name \"\" means all namespaces");
    for (std::size_t i = 0; i < config.namespaces.size(); ++i)
        if (!detail::is_namespace_name(config.namespaces[i]))
            problems.push_back(detail::namespace_problem("namespaces[" + std::to_string(i) + "]"));
    if (config.max_staleness <= Duration::zero())
        problems.emplace_back("max_staleness must be positive");
    if (config.deleted_pod_retention < Duration::zero())
        problems.emplace_back("deleted_pod_retention must not be negative; 0 = never");
    return problems;
}

} // namespace wva_metrics::kubernetes
