// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/kubernetes/metadata.hpp"
#include "wva_metrics/kubernetes/resource.hpp"
#include "wva_metrics/kubernetes/serving_pod.hpp"
#include "wva_metrics/reading.hpp"
#include "wva_metrics/scrape/scrape_target.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {

/// Which pods of a cluster are scraped, and where.
struct KubernetesTargetsConfig {
    /// The namespace and the labels of the pods. Without labels, every pod with a page is scraped for
    /// every model of its namespace.
    kubernetes::Selection selection{};
    /// The label of a pod that holds its model's id, for pages that do not name it; empty = none.
    std::string model_label{};
    /// The annotations that say whether a pod is scraped (`false` = it is not), and at which port,
    /// path and scheme. An annotation counts before the members below.
    std::string scrape_annotation = "prometheus.io/scrape";
    std::string port_annotation = "prometheus.io/port";     ///< See `scrape_annotation`.
    std::string path_annotation = "prometheus.io/path";     ///< See `scrape_annotation`.
    std::string scheme_annotation = "prometheus.io/scheme"; ///< See `scrape_annotation`.
    /// The names of the container port, in the order of preference.
    std::vector<std::string> port_names{"http-metrics", "metrics", "http"};
    /// The port of a pod that has neither the annotation nor a port of these names; 0 = it is not
    /// scraped.
    std::uint16_t port = 8000;
    /// The path of a pod without the annotation.
    std::string path = "/metrics";
    /// The scheme of a pod without the annotation.
    std::string scheme = "http";
    /// How long a call waits for the first list of pods; then it completes with an error.
    Duration list_wait = std::chrono::seconds(5);
    /// If the API server has sent nothing for this long, the answers say so: pods that are new since
    /// then are missing. `OwnerResolverConfig::max_staleness` says what to choose.
    Duration max_staleness = std::chrono::minutes(3);
};

/// Where a pod is scraped; empty if it is not: it does not run, has no address, does not want to, or
/// is being deleted: then it gets no more requests, and may stop to answer at any moment. Pure.
inline std::optional<scrape::ScrapeTarget>
kubernetes_target(const kubernetes::ServingPod& pod, const KubernetesTargetsConfig& config) {
    const auto annotation = [&](const std::string& name, const std::string& otherwise) {
        const auto found = pod.annotations.find(name);
        return found == pod.annotations.end() ? otherwise : found->second;
    };
    if (pod.phase != "Running" || pod.address.empty() || pod.metadata.being_deleted ||
        annotation(config.scrape_annotation, "true") == "false")
        return std::nullopt;
    std::string port;
    for (const std::string& name : config.port_names)
        for (const kubernetes::ContainerPort& known : pod.ports)
            if (port.empty() && known.name == name)
                port = std::to_string(known.number);
    if (port.empty() && config.port != 0)
        port = std::to_string(config.port);
    port = annotation(config.port_annotation, port);
    if (port.empty())
        return std::nullopt;
    const bool is_v6 = pod.address.find(':') != std::string::npos;
    std::string path = annotation(config.path_annotation, config.path);
    if (!path.starts_with('/'))
        path.insert(0, 1, '/');
    scrape::ScrapeTarget target;
    target.url = annotation(config.scheme_annotation, config.scheme) + "://" + (is_v6 ? "[" : "") +
                 pod.address + (is_v6 ? "]" : "") + ":" + port + path;
    target.pod = pod.metadata.name;
    target.namespace_name = pod.metadata.namespace_name;
    target.uid = pod.metadata.uid;
    if (const auto model = pod.metadata.labels.find(config.model_label);
        !config.model_label.empty() && model != pod.metadata.labels.end())
        target.model = model->second;
    return target;
}

} // namespace wva_metrics
