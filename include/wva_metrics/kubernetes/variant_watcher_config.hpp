// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/detail/namespace_name.hpp"
#include "wva_metrics/kubernetes/objects.hpp"
#include "wva_metrics/kubernetes/resource.hpp"
#include "wva_metrics/kubernetes/variants_change.hpp"

#include <functional>
#include <string>
#include <vector>

namespace wva_metrics::kubernetes {

/// Which variant autoscaling objects `VariantWatcher` follows, and its callbacks. Check it with
/// `validate`.
struct VariantWatcherConfig {
    /// The resource. Set its group or version if it is installed under another one.
    Resource<VariantAutoscalingObject> resource{};
    /// The namespace; empty = all namespaces, which requires the permission to read them all.
    std::string namespace_name{};
    /// A label selector of the objects, e.g. `team=search`; empty = all objects.
    std::string label_selector{};
    /// Called for every change, one call at a time, on the client's executor and with no lock held.
    /// `snapshot()` already contains the change. Exceptions are counted in `status()` and ignored.
    std::function<void(const VariantsChange&)> on_change{};
    /// Called when a problem of the reflector starts; see `ReflectorHandler::on_problem`.
    std::function<void(const Error&)> on_problem{};
};

/// All problems of a configuration, one sentence each; empty if it is valid. Only the API server
/// can tell whether a label selector is valid.
inline std::vector<std::string> validate(const VariantWatcherConfig& config) {
    std::vector<std::string> problems;
    if (config.resource.version.empty())
        problems.emplace_back("resource.version must not be empty");
    if (config.resource.plural.empty())
        problems.emplace_back("resource.plural must not be empty");
    if (!detail::is_namespace_name(config.namespace_name))
        problems.push_back(detail::namespace_problem("namespace_name"));
    return problems;
}

} // namespace wva_metrics::kubernetes
