// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/detail/api_target.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// A request to the API server, for error texts.
struct ApiOperation {
    /// `list` or `watch`, as in RBAC.
    std::string verb;
    ApiTarget target;
    /// The name of the bound of the whole request, in `ClientConfig`.
    std::string_view deadline;

    /// E.g. `list pods in namespace llm`.
    std::string describe() const { return verb + ' ' + target.describe(); }

    /// The remedy for a rejection, as the end of a sentence; empty if there is none.
    std::string advice_for(int http_status) const {
        switch (http_status) {
        case 401:
            return "; check that the token (http.credentials) is that of the program's service "
                   "account and has not expired";
        case 403:
            return "; allow it by RBAC: bind the program's service account to a " +
                   std::string(target.selection.namespace_name.empty() ? "ClusterRole" : "Role") +
                   " with apiGroups: [\"" + target.group + "\"], resources: [\"" + target.plural +
                   "\"], verbs: [\"list\", \"watch\"]" + " (refused: \"" + verb + "\")";
        case 404:
            return "; " + missing_resource();
        default:
            return "";
        }
    }

    /// In an error of the HTTP client, replaces the names of its bounds by those of this client's
    /// configuration, which are the ones that a user can set.
    std::string with_own_names(std::string message) const {
        const std::array<std::pair<std::string_view, std::string>, 6> names{
            {{"before the caller's deadline", "within " + std::string(deadline)},
             {"the caller's deadline", std::string(deadline)},
             {"timeouts.attempt", "page_timeout"},
             {"StreamTimeouts::idle", "idle_timeout"},
             {"limits.max_body_bytes", "max_page_bytes + 32 MiB"},
             {"limits.max_streams", "max_watches"}}};
        for (const auto& [http_name, own_name] : names)
            if (const std::size_t at = message.find(http_name); at != std::string::npos)
                message.replace(at, http_name.size(), own_name);
        return message;
    }

private:
    /// What to do if the API server does not know the resource.
    std::string missing_resource() const {
        // The groups of Kubernetes itself have no dot, or end with .k8s.io.
        const bool is_custom =
            target.group.find('.') != std::string::npos && !target.group.ends_with(".k8s.io");
        const std::string name = target.resource_name();
        if (!is_custom)
            return "the server at this URL has no " + name + " of version " + target.version +
                   "; check that http.url is the URL of a Kubernetes API server";
        std::string text = "the cluster has no custom resource " + name + " of version " +
                           target.version + "; install its CustomResourceDefinition";
        if (target.group == "llmd.ai")
            text += " (it comes with the Helm chart of llm-d's workload-variant-autoscaler)";
        return text + ", or set the group and version that `kubectl get crd " + name + "` shows";
    }
};

} // namespace wva_metrics::kubernetes::detail
