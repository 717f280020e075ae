// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/reading.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace wva_metrics::kubernetes {

/// Which pods `OwnerResolver` watches, and how long their states are trusted.
struct OwnerResolverConfig {
    /// The followed namespaces. An empty name means all namespaces: it requires the permission to
    /// read them all, and makes other names superfluous. Four resources are followed in each
    /// namespace; see `ClientConfig::max_watches`.
    std::vector<std::string> namespaces{""};
    /// A label selector of the pods, e.g. `app.kubernetes.io/part-of=llm`; empty = all pods. With a
    /// selector, no pod is reported as gone: a live pod may merely stop matching.
    std::string pod_selector{};
    /// If the API server has sent nothing for this long, all pod states are `unknown`. API servers
    /// send something about every minute.
    Duration max_staleness = std::chrono::minutes(3);
    /// How long a deleted pod is reported as gone; 0 = never.
    Duration deleted_pod_retention = std::chrono::minutes(10);
    /// Maximum number of remembered deleted pods. Above it, the oldest are forgotten.
    std::size_t max_deleted_pods = 10'000;
    /// Called when a problem of a reflector starts; see `ReflectorHandler::on_problem`.
    std::function<void(const Error&)> on_problem{};
};

} // namespace wva_metrics::kubernetes
