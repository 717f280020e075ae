// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/config.hpp"
#include "wva_metrics/http/credentials.hpp"
#include "wva_metrics/http/tls_config.hpp"
#include "wva_metrics/kubernetes/owner_resolver_config.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics {

/// The section `pods.kubernetes`: the pods of these namespaces are found by the Kubernetes API. What
/// the annotations `prometheus.io/scrape`, `port`, `path` and `scheme` of a pod say counts before the
/// members below (`KubernetesTargetsConfig`).
struct KubernetesPodSettings {
    /// All namespaces.
    static constexpr std::string_view all_namespaces = "*";
    /// More namespaces are followed as `*` only: each takes five connections to the API server.
    static constexpr std::size_t max_namespaces = 50;

    /// Whose pods are followed; `*` = all, which requires the permission to read them all. Empty = no
    /// pods are looked for in Kubernetes.
    std::vector<std::string> namespaces{};
    /// A label selector, such as `app=vllm`; empty = every running pod.
    std::string pod_selector{};
    /// The label that holds the model's id, for pages that do not name it; empty = none.
    std::string model_label{};
    /// The names of the container port, in the order of preference.
    std::vector<std::string> port_names{"http-metrics", "metrics", "http"};
    /// The port of a pod without a port of these names; 0 = it is not read.
    std::size_t port = 8000;
    /// The path of the pages.
    std::string path = "/metrics";
    /// `http` or `https`.
    std::string scheme = "http";
    /// The owners of the pods are read too, and whether a pod still exists
    /// (`kubernetes::OwnerResolver`); otherwise a pod's owner is derived from its name.
    bool resolve_owners = true;
    /// If the API server has sent nothing for this long, the answers say that pods may be missing.
    Duration max_staleness = std::chrono::minutes(3);
    /// The API server. Without a URL it is that of the cluster that the program runs in, with the
    /// account of its own pod. `transport` and `decompressor` are objects, and stay null here.
    http::ClientConfig client{};
    /// Used if the URL of the API server begins with `https`.
    http::TlsConfig tls{};

    /// Pods are looked for in Kubernetes.
    bool is_used() const noexcept { return !namespaces.empty(); }

    /// The namespaces as the API takes them, where an empty name means all.
    std::vector<std::string> names_for_api() const {
        if (std::find(namespaces.begin(), namespaces.end(), all_namespaces) != namespaces.end())
            return {""};
        return namespaces;
    }
};

/// All problems of the section, one sentence each, without secrets; empty if it is valid. A `client`
/// with an `https` URL needs a transport for it.
inline std::vector<std::string> validate(const KubernetesPodSettings& settings) {
    std::vector<std::string> problems;
    const auto require = [&](bool holds, const char* sentence) {
        if (!holds)
            problems.emplace_back(sentence);
    };
    for (std::size_t i = 0; i < settings.namespaces.size(); ++i) {
        const std::string& name = settings.namespaces[i];
        kubernetes::OwnerResolverConfig one;
        one.namespaces = {name};
        if (name != KubernetesPodSettings::all_namespaces &&
            (name.empty() || !validate(one).empty()))
            problems.push_back("namespaces[" + std::to_string(i) +
                               "] must be \"*\" (all namespaces) or the name of a namespace: at "
                               "most 63 lower-case letters, digits and -, with no - at its ends");
    }
    if (settings.namespaces.size() > KubernetesPodSettings::max_namespaces)
        problems.push_back("namespaces must be at most " +
                           std::to_string(KubernetesPodSettings::max_namespaces) +
                           "; \"*\" means all, and needs fewer connections");
    require(settings.max_staleness > Duration::zero(), "max_staleness must be positive");
    require(settings.port <= 65'535, "port must be at most 65535; 0 = only the named ones");
    require(settings.scheme == "http" || settings.scheme == "https",
            "scheme must be \"http\" or \"https\"");
    if (settings.client.url.empty()) {
        require(
            settings.client.credentials.kind() == http::Credentials::Kind::none,
            "client.credentials need client.url; without it, the account of the program's pod is "
            "used");
        require(settings.tls == http::TlsConfig(),
                "tls needs client.url; without it, the authority of the cluster is trusted");
    }
    http::ClientConfig client = settings.client;
    if (client.url.empty())
        client.url = "http://localhost";
    for (const std::string& problem : validate(client))
        problems.push_back("client." + problem);
    for (const std::string& problem : validate(settings.tls))
        problems.push_back(problem);
    return problems;
}

} // namespace wva_metrics
